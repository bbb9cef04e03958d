"""The verdicts of a class as the API gives them and `zhenxue validate` prints them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from app.domain.catalogue.classes import pack_of
from app.domain.judging import eligibility, wording
from app.domain.judging.verdict_body import pack_body
from app.domain.review import findings
from app.errors import NotFound
from app.store.catalogue import catalogue, people
from app.store.catalogue.catalogue import ClassRow
from app.store.catalogue.people import EnrolledRow
from app.store.events import event_log
from app.store.judging import verdicts
from app.store.row import AnyRow

_SURROUND = frozenset({"subject", "pack"})


def class_hours(
    connection: Connection, klass: ClassRow, learner: str | None = None
) -> dict[str, Any]:
    """Every learner × every class-hour of the frozen plan, studied or not.

    Raises NotFound for a learner who is not in the class. `unsettled_sessions` ended and are not
    judged yet.
    """
    members = _members(connection, klass, learner)
    enrolments = catalogue.enrolments(connection, klass.id)
    plan = catalogue.class_hours(connection, klass.id)
    only = enrolments[members[0].id] if learner is not None else None
    marks = {
        (row.subject_id, row.hour): row
        for row in verdicts.of_class(connection, klass.id, "class_hour", only)
    }
    rows: list[dict[str, Any]] = [
        {
            "learner_id": member.external_id,
            "class_hours": [
                _hour(marks.get((enrolments[member.id], hour.number)), hour) for hour in plan
            ],
        }
        for member in members
    ]
    for row in rows:
        counts = Counter(hour["outcome"] for hour in row["class_hours"])
        row["counts"] = dict(sorted(counts.items()))
    total = Counter(hour["outcome"] for row in rows for hour in row["class_hours"])
    return {
        "class_id": klass.external_id,
        "pack": pack_body(pack_of(klass)),
        "planned": len(plan),
        "unsettled_sessions": len(event_log.unsettled(connection, klass.id)),
        "counts": dict(sorted(total.items())),
        "learners": rows,
    }


def sessions(connection: Connection, class_id: int) -> list[dict[str, Any]]:
    """The current verdict on every judged sitting of the class."""
    rows = [_told(row) for row in verdicts.of_class(connection, class_id, "session")]
    return sorted(rows, key=lambda it: (it["learner_id"], it["started_ms"], it["session_id"]))


def everything(connection: Connection, klass: ClassRow, now_ms: int) -> dict[str, Any]:
    """All current verdicts of a class with their findings."""
    concluded = eligibility.view(connection, klass, now_ms)
    matrix = class_hours(connection, klass)
    return {
        "class": concluded["class"],
        "enrolments": concluded["learners"],
        "class_hours": [
            {"learner_id": row["learner_id"], **hour}
            for row in matrix["learners"]
            for hour in row["class_hours"]
        ],
        "sessions": sessions(connection, klass.id),
        "findings": findings.of_class(connection, klass.id),
    }


def _members(connection: Connection, klass: ClassRow, learner: str | None) -> Sequence[EnrolledRow]:
    members = people.enrolled(connection, klass.id)
    if learner is None:
        return members
    named = [member for member in members if member.external_id == learner]
    if not named:
        raise NotFound("unknown_learner", f"learner {learner!r} is not in this class")
    return named


def _hour(mark: AnyRow | None, hour: catalogue.HourRow) -> dict[str, Any]:
    """One cell of the matrix; a class-hour that nobody played has no verdict."""
    if mark is None:
        told: dict[str, Any] = {
            "outcome": "not_started",
            "coverage": 0.0,
            "credited_ms": 0,
            "played_ms": 0,
            "length_ms": hour.media_ms,
            "photos": 0,
            "sessions": [],
            "findings": [],
            "provenance": [],
            "facts_sha256": None,
            "judged_ms": None,
        }
    else:
        body = wording.with_findings(msgspec.json.decode(mark.body))
        told = {name: value for name, value in body.items() if name not in _SURROUND}
        told["judged_ms"] = mark.created_ms
    return {
        "class_hour": hour.number,
        **told,
        "credited_seconds": told["credited_ms"] / 1000,
    }


def _told(row: AnyRow) -> dict[str, Any]:
    """A verdict's body with its subject laid open, and when it was reached."""
    body = wording.with_findings(msgspec.json.decode(row.body))
    subject = {name: value for name, value in body.pop("subject").items() if name != "kind"}
    return {**subject, **body, "judged_ms": row.created_ms}
