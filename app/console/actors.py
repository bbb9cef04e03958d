"""Who did something, in words: the names behind what records keep, like `user:zhao`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import Connection

from app.console.language import N_, Language
from app.store import users

_SYSTEM = {
    "scheduler": N_("定时任务"),
    "cli": N_("运维人员（命令行）"),
}
_KINDS = {
    "key": N_("平台接口"),
    "nightly": N_("夜间批次"),
    "learner-link": N_("学员本人"),
}


def named(
    connection: Connection, lang: Language, actors: Iterable[str | None]
) -> Callable[[str | None], str]:
    """What to call each of these; who is unknown is called by what the record says."""
    people = {it.partition(":")[2] for it in actors if it and it.startswith("user:")}
    names = users.display_names(connection, people) if people else {}

    def say(actor: str | None) -> str:
        kind, _, which = (actor or "").partition(":")
        if kind == "user":
            return names.get(which, which)
        if kind == "system":
            return lang.say(_SYSTEM.get(which, N_("系统")))
        return lang.say(_KINDS[kind]) if kind in _KINDS else actor or lang.say(N_("系统"))

    return say
