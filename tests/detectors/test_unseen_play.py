"""Content that ran while nobody could see it: not counted, no accusation, never silent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.policy import packs
from detectors.assess import HourOutcome, SessionOutcome, assess
from detectors.finding import Fault, Outcome
from detectors.trace import Flag, Kind
from tests.detectors.columns import GRADED
from tests.detectors.stories import Sitting, found, trace

RULE = "unseen_play"
FIRST = packs.load("huangchuan-2021-graded", "1.0.0").policy


def webview(beats: int, flags: int = Flag.HIDDEN | Flag.FOCUSED) -> Sitting:
    """A page in an app that says `hidden` in every heartbeat, whatever the learner sees."""
    lin = Sitting().play()
    for n in range(beats):
        lin.tell(Kind.PROGRESS, lin.t + (4 if n == 0 else 10), lin.pos + (4 if n == 0 else 10.003),
                 flags=flags)  # fmt: skip
    return lin


def test_a_webview_that_is_always_hidden_is_neither_valid_nor_silent():
    result = assess(trace(webview(250)), GRADED)
    (finding,) = [it for it in result.findings if it.rule == RULE]
    assert (finding.outcome, finding.reason) == (Outcome.NOT_PROVEN, "hidden")
    assert finding.fault is Fault.UNDETERMINED
    assert finding.measured == pytest.approx(2_400, abs=5)
    assert result.outcomes == [SessionOutcome.NOT_PROVEN]
    assert [(it.hour, it.outcome) for it in result.hours] == [(0, HourOutcome.NOT_PROVEN)]
    assert all(it.outcome is not Outcome.VIOLATION for it in result.findings)


def test_the_hour_is_named_even_where_not_a_second_of_it_counts():
    lin = Sitting()
    lin.tell(Kind.VISIBILITY, 0, 0, flags=Flag.HIDDEN)
    lin.play()
    for _ in range(100):
        lin.tell(Kind.PROGRESS, lin.t + 10, lin.pos + 10.003, flags=Flag.HIDDEN)
    result = assess(trace(lin), GRADED)
    assert len(result.credited) == 0
    assert [(it.outcome, it.credited_ms) for it in result.hours] == [(HourOutcome.NOT_PROVEN, 0)]


def test_minutes_in_the_background_are_told_of_and_leave_the_rest_alone():
    lin = Sitting().play().watch(250)
    lin.tell(Kind.VISIBILITY, lin.t, flags=Flag.HIDDEN)
    for _ in range(12):
        lin.tell(Kind.PROGRESS, lin.t + 10, lin.pos + 10.003, flags=Flag.HIDDEN)
    result = assess(trace(lin), GRADED)
    (finding,) = [it for it in result.findings if it.rule == RULE]
    assert (finding.outcome, finding.hour) == (Outcome.CLEAR, 0)
    assert finding.measured == pytest.approx(120, abs=1)
    assert sum(result.facts.played.total_ms(1)) == pytest.approx(250_000, abs=20)


@pytest.mark.parametrize(("beats", "told"), [(6, False), (7, True)])
def test_a_minute_is_told_of(beats, told):
    assert bool(found(RULE, webview(beats))) is told


def test_a_page_that_is_seen_and_never_clicked_counts():
    """In a frame, on a second screen, or simply not clicked: visible and playing is what counts."""
    lin = webview(25, Flag.VISIBLE | Flag.BLURRED)
    assert found(RULE, lin) == []
    played = sum(assess(trace(lin), GRADED).facts.played.total_ms(1))
    assert played == pytest.approx(244_000, abs=200)


def test_the_first_version_of_the_pack_stops_the_clock_for_it():
    played = assess(trace(webview(25, Flag.VISIBLE | Flag.BLURRED)), FIRST).facts.played
    assert played.total_ms(1)[0] == pytest.approx(4_000, abs=1)


def test_two_windows_that_are_seen_and_play_are_two_windows_whichever_has_the_focus():
    one = webview(25, Flag.VISIBLE | Flag.FOCUSED)
    other = webview(25, Flag.VISIBLE | Flag.BLURRED)
    other.lesson, other.window = 1, 1
    (overlap,) = found("multi_window", one, other)
    assert overlap.measured == pytest.approx(244, abs=1)


UNITS = {"share": 1 / 2400, "percent": 100 / 2400, "minutes": 1 / 60}
PARTS = st.lists(st.tuples(st.integers(5, 40), st.integers(0, 600)), min_size=4, max_size=8)


@settings(max_examples=60, deadline=None)
@given(PARTS, st.sampled_from([*UNITS]), st.booleans(), st.sampled_from([5, 10, 20]))
def test_positions_in_larger_units_are_told_of_and_accuse_nobody(parts, unit, whole, beat):
    """Whole numbers of percent or minutes, too; with breaks, of which the player tells."""
    lin, at = Sitting().play(), 0.0
    for beats, pause in parts:
        for _ in range(beats):
            at += beat
            place = at * UNITS[unit]
            place = float(int(place)) if whole and unit != "share" else round(place, 4)
            lin.tell(Kind.PROGRESS, lin.t + beat, place)
        lin.pause(pause).play()
    result = assess(trace(lin), GRADED)
    assert all(it.fault is not Fault.LEARNER for it in result.findings)
    steps = lin.pos if whole and unit != "share" else at / beat
    if at >= 120 and steps >= 8 and lin.pos >= 0.01:
        (finding,) = [it for it in result.findings if it.rule == RULE]
        assert (finding.reason, finding.outcome) == ("not_seconds", Outcome.NOT_PROVEN)
        assert finding.fault is Fault.PLATFORM
        assert result.outcomes == [SessionOutcome.NOT_PROVEN]


@pytest.mark.parametrize("film", [2400.0, 7200.0])
@pytest.mark.parametrize(("beat", "late"), [(0.25, 0.0), (1.0, 0.0), (1.0, 0.2), (2.0, 0.5)])
def test_the_first_thousandths_of_a_film_are_no_leaps(film, beat, late):
    """What lies beyond the film is refused at the door: the first seconds are all that comes."""
    lin = Sitting().play()
    for n in range(1, int(film * 1.25 + 60) // int(beat * 1000) + 1):
        lin.tell(Kind.PROGRESS, n * beat + late * (n % 2), n * beat * 1000, client=n * beat)
    result = assess(trace(lin, lessons=(film,)), GRADED)
    told = [(it.rule, it.reason, it.fault) for it in result.findings if it.rule != "face_liveness"]
    if len(lin.events) > 2:
        assert told == [(RULE, "not_seconds", Fault.PLATFORM)]


def test_a_leap_to_the_end_within_three_seconds_is_no_unit_of_time():
    wu = Sitting().play()
    wu.tell(Kind.PROGRESS, 2.4, 2390)
    assert found(RULE, wu) == []
    assert found("fast_forward", wu)
    for n in range(1, 4):
        wu.tell(Kind.PROGRESS, 2.4 + n, 2390 + n)
    assert found(RULE, wu) == [] and found("fast_forward", wu)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(1, 120), st.floats(0, 1), st.floats(0, 60)), min_size=3, max_size=60
    ),
    st.sampled_from([1, 5, 10, 30]),
)
def test_a_film_that_moves_by_fits_and_starts_tells_seconds(moves, beat):
    """It stalls and plays in turns, at the pace of a player; slow it may be altogether."""
    lin = Sitting().play()
    for stall, speed, seconds in moves:
        lin.idle(stall, beat=beat).watch(seconds * speed, beat=beat)
    plays = sum(seconds * speed for _, speed, seconds in moves)
    if plays > lin.t / 20 or all(seconds * speed >= beat for _, speed, seconds in moves):
        assert "not_seconds" not in [it.reason for it in found(RULE, lin)]


@pytest.mark.parametrize("speed", [0.0625, 0.25, 1.0])
def test_the_slowest_that_a_browser_plays_is_play(speed):
    assert found(RULE, Sitting().play().watch(2400, speed=speed)) == []


def test_a_few_seconds_of_play_every_five_minutes_are_play():
    lin = Sitting().play()
    for _ in range(12):
        lin.watch(7.3).idle(292.7)
    assert found(RULE, lin) == []
