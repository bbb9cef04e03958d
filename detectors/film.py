"""What a lesson's film holds, where that is not what its catalogue entry says.

A player counts along a timeline. A film may end before the entry does, and a stretch of the
timeline may hold nothing: it was cut out, is broken, or is the place of an advertisement. Content
is counted along the film, without such stretches; events keep what the player said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors.trace import HOLE, Bools, Ints, Trace

LONGEST_MS = 1 << 30  # beyond the end of every film: twelve days
Stretches = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Film:
    """ends_ms: where it ends on its player's timeline; holes: what lies before that and is not
    there, [from, to) in ms, disjoint and in order."""

    ends_ms: int
    holes: Stretches = ()

    @property
    def content_ms(self) -> int:
        return self.content_before(self.ends_ms)

    @property
    def absent(self) -> Stretches:
        """What of any timeline is not in it."""
        return (*self.holes, (self.ends_ms, LONGEST_MS))

    def content_before(self, position_ms: int) -> int:
        """How much of the film lies before a position of its player.

        >>> Film(2_700_000, ((1_200_000, 1_320_000),)).content_before(1_300_000)
        1200000
        """
        at = min(position_ms, self.ends_ms)
        return at - sum(min(max(at - start, 0), end - start) for start, end in self.holes)


def along_film(trace: Trace, lesson: Ints, position: Ints) -> Ints:
    """Content of the film before each position of a player; NONE stays NONE."""
    if not len(trace.holes):
        return position
    content = position.copy()
    for at, start, end in trace.holes.tolist():
        rows = lesson == at
        content[rows] -= np.clip(position[rows] - start, 0, end - start)
    return content


def on_timeline(trace: Trace, lesson: Ints, content: Ints, *, ends: bool) -> Ints:
    """Where on the player's timeline so much of the film is over: before a hole that begins there
    for the `ends` of stretches, behind it for their beginnings. NONE stays NONE."""
    if not len(trace.holes):
        return content
    position = content.copy()
    for at, start, end in trace.holes.tolist():  # in order: what lies before is open already
        beyond = position > start if ends else position >= start
        position[(lesson == at) & beyond] += end - start
    return position


def of_lesson(trace: Trace, lesson: int) -> Film:
    """The film of a lesson's row, as the trace has it."""
    holes = trace.holes[trace.holes["lesson"] == lesson]
    content = np.array([int(trace.lessons["media_ms"][lesson])], np.int64)
    ends = on_timeline(trace, np.full(1, lesson, np.int64), content, ends=True)
    stretches = zip(holes["start_ms"].tolist(), holes["end_ms"].tolist(), strict=True)
    return Film(int(ends[0]), tuple(stretches))


def corrected(
    trace: Trace, films: Mapping[tuple[int, int], Film]
) -> tuple[Trace, NDArray[np.int64]]:
    """The trace with other films, by (class, row of its lesson), and for every row of its lessons
    the row that it was before.

    A class of which a lesson changes has rows of its own for all of its courses, so that no other
    class is judged by its films.
    """
    rows, holes = trace.lessons, [trace.holes]
    origin = np.arange(len(rows), dtype=np.int64)
    sessions, pieces = trace.sessions.copy(), trace.pieces.copy()
    course = int(rows["course"].max()) if len(rows) else 0
    for klass in sorted({klass for klass, _ in films}):
        of_class = sessions["klass"] == klass
        planned = pieces["klass"] == klass
        mine = np.union1d(sessions["lesson"][of_class], pieces["lesson"][planned])
        courses = np.unique(rows["course"][mine])
        picked = np.flatnonzero(np.isin(rows["course"], courses))
        own, first = rows[picked].copy(), len(rows)
        for version in courses:
            course += 1
            own["course"][rows["course"][picked] == version] = course
        for at, row in enumerate(picked.tolist()):
            old, place = of_lesson(trace, row), first + at
            here, there = (
                of_class & (sessions["lesson"] == row),
                planned & (pieces["lesson"] == row),
            )
            sessions["lesson"][here] = pieces["lesson"][there] = place
            film = films.get((klass, row), old)
            holes.append(np.array([(place, *it) for it in film.holes], HOLE))
            if film == old:
                continue
            own["media_ms"][at] = film.content_ms
            _cut_again(pieces, there, film.content_ms)
            _go_on_from(trace, sessions, here, row, film)
        rows = np.concatenate([rows, own])
        origin = np.concatenate([origin, origin[picked]])
    given = replace(
        trace, lessons=rows, sessions=sessions, pieces=pieces, holes=np.concatenate(holes)
    )
    return given, origin


def _cut_again(pieces: NDArray[np.void], mine: Bools, content_ms: int) -> None:
    """Cut a lesson's pieces for another length, at the same shares of it."""
    if mine.any():
        before = int(pieces["end_ms"][mine].max())
        for name in ("start_ms", "end_ms"):
            pieces[name][mine] = pieces[name][mine].astype(np.int64) * content_ms // before


def _go_on_from(
    trace: Trace, sessions: NDArray[np.void], mine: Bools, lesson: int, film: Film
) -> None:
    """Count where sittings began along the new film."""
    content = sessions["resume_ms"][mine].astype(np.int64)
    of = np.full(len(content), lesson, np.int64)
    place = on_timeline(trace, of, content, ends=True)
    probe = replace(trace, holes=np.array([(lesson, *it) for it in film.holes], HOLE))
    sessions["resume_ms"][mine] = np.minimum(along_film(probe, of, place), film.content_ms)


def united(*stretches: Sequence[tuple[int, int]]) -> Stretches:
    """Stretches in order, with those that touch made one.

    >>> united([(5, 9)], [(0, 3), (3, 5)])
    ((0, 9),)
    """
    merged: list[tuple[int, int]] = []
    for start, end in sorted(it for some in stretches for it in some):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        elif end > start:
            merged.append((start, end))
    return tuple(merged)
