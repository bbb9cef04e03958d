"""Who did something, by name: the people behind what records keep, like `user:zhao`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import Connection

from app.console import readable
from app.console.language import N_, Language
from app.domain.accounts.users import User
from app.store.accounts import users

_SYSTEM = {
    "scheduler": N_("定时任务"),
    "cli": N_("运维人员（命令行）"),
}


def named(
    connection: Connection, lang: Language, actors: Iterable[str | None], reader: User
) -> Callable[[str | None], str]:
    """What to call each of these; only the authority's people are told who works at the bureau, and
    everybody what they did themselves."""
    people = {it.partition(":")[2] for it in actors if it and it.startswith("user:")}
    names = users.display_names(connection, people) if people else {}

    def say(actor: str | None) -> str:
        kind, _, which = (actor or "").partition(":")
        if kind == "user" and not reader.of_authority and actor != reader.actor:
            return lang.say(N_("主管部门"))
        if kind == "user":
            return names.get(which, which)
        if kind == "nightly":
            return lang.say(N_("夜间批次"))
        if kind in ("", "system"):
            return lang.say(_SYSTEM.get(which, N_("系统")))
        return readable.actor(actor or "", lang)

    return say
