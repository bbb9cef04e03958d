"""How statements are shown: as they are, with `format=ids` only what names their parts, with
`format=canonical` what is known of verbs and activities in one language."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.exchange.xapi_model import IDENTIFIERS
from app.domain.exchange.xapi_values import dump_json

Part = Callable[[dict[str, Any]], dict[str, Any]]
_LANGUAGE = re.compile(r"([A-Za-z0-9-]+|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?", re.ASCII)
_MOST_LANGUAGES = 20
_HOME = ("zh-CN", "zh")  # whom nothing was asked of


@dataclass(frozen=True, slots=True)
class Shown:
    """What becomes of each kind of part."""

    who: Part
    verb: Part
    activity: Part

    def statement(self, told: dict[str, Any]) -> dict[str, Any]:
        shown = {
            **told,
            "actor": self.who(told["actor"]),
            "verb": self.verb(told["verb"]),
            "object": self._thing(told["object"]),
        }
        if "context" in told:
            shown["context"] = self._context(told["context"])
        return shown

    def _thing(self, thing: dict[str, Any]) -> dict[str, Any]:
        kind = thing.get("objectType", "Activity")
        if kind == "SubStatement":
            return self.statement(thing)
        if kind == "StatementRef":
            return thing
        return self.who(thing) if kind in ("Agent", "Group") else self.activity(thing)

    def _context(self, context: dict[str, Any]) -> dict[str, Any]:
        shown = dict(context)
        for name in ("instructor", "team"):
            if name in context:
                shown[name] = self.who(context[name])
        for name, who in (("contextAgents", "agent"), ("contextGroups", "group")):
            if name in context:
                shown[name] = [{**it, who: self.who(it[who])} for it in context[name]]
        if "contextActivities" in context:
            shown["contextActivities"] = {
                relation: [self.activity(it) for it in (told if isinstance(told, list) else [told])]
                for relation, told in context["contextActivities"].items()
            }
        return shown


def ids_only(body: bytes) -> bytes:
    """A stored statement less names, displays and definitions."""
    return dump_json(_IDS.statement(json.loads(body)))


def canonical(body: bytes, known: Mapping[str, dict[str, Any]], languages: Sequence[str]) -> bytes:
    """A stored statement with what is `known` of its activities, in the best of the languages."""

    def verb(told: dict[str, Any]) -> dict[str, Any]:
        return _in_one_language(told, ("display",), languages)

    def thing(told: dict[str, Any]) -> dict[str, Any]:
        definition = known.get(told["id"], told.get("definition"))
        if definition is None:
            return told
        names = ("name", "description")
        return {**told, "definition": _in_one_language(definition, names, languages)}

    return dump_json(Shown(lambda it: it, verb, thing).statement(json.loads(body)))


def activity(name: str, definition: dict[str, Any] | None) -> dict[str, Any]:
    """An activity with what is known of it."""
    shown: dict[str, Any] = {"objectType": "Activity", "id": name}
    return shown if definition is None else {**shown, "definition": definition}


def person(agent: dict[str, Any]) -> dict[str, Any]:
    """An agent as a Person, each of its properties a list: no two agents are joined here."""
    told = {name: [agent[name]] for name in ("name", *IDENTIFIERS) if name in agent}
    return {"objectType": "Person", **told}


def languages_of(header: str | None) -> list[str]:
    """The tags of an `Accept-Language` header, the most wanted first."""
    found = []
    for entry in (header or "").split(",")[:_MOST_LANGUAGES]:
        shape = _LANGUAGE.fullmatch(entry.strip())
        if shape and float(shape[2] or 1) > 0:
            found.append((float(shape[2] or 1), shape[1].lower()))
    return [tag for _, tag in sorted(found, key=lambda it: -it[0])]


def _in_one_language(
    told: dict[str, Any], names: Sequence[str], languages: Sequence[str]
) -> dict[str, Any]:
    shown = dict(told)
    for name in names:
        if len(told.get(name, ())) > 1:
            tag = _best(list(told[name]), languages)
            shown[name] = {tag: told[name][tag]}
    return shown


def _best(tags: list[str], languages: Sequence[str]) -> str:
    for wanted in (*languages, *_HOME):
        base = wanted.lower()
        for tag in tags:
            if tag.lower() == base:
                return tag
        for tag in tags:
            if tag.lower().partition("-")[0] == base.partition("-")[0]:
                return tag
    return tags[0]


def _who(actor: dict[str, Any]) -> dict[str, Any]:
    shown = {name: actor[name] for name in ("objectType", *IDENTIFIERS) if name in actor}
    if not any(name in actor for name in IDENTIFIERS):
        shown["member"] = [_who(member) for member in actor["member"]]
    return shown


def _id(told: dict[str, Any]) -> dict[str, Any]:
    return {"id": told["id"]}


_IDS = Shown(_who, _id, _id)
