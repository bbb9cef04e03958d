"""Where in a class-hour its random photos fall.

Every class-hour gets its photos at content positions drawn from what is still to be studied of it,
away from its first and last minute where that leaves room: each uniformly from its own share, the
first half and the second where there are two. Every sitting draws them anew, from its own seed,
over what remains: many short sittings cannot shake them off, for the less is left the nearer they
are, and nobody foretells one from a seed that was revealed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from app.domain.controls import draws
from app.domain.controls.draws import LessonPart

Intervals = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Point:
    """A drawn place for a photo. `draw`, `stretches` and `drawn_in` are what an auditor needs."""

    hour: int
    lesson: int
    position_ms: int
    draw: int
    stretches: tuple[LessonPart, ...]
    drawn_in: str  # the platform's id of the session whose seed it was drawn with

    def document(self) -> dict[str, Any]:
        return {
            "hour": self.hour,
            "lesson": self.lesson,
            "position_ms": self.position_ms,
            "draw": self.draw,
            "stretches": [list(stretch) for stretch in self.stretches],
            "drawn_in": self.drawn_in,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Point:
        return cls(
            hour=document["hour"],
            lesson=document["lesson"],
            position_ms=document["position_ms"],
            draw=document["draw"],
            stretches=tuple((a, b, c) for a, b, c in document["stretches"]),
            drawn_in=document["drawn_in"],
        )


@dataclass(frozen=True, slots=True)
class PlannedHour:
    """A class-hour of the frozen plan: its pieces of lessons, in order."""

    number: int
    pieces: tuple[LessonPart, ...]

    def within(self, lesson: int, position_ms: int) -> bool:
        return _inside(self.pieces, lesson, position_ms)


def plan(
    hour: PlannedHour,
    *,
    studied: Mapping[int, Intervals],
    used: Sequence[tuple[int, int]],
    wanted: int,
    edge_ms: int,
    draw: Callable[[tuple[LessonPart, ...]], Point],
) -> list[Point]:
    """The points of one class-hour for a sitting that begins.

    studied  content intervals already studied, by lesson
    used     (lesson, position) of points that left a photo
    draw     draws the next point from stretches
    """
    rest = remaining(hour.pieces, studied)
    taken = sum(1 for place in used if not _inside(rest, *place))
    if not rest:
        if taken:
            return []
        rest = hour.pieces  # studied without a photo: it is made up by watching again
    room = away_from_edges(hour.pieces, rest, edge_ms)
    return [draw(part) for part in parts(room, wanted - taken)]


def remaining(
    pieces: Sequence[LessonPart], studied: Mapping[int, Intervals]
) -> tuple[LessonPart, ...]:
    """`pieces` without what was studied, in order.

    >>> remaining([(7, 0, 100)], {7: [(0, 20), (50, 60)]})
    ((7, 20, 50), (7, 60, 100))
    """
    rest: list[LessonPart] = []
    for lesson, start, end in pieces:
        at = start
        for begun, done in sorted(studied.get(lesson, ())):
            if begun > at:
                rest.append((lesson, at, min(begun, end)))
            at = max(at, done)
            if at >= end:
                break
        if at < end:
            rest.append((lesson, at, end))
    return tuple(stretch for stretch in rest if stretch[2] > stretch[1])


def away_from_edges(
    pieces: Sequence[LessonPart], rest: Sequence[LessonPart], edge_ms: int
) -> tuple[LessonPart, ...]:
    """`rest` without the first and last `edge_ms` of the class-hour, unless nothing were left."""
    total = sum(end - start for _, start, end in pieces)
    inner: list[LessonPart] = []
    before = 0
    for lesson, start, end in pieces:
        low = start + max(0, edge_ms - before)
        high = end - max(0, edge_ms - (total - before - (end - start)))
        before += end - start
        for other, begun, done in rest:
            stretch = (lesson, max(begun, low), min(done, high))
            if other == lesson and stretch[1] < stretch[2]:
                inner.append(stretch)
    return tuple(inner) or tuple(rest)


def parts(stretches: Sequence[LessonPart], count: int) -> list[tuple[LessonPart, ...]]:
    """`stretches` cut into `count` parts of equal length, so that two photos keep apart.

    >>> parts([(7, 0, 60), (8, 0, 40)], 2)
    [((7, 0, 50),), ((7, 50, 60), (8, 0, 40))]
    """
    total = sum(end - start for _, start, end in stretches)
    if total < count:
        return [tuple(stretches)] * count
    cuts = [total * part // count for part in range(count + 1)] if count > 0 else []
    found = []
    for low, high in pairwise(cuts):
        part, before = [], 0
        for lesson, start, end in stretches:
            first, last = max(low, before), min(high, before + end - start)
            if first < last:
                part.append((lesson, start + first - before, start + last - before))
            before += end - start
        found.append(tuple(part))
    return found


def drawer(
    seed: bytes, hour: int, drawn_in: str, first: int
) -> Callable[[tuple[LessonPart, ...]], Point]:
    """A function that draws points number `first`, `first + 1`, … of a session's seed."""
    n = first - 1

    def draw(stretches: tuple[LessonPart, ...]) -> Point:
        nonlocal n
        n += 1
        lesson, position_ms = draws.photo_point(seed, n, stretches)
        return Point(hour, lesson, position_ms, n, stretches, drawn_in)

    return draw


def _inside(stretches: Sequence[LessonPart], lesson: int, position_ms: int) -> bool:
    return any(at == lesson and start <= position_ms < end for at, start, end in stretches)
