"""Parameters of xAPI requests, checked as the standard's values are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.exchange.xapi_batch import require_uuid
from app.domain.exchange.xapi_keys import agent_key
from app.domain.exchange.xapi_model import actor
from app.domain.exchange.xapi_values import StatementError, iri, milliseconds, parse_json
from app.errors import MalformedBody


def agent_of(told: Mapping[str, str]) -> dict[str, Any]:
    """`agent`, which is required: JSON of an agent, or of a group with an identifier."""
    found = agent_if(told)
    if found is None:
        raise invalid("agent: is required")
    return found


def agent_if(told: Mapping[str, str]) -> dict[str, Any] | None:
    """`agent`, if it is told. Raises MalformedBody."""
    if "agent" not in told:
        return None
    value: dict[str, Any] = parse_json(told["agent"])
    try:
        actor(value, "agent")
    except StatementError as fault:
        raise invalid(str(fault)) from None
    if agent_key(value) is None:
        raise invalid("agent: must have an identifier")
    return value


def activity_of(told: Mapping[str, str]) -> str:
    """`activityId`, which is required: an IRI."""
    found = iri_if(told, "activityId")
    if found is None:
        raise invalid("activityId: is required")
    return found


def iri_if(told: Mapping[str, str], name: str) -> str | None:
    """A parameter that is an IRI, if it is told. Raises MalformedBody."""
    if name not in told:
        return None
    try:
        iri(told[name], name)
    except StatementError as fault:
        raise invalid(str(fault)) from None
    return told[name]


def registration_of(told: Mapping[str, str]) -> str | None:
    """`registration` in lower case, if it is told: a UUID."""
    if "registration" not in told:
        return None
    return require_uuid(told["registration"], "registration").lower()


def moment_of(told: Mapping[str, str], name: str) -> int | None:
    """A timestamp in epoch milliseconds, if it is told. Raises MalformedBody."""
    if name not in told:
        return None
    try:
        return milliseconds(told[name], name)
    except StatementError as fault:
        raise invalid(str(fault)) from None


def invalid(detail: str) -> MalformedBody:
    return MalformedBody("invalid_parameter", detail)
