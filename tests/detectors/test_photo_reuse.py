"""Re-used photos: identical bytes are proof of the same file; a person confirms the rest."""

from __future__ import annotations

import pytest

from detectors.assess import Decision, assess
from detectors.finding import Evidence, Fault, Outcome
from detectors.trace import Check, Control, PhotoFlag, SessionFlag
from tests.detectors.columns import GRADED
from tests.detectors.stories import HONEST, KEPT, Sitting, found, trace

RULE = "photo_reuse"
REUSED = KEPT | PhotoFlag.SEEN_BEFORE


def test_new_photos_are_left_alone():
    assert found(RULE, Sitting().play().watch(60).photo().watch(60).photo()) == []


def test_identical_bytes_go_to_a_person_and_void_what_lies_between_genuine_checks():
    wu = Sitting().play().watch(60).photo().watch(600).photo(flags=REUSED)
    wu.watch(600).photo(flags=REUSED).watch(600).photo().watch(60)
    (finding,) = found(RULE, wu)
    assert (finding.outcome, finding.reason) == (Outcome.REVIEW, "identical_bytes")
    assert finding.evidence is Evidence.SERVER
    assert (finding.measured, finding.limit, finding.photos) == (2.0, 0.0, (1, 2))
    assert finding.end_ms - finding.start_ms == 1_800_000
    assert finding.voids


@pytest.mark.parametrize(
    ("flags", "fault"),
    [(HONEST, Fault.LEARNER), (HONEST | SessionFlag.ATTESTED, Fault.UNDETERMINED)],
)
def test_a_file_that_a_platform_imported_is_not_held_against_the_learner(flags, fault):
    (finding,) = found(RULE, Sitting(flags=flags).play().watch(60).photo(flags=REUSED))
    assert (finding.outcome, finding.fault, finding.voids) == (Outcome.REVIEW, fault, True)


def test_without_a_genuine_check_the_whole_sitting_waits():
    wu = Sitting(at=50).play().watch(600).photo(flags=REUSED).watch(600)
    (finding,) = found(RULE, wu)
    assert finding.end_ms - finding.start_ms == 1_200_000


def test_a_dark_photo_is_no_genuine_check():
    wu = Sitting().play().watch(60).photo(Check.LOW_QUALITY).watch(60).photo(flags=REUSED)
    (finding,) = found(RULE, wu.watch(60))
    assert finding.end_ms - finding.start_ms == 180_000


def test_a_person_s_word_makes_it_a_violation_or_nothing():
    wu = Sitting().class_hour()
    wu.demand(Control.SNAPSHOT).photo(flags=REUSED)
    story = trace(wu)
    upheld = assess(story, GRADED, lambda finding: Decision.UPHELD)
    assert [f.outcome for f in upheld.findings if f.rule == RULE] == [Outcome.VIOLATION]
    assert upheld.outcomes[0].value == "invalid"
    cleared = assess(story, GRADED, lambda finding: Decision.OVERTURNED)
    assert cleared.outcomes[0].value == "valid"
    assert (upheld.hours[0].credited_ms, cleared.hours[0].credited_ms) == (240_000, 2_400_000)


def test_a_photograph_saved_again_goes_to_one_person_and_keeps_its_credit():
    again = Sitting().play().photo().watch(600)
    again.photo(flags=KEPT | PhotoFlag.NEAR_DUPLICATE).watch(600).photo()
    (finding,) = found("photo_reuse", again)
    assert (finding.reason, finding.outcome) == ("near_duplicate", Outcome.REVIEW)
    assert not finding.voids and finding.photos == (1,) and finding.measured == 1


def test_identical_bytes_are_not_told_twice():
    again = Sitting().play().photo().watch(600)
    again.photo(flags=KEPT | PhotoFlag.NEAR_DUPLICATE | PhotoFlag.SEEN_BEFORE).watch(60)
    assert [finding.reason for finding in found("photo_reuse", again)] == ["identical_bytes"]
