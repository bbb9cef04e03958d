"""Credited intervals: what was really watched, by the server's clock alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.policy import packs
from app.simulation.scenarios import perform
from detectors.credit import Played, played
from detectors.finding import Outcome
from detectors.trace import Flag, Kind
from tests.detectors.columns import GRADED, judged
from tests.detectors.stories import MONDAY_MS, Sitting, found, known, trace, with_parameters


def of(sitting: Sitting, policy=GRADED) -> Played:
    return played(trace(sitting), policy)


def credited(sitting: Sitting, policy=GRADED) -> float:
    return int(of(sitting, policy).total_ms(1)[0]) / 1000


def intervals(sitting: Sitting) -> list[tuple[int, int, int, int]]:
    """(content from, to, time from, to) in seconds, joined where play went on."""
    runs = known(sitting).runs
    return [
        (int(p0) // 1000, int(p1) // 1000, int(t0 - MONDAY_MS) // 1000, int(t1 - MONDAY_MS) // 1000)
        for p0, p1, t0, t1 in zip(runs.p0_ms, runs.p1_ms, runs.t0_ms, runs.t1_ms, strict=True)
    ]


def test_play_earns_its_content_where_and_when_it_was_played():
    assert intervals(Sitting(pos=50).play().watch(100)) == [(50, 150, 0, 100)]


def test_a_pause_earns_nothing():
    assert intervals(Sitting().play().watch(100).pause().idle(600).play().watch(100)) == [
        (0, 100, 0, 100),
        (100, 200, 700, 800),
    ]


def test_buffering_earns_the_content_and_not_the_time():
    lin = Sitting().play()
    for _ in range(10):
        lin.watch(4)
        lin.tell(Kind.WAITING, lin.t, lin.pos)
        lin.t += 6
        lin.tell(Kind.PLAYING, lin.t, lin.pos)
    assert credited(lin) == 40.0


def test_a_sleeping_laptop_earns_the_1_2_s_it_played():
    lin = Sitting().play().watch(100)
    lin.tell(Kind.PROGRESS, 116.2, 101.2)
    assert credited(lin) == 101.2


def test_slow_play_earns_content_and_not_wall_seconds():
    assert credited(Sitting().play().watch(100, speed=0.75)) == 75.0


def test_a_backlog_earns_what_fits_into_the_silence():
    assert credited(Sitting().play().watch(100).held_back(600)) == 700.0


def test_a_backlog_that_claims_more_than_the_silence_earns_the_silence():
    wu = Sitting().play().watch(120)
    for beat in range(40):
        wu.tell(Kind.PROGRESS, 160.0, 130.0 + beat * 4)
    assert credited(wu) <= 160.0


@pytest.mark.parametrize("speed", [1.01, 1.1, 1.11, 4.0])
def test_whoever_outruns_the_clock_earns_no_more_than_the_clock(speed):
    """The tolerance is one of accusations: nothing was seen before the sitting began."""
    wu = Sitting().play().watch(100, speed=speed, beat=1)
    assert credited(wu) == 100.0
    assert int(of(wu).t0_ms.min()) == MONDAY_MS


@given(st.floats(-60, 0), st.floats(0.5, 20), st.floats(5, 15))
@settings(max_examples=60, deadline=None)
def test_a_server_clock_that_steps_back_as_a_sitting_begins_gives_nothing_away(back, pace, beat):
    wu, at = Sitting().play(), back
    while at < 90:
        at += beat
        wu.tell(Kind.PROGRESS, max(at, 0.0), wu.pos + beat * pace, client=at)
    assert credited(wu) <= max(it[1] for it in wu.events) / 1000
    assert all(it >= MONDAY_MS for it in of(wu).t0_ms.tolist())


def test_heartbeats_that_arrive_out_of_order_change_nothing():
    in_order, shuffled = Sitting().play().watch(100), Sitting().play()
    for n, receipt in enumerate((12, 22, 31, 40.5, 50.5, 60, 70, 82, 90, 100)):
        shuffled.tell(Kind.PROGRESS, float(receipt), 10.0 * (n + 1))
    overtaken = Sitting().play()
    for n, receipt in enumerate((23, 22, 31, 52, 50.5, 60, 91, 82, 90, 100)):
        overtaken.tell(Kind.PROGRESS, float(receipt), 10.0 * (n + 1))
    assert credited(in_order) == credited(shuffled) == credited(overtaken) == 100.0
    assert of(shuffled).t1_ms.tolist() == of(overtaken).t1_ms.tolist()


def test_the_client_s_own_clock_is_never_asked():
    lin, warped = Sitting().play(), Sitting().play()
    for n in range(1, 30):
        lin.tell(Kind.PROGRESS, n * 10.0, n * 10.0)
        warped.tell(Kind.PROGRESS, n * 10.0, n * 10.0, client=n * 400.0 - 1e6)
    assert of(lin).t0_ms.tolist() == of(warped).t0_ms.tolist()
    assert credited(lin) == credited(warped)


def test_a_seek_earns_nothing_by_itself():
    assert intervals(Sitting().play().watch(100).seek(700).watch(100)) == [
        (0, 100, 0, 100),
        (700, 800, 100, 200),
    ]


def test_a_blocked_seek_moves_nothing():
    assert credited(Sitting().play().watch(100).seek(700, blocked=True).watch(100)) == 200.0


def test_a_jump_that_no_clock_could_hold_earns_nothing_and_play_after_it_does():
    wu = Sitting().play().watch(100)
    wu.tell(Kind.PROGRESS, 110, 1000.0)
    assert credited(wu.watch(50)) == 150.0


def test_only_the_hidden_part_of_a_heartbeat_is_lost():
    lin = Sitting().play().watch(100)
    lin.tell(Kind.VISIBILITY, 104, flags=Flag.HIDDEN)
    lin.tell(Kind.VISIBILITY, 107, flags=Flag.VISIBLE)
    lin.tell(Kind.PROGRESS, 110, 110.0)
    assert credited(lin) == pytest.approx(107.0, abs=0.01)


def test_an_unfocused_page_stops_the_clock_where_the_pack_says_so():
    stops = packs.load("huangchuan-2021-graded", "1.0.0").policy
    lin = Sitting().play().watch(100)
    lin.tell(Kind.FOCUS, 100, flags=Flag.BLURRED)
    lin.watch(50)
    lin.tell(Kind.FOCUS, 150, flags=Flag.FOCUSED)
    assert credited(lin.watch(10)) == 160.0
    assert credited(lin, stops) == 110.0


def test_a_page_that_says_nothing_about_itself_counts_as_watched():
    assert credited(Sitting().play().watch(60)) == 60.0


def test_a_sitting_that_resumes_earns_from_the_mark_on():
    assert intervals(Sitting(resume=500, pos=500).play().watch(60)) == [(500, 560, 0, 60)]


def test_a_first_heartbeat_without_play_earns_from_the_mark_the_service_gave():
    lin = Sitting(resume=500)
    lin.tell(Kind.PROGRESS, 8, 508.0)
    assert credited(lin) == 8.0


def test_a_first_heartbeat_far_beyond_the_mark_claims_nothing():
    wu = Sitting(resume=500)
    wu.tell(Kind.PROGRESS, 8, 2000.0)
    assert credited(wu.watch(10)) == 10.0
    assert Outcome.VIOLATION not in {f.outcome for f in found("fast_forward", wu)}


def test_going_back_and_watching_again_is_played_but_covers_nothing_new():
    again = known(Sitting().play().watch(300).seek(0).watch(300))
    assert int(again.played.total_ms(1)[0]) == 600_000


def test_what_is_claimed_while_paused_is_not_earned_on_resuming():
    wu = Sitting().play().watch(100).pause().idle(300)
    wu.pos = 380
    assert credited(wu.play().watch(10)) == 110.0


def test_positions_beyond_the_end_of_the_lesson_are_the_end():
    assert credited(Sitting(pos=2395).play().watch(60)) == 5.0


def test_no_credit_lies_outside_the_sitting_by_more_than_the_tolerance():
    fast = of(Sitting().play().watch(100, speed=3, beat=1))
    assert int(fast.t0_ms.min()) >= MONDAY_MS - 10_000
    assert int(fast.t1_ms.max()) <= MONDAY_MS + 100_000


def test_a_pack_that_allows_2x_needs_half_the_time():
    fast = Sitting().play().watch(100, speed=2)
    double = with_parameters("fast_forward", max_rate=2.0)
    assert credited(fast, double) == 200.0
    spent = of(fast, double)
    assert int((spent.t1_ms - spent.t0_ms).sum()) == 100_000


def test_popups_numbered_after_the_play_do_not_move_it_in_time():
    """Some logs number events by kind; the receipt of a pop-up says nothing of later play."""
    scene = perform("H01")
    events = [it for it in scene.evidence if it["kind"] == "event"]
    popups = [it for it in events if it["type"].startswith("popup")]
    last = max(it["seq"] for it in events)
    for place, popup in enumerate(popups):
        popup["seq"] = last + 1 + place
    assessment, _ = judged(scene)
    assert [it.reason for it in assessment.findings if it.outcome is Outcome.VIOLATION] == []
    assert assessment.credited.p1_ms.max() == 2_700_000


def test_the_play_of_a_sitting_is_the_same_whichever_sittings_are_laid_out_with_it():
    sittings = (
        Sitting().play().watch(100).pause().idle(30).play().watch(50),
        Sitting(),
        Sitting(pos=40).play().watch(300),
        Sitting().play().watch(10),
    )
    together = played(trace(*sittings), GRADED)
    columns = {name for name in Played.__slots__ if name not in ("samples", "session")}
    for row, sitting in enumerate(sittings):
        alone = played(trace(sitting), GRADED)
        mine, samples = together.session == row, together.samples.own == row
        for name in columns:
            assert getattr(alone, name).tolist() == getattr(together, name)[mine].tolist()
        for name in set(type(together.samples).__slots__) - {"own", "row"}:
            expected = getattr(together.samples, name)[samples].tolist()
            assert getattr(alone.samples, name).tolist() == expected
