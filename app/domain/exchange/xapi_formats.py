"""How statements are shown: whole, or with `format=ids` only what names their parts."""

from __future__ import annotations

import json
from typing import Any

from app.domain.exchange.xapi_model import IDENTIFIERS
from app.domain.exchange.xapi_values import dump_json


def ids_only(body: bytes) -> bytes:
    """A stored statement less names, displays and definitions."""
    return dump_json(_statement(json.loads(body)))


def _statement(statement: dict[str, Any]) -> dict[str, Any]:
    shown = {
        **statement,
        "actor": _who(statement["actor"]),
        "verb": {"id": statement["verb"]["id"]},
        "object": _thing(statement["object"]),
    }
    if "context" in statement:
        shown["context"] = _context(statement["context"])
    return shown


def _context(context: dict[str, Any]) -> dict[str, Any]:
    shown = dict(context)
    for name in ("instructor", "team"):
        if name in context:
            shown[name] = _who(context[name])
    if "contextActivities" in context:
        shown["contextActivities"] = {
            relation: [_thing(it) for it in told] if isinstance(told, list) else _thing(told)
            for relation, told in context["contextActivities"].items()
        }
    return shown


def _thing(thing: dict[str, Any]) -> dict[str, Any]:
    kind = thing.get("objectType", "Activity")
    if kind == "SubStatement":
        return _statement(thing)
    if kind in ("Agent", "Group"):
        return _who(thing)
    return {name: thing[name] for name in ("objectType", "id") if name in thing}


def _who(actor: dict[str, Any]) -> dict[str, Any]:
    shown = {name: actor[name] for name in ("objectType", *IDENTIFIERS) if name in actor}
    if not any(name in actor for name in IDENTIFIERS):
        shown["member"] = [_who(member) for member in actor["member"]]
    return shown
