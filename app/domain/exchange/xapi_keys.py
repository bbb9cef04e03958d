"""What the filters of stored statements compare: one digest for who, which verb, which activity."""

from __future__ import annotations

import hashlib
from typing import Any

from app.domain.exchange.xapi_model import IDENTIFIERS


def agent_key(actor: dict[str, Any]) -> bytes | None:
    """Two actors are the same one when an identifier agrees; names play no part.

    None for a group that only its members identify.
    """
    for name in IDENTIFIERS:
        if name in actor:
            identifier = actor[name]
            if name == "account":
                identifier = f"{identifier['homePage']} {identifier['name']}"
            return digest(name, identifier)
    return None


def member_key(agent: bytes) -> bytes:
    """Of an agent as a member of a group that acts or is acted on; `agent` is its own digest."""
    return digest("member", agent.hex())


def verb_key(iri: str) -> bytes:
    return digest("verb", iri)


def activity_key(iri: str) -> bytes:
    return digest("activity", iri)


def object_key(thing: dict[str, Any]) -> bytes | None:
    """Of an activity, agent or group; None for a reference or a statement within a statement."""
    kind = thing.get("objectType", "Activity")
    if kind == "Activity":
        return activity_key(thing["id"])
    return agent_key(thing) if kind in ("Agent", "Group") else None


def digest(kind: str, told: str) -> bytes:
    """SHA-256 of a thing of that kind."""
    return hashlib.sha256(f"{kind} {told}".encode()).digest()
