"""Who did something, by name: the people behind what records keep, like `user:zhao`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import Connection

from app.console import readable
from app.console.language import N_, Language
from app.domain.accounts.users import User
from app.store.accounts import platforms, users

_SYSTEM = {
    "scheduler": N_("定时任务"),
    "cli": N_("运维人员（命令行）"),
}


def of_key(actor: str, keys: Mapping[str, str], lang: Language) -> str:
    """A platform by its name, with the number of the key it used; else as `readable` says."""
    said = readable.actor(actor, lang)
    return (
        lang.say(N_("%(platform)s（%(key)s）"), platform=keys[actor], key=said)
        if actor in keys
        else said
    )


def _is_key(actor: str | None) -> bool:
    return (actor or "").startswith("key:")


def named(
    connection: Connection, lang: Language, actors: Iterable[str | None], reader: User
) -> Callable[[str | None], str]:
    """What to call each of these; only the authority's people are told who works at the bureau, and
    everybody what they did themselves."""
    told = list(actors)
    people = {it.partition(":")[2] for it in told if it and it.startswith("user:")}
    names = users.display_names(connection, people) if people else {}
    keys = platforms.names_of_keys(connection) if any(map(_is_key, told)) else {}

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
        return of_key(actor or "", keys, lang)

    return say
