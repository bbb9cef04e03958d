"""无法进行人脸活体比对: people judge suspicion, bad light costs minutes."""

from __future__ import annotations

import pytest

from detectors.finding import Evidence, Fault, Outcome
from detectors.trace import Check, Control, PhotoFlag, SessionFlag
from tests.detectors.stories import HONEST, KEPT, Sitting, found, reasons

RULE = "face_liveness"


def demanded(**what) -> Sitting:
    return Sitting(**what).demand(Control.FACE_CHECK).play()


def test_lin_whose_face_matches_is_left_alone():
    assert found(RULE, demanded().photo().watch(600).photo()) == []


def test_two_photos_of_somebody_else_go_to_two_reviewers_and_earn_nothing_meanwhile():
    wu = demanded().photo().watch(600).photo(Check.MISMATCH, score=0.7)
    wu.watch(600).photo(Check.MISMATCH, score=0.8).watch(600).photo().watch(60)
    (finding,) = found(RULE, wu)
    assert (finding.outcome, finding.reason) == (Outcome.REVIEW, "other_person")
    assert (finding.fault, finding.evidence) == (Fault.LEARNER, Evidence.SERVER)
    assert finding.needs_two_reviewers and finding.voids
    assert (finding.measured, finding.limit) == (0.8, 0.45)
    assert finding.end_ms - finding.start_ms == 1_800_000
    assert finding.photos == (1, 2)


def test_where_nobody_ever_matched_the_enrolled_photo_is_doubted_before_the_learner():
    lin = demanded().photo(Check.MISMATCH, score=0.7).watch(600).photo(Check.MISMATCH, score=0.8)
    (finding,) = found(RULE, lin.watch(60))
    assert (finding.outcome, finding.reason) == (Outcome.REVIEW, "enrolled_never_seen")
    assert finding.fault is Fault.UNDETERMINED
    assert finding.needs_two_reviewers and finding.voids


def test_two_mismatches_are_not_excused_by_a_later_match():
    wu = demanded().photo(Check.MISMATCH).watch(60).photo(Check.MISMATCH).watch(60).photo()
    assert reasons(found(RULE, wu)) == ["other_person"]


def test_one_mismatch_is_excused_by_a_retry_that_passes():
    lin = demanded().photo(Check.MISMATCH, score=0.6).watch(30).photo().watch(600)
    assert found(RULE, lin) == []


def test_one_mismatch_that_nothing_follows_goes_to_one_person():
    wu = demanded().photo().watch(600).photo(Check.MISMATCH, score=0.6).watch(60)
    (finding,) = found(RULE, wu)
    assert (finding.reason, finding.outcome) == ("single_mismatch", Outcome.REVIEW)
    assert not finding.needs_two_reviewers


def test_a_picture_of_a_screen_goes_to_two_reviewers():
    (finding,) = found(RULE, demanded().photo().watch(300).photo(Check.SPOOF).watch(300))
    assert (finding.reason, finding.outcome) == ("presentation_attack", Outcome.REVIEW)
    assert finding.needs_two_reviewers and finding.voids


def test_new_glasses_are_looked_at_and_keep_their_credit_meanwhile():
    (finding,) = found(RULE, demanded().photo(Check.REVIEW, score=0.46).watch(600))
    assert (finding.reason, finding.outcome) == ("near_threshold", Outcome.REVIEW)
    assert not finding.voids


def test_new_glasses_that_match_on_the_retry_are_forgotten():
    assert found(RULE, demanded().photo(Check.REVIEW).watch(60).photo().watch(600)) == []


DARK = [Check.NO_FACE, Check.LOW_QUALITY, Check.SEVERAL_FACES]


@pytest.mark.parametrize("check", DARK)
def test_a_check_that_ends_in_the_dark_costs_the_stretch_back_to_the_last_pass(check):
    lin = demanded().photo().watch(300)
    for _ in range(3):
        lin.demand(Control.FACE_CHECK).photo(check).watch(40)
    findings = found(RULE, lin.watch(60))
    assert reasons(findings) == []
    (lost,) = findings
    assert (lost.outcome, lost.reason, lost.voids) == (Outcome.CLEAR, "comparison_lost", True)
    assert lost.end_ms - lost.start_ms == 480_000


@pytest.mark.parametrize("frames", [1, 3, 30])
def test_tries_are_counted_and_not_frames(frames):
    """One try of thirty dark frames is one try: the next, which passes, mends it."""
    lin = demanded().photo().watch(300).demand(Control.FACE_CHECK)
    for _ in range(frames):
        lin.photo(Check.LOW_QUALITY)
    lin.watch(40).demand(Control.FACE_CHECK).photo().watch(600)
    assert found(RULE, lin) == []


def test_who_leaves_while_a_check_is_open_loses_nothing_of_what_was_before():
    lin = demanded().photo().watch(300).demand(Control.FACE_CHECK).watch(100)
    assert found(RULE, lin) == []


def test_the_loss_ends_with_the_next_pass():
    lin = demanded().photo().watch(300).demand(Control.FACE_CHECK).watch(200).photo().watch(600)
    (lost,) = found(RULE, lin)
    assert (lost.outcome, lost.end_ms - lost.start_ms) == (Outcome.CLEAR, 500_000)


@pytest.mark.parametrize("seconds", [300.0, 300.001, 2_700.0])
def test_a_camera_that_is_broken_or_denied_is_not_proven_and_accuses_nobody(seconds):
    (finding,) = found(RULE, demanded().watch(seconds))
    assert (finding.outcome, finding.fault) == (Outcome.NOT_PROVEN, Fault.UNDETERMINED)
    assert not finding.voids


def test_an_outage_from_the_start_on_excuses_the_missing_check():
    lin = demanded().watch(4).held_back(750).watch(60)
    (finding,) = found(RULE, lin)
    assert (finding.outcome, finding.reason) == (Outcome.NOT_PROVEN, "no_face_check")


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(120.0, Outcome.NOT_PROVEN), (120.001, Outcome.VIOLATION)]
)
def test_a_platform_that_compares_nobody_is_at_fault_after_two_minutes(seconds, outcome):
    lin = Sitting(flags=HONEST | SessionFlag.PLATFORM_CONTROLS).play().watch(seconds)
    (finding,) = found(RULE, lin)
    assert finding.outcome is outcome
    if outcome is Outcome.VIOLATION:
        assert (finding.reason, finding.fault) == ("no_face_control", Fault.PLATFORM)


@pytest.mark.parametrize(
    ("flags", "check", "reason", "fault"),
    [
        (SessionFlag.REFERENCE_PHOTO, Check.NO_CONSENT, "no_consent", Fault.UNDETERMINED),
        (SessionFlag.FACE_CONSENT, None, "no_reference_photo", Fault.INSTITUTION),
        (HONEST, Check.NO_REFERENCE, "no_reference_photo", Fault.INSTITUTION),
        (HONEST, Check.PENDING, "check_pending", Fault.ENVIRONMENT),
        (HONEST, Check.LOST, "photos_lost", Fault.ENVIRONMENT),
    ],
)
def test_what_could_not_be_compared_is_not_proven_and_never_an_accusation(
    flags, check, reason, fault
):
    lin = demanded(flags=flags)
    if check is not None:
        lin.photo(check)
    (finding,) = found(RULE, lin.watch(1200))
    assert (finding.outcome, finding.reason, finding.fault) == (
        Outcome.NOT_PROVEN,
        reason,
        fault,
    )
    assert not finding.voids


@pytest.mark.parametrize("tries", [1, 3, 12])
def test_a_dark_room_is_not_proven_however_often_it_was_tried(tries):
    dark = demanded()
    for _ in range(tries):
        dark.photo(Check.LOW_QUALITY).watch(40).demand(Control.FACE_CHECK)
    (finding,) = found(RULE, dark.watch(2_700))
    assert (finding.outcome, finding.reason) == (Outcome.NOT_PROVEN, "comparison_unclear")


def test_photos_that_the_service_lost_are_not_counted_as_tries_of_the_learner():
    lin = demanded()
    for _ in range(4):
        lin.photo(Check.LOST).watch(120)
    (finding,) = found(RULE, lin.watch(1200))
    assert (finding.outcome, finding.reason) == (Outcome.NOT_PROVEN, "photos_lost")


def test_a_match_on_re_used_bytes_is_no_match():
    wu = demanded().photo(flags=KEPT | PhotoFlag.SEEN_BEFORE).watch(600)
    assert reasons(found(RULE, wu)) == ["check_not_met"]


def test_a_sitting_without_play_needs_no_check():
    assert found(RULE, Sitting().demand(Control.FACE_CHECK).idle(900)) == []


def test_a_feed_that_stands_still_goes_to_one_person_unless_a_burst_passes_later():
    still = demanded().photo(Check.REVIEW, flags=KEPT | PhotoFlag.FEED_NOT_LIVE).watch(600)
    (finding,) = found(RULE, still)
    assert (finding.reason, finding.outcome) == ("feed_not_live", Outcome.REVIEW)
    assert not finding.voids and not finding.needs_two_reviewers
    assert found(RULE, still.photo().watch(60)) == []


def test_a_photo_of_the_same_still_excuses_no_frozen_feed():
    still = demanded().photo(Check.REVIEW, flags=KEPT | PhotoFlag.FEED_NOT_LIVE).watch(600)
    still.photo(flags=KEPT & ~PhotoFlag.LIVE).watch(60)
    (finding,) = found(RULE, still)
    assert (finding.reason, finding.outcome) == ("feed_not_live", Outcome.REVIEW)


def test_only_a_living_face_makes_up_for_a_face_that_did_not_match():
    lin = demanded().photo(Check.MISMATCH).watch(60).photo(flags=KEPT & ~PhotoFlag.LIVE).watch(600)
    assert reasons(found(RULE, lin)) == ["single_mismatch"]
    assert found(RULE, lin.photo().watch(60)) == []


def test_photos_that_arrive_after_the_close_still_give_an_interval():
    wu = demanded(ends=300).watch(300).photo(at=310).photo(Check.MISMATCH, at=320)
    wu.photo(Check.MISMATCH, at=330)
    (finding,) = [it for it in found(RULE, wu) if it.outcome is Outcome.REVIEW]
    assert finding.end_ms - finding.start_ms == 20_000
