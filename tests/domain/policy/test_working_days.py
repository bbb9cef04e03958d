"""Working days: weekends, holidays and weekends that are made up for."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.policy.working_days import Calendar, working_days_after, working_days_in

DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
CALENDARS = st.builds(Calendar, st.frozensets(DAYS, max_size=40), st.frozensets(DAYS, max_size=40))
# 国庆节 of an invented year: off from Thursday to Wednesday, two weekend days made up for.
AUTUMN = Calendar(
    frozenset(date(2026, 10, 1) + timedelta(days=it) for it in range(7)),
    frozenset({date(2026, 9, 27), date(2026, 10, 10)}),
)


def test_a_holiday_and_its_made_up_weekends_are_counted_as_entered() -> None:
    assert working_days_after(date(2026, 9, 25), 1, AUTUMN) == date(2026, 9, 27)
    assert working_days_after(date(2026, 9, 30), 1, AUTUMN) == date(2026, 10, 8)
    assert working_days_after(date(2026, 9, 30), 3, AUTUMN) == date(2026, 10, 10)
    assert working_days_in(date(2026, 9, 30), date(2026, 10, 8), AUTUMN) == 2


def test_a_calendar_without_holidays_of_a_year_does_not_know_it() -> None:
    assert AUTUMN.knows(2026) and not AUTUMN.knows(2027)


def test_days_before_are_not_counted() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        working_days_after(date(2026, 10, 1), -1, AUTUMN)


@given(DAYS, st.integers(1, 30), CALENDARS)
def test_the_day_that_is_reached_is_worked_on_and_so_many_lie_up_to_it(
    day: date, n: int, calendar: Calendar
) -> None:
    reached = working_days_after(day, n, calendar)
    assert calendar.works(reached)
    assert working_days_in(day + timedelta(days=1), reached, calendar) == n


@given(DAYS, st.integers(0, 20), st.integers(0, 20), CALENDARS)
def test_terms_add_up_and_later_beginnings_never_end_earlier(
    day: date, n: int, m: int, calendar: Calendar
) -> None:
    halfway = working_days_after(day, n, calendar)
    assert working_days_after(halfway, m, calendar) == working_days_after(day, n + m, calendar)
    later = working_days_after(day + timedelta(days=1), n, calendar)
    assert later >= halfway


@given(DAYS, st.integers(1, 20), CALENDARS, DAYS)
def test_one_more_holiday_never_brings_a_term_forward(
    day: date, n: int, calendar: Calendar, off: date
) -> None:
    more = Calendar(calendar.holidays | {off}, calendar.made_up - {off})
    assert working_days_after(day, n, more) >= working_days_after(day, n, calendar)


def test_a_year_is_not_known_by_the_days_before_the_next_new_year() -> None:
    calendar = Calendar(frozenset({date(2026, 12, 31), date(2027, 1, 1)}))
    assert calendar.knows(2027) and not calendar.knows(2026)
