"""Lists reported from outside the online lessons: read by key, written in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from app.store.upsert import upsert
from models import (
    AssessmentRecord,
    Base,
    HistoryRecord,
    LeaveRecord,
    OfflineAttendance,
    RecordingRecord,
    SatisfactionRecord,
)

Table = type[Base]
ATTENDANCE, LEAVE, SATISFACTION = OfflineAttendance, LeaveRecord, SatisfactionRecord
ASSESSMENTS, HISTORY, RECORDINGS = AssessmentRecord, HistoryRecord, RecordingRecord


def by_key(
    connection: Connection,
    table: Table,
    column: str,
    values: Iterable[int],
    key: Sequence[str],
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows whose `column` is one of `values`, by their unique key."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    wanted = sorted(set(values))
    for start in range(0, len(wanted), 500):
        chunk = wanted[start : start + 500]
        rows = connection.execute(select(table).where(getattr(table, column).in_(chunk)))
        for row in rows.mappings():
            found[tuple(row[name] for name in key)] = dict(row)
    return found


def write(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], key: Sequence[str]
) -> None:
    if rows:
        upsert(connection, table, rows, key)
