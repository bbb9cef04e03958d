"""Recordings of teaching in person, held against the class-hours that were taught.

003, clause 20: 理论教学须全程录像，实操培训每学时连续录像不低于15分钟. A class-hour of theory is
recorded when the films of it are as long as a class-hour is at least; one of practice when one film
shows it without a break for so many minutes. A film over several class-hours of practice has to
reach far enough into the first and the last, and hold the whole of those between.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_SAME_MINUTES = 0.5  # a measured length this near to the one that was told is the same


@dataclass(frozen=True, slots=True)
class TaughtDay:
    """Class-hours taught in person on one day: the most that one learner attended, of a kind."""

    held_on: date
    practical: bool
    hours: int


@dataclass(frozen=True, slots=True)
class Recording:
    """One film: which class-hours of that day it shows, `first` to `last`, counted from 1.

    `measured_minutes` and `longest_minutes`, its longest stretch without a break, were read from
    the file; None: nobody did.
    """

    file: str
    held_on: date
    practical: bool
    first: int
    last: int
    minutes: float
    sealed: bool  # its digest is known
    measured_minutes: float | None = None
    longest_minutes: float | None = None

    @property
    def numbers(self) -> range:
        return range(self.first, self.last + 1)

    @property
    def length(self) -> float:
        """Minutes by the file itself, else as told."""
        return self.minutes if self.measured_minutes is None else self.measured_minutes

    @property
    def unbroken(self) -> float:
        return self.length if self.longest_minutes is None else self.longest_minutes

    @property
    def differs(self) -> bool:
        """Whether the file is of another length than was told."""
        return abs(self.length - self.minutes) > _SAME_MINUTES


@dataclass(frozen=True, slots=True)
class Teaching:
    """What was taught in person, and the films of it."""

    days: tuple[TaughtDay, ...]
    recordings: tuple[Recording, ...]


class Recorded(StrEnum):
    """How a class-hour stands."""

    PASS = "pass"
    FAIL = "fail"
    NEEDS_AUTHORITY = "needs_authority"


@dataclass(frozen=True, slots=True)
class RecordedHour:
    """One class-hour taught in person. `number` is None where no film names it.

    `reason`: recorded, missing, too_short, no_digest (the film could be another by now) or
    length_differs (it is not as long as was told).
    """

    held_on: date
    practical: bool
    number: int | None
    result: Recorded
    reason: str
    minutes: float
    files: tuple[str, ...]


def hours(
    teaching: Teaching, *, hour_minutes: float, continuous_minutes: float
) -> list[RecordedHour]:
    """Every class-hour that was taught in person, day by day, theory first."""
    found: list[RecordedHour] = []
    for day in sorted(teaching.days, key=lambda it: (it.held_on, it.practical)):
        films: dict[int, list[Recording]] = defaultdict(list)
        for film in teaching.recordings:
            if (film.held_on, film.practical) == (day.held_on, day.practical):
                for number in film.numbers:
                    films[number].append(film)
        judged = [
            _practice(day, number, films[number], hour_minutes, continuous_minutes)
            if day.practical
            else _theory(day, number, films[number], hour_minutes)
            for number in sorted(films)
        ]
        judged += [
            RecordedHour(day.held_on, day.practical, None, Recorded.FAIL, "missing", 0.0, ())
        ] * (day.hours - len(judged))
        found += judged
    return found


def unbroken_minutes(class_hours: int, hour_minutes: float, continuous_minutes: float) -> float:
    """How long one film over so many class-hours in a row has to be.

    >>> unbroken_minutes(1, 40, 15), unbroken_minutes(2, 40, 15), unbroken_minutes(4, 40, 15)
    (15, 30, 110)
    """
    if class_hours == 1:
        return continuous_minutes
    return (class_hours - 2) * hour_minutes + 2 * continuous_minutes


def _theory(day: TaughtDay, number: int, films: Sequence[Recording], least: float) -> RecordedHour:
    minutes = sum(it.length / len(it.numbers) for it in films)
    return _judged(day, number, films, minutes, minutes >= least - _SAME_MINUTES)


def _practice(
    day: TaughtDay,
    number: int,
    films: Sequence[Recording],
    hour_minutes: float,
    continuous_minutes: float,
) -> RecordedHour:
    long_enough = [
        it
        for it in films
        if it.unbroken >= unbroken_minutes(len(it.numbers), hour_minutes, continuous_minutes)
    ]
    minutes = max(it.unbroken for it in films)
    return _judged(day, number, long_enough or films, minutes, bool(long_enough))


def _judged(
    day: TaughtDay, number: int, films: Sequence[Recording], minutes: float, enough: bool
) -> RecordedHour:
    result, reason = Recorded.PASS, "recorded"
    if not enough:
        result, reason = Recorded.FAIL, "too_short"
    elif not all(it.sealed for it in films):
        result, reason = Recorded.NEEDS_AUTHORITY, "no_digest"
    elif any(it.differs for it in films):
        result, reason = Recorded.NEEDS_AUTHORITY, "length_differs"
    files = tuple(it.file for it in films)
    return RecordedHour(day.held_on, day.practical, number, result, reason, minutes, files)
