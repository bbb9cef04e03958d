"""What a learner has studied of lessons: credited content, and the running mark of what is not
judged yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec
from sqlalchemy import Connection, select

from app.store.bodies import Interval, SessionVerdict, session_verdict
from app.store.current_verdicts import current_ids
from app.store.row import fetch
from detectors.film import Film
from detectors.photo_retention import RULE as PHOTO_RETENTION
from models import Lesson, Session, Verdict

Intervals = list[tuple[int, int]]


def studied(
    connection: Connection, learner_id: int, class_ids: Collection[int], lesson_ids: Collection[int]
) -> dict[int, Intervals]:
    """Content intervals in ms by lesson, sorted and disjoint, of the learner in a class and in
    those that they moved there from: lessons are of one version of a course.

    Judged sittings give what their latest verdict credits. A sitting that waits for its verdict
    gives the stretch its learning clock has run up to its last position: enough to go on from,
    never a reason to accuse.
    """
    sessions = connection.execute(
        select(Session.id, Session.lesson_id, Session.play_pos_ms, Session.learning_ms).where(
            Session.learner_id == learner_id,
            Session.class_id.in_(class_ids),
            Session.lesson_id.in_(lesson_ids),
        )
    ).all()
    credited = _credited(connection, [it.id for it in sessions]) if sessions else {}
    found: dict[int, Intervals] = {lesson: [] for lesson in lesson_ids}
    for session in sessions:
        if session.id in credited:
            found[session.lesson_id] += credited[session.id]
        elif session.learning_ms > 0:
            end = max(0, session.play_pos_ms)
            found[session.lesson_id].append((max(0, end - session.learning_ms), end))
    return {lesson: union(intervals) for lesson, intervals in found.items()}


def coverage(film: Film, intervals: Intervals) -> float:
    """Share of a lesson's film that was studied, 0 to 1."""
    covered = sum(film.content_before(end) - film.content_before(start) for start, end in intervals)
    return float(covered / film.content_ms) if film.content_ms else 1.0


class FilmedLesson(Protocol):
    """A lesson as the catalogue has it."""

    id: int
    external_id: str
    media_ms: int


def lengths(connection: Connection, lesson_ids: Collection[int]) -> Sequence[FilmedLesson]:
    """Lessons as the catalogue has them."""
    query = select(Lesson.id, Lesson.external_id, Lesson.media_ms).where(Lesson.id.in_(lesson_ids))
    return fetch(connection, query, FilmedLesson)


def verdict_on(connection: Connection, session_id: int) -> SessionVerdict | None:
    """The latest verdict on a sitting."""
    body = connection.execute(
        select(Verdict.body)
        .where(
            Verdict.subject_kind == "session",
            Verdict.subject_id == session_id,
            Verdict.hour == 0,
        )
        .order_by(Verdict.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return None if body is None else session_verdict(body)


class _Finding(msgspec.Struct):
    rule: str
    class_hour: int | None = None


class _Photographed(msgspec.Struct):
    photos: int
    findings: list[_Finding]


def hours_without_photo(
    connection: Connection, enrolment_id: int, hours: Collection[int]
) -> set[int]:
    """Class-hours of which the latest verdict says that no photo counts: none was kept, or none
    shows a face."""
    current = current_ids(
        Verdict.subject_kind == "class_hour",
        Verdict.subject_id == enrolment_id,
        Verdict.hour.in_(hours),
    )
    rows = connection.execute(
        select(Verdict.hour, Verdict.body).where(
            Verdict.id.in_(current), Verdict.outcome != "valid"
        )
    ).all()
    lacking = set()
    for row in rows:
        body = msgspec.json.decode(row.body, type=_Photographed)
        found = any(it.rule == PHOTO_RETENTION and it.class_hour for it in body.findings)
        if found or not body.photos:
            lacking.add(row.hour)
    return lacking


def union(intervals: Intervals) -> Intervals:
    """Sorted, disjoint intervals that cover the same.

    >>> union([(5, 9), (0, 3), (3, 4)])
    [(0, 4), (5, 9)]
    """
    merged: Intervals = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return merged


class _Credited(msgspec.Struct):
    credited: list[Interval] = []


def _credited(connection: Connection, session_ids: list[int]) -> dict[int, Intervals]:
    current = current_ids(Verdict.subject_kind == "session", Verdict.subject_id.in_(session_ids))
    rows = connection.execute(
        select(Verdict.subject_id, Verdict.body).where(Verdict.id.in_(current))
    ).all()
    return {
        row.subject_id: [
            (start, end)
            for start, end, _, _ in msgspec.json.decode(row.body, type=_Credited).credited
        ]
        for row in rows
    }
