"""A sitting that stands out of a learner's course goes to a person, and accuses nobody."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.domain.policy import packs
from detectors import person_over_course
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.trace import COURSE_FACE, OverCourse
from tests.detectors.stories import Sitting, known

POLICY = packs.load("huangchuan-2021-graded").policy
ODD, TWO = OverCourse.ODD, OverCourse.TWO


def noted(*stands_out: tuple[int, int, float, float, int, int]) -> list[Finding]:
    """What is said where Lin has four sittings and Wu one."""
    told = known(
        *(Sitting(who="lin", at=3600 * at).play().watch(60) for at in range(4)),
        Sitting(who="wu").play().watch(60),
    )
    trace = replace(told.trace, course=np.array(sorted(stands_out), COURSE_FACE))
    return person_over_course.detect(replace(told, trace=trace), POLICY)


def test_one_odd_sitting_among_many_is_for_a_person_to_look_at() -> None:
    (finding,) = noted((2, ODD, 0.61, 0.4, 1, 3))
    assert (finding.reason, finding.session) == ("odd_sitting", 2)
    assert (finding.measured, finding.limit, finding.unit) == (0.61, 0.4, "distance")
    assert finding.outcome is Outcome.REVIEW and finding.evidence is Evidence.STATISTIC
    assert finding.fault is Fault.UNDETERMINED and not finding.voids


def test_two_people_are_told_once_on_the_latest_sitting_of_the_smaller_group() -> None:
    (finding,) = noted((1, TWO, 0.7, 0.5, 2, 2), (3, TWO, 0.7, 0.5, 2, 2), (1, ODD, 0.8, 0.4, 1, 3))
    assert (finding.reason, finding.session) == ("two_people", 3)
    assert finding.numbers == {"sittings": 2.0, "others": 2.0}


def test_somebody_else_throughout_is_told_on_the_last_sitting() -> None:
    (finding,) = noted((3, OverCourse.WHOLE, 0.6, 0.4, 4, 0))
    assert (finding.reason, finding.session) == ("other_throughout", 3)
    assert finding.outcome is Outcome.REVIEW and not finding.voids


def test_a_single_sitting_apart_from_few_is_not_told() -> None:
    assert noted((1, ODD, 0.61, 0.4, 1, 2)) == []
    assert noted() == []
