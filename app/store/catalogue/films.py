"""Recordings of teaching in person, and how much was taught on which day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, select

from app.store.row import fetch
from models import OfflineAttendance, RecordingRecord


class FilmRow(Protocol):
    item: str
    held_on: str
    body: dict[str, Any]


def of_class(connection: Connection, class_id: int) -> Sequence[FilmRow]:
    """Day by day, by the name of the file."""
    query = select(RecordingRecord).where(RecordingRecord.class_id == class_id)
    ordered = query.order_by(RecordingRecord.held_on, RecordingRecord.item)
    return fetch(connection, ordered, FilmRow)


class AttendedDay(NamedTuple):
    """Class-hours that one learner attended on a day, of theory or of practice."""

    held_on: str
    practical: bool
    hours: float


def attended(connection: Connection, class_id: int) -> list[AttendedDay]:
    """By learner, day and kind."""
    rows = connection.execute(
        select(
            OfflineAttendance.learner_id,
            OfflineAttendance.held_on,
            OfflineAttendance.hours,
            OfflineAttendance.body,
        ).where(OfflineAttendance.class_id == class_id)
    )
    found: dict[tuple[int, str, bool], float] = defaultdict(float)
    for row in rows:
        found[row.learner_id, row.held_on, bool(row.body.get("practical"))] += row.hours
    return [AttendedDay(day, practical, hours) for (_, day, practical), hours in found.items()]
