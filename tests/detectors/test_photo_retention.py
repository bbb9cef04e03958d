"""每课时无随机保留影像照片: one kept photo, taken at a drawn time inside the class-hour."""

from __future__ import annotations

import pytest

from detectors.finding import Evidence, Fault, Outcome
from detectors.trace import Check, Control, PhotoFlag, SessionFlag
from tests.detectors.stories import HONEST, KEPT, Sitting, found, reasons

RULE = "photo_retention"


def hour(seconds: float = 2400, **what) -> Sitting:
    return Sitting(**what).play().watch(seconds)


def test_one_random_photo_that_is_kept_is_enough():
    assert found(RULE, hour(1200).photo().watch(1200)) == []


def test_a_photo_that_was_demanded_and_never_came_is_not_proven():
    (finding,) = found(RULE, hour(1200).demand(Control.SNAPSHOT).watch(1200))
    assert (finding.outcome, finding.reason) == (Outcome.NOT_PROVEN, "photo_missing")
    assert (finding.fault, finding.evidence) == (Fault.UNDETERMINED, Evidence.SERVER)
    assert (finding.measured, finding.limit, finding.hour) == (0.0, 1.0, 0)


def test_where_nobody_asked_it_is_not_proven():
    (finding,) = found(RULE, hour())
    assert (finding.outcome, finding.reason) == (Outcome.NOT_PROVEN, "no_photo")


def test_a_platform_that_runs_its_own_controls_should_have_asked():
    (finding,) = found(RULE, hour(flags=HONEST | SessionFlag.PLATFORM_CONTROLS))
    assert (finding.outcome, finding.fault) == (Outcome.VIOLATION, Fault.PLATFORM)
    assert finding.reason == "no_photo_control"


def test_a_photo_that_was_lost_or_altered_later_accuses_nobody():
    lin = hour(1200).demand(Control.SNAPSHOT).photo(flags=KEPT & ~PhotoFlag.KEPT).watch(1200)
    (finding,) = found(RULE, lin)
    assert (finding.outcome, finding.reason) == (Outcome.NOT_PROVEN, "photo_lost")
    assert finding.fault is Fault.ENVIRONMENT


def test_without_consent_there_is_no_photo_and_no_accusation():
    lin = hour(1200, flags=SessionFlag.REFERENCE_PHOTO).demand(Control.SNAPSHOT).watch(1200)
    (finding,) = found(RULE, lin)
    assert (finding.outcome, finding.reason) == (Outcome.NOT_PROVEN, "no_consent")


@pytest.mark.parametrize(
    "flags", [KEPT & ~PhotoFlag.RANDOM_TIME, KEPT & ~PhotoFlag.BOUND], ids=["chosen", "unbound"]
)
def test_a_photo_at_a_chosen_time_or_without_a_challenge_does_not_count(flags):
    wu = hour(1200).demand(Control.SNAPSHOT).photo(flags=flags).watch(1200)
    assert reasons(found(RULE, wu)) == ["photo_missing"]


def test_an_empty_chair_in_the_only_photo_goes_to_a_person():
    findings = found(RULE, hour(1200).photo(Check.NO_FACE).watch(1200))
    assert sorted(reasons(findings)) == ["empty_photo", "no_face_visible"]
    assert {finding.outcome for finding in findings} == {Outcome.REVIEW}


def test_an_empty_chair_beside_a_good_photo_is_a_note_only():
    findings = found(RULE, hour(1200).photo(Check.NO_FACE).watch(600).photo().watch(600))
    assert [finding.evidence for finding in findings] == [Evidence.STATISTIC]


def test_re_used_bytes_are_left_to_photo_reuse():
    wu = hour(1200).demand(Control.SNAPSHOT).photo(flags=KEPT | PhotoFlag.SEEN_BEFORE)
    assert found(RULE, wu.watch(1200)) == []


@pytest.mark.parametrize(("seconds", "judged"), [(2352.0, True), (2351.999, False)])
def test_only_a_class_hour_that_is_98_per_cent_complete_is_judged(seconds, judged):
    assert bool(found(RULE, hour(seconds).demand(Control.SNAPSHOT))) is judged


def test_each_class_hour_of_a_long_lesson_needs_its_own_photo():
    plan = [(0, 0, 0, 0.0, 2400.0), (0, 1, 0, 2400.0, 4800.0)]
    lin = hour(1200).photo().watch(3600)
    (finding,) = found(RULE, lin, lessons=[4800.0], pieces=plan)
    assert finding.hour == 1


def test_a_photo_of_either_sitting_serves_the_class_hour():
    evening = hour(1200).photo()
    morning = Sitting(at=60_000, pos=1200, resume=1200).play().watch(1200)
    assert found(RULE, evening, morning) == []
