"""A film that is not as long as its catalogue entry: one case on the entry, none on the people."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.finding import Fault, FindingScope, Outcome
from detectors.trace import Kind
from tests.detectors.stories import Sitting, found, reasons

RULE = "lesson_length"
CATALOGUE = [2700.0, 2700.0]


def watched(who: str, film: float, **more: Any) -> Sitting:
    return Sitting(who, **more).play().watch(film).ended(film)


def test_five_learners_whose_film_ends_at_2500_s_are_one_case_of_the_catalogue():
    people = [watched(f"lin{n}", 2500, at=n * 3600.0) for n in range(5)]
    (case,) = found(RULE, *people, lessons=CATALOGUE)
    assert (case.outcome, case.fault, case.scope) == (
        Outcome.REVIEW,
        Fault.PLATFORM,
        FindingScope.CLASS,
    )
    assert (case.measured, case.limit) == (2500.0, 2700.0)
    assert (case.members, case.holds) == ((0, 1, 2, 3, 4), False)
    assert found("fast_forward", *people, lessons=CATALOGUE) == []


@pytest.mark.parametrize(("people", "told"), [(2, False), (3, True)])
def test_two_who_stop_at_one_place_say_nothing_of_the_film(people, told):
    sittings = [watched(f"lin{n}", 2500) for n in range(people)]
    assert bool(found(RULE, *sittings, lessons=CATALOGUE)) is told


def test_learners_who_end_at_different_places_say_nothing_of_the_film():
    sittings = [watched(f"lin{n}", 1000 + 200.0 * n) for n in range(5)]
    assert found(RULE, *sittings, lessons=CATALOGUE) == []


def test_a_film_longer_than_the_catalogue_is_one_case_and_no_fast_forward():
    people = [watched(f"lin{n}", 2900) for n in range(3)]
    (case,) = found(RULE, *people, lessons=CATALOGUE)
    assert (case.measured, case.limit) == (2900.0, 2700.0)
    assert found("fast_forward", *people, lessons=CATALOGUE) == []


@pytest.mark.parametrize(("duration", "told"), [(2695.0, False), (2694.9, True), (2705.1, True)])
def test_one_player_that_tells_its_film_s_duration_is_enough(duration, told):
    lin = Sitting()
    lin.tell(Kind.PLAY, 0, 0.0, x=duration)
    assert (reasons(found(RULE, lin.watch(60), lessons=CATALOGUE)) == ["player_differs"]) is told


def test_an_end_that_nobody_played_up_to_tells_nothing_of_the_film():
    cheats = [Sitting(f"wu{n}").play().watch(3).ended(2500) for n in range(4)]
    assert found(RULE, *cheats, lessons=CATALOGUE) == []
