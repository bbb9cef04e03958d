"""What lies beyond a day's cap counts for nothing, to the millisecond, and accuses nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectors import daily_cap
from detectors.assess import assess
from detectors.facts import facts
from detectors.finding import Fault, Finding, Outcome
from detectors.policy import Policy, Reach, RulePolicy, Status
from tests.detectors.columns import GRADED
from tests.detectors.stories import MONDAY_MS, Sitting, trace

RULE = "daily_cap"
LONG = [20 * 3600.0]
HOUR = 3600


def policy(hours: float) -> Policy:
    rule = RulePolicy(RULE, "", Status.ACTIVE, Reach.CLASS_HOUR, True, {"max_hours": hours})
    others = {name: replace(it, status=Status.DRAFT) for name, it in GRADED.rules.items()}
    return replace(GRADED, rules={**others, RULE: rule})


def study(hours: float, at: float = 0, **what) -> Sitting:
    return Sitting(at=at * HOUR, **what).play().watch(hours * HOUR, beat=20)


def found(cap: float, *sittings: Sitting) -> list[Finding]:
    rules = policy(cap)
    return daily_cap.detect(facts(trace(*sittings, lessons=LONG), rules), rules)


def test_as_much_as_the_cap_counts_and_more_does_not():
    sitting = study(2)
    assert found(2.01, sitting) == []
    (finding,) = found(1.5, sitting)
    assert finding.outcome is Outcome.CLEAR and finding.fault is Fault.INSTITUTION
    assert finding.start_ms == pytest.approx(MONDAY_MS + 1.5 * HOUR * 1000, abs=1000)
    assert finding.measured == pytest.approx(0.5 * HOUR, abs=2)


def test_what_is_beyond_earns_no_credit():
    capped = assess(trace(study(2), lessons=LONG), policy(1)).credited
    assert (capped.p1_ms - capped.p0_ms).sum() == pytest.approx(HOUR * 1000, abs=2000)


def test_the_day_is_the_persons_over_all_accounts():
    first, second = study(1.5), study(1, at=2, who="wu-2")
    assert found(2, first, second) == []
    first.person = second.person = "wu"
    (finding,) = found(2, first, second)
    assert finding.session == 1 and finding.measured == pytest.approx(0.5 * HOUR, abs=2)
    (whole,) = found(1.5, first, second)
    assert whole.outcome is Outcome.NOT_PROVEN


def test_midnight_begins_a_new_day():
    assert found(2, study(3, at=13.5)) == []  # 22:30 to 01:30 in Shanghai


def test_two_windows_at_once_are_one_time():
    one, two = study(2), study(2, who="wu-2", window=1)
    one.person = two.person = "wu"
    assert found(2.01, one, two) == []
