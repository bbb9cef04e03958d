"""Calendar arithmetic of the checks. A day is a `datetime.date` in Asia/Shanghai; no clock is read.

A period counted in months starts on the day after and ends on the day of the same number; where
that month has no such day it ends on the month's last day.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """A whole calendar month in which assessments are held; both days belong to it."""

    first: date
    last: date


def months_later(day: date, months: int) -> date:
    """The day of the same number `months` later, or that month's last day.

    >>> months_later(date(2026, 1, 31), 1).isoformat()
    '2026-02-28'
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def first_day_after(day: date, months: int) -> date:
    """The first day on which `months` full calendar months have passed since `day`.

    >>> first_day_after(date(2026, 4, 10), 1).isoformat()
    '2026-05-11'
    """
    return months_later(day, months) + timedelta(days=1)


def window_from(day: date, months: Collection[int]) -> Window:
    """The month of `months` (1-12) that holds `day`, or the next one after it.

    >>> window_from(date(2026, 12, 31), (4, 8, 12)).first.isoformat()
    '2026-12-01'
    """
    ahead = min((month - day.month) % 12 for month in months)
    first = months_later(day.replace(day=1), ahead)
    return Window(first, first.replace(day=monthrange(first.year, first.month)[1]))


def window_after(day: date, months: Collection[int]) -> Window:
    """The first month of `months` that begins after `day`.

    >>> window_after(date(2026, 4, 10), (4, 8, 12)).first.isoformat()
    '2026-08-01'
    """
    return window_from(months_later(day.replace(day=1), 1), months)
