"""When a photo counts: in its control's window, a little after, and as far as an outage excuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.assess import HourOutcome, assess
from detectors.finding import Outcome
from detectors.photo_window import WindowTerms, deadline, terms_of
from detectors.trace import (
    IN_PERSON,
    Check,
    Control,
    ControlFlag,
    Kind,
    PhotoFlag,
    SessionFlag,
)
from tests.detectors.columns import GRADED
from tests.detectors.stories import (
    HONEST,
    KEPT,
    Sitting,
    found,
    known,
    reasons,
    trace,
    with_parameters,
)

TERMS = terms_of(GRADED)
RANDOM = KEPT
STILL = PhotoFlag.BOUND | PhotoFlag.KEPT  # a face that matched, and no turn
CHECKED = STILL | PhotoFlag.LIVE


def asked(at: float = 600.0, *, window: float = 60.0, **what) -> Sitting:
    """Lin plays; a random photo is asked for at `at` seconds."""
    lin = Sitting(**what).play().watch(at)
    return lin.demand(Control.SNAPSHOT, window=window)


def counts(lin: Sitting) -> list[bool]:
    return known(lin).timely.tolist()


@pytest.mark.parametrize(("late_s", "good"), [(0.0, True), (90.0, True), (90.001, False)])
def test_a_photo_travels_for_thirty_seconds_after_its_window(late_s, good):
    lin = asked().watch(400).photo(at=600 + late_s, answers=0)
    assert counts(lin) == [good]


@pytest.mark.parametrize(("early_s", "good"), [(1.0, True), (1.001, False)])
def test_a_photo_from_before_it_was_asked_for_answers_nothing(early_s, good):
    lin = asked().photo(at=600 - early_s, answers=0).watch(60)
    assert counts(lin) == [good]


def test_the_photos_of_an_outage_count_when_the_connection_is_back():
    lin = asked().held_back(300).photo(answers=0).watch(100)
    assert counts(lin) == [True]
    assert counts(asked().held_back(300).photo(at=899, answers=0).watch(100)) == [True]
    assert counts(asked().held_back(300).watch(31).photo(answers=0)) == [False]


def test_the_same_delay_without_an_outage_does_not_count():
    assert counts(asked().watch(300).photo(answers=0).watch(100)) == [False]


def test_silence_that_brings_nothing_back_is_no_outage():
    """A client that stopped telling, and sends one word of where it is by now."""
    wu = asked()
    wu.tell(Kind.PROGRESS, wu.t + 300, wu.pos + 300)
    assert counts(wu.photo(answers=0).watch(100)) == [False]


def test_a_machine_that_slept_is_asked_when_it_plays_again():
    lin = asked()
    lin.t += 300
    assert counts(lin.photo(answers=0).watch(100)) == [True]


@pytest.mark.parametrize(("minutes", "good"), [(9, True), (13, False)])
def test_an_outage_excuses_ten_minutes_and_no_more(minutes, good):
    lin = asked().held_back(minutes * 60).photo(answers=0).watch(100)
    assert counts(lin) == [good]


def test_an_outage_that_began_after_the_window_excuses_nothing():
    assert counts(asked().watch(120).held_back(300).photo(answers=0).watch(60)) == [False]


def test_who_pauses_before_the_moment_is_asked_when_play_goes_on():
    """The control waits with the learner, whoever runs it."""
    lin = asked().pause(900).play().watch(20).photo(answers=0).watch(100)
    assert counts(lin) == [True]
    slow = asked().pause(900).play().watch(100).photo(answers=0).watch(100)
    assert counts(slow) == [False]


def test_after_the_end_of_play_the_window_runs_by_the_clock():
    assert counts(asked().ended().photo(at=600 + 540, answers=0)) == [False]


def test_what_the_service_let_expire_stays_expired():
    lin = asked(window=0.0)
    lin.demand(Control.FACE_CHECK, window=40, expired=640).pause(900).play().watch(20)
    assert counts(lin.photo(answers=1)) == [False]


def test_frames_of_one_burst_count_one_by_one_where_they_straddle_the_end():
    lin = asked().watch(200)
    for at in (680, 685, 690, 695):
        lin.photo(at=at, answers=0)
    assert counts(lin) == [True, True, True, False]


def test_a_photo_that_was_marked_late_when_it_came_stays_late():
    lin = asked().photo(answers=0, flags=KEPT | PhotoFlag.LATE).watch(60)
    assert counts(lin) == [False]


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 600_000),
    st.lists(st.integers(0, 1_200_000), max_size=120),
    st.one_of(st.none(), st.integers(0, 1_500_000)),
)
def test_no_evidence_excuses_more_than_the_bound(end, heard, until):
    told = deadline(end, np.sort(np.array([0, *heard], np.int64)), TERMS, until)
    base = end + TERMS.allowance_ms
    assert base <= told <= base + TERMS.outage_ms


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 600_000), st.lists(st.integers(1, 30_000), min_size=1, max_size=80))
def test_without_silence_there_is_no_outage(end, gaps):
    heard = np.concatenate([[0], np.cumsum(gaps)]).astype(np.int64)
    terms = WindowTerms(30_000, 600_000, 30_000, 10_000)
    assert deadline(end, heard, terms) == end + 30_000


# ------------------------------------------------------------------------- what a class-hour needs


def hour(*, check: Check = Check.MATCH, late: bool = False, **what) -> Sitting:
    """A whole class-hour: a face check at its start, pop-ups, a random photo half-way."""
    lin = Sitting(**what).demand(Control.FACE_CHECK, window=40)
    if check is not Check.NOT_COMPARED:
        lin.photo(check, flags=CHECKED, answers=0, at=5.0)
    lin.play()
    for part in range(10):
        lin.watch(240)
        if part < 9:
            lin.popup(4.0, stop=True)
        if part == 4:
            place = len(lin.controls)
            lin.demand(Control.SNAPSHOT, window=60)
            lin.photo(flags=RANDOM, answers=place, at=lin.t + (540 if late else 5))
    return lin


def judged(*sittings, policy=GRADED, in_person=()):
    columns = replace(trace(*sittings), in_person=np.array(list(in_person), IN_PERSON))
    result = assess(columns, policy)
    (mine,) = [it for it in result.hours if it.hour == 0]
    told = [result.findings[at] for at in mine.findings]
    told = [it for it in told if it.rule in ("face_liveness", "photo_retention")]
    return mine.outcome, sorted(reasons(told))


def test_a_class_hour_with_a_check_of_its_own_and_a_random_photo_is_valid():
    assert judged(hour()) == (HourOutcome.VALID, [])


def test_all_checks_expired_and_one_photo_nine_minutes_late_are_no_valid_hour():
    outcome, told = judged(hour(check=Check.NOT_COMPARED, late=True))
    assert outcome is HourOutcome.NOT_PROVEN
    assert told == ["photo_late", "photos_late"]


def test_a_random_photo_alone_is_no_face_check_of_the_class_hour():
    outcome, told = judged(hour(check=Check.NOT_COMPARED))
    assert (outcome, told) == (HourOutcome.NOT_PROVEN, ["hour_not_checked"])


def test_where_the_platform_runs_the_controls_its_compared_photos_are_checks():
    lin = hour(check=Check.NOT_COMPARED, flags=HONEST | SessionFlag.PLATFORM_CONTROLS)
    lin.controls[0] = (*lin.controls[0][:-2], Control.SNAPSHOT, lin.controls[0][-1])
    assert judged(lin) == (HourOutcome.VALID, [])


def test_what_lies_near_the_threshold_is_a_check_once_a_later_photo_matched():
    assert judged(hour(check=Check.REVIEW)) == (HourOutcome.VALID, [])


def still_hour() -> Sitting:
    lin = hour()
    lin.photos[0] = (*lin.photos[0][:-1], STILL)
    return lin


def test_without_a_living_face_an_hour_is_not_proven_or_for_a_person_by_the_pack():
    assert judged(still_hour()) == (HourOutcome.NOT_PROVEN, ["hour_not_live"])
    asks = with_parameters("face_liveness", without_live="pending_review")
    assert judged(still_hour(), policy=asks) == (HourOutcome.PENDING_REVIEW, ["hour_not_live"])
    dark = dark_room(Check.NO_FACE)
    assert "hour_not_live" not in judged(dark)[1]


def test_where_the_authority_left_it_off_a_face_that_matched_is_enough():
    off = with_parameters("face_liveness", live_required=False)
    assert judged(still_hour(), policy=off) == (HourOutcome.VALID, [])


@pytest.mark.parametrize("own", [SessionFlag.PLATFORM_CONTROLS, SessionFlag.ATTESTED])
def test_an_hour_that_this_service_did_not_control_is_held_to_no_turn_of_the_head(own):
    lin = hour(flags=HONEST | own)
    lin.photos = [(*photo[:-1], STILL | PhotoFlag.RANDOM_TIME) for photo in lin.photos]
    assert judged(lin) == (HourOutcome.VALID, [])


DARK_ROOM = [Check.LOW_QUALITY, Check.SEVERAL_FACES, Check.NO_FACE, Check.NOT_COMPARED]


def dark_room(check: Check) -> Sitting:
    """Every photo of the hour, the random one too, shows nothing; NOT_COMPARED: none came."""
    lin = hour(check=check)
    if check is Check.NOT_COMPARED:
        lin.photos.clear()
    lin.photos = [(*it[:6], int(check), it[7]) for it in lin.photos]
    return lin


@pytest.mark.parametrize("check", DARK_ROOM)
def test_a_dark_room_is_not_proven_and_a_check_in_person_settles_it(check):
    lin = dark_room(check)
    outcome, _ = judged(lin)
    assert outcome in (HourOutcome.NOT_PROVEN, HourOutcome.PENDING_REVIEW)
    result = assess(trace(lin), GRADED)
    assert not [it for it in result.findings if it.outcome is Outcome.VIOLATION]
    assert judged(lin, in_person=[(0, 0)])[0] is HourOutcome.VALID


def test_who_refused_the_camera_is_settled_by_a_check_in_person():
    lin = hour(check=Check.NOT_COMPARED, flags=SessionFlag.REFERENCE_PHOTO)
    lin.photos.clear()
    assert judged(lin) == (HourOutcome.NOT_PROVEN, ["no_consent", "no_consent"])
    assert judged(lin, in_person=[(0, 0)]) == (HourOutcome.VALID, [])
    strict = with_parameters("photo_retention", in_person_counts=False)
    outcome, told = judged(lin, in_person=[(0, 0)], policy=strict)
    assert (outcome, told) == (HourOutcome.NOT_PROVEN, ["no_consent"])


def test_a_check_in_person_of_one_class_hour_settles_no_other():
    lin = dark_room(Check.LOW_QUALITY)
    assert judged(lin, in_person=[(0, 1)])[0] is not HourOutcome.VALID


def test_a_check_in_person_excuses_nobody_else_s_face():
    wu = hour(check=Check.MISMATCH)
    wu.photos.append((*wu.photos[0][:6], int(Check.MISMATCH), wu.photos[0][7]))
    assert judged(wu, in_person=[(0, 0)])[0] is HourOutcome.PENDING_REVIEW


def test_what_one_class_hour_lacks_leaves_the_sitting_s_other_alone():
    """A sitting of two class-hours; the second has neither check nor photo."""
    plan = [(0, 0, 0, 0.0, 2400.0), (0, 1, 0, 2400.0, 4800.0)]
    lin = hour()
    for _ in range(10):
        lin.popup(4.0, stop=True).watch(240)
    result = assess(trace(lin, lessons=[4800.0], pieces=plan), GRADED)
    assert [it.outcome for it in result.hours] == [HourOutcome.VALID, HourOutcome.NOT_PROVEN]


def test_the_photos_of_a_platform_are_held_to_the_same_window():
    lin = Sitting(flags=HONEST | SessionFlag.PLATFORM_CONTROLS).play().watch(1200)
    lin.demand(Control.SNAPSHOT, window=60, by=ControlFlag(0))
    late = lin.watch(1200).photo(at=1200 + 540, answers=0)
    assert "photo_late" in reasons(found("photo_retention", late))
