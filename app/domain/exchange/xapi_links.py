"""Whom and what a statement names, for filters and for what is known of activities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.domain.exchange.xapi_keys import activity_key, agent_key, member_key

_WHO = ("Agent", "Group")


def links_of(statement: dict[str, Any]) -> set[bytes]:
    """Digests that `related_agents`, `related_activities` and members of groups are found by."""
    keys = {activity_key(it["id"]) for it in activities_of(statement)}
    for it in _agents(statement):
        keys |= {key for who in (it, *it.get("member", ())) if (key := agent_key(who))}
    for it in (statement["actor"], statement["object"]):
        keys |= {member_key(key) for who in it.get("member", ()) if (key := agent_key(who))}
    return keys


def activities_of(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All activities that a statement names, those of a statement within it too."""
    thing = statement["object"]
    kind = thing.get("objectType", "Activity")
    if kind == "Activity":
        yield thing
    elif kind == "SubStatement":
        yield from activities_of(thing)
    for told in statement.get("context", {}).get("contextActivities", {}).values():
        yield from told if isinstance(told, list) else [told]


def _agents(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield statement["actor"]
    thing = statement["object"]
    kind = thing.get("objectType", "Activity")
    if kind in _WHO:
        yield thing
    elif kind == "SubStatement":
        yield from _agents(thing)
    context = statement.get("context", {})
    yield from (context[name] for name in ("instructor", "team") if name in context)
    yield from (it["agent"] for it in context.get("contextAgents", ()))
    yield from (it["group"] for it in context.get("contextGroups", ()))


def definitions_of(statements: list[dict[str, Any]]) -> dict[bytes, dict[str, Any]]:
    """What statements tell of their activities, the later told winning, by digest."""
    found: dict[bytes, dict[str, Any]] = {}
    for statement in statements:
        for it in activities_of(statement):
            if it.get("definition"):
                key = activity_key(it["id"])
                found[key] = joined(found.get(key, {}), it["definition"])
    return found


def joined(known: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """A definition with what another one tells: languages and extensions beside one another."""
    whole = {**known, **told}
    for name in ("name", "description", "extensions"):
        if name in known and name in told:
            whole[name] = {**known[name], **told[name]}
    return whole
