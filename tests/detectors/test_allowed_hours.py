"""Study counts at the hours of the day that are allowed, to the millisecond, and accuses nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectors import allowed_hours
from detectors.assess import assess
from detectors.facts import facts
from detectors.finding import Fault, Finding, Outcome
from detectors.policy import Policy, Reach, RulePolicy, Status
from tests.detectors.columns import GRADED
from tests.detectors.stories import Sitting, trace

RULE = "allowed_hours"
LONG = [20 * 3600.0]
HOUR = 3600


def policy(opens: float, closes: float) -> Policy:
    limits = {"from_hour": opens, "until_hour": closes}
    rule = RulePolicy(RULE, "", Status.ACTIVE, Reach.CLASS_HOUR, True, limits)
    others = {name: replace(it, status=Status.DRAFT) for name, it in GRADED.rules.items()}
    return replace(GRADED, rules={**others, RULE: rule})


def study(clock: float, hours: float) -> Sitting:
    """Study from that o'clock in Shanghai on; stories begin at nine."""
    return Sitting(at=(clock - 9) * HOUR).play().watch(hours * HOUR, beat=20)


def found(sitting: Sitting, opens: float = 6, closes: float = 22) -> list[Finding]:
    rules = policy(opens, closes)
    return allowed_hours.detect(facts(trace(sitting, lessons=LONG), rules), rules)


@pytest.mark.parametrize(("clock", "hours"), [(6, 1), (20, 2), (12, 1)])
def test_inside_the_hours_nothing_is_said(clock, hours):
    assert found(study(clock, hours)) == []


@pytest.mark.parametrize(
    ("clock", "hours", "outside"), [(5.5, 1, 0.5), (21, 2, 1), (23, 2, 2), (5, 18, 2)]
)
def test_the_part_outside_does_not_count(clock, hours, outside):
    findings = found(study(clock, hours))
    assert sum(it.measured for it in findings) == pytest.approx(outside * HOUR, abs=3)
    assert {it.fault for it in findings} == {Fault.INSTITUTION}
    wholly = outside == hours
    assert {it.outcome for it in findings} == {Outcome.NOT_PROVEN if wholly else Outcome.CLEAR}


def test_what_is_outside_earns_no_credit():
    result = assess(trace(study(21, 2), lessons=LONG), policy(6, 22))
    credited = result.credited.p1_ms - result.credited.p0_ms
    assert credited.sum() == pytest.approx(HOUR * 1000, abs=2000)


def test_the_whole_day_may_be_allowed():
    assert found(study(21, 5), opens=0, closes=24) == []
