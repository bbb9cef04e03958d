"""Content that ran while nobody could see it: not counted, no accusation, never silent."""

from __future__ import annotations

import pytest

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
