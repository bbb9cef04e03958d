"""Counts on a day are a fold over who was in the class then."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain.catalogue.roster_days import Stay, most_at_once, on_roster

FIRST = date(2026, 3, 2)
offsets = st.integers(0, 20)
stays = st.builds(
    lambda person, first, length: Stay(
        person,
        FIRST + timedelta(days=first),
        None if length is None else FIRST + timedelta(days=first + length),
    ),
    st.integers(1, 6),
    offsets,
    st.none() | st.integers(-1, 10),
)


@given(st.lists(stays, max_size=12))
def test_the_most_at_once_is_the_highest_count_of_any_day(known: list[Stay]) -> None:
    days = [FIRST + timedelta(days=it) for it in range(40)]
    each = [
        len({it.person for it in known if it.first <= day and not (it.last and it.last < day)})
        for day in days
    ]
    assert [on_roster(known, day) for day in days] == each
    assert most_at_once(known) == max(each, default=0)


@given(stays, stays)
def test_two_stays_meet_where_one_day_lies_in_both(one: Stay, other: Stay) -> None:
    days = (FIRST + timedelta(days=it) for it in range(60))
    assert one.meets(other) == any(one.covers(day) and other.covers(day) for day in days)


def test_who_never_came_counts_on_no_day() -> None:
    assert most_at_once([Stay(1, FIRST, FIRST - timedelta(days=1))]) == 0
