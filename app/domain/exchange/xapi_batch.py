"""Statements on their way in: read, checked, completed, and compared with what is stored."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

from app.domain.exchange.xapi_model import check_statement
from app.domain.exchange.xapi_values import StatementError, as_timestamp, milliseconds, parse_json
from app.domain.exchange.xapi_values import uuid as check_uuid
from app.errors import MalformedBody

MOST_STATEMENTS = 1000
_MOST_ERRORS = 100
_FILLED_IN = ("id", "stored", "authority", "version")  # no part of what a statement says

_TOO_FINE = re.compile(r"(\.\d\d)\d+(?=S$)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sent:
    """A valid statement as it was sent. `id` is as sent or made here; `at_ms` None: untold."""

    id: str
    statement: dict[str, Any]
    at_ms: int | None

    @property
    def key(self) -> str:
        return self.id.lower()


def read_post(body: bytes, two: bool) -> list[Sent]:
    """The statement or statements of a POST. Raises MalformedBody naming every faulty field."""
    value = parse_json(body)
    if not isinstance(value, list):
        return [_read_all([value], two, numbered=False)[0]]
    if len(value) > MOST_STATEMENTS:
        raise MalformedBody(
            "too_many_statements", f"{len(value)} statements, at most {MOST_STATEMENTS} at once"
        )
    return _read_all(value, two, numbered=True)


def read_put(body: bytes, statement_id: str, two: bool) -> Sent:
    """The statement of a PUT, under the id that the request names. Raises MalformedBody."""
    (sent,) = _read_all([parse_json(body)], two, numbered=False)
    if "id" in sent.statement and sent.key != statement_id.lower():
        raise MalformedBody("other_id", "id: is not the statementId of the request")
    return Sent(statement_id, sent.statement, sent.at_ms)


def require_uuid(text: str, name: str) -> str:
    """The text again, if it is a UUID. Raises MalformedBody naming the parameter."""
    try:
        check_uuid(text, name)
    except StatementError as fault:
        raise MalformedBody("invalid_parameter", str(fault)) from None
    return text


def _read_all(values: list[Any], two: bool, numbered: bool) -> list[Sent]:
    found: list[Sent] = []
    errors: list[dict[str, Any]] = []
    seen: set[str] = set()
    for index, value in enumerate(values):
        try:
            sent = _read(value, two)
            if sent.key in seen:
                raise StatementError("id", "stands twice in this batch")
            seen.add(sent.key)
            found.append(sent)
        except StatementError as fault:
            errors.append(_error(index, fault, numbered))
    if errors:
        raise MalformedBody(
            "invalid_statement",
            "; ".join(error["detail"] for error in errors[:3]),
            errors=errors[:_MOST_ERRORS],
        )
    return found


def _read(value: Any, two: bool) -> Sent:
    check_statement(value, two)
    value = with_arrays(value)
    timestamp = value.get("timestamp")
    at_ms = None if timestamp is None else milliseconds(timestamp, "timestamp")
    return Sent(value.get("id") or str(uuid.uuid4()), value, at_ms)


def _error(index: int, fault: StatementError, numbered: bool) -> dict[str, Any]:
    where = fault.where or "statement"
    field = f"[{index}].{where}" if numbered else where
    return {
        "index": index,
        "field": field,
        "code": "invalid_statement",
        "detail": f"{field}: {fault.text}",
    }


def completed(sent: Sent, authority: dict[str, Any], stored_ms: int, two: bool) -> dict[str, Any]:
    """The statement with what the standard has the receiver fill in."""
    stored = as_timestamp(stored_ms)
    return {
        "id": sent.id,
        **sent.statement,
        "timestamp": sent.statement.get("timestamp", stored),
        "version": sent.statement.get("version", "2.0.0" if two else "1.0.0"),
        "stored": stored,
        "authority": authority,
    }


def says_the_same(stored: dict[str, Any], sent: Sent) -> bool:
    """Whether a stored statement is the one that is sent again: what was filled in is no part of
    it, and a timestamp is a moment, however it is written."""
    if sent.at_ms is not None and sent.at_ms != milliseconds(stored["timestamp"], "timestamp"):
        return False
    return content_of(stored) == content_of(sent.statement)


def content_of(statement: dict[str, Any]) -> dict[str, Any]:
    """What a statement says, in one way of writing it: durations to a hundredth of a second, as the
    standard compares them, and lists where one thing may stand for a list of one."""
    left_out = (*_FILLED_IN, "timestamp")
    said = {name: value for name, value in with_arrays(statement).items() if name not in left_out}
    result = said.get("result")
    if isinstance(result, dict) and isinstance(result.get("duration"), str):
        duration = _TOO_FINE.sub(r"\1", result["duration"])
        said["result"] = {**result, "duration": duration}
    return said


def with_arrays(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement with every single object of `contextActivities` as a list of one."""
    changed = dict(statement)
    told = statement.get("context", {}).get("contextActivities")
    if isinstance(told, dict):
        lists = {name: it if isinstance(it, list) else [it] for name, it in told.items()}
        changed["context"] = {**statement["context"], "contextActivities": lists}
    thing = statement.get("object")
    if isinstance(thing, dict) and thing.get("objectType") == "SubStatement":
        changed["object"] = with_arrays(thing)
    return changed
