"""What `GET /xAPI/statements` may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.api.xapi_parameters import agent_if, invalid, iri_if, moment_of, registration_of
from app.domain.exchange.xapi_keys import activity_key, agent_key, member_key, verb_key
from app.store.exchange.statements import StatementFilter

ONE_PARAMETERS = ("statementId", "voidedStatementId", "format", "attachments")
LIST_PARAMETERS = (
    "agent",
    "verb",
    "activity",
    "registration",
    "related_activities",
    "related_agents",
    "since",
    "until",
    "limit",
    "format",
    "attachments",
    "ascending",
    "after",
)


@dataclass(frozen=True, slots=True)
class StatementQuery:
    """`limit` 0: as many as there may be. `after` is where the page before ended."""

    wanted: StatementFilter
    limit: int
    after: int | None

    @classmethod
    def of(cls, told: Mapping[str, str]) -> StatementQuery:
        """Raises MalformedBody naming the parameter."""
        agent, activity, verb = agent_if(told), iri_if(told, "activity"), iri_if(told, "verb")
        related = flag(told, "related_agents")
        wanted = StatementFilter(
            agent=None if agent is None else agent_key(agent),
            agent_link=None if agent is None else _agent_link(agent, related),
            verb=None if verb is None else verb_key(verb),
            activity=None if activity is None else activity_key(activity),
            registration=registration_of(told),
            since_ms=moment_of(told, "since"),
            until_ms=moment_of(told, "until"),
            ascending=flag(told, "ascending"),
        )
        if flag(told, "related_activities"):
            wanted = replace(wanted, activity_link=wanted.activity)
        return cls(wanted, _whole(told, "limit") or 0, _whole(told, "after"))


def _agent_link(agent: dict[str, Any], related: bool) -> bytes | None:
    key = agent_key(agent)
    return key if related or key is None else member_key(key)


def flag(told: Mapping[str, str], name: str) -> bool:
    """A parameter that is `true` or `false`. Raises MalformedBody."""
    value = told.get(name, "false").lower()
    if value not in ("true", "false"):
        raise invalid(f"{name}: must be true or false")
    return value == "true"


def format_of(told: Mapping[str, str]) -> str:
    """How statements are shown. Raises MalformedBody."""
    wanted = told.get("format", "exact")
    if wanted not in ("exact", "canonical", "ids"):
        raise invalid("format: must be exact, ids or canonical")
    return wanted


def _whole(told: Mapping[str, str], name: str) -> int | None:
    value = told.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= 18):
        raise invalid(f"{name}: must be a whole number, 0 or more")
    return int(value)
