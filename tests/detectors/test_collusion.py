"""Several learners moved by one hand: one case for all, from the fifth answer in one second on that
no accident, bell or common schedule explains."""

from __future__ import annotations

from random import Random

import pytest

from detectors.finding import Evidence, FindingScope
from tests.detectors.stories import Sitting, found

RULE = "collusion"


def answering(who: str, times: int, *, shown: float = 0.0, late: float = 0.0, **what) -> Sitting:
    """Pop-ups that are shown `shown` seconds before the full minute and answered at it."""
    learner = Sitting(who=who, **what)
    for n in range(times):
        at = 240.0 * (n + 1) - shown
        learner.idle(at - learner.t).popup(shown + 5 + late)
    return learner


def hand(n: int, times: int = 6, **what) -> Sitting:
    """One of those whom one hand moves: shown apart, answered together."""
    return answering(f"wu-{n}", times, shown=4.0 * n, **what)


@pytest.mark.parametrize(("times", "noted"), [(4, False), (5, True)])
def test_five_answers_in_one_second_are_one_case_for_both(times, noted):
    findings = found(RULE, hand(0, times), hand(1, times))
    assert [f.members for f in findings] == ([(0, 1)] if noted else [])
    assert all(
        (f.scope, f.evidence, f.holds) == (FindingScope.CLASS, Evidence.CLIENT, True)
        for f in findings
    )
    assert all((f.measured, f.limit) == (2, 5) for f in findings)


@pytest.mark.parametrize("size", [4, 30])
def test_all_accounts_of_one_hand_are_one_case(size):
    (finding,) = found(RULE, *(hand(n, device=n) for n in range(size)))
    assert finding.measured == size and len(finding.members) == size


def test_a_second_apart_is_not_together():
    assert found(RULE, hand(0), hand(1, late=1.0)) == []


def test_people_of_different_classes_are_not_compared():
    assert found(RULE, hand(0), hand(1, klass=1)) == []


def test_one_person_with_two_accounts_is_not_two_people():
    one, two = hand(0), hand(1)
    one.person = two.person = "wu"
    assert found(RULE, one, two) == []


def test_a_schedule_that_is_the_same_for_everybody_is_answered_at_once_by_many():
    """The platform shows its pop-ups to all at one moment, and people are quick."""
    assert found(RULE, *(answering(f"l-{n}", 10, device=n) for n in range(9))) == []


def studying(who: str, rng: Random, lessons: int, bells: bool = False, **what) -> list[Sitting]:
    """Lin's way: pop-ups when they are drawn, answered when noticed, or when the teacher says."""
    result = []
    for lesson in range(lessons):
        lin = Sitting(who=who, at=lesson * 4000.0, lesson=lesson % 3, **what)
        while lin.t < 2400:
            lin.idle(rng.uniform(180, 285))
            wait = 60 - lin.t % 60 + rng.uniform(0.4, 2.5) if bells else 1.2 + 7 * rng.random() ** 2
            lin.popup(wait)
            lin.t += wait
        result.append(lin)
    return result


@pytest.mark.parametrize("seed", range(4))
def test_forty_who_study_at_one_time_for_twelve_lessons_coincide_by_accident_only(seed):
    rng = Random(seed)
    people = [it for n in range(40) for it in studying(f"l-{n}", rng, 12, device=n)]
    assert found(RULE, *people) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_computer_room_that_answers_at_the_teacher_s_word_is_clear(seed):
    """ "Now click", every minute: the answers of those who wait fall into two seconds or three."""
    rng = Random(seed)
    room = [
        it for n in range(24) for it in studying(f"l-{n}", rng, 4, bells=True, device=n, address=1)
    ]
    assert found(RULE, *room) == []


def test_a_macro_that_is_quicker_than_any_room_is_found_among_them():
    rng = Random(1)
    room = [it for n in range(24) for it in studying(f"l-{n}", rng, 1, device=n, address=1)]
    (finding,) = found(RULE, *room, *(hand(n, 10, device=40 + n, address=1) for n in range(3)))
    assert finding.measured == 3


def test_two_devices_at_two_addresses_hear_no_common_bell():
    """Half of the answers together are enough where the two were apart, and not in one room."""

    def half(n: int, **what) -> Sitting:
        learner = hand(n, 6, **what)
        for k in range(9):
            learner.idle(100.0 + 37 * n + k).popup(3.0)
        return learner

    assert found(RULE, half(0, device=0, address=1), half(1, device=1, address=1)) == []
    assert len(found(RULE, half(0, device=0, address=1), half(1, device=1, address=2))) == 1
    assert len(found(RULE, half(0), half(1))) == 1
