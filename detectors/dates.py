"""Calendar arithmetic of the checks. A day is a `datetime.date` in Asia/Shanghai; no clock is read.

A period counted in months starts on the day after and ends on the day of the same number; where
that month has no such day it ends on the month's last day.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

SHANGHAI = timezone(timedelta(hours=8))  # as it was since 1991, in summer too


@dataclass(frozen=True, slots=True)
class AssessmentWindow:
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


def window_from(day: date, months: Collection[int]) -> AssessmentWindow:
    """The month of `months` (1-12) that holds `day`, or the next one after it.

    >>> window_from(date(2026, 12, 31), (4, 8, 12)).first.isoformat()
    '2026-12-01'
    """
    ahead = min((month - day.month) % 12 for month in months)
    first = months_later(day.replace(day=1), ahead)
    return AssessmentWindow(first, first.replace(day=monthrange(first.year, first.month)[1]))


def window_after(day: date, months: Collection[int]) -> AssessmentWindow:
    """The first month of `months` that begins after `day`.

    >>> window_after(date(2026, 4, 10), (4, 8, 12)).first.isoformat()
    '2026-08-01'
    """
    return window_from(months_later(day.replace(day=1), 1), months)


@lru_cache(maxsize=4_096)
def midnight_ms(day: date) -> int:
    """The first instant of a day in Asia/Shanghai.

    >>> midnight_ms(date(1970, 1, 2))
    57600000
    """
    return round(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class StudyDays:
    """The days on which study in a class counts, for one of its learners; both belong to them.

    None of them (`last` before `first`) where the assessment came before the class began. `stated`
    is the last day by the platform's word, where the authority has not accepted that yet.
    """

    first: date
    last: date
    stated: date | None = None

    @property
    def from_ms(self) -> int:
        return midnight_ms(self.first)

    @property
    def until_ms(self) -> int:
        """The first instant that counts no more."""
        return midnight_ms(self.last + timedelta(days=1))

    @property
    def stated_until_ms(self) -> int:
        """The first instant that would count no more if the platform's word held."""
        return midnight_ms(max(self.last, self.stated or self.last) + timedelta(days=1))

    def within(self, first: date | None, last: date | None) -> StudyDays:
        """Those on which the learner was in the class; None: as long as the class."""
        return replace(
            self,
            first=max(self.first, first or self.first),
            last=min(self.last, last or self.last),
        )


def study_days(
    starts_on: date,
    ends_on: date,
    planned_on: date | None,
    assessed_on: date | None,
    on_leave: bool,
) -> StudyDays:
    """From the class's first day to its last, and not on the day of the assessment or after it.

    planned_on: when the class is to be assessed; assessed_on: when the learner first was. Whoever
    had approved leave makes up for it 在结业考核前, so up to the day before the assessment.

    >>> study_days(date(2026, 3, 2), date(2026, 4, 5), date(2026, 4, 20), None, True).last
    datetime.date(2026, 4, 19)
    """
    exams = [day - timedelta(days=1) for day in (planned_on, assessed_on) if day is not None]
    last = max(ends_on, *exams[:1]) if on_leave and planned_on is not None else ends_on
    return StudyDays(starts_on, min([last, *exams]))
