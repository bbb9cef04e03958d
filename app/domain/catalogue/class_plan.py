"""The class-hours of a course, as they are frozen when a class opens.

A class-hour has at least `hour_ms` of content; in the packs shipped 每课时不低于40分钟.
Lessons shorter than that are put together in order until they reach it; a longer lesson declared
as n class-hours is cut evenly. When the last group stays too short, each of its lessons joins the
class-hour that begins before it, or the first where none does. Nothing is ever put together across
courses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.errors import BadInput


@dataclass(frozen=True, slots=True)
class PlannedLesson:
    """A lesson of a course: its row, the platform's name for it, its length, hours declared."""

    id: int
    name: str
    media_ms: int
    class_hours: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Content [start_ms, end_ms) of one lesson."""

    lesson_id: int
    start_ms: int
    end_ms: int

    @property
    def media_ms(self) -> int:
        return self.end_ms - self.start_ms


ClassHour = tuple[Piece, ...]


def plan_course(course: str, lessons: Sequence[PlannedLesson], hour_ms: int) -> list[ClassHour]:
    """The course's class-hours, in the order in which they begin.

    Raises BadInput naming the lesson that cannot be cut as declared, or the course that is too
    short for a single class-hour.
    """
    hours: list[list[Piece]] = []
    group: list[Piece] = []
    for lesson in lessons:
        if lesson.media_ms >= hour_ms or lesson.class_hours > 1:
            hours += [[piece] for piece in _cut(lesson, hour_ms)]
            continue
        if not group:
            hours.append(group)
        group.append(Piece(lesson.id, 0, lesson.media_ms))
        if _length(group) >= hour_ms:
            group = []
    if group:
        hours = [hour for hour in hours if hour is not group]
        if not hours:
            raise BadInput(
                "course_too_short",
                f"course {course!r} has {_minutes(_length(group))} minutes in all, "
                f"a class-hour needs {_minutes(hour_ms)}",
            )
        _share_out(group, hours, [lesson.id for lesson in lessons])
    return [tuple(hour) for hour in hours]


def _share_out(leftover: list[Piece], hours: list[list[Piece]], order: list[int]) -> None:
    rank = {lesson: place for place, lesson in enumerate(order)}
    begins = [rank[hour[0].lesson_id] for hour in hours]
    for piece in leftover:
        before = [n for n, begin in enumerate(begins) if begin < rank[piece.lesson_id]]
        hours[before[-1] if before else 0].append(piece)
    for hour in hours:
        hour.sort(key=lambda piece: (rank[piece.lesson_id], piece.start_ms))


def _cut(lesson: PlannedLesson, hour_ms: int) -> list[Piece]:
    parts = max(lesson.class_hours, 1)
    cuts = [lesson.media_ms * part // parts for part in range(parts + 1)]
    if lesson.media_ms < parts * hour_ms:
        raise BadInput(
            "lesson_too_short",
            f"lesson {lesson.name!r}: {_minutes(lesson.media_ms)} minutes cannot be "
            f"{parts} class-hours of at least {_minutes(hour_ms)} minutes",
            lesson_id=lesson.name,
        )
    return [Piece(lesson.id, start, end) for start, end in pairwise(cuts)]


def _length(pieces: Sequence[Piece]) -> int:
    return sum(piece.media_ms for piece in pieces)


def _minutes(ms: int) -> str:
    return f"{ms / 60_000:g}"
