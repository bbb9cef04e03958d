"""Several learners moved by one hand: a note from the fifth answer in the same second on."""

from __future__ import annotations

import pytest

from detectors.finding import Evidence
from tests.detectors.stories import Sitting, found

RULE = "collusion"


def answering(who: str, times: int, *, klass: int = 0, late: float = 0.0) -> Sitting:
    learner = Sitting(who=who, klass=klass)
    for _ in range(times):
        learner.idle(200).popup(4.0 + late)
    return learner


@pytest.mark.parametrize(("times", "noted"), [(4, False), (5, True)])
def test_five_answers_in_the_same_second_are_noted_for_both(times, noted):
    findings = found(RULE, answering("wu", times), answering("wu-2", times))
    assert [(f.session, f.rival) for f in findings] == ([(0, 1), (1, 0)] if noted else [])
    assert all(finding.evidence is Evidence.STATISTIC for finding in findings)
    assert all(finding.measured == times for finding in findings)


def test_four_accounts_of_one_hand_get_one_note_each():
    findings = found(RULE, *(answering(f"wu-{n}", 6) for n in range(4)))
    assert [finding.session for finding in findings] == [0, 1, 2, 3]


def test_a_second_apart_is_not_together():
    assert found(RULE, answering("lin", 6), answering("wu", 6, late=1.0)) == []


def test_people_of_different_classes_are_not_compared():
    assert found(RULE, answering("lin", 6), answering("wu", 6, klass=1)) == []


def test_a_bell_in_a_classroom_of_nine_is_no_collusion():
    assert found(RULE, *(answering(f"learner-{n}", 6) for n in range(9))) == []


def test_one_person_with_two_accounts_is_not_two_people():
    one, two = answering("wu", 6), answering("wu-2", 6)
    one.person = two.person = "wu"
    assert found(RULE, one, two) == []
