"""Judging again from a package: its rows in an empty database in memory, the service's own code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.judging import assess, eligibility
from app.store.exchange import package_rows
from app.store.exchange.package_rows import Rows, StoredLog
from app.store.judging import verdicts as store

KINDS = ("session", "class_hour", "enrolment", "class")

Subject = tuple[str, int, int]  # kind, row id, number of the class-hour or 0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the evidence gives: the verdicts' bodies by subject, and the class's findings by key."""

    verdicts: dict[Subject, bytes]
    findings: dict[str, dict[str, Any]]


def judge(
    tables: Mapping[str, Rows], logs: Iterable[StoredLog], class_id: int, now_ms: int
) -> Replayed:
    """Judge the class again. `now_ms` is when it was concluded on, for the next window of
    assessments depends on the day."""
    with package_rows.restored(tables, logs) as connection:
        assess.judge_sittings(connection, class_id, now_ms=0)
        eligibility.conclude(connection, class_id, now_ms)
        verdicts = store.written(connection, class_id)
        found = package_rows.findings_of(connection, class_id)
        return Replayed(verdicts, {it["key"]: it for it in found})
