"""A player that tells whole seconds only is one remark on its platform, none on people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectors.assess import assess
from detectors.finding import Evidence, Fault, FindingScope, Outcome
from tests.detectors.columns import GRADED
from tests.detectors.stories import Sitting, found, trace

RULE = "coarse_positions"


def whole(who: str, beats: int = 30, step: float = 10.0, klass: int = 0) -> Sitting:
    return Sitting(who, klass=klass).play().watch(beats * step, beat=step)


def fine(who: str) -> Sitting:
    return Sitting(who).play().watch(300.3, beat=10.01)


def test_a_whole_class_of_them_is_one_remark_and_no_sitting_s():
    (remark,) = found(RULE, *[whole(f"lin{n:02}") for n in range(20)], fine("wu"))
    assert (remark.scope, remark.fault, remark.holds) == (FindingScope.CLASS, Fault.PLATFORM, False)
    assert (remark.evidence, remark.reason) == (Evidence.STATISTIC, "whole_seconds")
    assert (remark.measured, remark.limit) == (20.0, 21.0)
    assert remark.members == tuple(range(20))


def test_every_class_has_its_own():
    sittings = [whole(f"lin{n}", klass=n % 2) for n in range(6)]
    assert sorted(it.members for it in found(RULE, *sittings)) == [(0, 2, 4), (1, 3, 5)]


@pytest.mark.parametrize(
    ("beats", "people", "told"), [(9, 3, False), (10, 2, False), (10, 3, True)]
)
def test_few_positions_or_people_tell_nothing(beats, people, told):
    assert bool(found(RULE, *[whole(f"lin{n}", beats) for n in range(people)])) is told


@pytest.mark.parametrize("step", [0.5, 0.25, 0.1])
def test_finer_steps_are_no_matter(step):
    assert found(RULE, *[whole(f"lin{n}", 40, 10 + step) for n in range(3)]) == []


def test_nobody_waits_for_it_and_no_verdict_names_it():
    sittings = [Sitting(f"lin{n}").class_hour() for n in range(3)]
    result = assess(trace(*sittings), GRADED)
    assert [it.reason for it in result.findings if it.rule == RULE] == ["whole_seconds"]
    without = replace(GRADED, rules={k: v for k, v in GRADED.rules.items() if k != RULE})
    assert assess(trace(*sittings), without).outcomes == result.outcomes
    (remark,) = [it for it in result.findings if it.rule == RULE]
    assert remark.outcome is Outcome.REVIEW
