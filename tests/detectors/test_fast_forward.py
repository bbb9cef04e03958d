"""快进播放: two per cent and ten seconds ahead of the server's clock is the limit."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from detectors.credit import played
from detectors.finding import Evidence, Fault, Outcome
from detectors.trace import Flag, Kind
from tests.detectors.columns import GRADED
from tests.detectors.stories import Sitting, credited_ms, found, reasons, trace, with_parameters

RULE = "fast_forward"


def test_lin_plays_at_the_pace_of_the_clock():
    assert found(RULE, Sitting().play().watch(2400).ended()) == []


@pytest.mark.parametrize(("content", "accused"), [(112.0, False), (112.001, True)])
def test_100_s_may_hold_112_s_of_content_and_not_a_millisecond_more(content, accused):
    wu = Sitting().play().watch(100, speed=content / 100)
    assert reasons(found(RULE, wu)) == (["outran"] if accused else [])


@pytest.mark.parametrize(("ahead", "accused"), [(22.2, False), (22.201, True)])
def test_one_heartbeat_may_be_12_2_s_ahead_after_100_honest_seconds(ahead, accused):
    wu = Sitting().play().watch(100)
    wu.t += 10
    wu.tell(Kind.PROGRESS, wu.t, 100 + ahead)
    assert bool(found(RULE, wu)) is accused


def test_the_finding_names_content_server_time_and_both_positions():
    (finding,) = found(RULE, Sitting(at=60).play().watch(100, speed=4.0))
    assert finding.outcome is Outcome.VIOLATION
    assert (finding.fault, finding.evidence) == (Fault.LEARNER, Evidence.SERVER)
    assert (finding.measured, finding.limit) == (400.0, 100.0)
    assert (finding.start_pos_ms, finding.end_pos_ms) == (0, 400_000)
    assert finding.end_ms - finding.start_ms == 100_000
    assert finding.voids


def test_a_claim_shorter_than_30_s_is_not_a_sustained_stretch():
    short = Sitting().play().watch(10, speed=2.9, beat=2)
    assert found(RULE, short) == []
    assert reasons(found(RULE, Sitting().play().watch(10, speed=3.1, beat=2))) == ["outran"]


def test_wu_cannot_save_up_time_in_a_pause_and_spend_it_at_16x():
    wu = Sitting().play().watch(300).pause().idle(1200).play().watch(60, speed=16)
    assert reasons(found(RULE, wu)) == ["outran"]


def test_wu_s_platform_that_tells_once_a_minute_is_no_backlog_without_end():
    wu = Sitting().play().watch(300, beat=60).pause().idle(1200, beat=60).play()
    wu.watch(300, beat=60, speed=16)
    assert {"outran", "jump"} & set(reasons(found(RULE, wu)))


@pytest.mark.parametrize("beat", [2, 5, 10])
@pytest.mark.parametrize("by", [10, 30])
def test_a_button_that_is_told_where_it_led_claims_nothing(beat, by):
    lin = Sitting().play().watch(60, beat=beat)
    for _ in range(12):
        lin.pos += by
        lin.seek(lin.pos)
        lin.t += 0.3
    lin.watch(40, beat=beat)
    assert "outran" not in reasons(found(RULE, lin))
    assert credited_ms(RULE, lin) <= 105_000


def test_lin_s_backlog_after_an_outage_is_inside_the_elapsed_time():
    assert found(RULE, Sitting().play().watch(100).held_back(900).watch(100)) == []


def test_a_request_that_was_lost_and_sent_again_accuses_nobody():
    lin = Sitting().play().watch(75, beat=15)
    lin.tell(Kind.PROGRESS, 89.4, 75)  # 29.6 s without news are no outage yet
    for position in (90, 105):
        lin.tell(Kind.PROGRESS, 119.0, position)
    lin.t = lin.pos = 120.1
    lin.tell(Kind.PROGRESS, 120.1, 120)  # and the next one is prompt
    assert found(RULE, lin.watch(100)) == []


def test_a_second_outage_in_the_middle_of_a_backlog_accuses_nobody():
    lin = Sitting().play().watch(100)
    for beat in range(1, 61):  # offline from 100 s on; half gets through at 700 s, half at 900 s
        lin.tell(Kind.PROGRESS, 700.0 if beat <= 30 else 900.0, 100.0 + beat * 10)
    for beat in range(61, 81):
        lin.tell(Kind.PROGRESS, 900.0, 100.0 + beat * 10)
    assert found(RULE, lin.watch(60)) == []


def test_a_backlog_longer_than_the_outage_is_forged():
    wu = Sitting().play().watch(120)
    wu.t += 10
    for beat in range(240):
        wu.tell(Kind.PROGRESS, wu.t, 130.0 + beat * 10)
    assert reasons(found(RULE, wu)) == ["outran"]


def test_a_jump_in_one_heartbeat_is_named_a_jump():
    wu = Sitting().play().watch(100)
    wu.t += 10
    wu.tell(Kind.PROGRESS, wu.t, 400.0)
    (finding,) = found(RULE, wu.watch(50))
    assert finding.reason == "jump"
    assert (finding.measured, finding.limit) == (300.0, 20.0)


def test_one_jump_does_not_hide_that_the_rest_was_fast_too():
    wu = Sitting().play().watch(50, speed=4, beat=2.5)
    wu.tell(Kind.PROGRESS, wu.t + 2.5, wu.pos + 100)
    wu.watch(300, speed=4, beat=2.5)
    assert sorted(reasons(found(RULE, wu))) == ["jump", "outran"]
    assert credited_ms(RULE, wu) == 0


def test_a_player_that_is_back_within_45_s_has_skipped_nothing():
    lin = Sitting().play().watch(100)
    lin.tell(Kind.PROGRESS, 110, 400.0)
    lin.tell(Kind.PROGRESS, 120, 105.0)
    assert found(RULE, lin.watch(50)) == []
    wu = Sitting().play().watch(100)
    for beat in range(4):  # a silence instead would be an outage, in which the way back was told
        wu.tell(Kind.PROGRESS, 110 + beat * 10, 400.0 + beat * 10)
    wu.tell(Kind.PROGRESS, 145.001, 105.0)
    assert reasons(found(RULE, wu)) == ["jump"]


def test_lin_may_jump_about_in_what_was_seen():
    lin = Sitting().play().watch(900).seek(100).watch(10).seek(800).watch(10).seek(890)
    assert found(RULE, lin.watch(60)) == []


def test_a_jump_that_the_platform_blocked_is_information_only():
    lin = Sitting().play().watch(100)
    for _ in range(12):
        lin.seek(2000, blocked=True).watch(10)
    assert found(RULE, lin) == []


@pytest.mark.parametrize(("jumps", "reviewed"), [(2, False), (3, True)])
def test_three_forward_seeks_over_unseen_content_go_to_a_person(jumps, reviewed):
    wu = Sitting().play().watch(60)
    for _ in range(jumps):
        wu.seek(wu.pos + 60).watch(30)
    findings = found(RULE, wu)
    assert reasons(findings) == (["repeated_seeks"] if reviewed else [])
    assert all(finding.outcome is Outcome.REVIEW for finding in findings)
    assert all(finding.evidence is Evidence.CLIENT for finding in findings)


@pytest.mark.parametrize(("step", "reviewed"), [(10.0, False), (10.001, True)])
def test_a_seek_of_10_s_is_not_yet_a_jump(step, reviewed):
    wu = Sitting().play().watch(60)
    for _ in range(3):
        wu.seek(round(wu.pos + step, 3)).watch(30)
    assert bool(found(RULE, wu)) is reviewed


@pytest.mark.parametrize(("seeks", "accused"), [(9, False), (10, True)])
def test_ten_micro_seeks_that_outrun_the_clock_are_fast_forward(seeks, accused):
    wu = Sitting().play().watch(60)
    for _ in range(seeks):
        wu.watch(1).seek(wu.pos + 9)
    assert reasons(found(RULE, wu)) == (["micro_seeks"] if accused else [])


def test_micro_seeks_inside_seen_content_accuse_nobody():
    lin = Sitting().play().watch(600).seek(0)
    for _ in range(30):
        lin.watch(1).seek(lin.pos + 9)
    assert found(RULE, lin) == []


def test_small_skips_in_seen_content_and_one_look_ahead_are_not_micro_seeks():
    lin = Sitting().play().watch(600).seek(0)
    for _ in range(12):
        lin.watch(1).seek(lin.pos + 5)
    lin.seek(2000).watch(5).seek(lin.pos + 5)
    assert found(RULE, lin) == []


@pytest.mark.parametrize(("seen", "told"), [(2342.0, False), (2341.9, True)])
def test_a_platform_s_completion_may_lack_2_per_cent_and_10_s(seen, told):
    wu = Sitting().play().watch(seen).seek(2400)
    wu.tell(Kind.ENDED, wu.t, 2400, flags=Flag.COMPLETED)
    findings = found(RULE, wu)
    assert reasons(findings) == (["completion_told"] if told else [])
    assert all(it.fault is Fault.PLATFORM and not it.voids for it in findings)


def test_a_platform_s_completion_of_a_lesson_that_showed_no_place_is_told():
    wu = Sitting()
    wu.tell(Kind.ENDED, 0, flags=Flag.COMPLETED)
    assert reasons(found(RULE, wu)) == ["completion_told"]


def test_ended_without_a_position_claims_nothing_that_was_not_played():
    wu = Sitting().play().watch(3).ended()
    assert found(RULE, wu) == []
    assert played(trace(wu), GRADED).total_ms(1).tolist() == [3000]


def test_ended_at_the_end_of_what_was_not_played_is_a_claim():
    (finding,) = found(RULE, Sitting().play().watch(3).ended(2400))
    assert (finding.reason, finding.fault) == ("completion_claimed", Fault.LEARNER)
    assert (finding.measured, finding.limit) == (2397.0, 3.0)


def test_an_end_behind_a_seek_that_was_told_claims_no_more_than_to_have_ended():
    lin = Sitting().play().watch(900).seek(2300).watch(100).ended(2400)
    (note,) = found(RULE, lin)
    assert (note.reason, note.outcome, note.voids) == ("skipped_to_end", Outcome.CLEAR, False)
    assert (note.measured, note.limit) == (1400.0, 1000.0)
    assert credited_ms(RULE, lin) == 1_000_000


def test_an_end_behind_a_leap_that_nothing_tells_of_is_claimed():
    wu = Sitting().play().watch(900).pause()
    wu.pos = 2300
    (finding,) = found(RULE, wu.play().watch(100).ended(2400))
    assert (finding.reason, finding.fault) == ("completion_claimed", Fault.LEARNER)
    half = Sitting().play().watch(900).seek(1500).watch(10).pause()
    half.pos = 2300
    (finding,) = found(RULE, half.play().watch(100).ended(2400))
    assert finding.reason == "completion_claimed"


def glitch(sitting: Sitting, to: float, beats: int = 1) -> Sitting:
    """Play goes on, and the player tells another place for some heartbeats."""
    before = sitting.pos
    for beat in range(1, beats + 1):
        sitting.tell(Kind.PROGRESS, sitting.t + 10, to + (beat - 1) * 10)
    sitting.pos = before + 10 * beats
    return sitting


def test_a_source_that_is_loaded_again_accuses_nobody_and_costs_nothing():
    lin = glitch(glitch(Sitting().play().watch(1200), 0).watch(600), 0).watch(300)
    assert found(RULE, lin) == []
    assert credited_ms(RULE, lin) == 2_120_000


def test_an_advertisement_tells_the_clock_of_another_film():
    lin = Sitting().play().watch(600)
    for beat in (0, 10, 20):
        lin.tell(Kind.PROGRESS, lin.t + 10, float(beat))
    lin.pos = 600
    lin.play().watch(600)
    assert found(RULE, lin) == []
    assert credited_ms(RULE, lin) == 1_200_000


def test_a_place_told_before_the_film_is_loaded_is_no_jump_to_where_lin_goes_on():
    lin = Sitting(at=90_000, resume=1200).play()
    lin.tell(Kind.PROGRESS, 10, 1202.0)
    assert found(RULE, lin.watch(600)) == []


def test_a_film_that_begins_again_at_its_end_accuses_nobody():
    lin = Sitting().play().watch(2400).ended(2400)
    lin.pos = 0.0
    assert found(RULE, lin.play().watch(120)) == []


def test_wu_s_jump_is_not_hidden_by_a_heartbeat_at_0():
    wu = Sitting().play().watch(100)
    wu.tell(Kind.PROGRESS, 110, 0.0)
    wu.tell(Kind.PROGRESS, 120, 1500.0)
    (finding,) = found(RULE, wu.watch(60))
    assert (finding.reason, finding.measured) == ("jump", 1400.0)
    assert credited_ms(RULE, wu) <= 160_000


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 239), st.sampled_from(["zero", "stale", "end", "none"])),
        max_size=12,
    ),
    st.floats(0.05, 9.95),
)
def test_glitches_in_an_honest_trace_accuse_nobody_and_cost_their_neighbours_at_most(
    glitches, after
):
    at = {beat: kind for beat, kind in glitches}
    lin = Sitting().play()
    for beat in range(1, 241):
        lin.tell(Kind.PROGRESS, beat * 10, beat * 10.0)
        told = {"zero": 0.0, "stale": beat * 5.0, "end": 2400.9, "none": None}
        if beat in at and beat < 240:
            lin.tell(Kind.PROGRESS, beat * 10 + after, told[at[beat]])
    lin.ended(2400)
    assert found(RULE, lin) == []
    assert credited_ms(RULE, lin) >= 2_400_000 - 20_000 * len(at)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(2, 230),
    st.integers(1, 3),
    st.sampled_from([0.0, 11.5, 2400.9]),
    st.floats(0.5, 39.5),
    st.sampled_from([Kind.VISIBILITY, Kind.FOCUS]),
    st.booleans(),
)
def test_who_looks_back_at_a_page_that_shows_another_place_skipped_nothing(
    first, beats, place, after, change, told
):
    """Heartbeats that show 0, a stale place or the end, and meanwhile the page is seen again."""
    assume(not -5 < place - (first - 1) * 10 < (beats + 1) * 10)  # another place than play is at
    lin = Sitting().play()
    seen = first * 10 - 10 + after
    for beat in range(1, 241):
        if beat * 10 > seen >= beat * 10 - 10:
            shown = place if first * 10 <= seen < (first + beats) * 10 else round(seen, 3)
            flag = Flag.VISIBLE if change is Kind.VISIBILITY else Flag.FOCUSED
            lin.tell(change, seen, shown if told else None, flags=flag)
        odd = first <= beat < first + beats
        lin.tell(Kind.PROGRESS, beat * 10, place if odd else beat * 10.0)
    lin.ended(2400)
    assert found(RULE, lin) == []
    assert credited_ms(RULE, lin) >= 2_380_000


def test_a_lesson_finished_in_two_sittings_is_complete():
    evening = Sitting().play().watch(1200)
    morning = Sitting(at=86_400, resume=1200, pos=1200).play().watch(1200).ended()
    assert found(RULE, evening, morning) == []


def test_a_pack_that_allows_1_5x_lets_1_5x_earn():
    brisk = Sitting().play().watch(600, speed=1.5)
    assert found(RULE, brisk, policy=with_parameters(RULE, max_rate=1.5)) == []
    assert reasons(found(RULE, brisk)) == ["outran"]
    faster = Sitting().play().watch(600, speed=1.6)
    assert reasons(found(RULE, faster, policy=with_parameters(RULE, max_rate=1.5))) == ["outran"]


def test_watching_a_finished_lesson_again_at_twice_the_speed_accuses_nobody():
    yesterday = Sitting().play().watch(2400).ended()
    today = Sitting(at=90_000).play().watch(1200, speed=2.0).ended()
    assert reasons(found(RULE, yesterday, today)) == []


def test_dragging_over_the_half_that_was_seen_yesterday_is_no_skip():
    evening = Sitting().play().watch(1200).pause()
    morning = Sitting(at=90_000, pos=0.0).play().seek(1200).watch(1200).ended()
    assert reasons(found(RULE, evening, morning)) == []
    assert credited_ms(RULE, evening, morning) == 2_400_000


SEEKS = ("told", "where it led", "twice", "twice where it led", "paused", "dragged", "by key")


def sought(sitting: Sitting, to: float, style: str) -> Sitting:
    """A seek as players tell of it."""
    start = sitting.pos
    for _ in range(2 if style.startswith("twice") else 1):
        sitting.pos = to if style.endswith("where it led") else start
        if style == "paused":
            sitting.pause()
        if style in ("dragged", "by key"):
            for step in range(1, 16):
                at = start + (to - start) * step / 15
                sitting.seek(round(at, 3))
                sitting.t += 0.1
                sitting.pos = round(at + (0.1 if style == "by key" and at < to else 0), 3)
        sitting.seek(to)
    return sitting.play() if style == "paused" else sitting


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(20, 120), st.integers(60, 400), st.sampled_from(SEEKS)),
        min_size=1,
        max_size=2,
    )
)
def test_a_seek_is_one_seek_however_a_player_tells_of_it(parts):
    lin = Sitting().play()
    for seconds, step, style in parts:
        sought(lin.watch(seconds), lin.pos + step, style)
    assert found(RULE, lin.watch(30)) == []
    played_s = sum(seconds for seconds, *_ in parts) + 30
    assert played_s * 1000 <= credited_ms(RULE, lin) <= played_s * 1000 + 3_500 * len(parts)


def test_buttons_that_skip_ten_seconds_and_tell_where_they_led_claim_no_play():
    lin = Sitting().play().watch(60)
    for press in range(1, 13):
        lin.t += 0.3
        lin.pos = 60.0 + press * 10
        lin.seek(lin.pos)
    assert found(RULE, lin.watch(60)) == []
    assert credited_ms(RULE, lin) <= 130_000


def test_looking_into_three_later_places_goes_to_a_person_however_it_is_told():
    for style in SEEKS:
        lin = Sitting().play().watch(60)
        for to in (600, 1200, 1800):
            sought(lin, to, style).watch(30)
        assert reasons(found(RULE, lin)) == ["repeated_seeks"], style


@settings(max_examples=100, deadline=None)
@given(
    st.integers(60, 1200),
    st.integers(1, 15),
    st.floats(0, 0.03),
    st.integers(0, 1800),
    st.integers(-86_400, 86_400),
    st.integers(0, 900),
)
@example(60, 15, 1 / 64, 0, 0, 0)  # opened within a step, while what was kept still comes
@example(60, 15, 0.0, 0, 0, 11)
@example(1000, 1, 0.03, 0, 0, 300)
def test_play_of_before_a_late_opening_is_the_platform_s_and_earns_nothing(
    seconds, beat, share, waited, skew, goes_on
):
    """All that was kept is sent when the sitting is opened, and then it goes on live."""
    lin, forwarding = Sitting(), seconds * share
    places = range(0, seconds, beat)
    for n, place in enumerate(places):
        at = forwarding * n / len(places)
        lin.tell(Kind.PROGRESS, at, place, client=place - seconds - waited + skew)
    lin.t, waited = forwarding, waited if goes_on == 0 else 0
    for n in range(10, goes_on, 10):
        lin.tell(Kind.PROGRESS, forwarding + n, seconds + n, client=n + skew)
    findings = found(RULE, lin)
    assert set(reasons(findings)) <= {"before_opening"}
    assert all(it.fault is Fault.PLATFORM for it in findings)
    assert credited_ms(RULE, lin) <= (goes_on + forwarding) * 1000


def test_what_is_told_of_before_the_opening_after_play_of_the_sitting_is_forged():
    wu = Sitting().play().watch(60)
    for n in range(10, 1500, 10):
        wu.tell(Kind.PROGRESS, 61.0, 60 + n, client=n - 1500)
    assert reasons(found(RULE, wu)) == ["outran"]


@pytest.mark.parametrize("skew", [-3600, -45, 0, 45])
def test_a_page_whose_clocks_run_fourfold_is_no_news_of_before_the_opening(skew):
    wu = Sitting()
    for n in range(100):
        wu.tell(Kind.PROGRESS, n * 2.5, n * 10, client=skew + n * 10)
    assert reasons(found(RULE, wu)) == ["outran"]


@settings(max_examples=60, deadline=None)
@given(st.integers(15, 150), st.sampled_from([1, 5, 10, 15, 20]), st.booleans())
def test_places_told_in_coarse_steps_accuse_nobody(step, beat, whole):
    lin = Sitting().play()
    share = 0.37 if not whole else 0
    for at in range(beat, 2400, beat):
        place = at // (step + share) * (step + share)
        lin.tell(Kind.PROGRESS, at, round(place) if whole else round(place, 3))
    assert found(RULE, lin) == []
    assert credited_ms(RULE, lin) >= (2400 - 3 * step - beat) * 1000


@settings(max_examples=60, deadline=None)
@given(st.integers(15, 120), st.sampled_from([1, 5, 10]), st.floats(1.4, 16))
def test_coarse_steps_hide_no_speed(step, beat, speed):
    wu = Sitting().play()
    for at in range(beat, int(2400 / speed), beat):
        wu.tell(Kind.PROGRESS, at, at * speed // step * step)
    findings = found(RULE, wu)
    assert findings and findings[0].fault is Fault.LEARNER
    assert credited_ms(RULE, wu) <= 0.5 * 2_400_000


def in_steps(
    step: int, rounded: Callable[[float], int], exact: bool, beat: int, every: int, begin: float,
    pace: float = 1.0,
) -> Sitting:  # fmt: skip
    """Twenty minutes from `begin` on, heartbeats in steps, a pause of 5 s every so often."""
    lin, real = Sitting(), begin

    def told(fine: bool) -> float:
        return real if fine else rounded(real / step) * step

    lin.tell(Kind.PLAY, 0, told(exact))
    for t in range(1, 1201):
        real, lin.t = begin + t * pace, lin.t + 1
        if t % beat == 0:
            lin.tell(Kind.PROGRESS, lin.t, told(fine=False))
        if t % every == 0:
            lin.tell(Kind.PAUSE, lin.t, told(exact))
            lin.t += 5
            lin.tell(Kind.PLAY, lin.t, told(exact))
    return lin


LONG_FILM = [3 * 2400.0]


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([15, 20, 27, 30, 54, 60]),
    st.sampled_from([math.floor, round, math.ceil]),
    st.booleans(),
    st.sampled_from([1, 5, 10]),
    st.sampled_from([97, 190, 217, 290]),
    st.floats(0, 300),
)
@example(60, math.floor, True, 10, 190, 0)
@example(60, math.floor, False, 10, 190, 290.5)
@example(27, round, False, 10, 190, 0)
@example(60, math.ceil, True, 5, 97, 17)
def test_places_in_coarse_steps_between_pauses_accuse_nobody(
    step: int, rounded: Callable[[float], int], exact: bool, beat: int, every: int, begin: float
) -> None:
    lin = in_steps(step, rounded, exact, beat, every, begin)
    assert found(RULE, lin, lessons=LONG_FILM) == []
    seen_ms = credited_ms(RULE, lin, lessons=LONG_FILM)
    assert (1200 - step - 10 - beat) * 1000 <= seen_ms <= (1200 + step) * 1000
    wu = in_steps(step, rounded, exact, beat, every, begin, pace=1.25)
    assert reasons(found(RULE, wu, lessons=LONG_FILM))
    assert credited_ms(RULE, wu, lessons=LONG_FILM) <= 300_000


def test_a_leap_after_standing_still_is_no_coarse_step():
    wu = Sitting().play().watch(100).idle(300)
    wu.tell(Kind.PROGRESS, wu.t + 10, 400)
    assert reasons(found(RULE, wu.watch(50))) == ["jump"]


def test_a_beat_at_the_target_of_a_seek_that_is_told_behind_it_is_the_seek():
    for origin in (100, 401):
        lin = Sitting().play().watch(100)
        lin.tell(Kind.PROGRESS, 105, 400)
        lin.pos = origin
        lin.t = 106
        lin.seek(401)
        assert found(RULE, lin.watch(100)) == []
        assert credited_ms(RULE, lin) <= 210_000
    wu = Sitting().play().watch(100)
    wu.tell(Kind.PROGRESS, 105, 400)
    wu.pos, wu.t = 411, 116  # too long ago: it was a leap, and then a seek to where it was
    assert reasons(found(RULE, wu.seek(411).watch(100))) == ["jump"]


def test_an_end_after_which_play_goes_on_was_none():
    lin = Sitting().play().watch(1000)
    lin.tell(Kind.ENDED, 1001, 2400)
    lin.pos, lin.t = 1001, 1003
    assert found(RULE, lin.play().watch(300)) == []
    assert credited_ms(RULE, lin) >= 1_299_000
    wu = Sitting().play().watch(1000)
    wu.tell(Kind.ENDED, 1001, 2400)
    wu.pos, wu.t = 2390, 1003
    assert reasons(found(RULE, wu.play().watch(10).ended(2400))) == ["completion_claimed"]


@pytest.mark.parametrize("kinds", [(Kind.ENDED,), (Kind.PAUSE, Kind.ENDED)])
def test_the_end_of_the_film_before_that_a_page_tells_under_the_next_sitting_was_none(kinds):
    lin, wu = Sitting(lesson=1), Sitting(lesson=1)
    for sitting in (lin, wu):
        for kind in kinds:
            sitting.tell(kind, 0, 2400)
    lin.pos, lin.t = 0, 1
    assert found(RULE, lin.play().watch(300)) == []
    assert credited_ms(RULE, lin) >= 299_000
    assert reasons(found(RULE, wu)) == ["completion_claimed"]
    wu.pos, wu.t = 0, 20  # too late to be of the film before
    assert reasons(found(RULE, wu.play().watch(300))) == ["completion_claimed"]
