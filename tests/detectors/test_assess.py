"""A finding of class scope: one case for many, whose sittings wait with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectors.assess import Decision, HourOutcome, SessionOutcome, assess
from detectors.finding import Evidence, Fault, Finding, FindingScope, Outcome
from detectors.policy import Policy, Status
from tests.detectors.columns import GRADED
from tests.detectors.stories import Sitting, trace

WHO = ("chen", "lin", "wu")


@pytest.fixture
def county():
    """Three who studied honestly, each on a class-hour of their own."""
    return trace(*(Sitting(who=who).class_hour(2400) for who in WHO))


def crowd(*members: int, holds: bool = True) -> Finding:
    return Finding(
        rule="collusion",
        outcome=Outcome.REVIEW,
        reason="answers_coincide",
        fault=Fault.UNDETERMINED,
        evidence=Evidence.CLIENT,
        scope=FindingScope.CLASS,
        subject="device:1",
        members=members,
        holds=holds,
    )


def acting() -> Policy:
    rules = dict(GRADED.rules)
    rules["collusion"] = replace(rules["collusion"], status=Status.ACTIVE)
    return replace(GRADED, rules=rules)


def outcomes(result) -> list[str]:
    return [it.value for it in result.outcomes]


def test_members_wait_with_the_case_and_others_do_not(county):
    result = assess(county, acting(), standing=[crowd(0, 2)])
    assert outcomes(result) == ["pending_review", "valid", "pending_review"]
    assert [it.outcome for it in result.hours] == [
        HourOutcome.PENDING_REVIEW,
        HourOutcome.VALID,
        HourOutcome.PENDING_REVIEW,
    ]


def test_a_case_that_does_not_hold_leaves_everybody_as_they_are(county):
    result = assess(county, acting(), standing=[crowd(0, 1, 2, holds=False)])
    assert set(result.outcomes) == {SessionOutcome.VALID}
    assert {it.outcome for it in result.hours} == {HourOutcome.VALID}


def test_an_overturned_case_lets_its_members_go(county):
    result = assess(county, acting(), lambda finding: Decision.OVERTURNED, [crowd(0, 2)])
    assert set(result.outcomes) == {SessionOutcome.VALID}
    assert {it.outcome for it in result.hours} == {HourOutcome.VALID}


def test_an_upheld_case_takes_the_whole_sittings_of_its_members(county):
    result = assess(county, acting(), lambda finding: Decision.UPHELD, [crowd(0, 2)])
    assert outcomes(result) == ["invalid", "valid", "invalid"]
    assert [it.credited_ms for it in result.hours] == [0, 2_400_000, 0]


def test_a_sitting_in_which_nothing_was_played_is_not_valid_and_accuses_nobody():
    opened = Sitting(who="chen", ends=60)
    paused = Sitting(who="lin").play().pause(30)
    result = assess(trace(opened, paused, Sitting(who="wu").class_hour(2400)), GRADED)
    assert outcomes(result) == ["not_proven", "not_proven", "valid"]
    assert not [it for it in result.findings if it.session < 2 and it.outcome is not Outcome.CLEAR]
