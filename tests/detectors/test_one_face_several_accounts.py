"""One face under several accounts is told for both, with the device they share, and never more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from detectors import one_face_several_accounts
from detectors.finding import Evidence, Finding, Outcome
from detectors.trace import FACE_PAIR
from tests.detectors.columns import GRADED
from tests.detectors.stories import Sitting, known


def noted(*pairs: tuple[int, int, float, float, int]) -> list[Finding]:
    told = known(Sitting(who="lin").play().watch(60), Sitting(who="wu").play().watch(60))
    trace = replace(told.trace, faces=np.array(list(pairs), FACE_PAIR))
    return one_face_several_accounts.detect(replace(told, trace=trace), GRADED)


def persons() -> tuple[int, int]:
    told = known(Sitting(who="lin").play().watch(60), Sitting(who="wu").play().watch(60))
    one, other = told.trace.sessions["person"]
    return int(one), int(other)


def test_two_accounts_that_look_alike_are_noted_for_both() -> None:
    findings = noted((*persons(), 0.31, 0.4, 3))
    assert [(finding.session, finding.rival) for finding in findings] == [(0, 1), (1, 0)]
    assert all(finding.evidence is Evidence.STATISTIC for finding in findings)
    assert all(finding.outcome is Outcome.REVIEW and not finding.voids for finding in findings)
    assert (findings[0].measured, findings[0].limit) == (0.31, 0.4)
    assert "shared_devices" in findings[0].numbers


def test_an_account_of_another_class_is_no_rival_here() -> None:
    one, _ = persons()
    (finding,) = noted((one, 99_999, 0.31, 0.4, 3))
    assert (finding.session, finding.rival) == (0, -1)


def test_too_few_pictures_say_nothing() -> None:
    assert noted((*persons(), 0.31, 0.4, 2)) == []
    assert noted() == []


def test_of_several_look_alikes_the_closest_is_told() -> None:
    one, other = persons()
    findings = noted((one, other, 0.31, 0.4, 3), (one, 99_999, 0.35, 0.4, 3))
    assert [(finding.session, finding.measured) for finding in findings] == [(0, 0.31), (1, 0.31)]
