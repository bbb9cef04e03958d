"""More learners at once at one address than a place allows are told of, and nobody pays for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectors.assess import Decision, HourOutcome, SessionOutcome, assess
from detectors.finding import Evidence, Fault, Finding, FindingScope, Outcome
from detectors.policy import Policy, Reach, RulePolicy, Status
from tests.detectors import stories
from tests.detectors.columns import GRADED
from tests.detectors.stories import Sitting, trace

RULE = "shared_address"


def at_most(learners: int) -> Policy:
    limits = {"learners_at_once": learners, "handover_tolerance_s": 10}
    rule = RulePolicy(RULE, "", Status.ACTIVE, Reach.CLASS_HOUR, True, limits)
    return replace(GRADED, rules={**GRADED.rules, RULE: rule})


def room(learners: int, address: int = 3) -> list[Sitting]:
    """A computer room: a device each, one address."""
    return [
        Sitting(who=f"l-{n}", device=n, address=address).play().watch(600.0)
        for n in range(learners)
    ]


def found(*sittings: Sitting, most: int = 4) -> list[Finding]:
    return stories.found(RULE, *sittings, policy=at_most(most))


@pytest.mark.parametrize(("learners", "remarks"), [(4, 0), (5, 1), (30, 1)])
def test_as_many_as_the_place_allows_are_clear_and_more_are_one_remark(learners, remarks):
    findings = found(*room(learners))
    assert [(it.measured, it.limit) for it in findings] == [(learners, 4)] * remarks


def test_the_remark_is_for_people_and_says_whose_fault_it_is_of_nobody():
    (remark,) = found(*room(9))
    assert (remark.outcome, remark.scope) == (Outcome.REVIEW, FindingScope.CLASS)
    assert (remark.fault, remark.evidence) == (Fault.UNDETERMINED, Evidence.STATISTIC)
    assert not (remark.holds or remark.voids or remark.needs_two_reviewers)


def test_a_whole_school_behind_one_address_gets_its_class_hours_though_the_rule_is_active():
    class_of = [Sitting(who=f"l-{n}", device=n, address=3).class_hour() for n in range(6)]
    result = assess(trace(*class_of), at_most(1))
    without = assess(trace(*class_of), GRADED)
    assert [it.rule for it in result.findings if it.rule == RULE] == [RULE]
    assert result.outcomes == without.outcomes
    assert SessionOutcome.PENDING_REVIEW not in result.outcomes
    assert [it.outcome for it in result.hours] == [it.outcome for it in without.hours]
    assert {it.outcome for it in result.hours} == {HourOutcome.VALID}


def test_even_a_remark_that_people_uphold_costs_nobody_a_class_hour():
    class_of = [Sitting(who=f"l-{n}", device=n, address=3).class_hour() for n in range(3)]
    upheld = assess(
        trace(*class_of),
        at_most(1),
        decisions=lambda it: Decision.UPHELD if it.rule == RULE else None,
    )
    assert [it.outcome for it in upheld.findings if it.rule == RULE] == [Outcome.VIOLATION]
    assert {it.outcome for it in upheld.hours} == {HourOutcome.VALID}
    assert set(upheld.outcomes) == {SessionOutcome.VALID}


def test_taking_turns_at_one_address_is_clear():
    turns = [Sitting(who=f"l-{n}", at=n * 605.0, address=3).play().watch(600.0) for n in range(9)]
    assert found(*turns, most=1) == []


def test_an_address_that_nobody_told_is_shared_by_nobody():
    assert found(*room(9, address=-1)) == []


def test_people_of_two_classes_at_one_address_are_not_counted_together():
    other = [
        Sitting(who=f"o-{n}", device=9 + n, klass=1, address=3).play().watch(600.0)
        for n in range(4)
    ]
    assert found(*room(4), *other) == []


def test_what_an_outage_held_back_is_no_company():
    late = Sitting(who="late", device=9, address=3).play().watch(10).held_back(500)
    prompt = Sitting(who="prompt", device=9, address=3).play().watch(510)
    assert found(*room(1), late, most=1) == []
    assert len(found(*room(1), prompt, most=1)) == 1


def test_one_person_in_many_windows_is_one_learner():
    windows = [
        Sitting(who=f"w-{n}", person="lin", window=n, address=3).play().watch(600.0)
        for n in range(5)
    ]
    assert found(*windows, most=1) == []
