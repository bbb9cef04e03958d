"""Films of teaching in person against the class-hours that were taught."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from detectors.recordings import Recorded, Recording, TaughtDay, Teaching, hours

DAY = date(2026, 11, 10)
FILM = Recording("a.mp4", DAY, False, 1, 1, 40.0, sealed=True)
PRACTICE = replace(FILM, practical=True, minutes=15.0)


def judged(taught: int, *films: Recording, practical: bool = False) -> list[tuple[str, str]]:
    teaching = Teaching((TaughtDay(DAY, practical, taught),), films)
    found = hours(teaching, hour_minutes=40, continuous_minutes=15)
    return [(it.result.value, it.reason) for it in found]


def test_theory_is_recorded_when_the_film_is_as_long_as_the_class_hour() -> None:
    assert judged(1, FILM) == [("pass", "recorded")]
    assert judged(1, replace(FILM, minutes=39)) == [("fail", "too_short")]


def test_two_halves_of_a_class_hour_are_one() -> None:
    halves = [replace(FILM, file=name, minutes=20) for name in ("a.mp4", "b.mp4")]
    assert judged(1, *halves) == [("pass", "recorded")]


def test_one_film_over_a_morning_is_shared_out() -> None:
    assert judged(4, replace(FILM, last=4, minutes=160)) == [("pass", "recorded")] * 4
    assert judged(4, replace(FILM, last=4, minutes=150)) == [("fail", "too_short")] * 4


def test_a_class_hour_that_no_film_names_is_missing() -> None:
    assert judged(2, FILM) == [("pass", "recorded"), ("fail", "missing")]
    assert judged(1) == [("fail", "missing")]


def test_a_film_of_practice_proves_no_theory_and_of_another_day_nothing() -> None:
    assert judged(1, PRACTICE) == [("fail", "missing")]
    assert judged(1, replace(FILM, held_on=date(2026, 11, 11))) == [("fail", "missing")]


@pytest.mark.parametrize(("minutes", "result"), [(15.0, "pass"), (14.9, "fail")])
def test_practice_needs_fifteen_minutes_without_a_break(minutes: float, result: str) -> None:
    film = replace(PRACTICE, minutes=minutes)
    assert judged(1, film, practical=True)[0][0] == result


def test_two_pieces_of_practice_are_not_continuous() -> None:
    pieces = [replace(PRACTICE, file=name, minutes=10) for name in ("a.mp4", "b.mp4")]
    assert judged(1, *pieces, practical=True) == [("fail", "too_short")]


def test_a_break_in_the_file_counts_though_the_file_is_long() -> None:
    film = replace(PRACTICE, minutes=40, measured_minutes=40, longest_minutes=12)
    assert judged(1, film, practical=True) == [("fail", "too_short")]


@pytest.mark.parametrize(("minutes", "result"), [(70.0, "pass"), (69.0, "fail")])
def test_a_film_over_three_class_hours_of_practice_holds_the_middle_one(
    minutes: float, result: str
) -> None:
    film = replace(PRACTICE, last=3, minutes=minutes)
    assert {it for it, _ in judged(3, film, practical=True)} == {result}


def test_a_film_without_digest_or_of_another_length_is_left_to_the_authority() -> None:
    assert judged(1, replace(FILM, sealed=False)) == [("needs_authority", "no_digest")]
    told_longer = replace(FILM, minutes=60, measured_minutes=41)
    assert judged(1, told_longer) == [("needs_authority", "length_differs")]
    assert judged(1, replace(FILM, minutes=60, measured_minutes=20))[0][0] == Recorded.FAIL
