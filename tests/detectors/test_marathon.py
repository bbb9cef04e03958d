"""Marathon days: more than ten hours of study in one day in Shanghai is a note, no more."""

from __future__ import annotations

import pytest

from detectors.finding import Evidence
from tests.detectors.stories import Sitting, found

RULE = "marathon"
LONG = [20 * 3600.0]


def day(seconds: float, at: float = -8 * 3600.0, **what) -> Sitting:
    """Study from one o'clock in the morning in Shanghai on."""
    return Sitting(at=at, **what).play().watch(seconds, beat=60)


@pytest.mark.parametrize(("hours", "noted"), [(10.0, False), (10.01, True)])
def test_ten_hours_are_the_limit(hours, noted):
    findings = found(RULE, day(hours * 3600), lessons=LONG)
    assert bool(findings) is noted
    assert all(finding.evidence is Evidence.STATISTIC for finding in findings)


def test_the_day_changes_at_midnight_in_shanghai():
    assert found(RULE, day(12 * 3600, at=9 * 3600.0), lessons=LONG) == []


def test_the_hours_of_both_accounts_of_a_person_are_added():
    both = day(6 * 3600), day(6 * 3600, at=-1.9 * 3600, who="wu-2")
    assert found(RULE, *both, lessons=LONG) == []
    for one in both:
        one.person = "wu"
    (finding,) = found(RULE, *both, lessons=LONG)
    assert (finding.measured, finding.limit) == (12.0, 10.0)


def test_two_windows_at_once_are_one_time():
    """Six hours in two windows are six hours; the overlap is another rule's."""
    one, two = day(6 * 3600), day(6 * 3600, who="wu-2", window=1)
    one.person = two.person = "wu"
    assert found(RULE, one, two, lessons=LONG) == []


def test_a_window_within_another_adds_nothing():
    long, short = day(9.9 * 3600), day(3 * 3600, at=-6 * 3600.0, who="wu-2", window=1)
    long.person = short.person = "wu"
    assert found(RULE, long, short, lessons=LONG) == []


def test_thirteen_lessons_in_one_day_are_a_hard_day_and_no_more():
    lessons = [Sitting(at=n * 2880.0, lesson=n % 3).play().watch(2700, beat=60) for n in range(13)]
    assert found(RULE, *lessons, lessons=[2700.0] * 3) == []
