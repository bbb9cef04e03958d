"""What `GET /xAPI/statements` may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.domain.exchange.xapi_batch import require_uuid
from app.domain.exchange.xapi_formats import ids_only
from app.domain.exchange.xapi_keys import activity_key, agent_key, verb_key
from app.domain.exchange.xapi_model import actor
from app.domain.exchange.xapi_values import StatementError, iri, milliseconds, parse_json
from app.errors import MalformedBody
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

Shape = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class StatementQuery:
    """`limit` 0: as many as there may be. `after` is where the page before ended."""

    wanted: StatementFilter
    limit: int
    after: int | None
    shape: Shape

    @classmethod
    def of(cls, told: Mapping[str, str]) -> StatementQuery:
        """Raises MalformedBody naming the parameter."""
        for name in ("related_activities", "related_agents", "attachments"):
            flag(told, name, allowed=False)
        try:
            wanted = StatementFilter(
                agent=_agent(told),
                verb=_iri(told, "verb", verb_key),
                activity=_iri(told, "activity", activity_key),
                registration=_registration(told),
                since_ms=_moment(told, "since"),
                until_ms=_moment(told, "until"),
                ascending=flag(told, "ascending"),
            )
        except StatementError as fault:
            raise _invalid(str(fault)) from None
        return cls(wanted, _whole(told, "limit") or 0, _whole(told, "after"), shape_of(told))


def flag(told: Mapping[str, str], name: str, allowed: bool = True) -> bool:
    """A parameter that is `true` or `false`; MalformedBody too where true is not `allowed`."""
    value = told.get(name, "false").lower()
    if value not in ("true", "false"):
        raise _invalid(f"{name}: must be true or false")
    if value == "true" and not allowed:
        raise _invalid(f"{name}: is not offered here, only false")
    return value == "true"


def shape_of(told: Mapping[str, str]) -> Shape:
    """How a statement is shown. `canonical` is `exact`: definitions are kept as they were sent."""
    wanted = told.get("format", "exact")
    if wanted not in ("exact", "canonical", "ids"):
        raise _invalid("format: must be exact, ids or canonical")
    return ids_only if wanted == "ids" else _whole_statement


def _whole_statement(body: bytes) -> bytes:
    return body


def _agent(told: Mapping[str, str]) -> bytes | None:
    if "agent" not in told:
        return None
    value = parse_json(told["agent"])
    actor(value, "agent")
    key = agent_key(value)
    if key is None:
        raise StatementError("agent", "must have an identifier")
    return key


def _iri(told: Mapping[str, str], name: str, key: Callable[[str], bytes]) -> bytes | None:
    if name not in told:
        return None
    iri(told[name], name)
    return key(told[name])


def _registration(told: Mapping[str, str]) -> str | None:
    if "registration" not in told:
        return None
    return require_uuid(told["registration"], "registration").lower()


def _moment(told: Mapping[str, str], name: str) -> int | None:
    return milliseconds(told[name], name) if name in told else None


def _whole(told: Mapping[str, str], name: str) -> int | None:
    value = told.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= 18):
        raise _invalid(f"{name}: must be a whole number, 0 or more")
    return int(value)


def _invalid(detail: str) -> MalformedBody:
    return MalformedBody("invalid_parameter", detail)
