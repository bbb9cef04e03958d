"""Chinese working days: weekends are free unless made up for, and holidays are as entered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

_SATURDAY = 5
_DECEMBER = 12


@dataclass(frozen=True, slots=True)
class Calendar:
    """What an administrator entered; on all other days Monday to Friday are working days."""

    holidays: frozenset[date] = field(default_factory=frozenset)
    made_up: frozenset[date] = field(default_factory=frozenset)  # weekends that are worked on

    def works(self, day: date) -> bool:
        if day in self.made_up:
            return True
        return day.weekday() < _SATURDAY and day not in self.holidays

    def knows(self, year: int) -> bool:
        """Whether any holiday of the year was entered; else only weekends are counted out. What is
        free in December belongs to the next year's 元旦."""
        return any(day.year == year and day.month < _DECEMBER for day in self.holidays)


def working_days_after(day: date, n: int, calendar: Calendar) -> date:
    """The `n`-th working day after `day`, which itself is not counted; `day` for 0.

    >>> working_days_after(date(2026, 11, 27), 1, Calendar())  # a Friday
    datetime.date(2026, 11, 30)
    """
    if n < 0:
        raise ValueError("n: 0 or more")
    while n:
        day += timedelta(days=1)
        n -= calendar.works(day)
    return day


def working_days_in(first: date, last: date, calendar: Calendar) -> int:
    """How many working days there are from `first` to `last`, both counted; 0 if it is later.

    >>> working_days_in(date(2026, 11, 27), date(2026, 11, 30), Calendar())
    2
    """
    return sum(calendar.works(day) for day in days(first, last))


def days(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    return (first + timedelta(days=at) for at in range((last - first).days + 1))
