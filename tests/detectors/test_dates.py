"""A month ends on the day of the same number, or on the month's last day where there is none."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.dates import first_day_after, months_later, window_after, window_from

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("assessed", "earliest"),
    [
        ("2026-04-10", "2026-05-11"),
        ("2026-01-31", "2026-03-01"),
        ("2028-01-31", "2028-03-01"),
        ("2026-02-28", "2026-03-29"),
        ("2028-02-28", "2028-03-29"),
        ("2028-02-29", "2028-03-30"),
        ("2026-03-31", "2026-05-01"),
        ("2026-12-31", "2027-02-01"),
        ("2026-11-30", "2026-12-31"),
    ],
)
def test_the_first_day_after_a_full_month(assessed: str, earliest: str) -> None:
    assert first_day_after(date.fromisoformat(assessed), 1) == date.fromisoformat(earliest)


@pytest.mark.parametrize(
    ("day", "later"), [("2026-01-30", "2026-02-28"), ("2028-01-30", "2028-02-29")]
)
def test_a_short_month_ends_the_period_on_its_last_day(day: str, later: str) -> None:
    assert months_later(date.fromisoformat(day), 1) == date.fromisoformat(later)


@given(DAYS)
def test_a_full_month_is_at_least_28_days_and_at_most_32(day: date) -> None:
    assert timedelta(28) < first_day_after(day, 1) - day <= timedelta(32)


@given(DAYS, DAYS)
def test_a_later_assessment_never_allows_an_earlier_opening(a: date, b: date) -> None:
    assert first_day_after(min(a, b), 1) <= first_day_after(max(a, b), 1)


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        ("2026-05-01", "2026-08-01", "2026-08-31"),
        ("2026-04-30", "2026-08-01", "2026-08-31"),
        ("2026-08-01", "2026-12-01", "2026-12-31"),
        ("2026-12-31", "2027-04-01", "2027-04-30"),
        ("2026-01-31", "2026-04-01", "2026-04-30"),
    ],
)
def test_the_window_after_a_day_is_a_later_month(day: str, first: str, last: str) -> None:
    window = window_after(date.fromisoformat(day), (4, 8, 12))
    assert (window.first.isoformat(), window.last.isoformat()) == (first, last)


@given(DAYS)
def test_the_window_from_a_day_has_not_ended_and_is_near(day: date) -> None:
    window = window_from(day, (4, 8, 12))
    assert window.last >= day
    assert window.first.month in (4, 8, 12)
    assert window.first - day <= timedelta(123)
