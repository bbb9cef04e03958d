"""What a learner is asked, and when. Lin answers; others pause, dodge, forge or fall silent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.controls import control_plan, draws, photo_plan
from app.domain.controls.control_line import ControlLine, PhotoResult
from app.domain.controls.control_plan import Ledger, Memory, Tick, advance, outstanding, stop_code
from app.domain.controls.photo_plan import PlannedHour, Point
from app.domain.policy import sitting_terms
from detectors.control_kinds import ControlKind
from detectors.trace import ControlFlag

TERMS = sitting_terms.of_pack("huangchuan-2021-graded", "1.0.0")
MINUTE = 60_000
START = 1_772_413_200_000
HOUR = PlannedHour(1, ((1, 0, 45 * MINUTE),))
SEEDS = st.binary(min_size=32, max_size=32)


def ledger(seed: bytes = bytes(32), **changes: Any) -> Ledger:
    first = draws.popup_interval_ms(seed, 0, TERMS.popup_low_ms, TERMS.popup_high_ms)
    draw = photo_plan.drawer(seed, 1, "s", 0)
    points = photo_plan.plan(HOUR, studied={}, used=[], wanted=2, edge_ms=MINUTE, draw=draw)
    values: dict[str, Any] = {
        "session": "s",
        "lesson": 1,
        "seed": seed,
        "terms": TERMS,
        "state": "open",
        "pops": True,
        "looks": True,
        "moves": False,
        "hours": (HOUR,),
        "lines": [],
        "popup_from_ms": 0,
        "popup_due_ms": first,
        "popup_draws": 1,
        "points": points,
        "reached": set(),
        "photo_draws": 2,
        "schedule": {},
        "memory": Memory(0, START),
    }
    return Ledger(**(values | changes))


@dataclass
class Study:
    """A learner at a ledger: plays, and answers each control `answer_ms` after it is due."""

    ledger: Ledger
    answer_ms: int | None = 3_000
    sends_photos: bool = True
    now_ms: int = START
    learning_ms: int = 0
    position_ms: int = 0
    seq: int = 0
    hears: bool = True
    displays: list[int] = field(default_factory=list)  # learning clock at each display
    waiting: dict[str, tuple[int, str]] = field(default_factory=dict)

    def start(self) -> Study:
        advance(self.ledger, Tick(0, 0, self.now_ms))
        return self

    def play(self, ms: int) -> None:
        self.beat(ms, plays=True)

    def pause(self, ms: int) -> None:
        self.beat(ms, plays=False)

    def beat(self, ms: int, *, plays: bool) -> None:
        """One heartbeat: what happened since the last, then the batch."""
        before = self.learning_ms
        self.now_ms += ms
        if plays:
            self.learning_ms += ms
            self.position_ms += ms
        notes = self._pop_ups(before)
        tick = Tick(self.learning_ms, self.position_ms, self.now_ms, notes, self.hears)
        advance(self.ledger, tick)
        for kind in (ControlKind.SNAPSHOT, ControlKind.FACE_CHECK):
            line = outstanding(self.ledger, kind)
            if line is not None and self.sends_photos and self.learning_ms >= line.mark_ms:
                line.answered_ms, line.photos, line.result = self.now_ms, 3, PhotoResult.PASSED

    def _pop_ups(self, before: int) -> list[dict[str, Any]]:
        notes = []
        line = outstanding(self.ledger, ControlKind.POPUP)
        if self.answer_ms is None or line is None or self.learning_ms < line.mark_ms:
            return []
        if line.challenge_id not in self.waiting:
            shown = max(before, line.mark_ms)
            self.displays.append(shown)
            self.waiting[line.challenge_id] = (self.learning_ms - shown, line.challenge_id)
            notes.append(self.note("popup_shown", line))
        if self.now_ms - line.due_ms >= self.answer_ms:
            notes.append(self.note("popup_answered", line))
        return notes

    def note(self, kind: str, line: ControlLine, **changes: Any) -> dict[str, Any]:
        self.seq += 1
        return {
            "type": kind,
            "challenge_id": line.challenge_id,
            "nonce": line.nonce,
            "seq": self.seq,
            "recv_ms": self.now_ms,
            "at_ms": self.now_ms,
            **changes,
        }

    def pop_ups(self) -> list[ControlLine]:
        return self.ledger.of_kind(ControlKind.POPUP)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(0, 2**32))
def test_lin_never_plays_five_minutes_without_a_pop_up(seed: bytes, chance: int) -> None:
    random, study = Random(chance), Study(ledger(seed)).start()
    while study.position_ms < 45 * MINUTE:
        study.play(random.randint(5_000, 15_000))
    marks = [0, *study.displays]
    assert max(b - a for a, b in pairwise(marks)) <= 300_000
    drawn = [0] + [line.mark_ms for line in study.pop_ups()]
    assert all(b - a <= 285_000 for a, b in pairwise(drawn))
    assert all(b - a >= 160_000 for a, b in pairwise(drawn))
    assert stop_code(study.ledger) is None


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(0, 2**32))
def test_every_class_hour_gets_its_photos_away_from_both_ends(seed: bytes, chance: int) -> None:
    random, study = Random(chance), Study(ledger(seed)).start()
    while study.position_ms < 45 * MINUTE:
        study.play(random.randint(5_000, 15_000))
    taken = study.ledger.of_kind(ControlKind.SNAPSHOT)
    assert len(taken) == 2 and all(line.answered_ms for line in taken)
    for line in taken:
        assert MINUTE <= line.demand["position_ms"] < 44 * MINUTE
        assert line.random_time


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(0, 2**32))
def test_an_auditor_recomputes_every_drawn_time(seed: bytes, chance: int) -> None:
    random, study = Random(chance), Study(ledger(seed)).start()
    while study.position_ms < 45 * MINUTE:
        study.play(random.randint(5_000, 15_000))
    popups = [
        draws.PopupDraw(it.demand["draw"], low, high, it.demand["interval_ms"])
        for it in study.pop_ups()
        for low, high in [it.demand["range_ms"]]
    ]
    points = [Point.of(it.demand) for it in study.ledger.of_kind(ControlKind.SNAPSHOT)]
    photos = [draws.PhotoDraw(it.draw, it.stretches, it.lesson, it.position_ms) for it in points]
    committed = draws.commitment(seed)
    assert draws.verify(seed, committed, popups, photos) == []
    assert draws.verify(bytes(31) + b"!", committed, popups, photos)
    chosen = [draws.PopupDraw(popups[0].n, 180_000, 285_000, popups[0].interval_ms + 1)]
    assert len(draws.verify(seed, committed, chosen, photos)) == 1


def test_a_control_is_told_at_most_twenty_seconds_ahead() -> None:
    study = Study(ledger()).start()
    while outstanding(study.ledger, ControlKind.POPUP) is None:
        study.play(1_000)
    line = study.pop_ups()[0]
    assert line.mark_ms - study.learning_ms <= 20_000 < line.mark_ms - study.learning_ms + 1_000
    assert line.due_ms == study.now_ms + line.mark_ms - study.learning_ms


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 6_000), st.booleans())
def test_one_pop_up_stands_for_all_that_fell_due_in_an_outage(
    seed: bytes, away_s: int, asked: bool
) -> None:
    """All that was played meanwhile comes in at once. `asked`: a pop-up was issued before, and its
    page had not heard of it; that one stands for itself."""
    study = Study(ledger(seed)).start()
    while asked and not study.pop_ups():
        study.play(1_000)
    study.hears, study.answer_ms = False, None
    study.play(away_s * 1_000)
    back_ms = study.learning_ms
    study.hears, study.answer_ms = True, 3_000
    while study.learning_ms < back_ms + 20 * MINUTE:
        study.play(10_000)
    assert all(b - a <= 300_000 for a, b in pairwise([back_ms, *study.displays]))
    assert all(b - a >= 160_000 for a, b in pairwise(study.displays[asked:]))


def test_a_pause_stops_the_pop_up_clock() -> None:
    study = Study(ledger()).start()
    study.play(100_000)
    for _ in range(120):
        study.pause(10_000)
    assert study.pop_ups() == []


def test_a_pop_up_that_was_not_reached_because_of_a_pause_does_not_expire() -> None:
    study = Study(ledger()).start()
    while outstanding(study.ledger, ControlKind.POPUP) is None:
        study.play(1_000)
    for _ in range(60):
        study.pause(10_000)
    assert study.pop_ups()[0].expired_ms is None and stop_code(study.ledger) is None
    for _ in range(3):
        study.play(10_000)
    assert study.pop_ups()[0].answered_ms is not None


def test_an_unanswered_pop_up_comes_once_more_and_then_play_is_stopped() -> None:
    study = Study(ledger(), answer_ms=None).start()
    while not study.pop_ups():
        study.play(5_000)
    first = study.pop_ups()[0]
    while len(study.pop_ups()) < 2:
        study.play(5_000)
    again = study.pop_ups()[1]
    assert again.reissue_of == first.challenge_id and again.challenge_id != first.challenge_id
    assert again.flags & ControlFlag.REISSUE and not again.random_time
    assert first.expired_ms is not None and first.expired_ms >= first.due_ms + 60_000
    assert stop_code(study.ledger) is None
    for _ in range(30):
        study.play(5_000)
    assert stop_code(study.ledger) == "popup_unanswered"
    assert len(study.pop_ups()) == 2


def test_whoever_needs_longer_meets_the_second_pop_up_as_the_first_one_goes() -> None:
    """A page that took its pop-up away has nothing under way to wait for."""
    study = Study(ledger(), answer_ms=None).start()
    while not study.pop_ups() or study.learning_ms < study.pop_ups()[0].mark_ms:
        study.play(5_000)
    first = study.pop_ups()[0]
    shown = [study.note("popup_shown", first)]
    advance(study.ledger, Tick(study.learning_ms, study.position_ms, study.now_ms, shown))
    foreign = study.note("popup_expired", first, nonce="guessed")
    early = study.note("popup_expired", first)
    for note in (foreign, early):
        advance(study.ledger, Tick(study.learning_ms, study.position_ms, study.now_ms, [note]))
    assert first.expired_ms is None
    study.now_ms += TERMS.popup_window_ms
    gone = [study.note("popup_expired", first)]
    advance(study.ledger, Tick(study.learning_ms, study.position_ms, study.now_ms, gone))
    again = outstanding(study.ledger, ControlKind.POPUP)
    assert again is not None and again.reissue_of == first.challenge_id
    assert again.due_ms == study.now_ms


def test_a_late_answer_lifts_the_stop() -> None:
    study = Study(ledger(), answer_ms=None).start()
    while stop_code(study.ledger) is None:
        study.play(5_000)
    study.seq += 1
    notes = [study.note("popup_answered", study.pop_ups()[-1])]
    study.now_ms += 5_000
    advance(study.ledger, Tick(study.learning_ms, study.position_ms, study.now_ms, notes))
    assert stop_code(study.ledger) is None


def test_wu_posts_foreign_nonces_and_unknown_challenges() -> None:
    study = Study(ledger(), answer_ms=None).start()
    while not study.pop_ups():
        study.play(5_000)
    popup = study.pop_ups()[0]
    notes = [
        study.note("popup_answered", popup, nonce="guessed"),
        study.note("popup_answered", popup, challenge_id="invented"),
    ]
    advance(study.ledger, Tick(study.learning_ms, study.position_ms, study.now_ms, notes))
    assert popup.flags & ControlFlag.FOREIGN_NONCE and popup.answered_ms is None
    invented = study.ledger.lines[-1]
    assert (invented.source, invented.flags) == ("client", ControlFlag.UNKNOWN)


def test_a_learner_without_consent_gets_pop_ups_and_no_photos() -> None:
    study = Study(ledger(looks=False)).start()
    while study.position_ms < 45 * MINUTE:
        study.play(10_000)
    assert study.pop_ups()
    assert not study.ledger.of_kind(ControlKind.SNAPSHOT) and not study.ledger.of_kind(
        ControlKind.FACE_CHECK
    )


def test_where_the_platform_runs_the_controls_this_service_asks_nothing() -> None:
    study = Study(ledger(pops=False, looks=False)).start()
    while study.position_ms < 45 * MINUTE:
        study.play(10_000)
    assert study.ledger.lines == []


def test_a_failed_face_check_is_tried_three_times() -> None:
    study = Study(ledger(), sends_photos=False).start()
    for _ in range(200):
        study.play(5_000)
        line = outstanding(study.ledger, ControlKind.FACE_CHECK)
        if line is not None:
            line.answered_ms, line.photos, line.result = study.now_ms, 3, PhotoResult.FAILED
    assert [it.demand["try"] for it in study.ledger.of_kind(ControlKind.FACE_CHECK)][:3] == [
        1,
        2,
        3,
    ]


def test_a_check_that_failed_is_asked_for_again_after_five_minutes_of_study() -> None:
    study = Study(ledger(), sends_photos=False).start()
    marks = []
    for _ in range(200):
        study.play(5_000)
        line = outstanding(study.ledger, ControlKind.FACE_CHECK)
        if line is not None:
            marks.append(study.learning_ms)
            line.answered_ms, line.photos, line.result = study.now_ms, 3, PhotoResult.FAILED
            line.why = "too_dark"
    checks = study.ledger.of_kind(ControlKind.FACE_CHECK)[:4]
    assert [it.demand["reason"] for it in checks] == ["start", "start", "start", "recheck"]
    assert [it.demand.get("why") for it in checks] == [None, "too_dark", "too_dark", "too_dark"]
    assert marks[3] - marks[2] >= 300_000


@pytest.mark.parametrize(("minutes", "checks"), [(4, 1), (6, 2)])
def test_who_comes_back_after_a_long_pause_shows_the_face_again(minutes: int, checks: int) -> None:
    study = Study(ledger()).start()
    study.play(10_000)
    study.play(10_000)
    for _ in range(minutes * 6):
        study.pause(10_000)
    study.play(10_000)
    assert len(study.ledger.of_kind(ControlKind.FACE_CHECK)) == checks


def test_a_new_class_hour_begins_with_a_face_check() -> None:
    hours = (
        PlannedHour(1, ((1, 0, 45 * MINUTE),)),
        PlannedHour(2, ((1, 45 * MINUTE, 90 * MINUTE),)),
    )
    study = Study(ledger(hours=hours)).start()
    while study.position_ms < 46 * MINUTE:
        study.play(10_000)
    reasons = [
        (it.demand["reason"], it.demand["hour"])
        for it in study.ledger.of_kind(ControlKind.FACE_CHECK)
    ]
    assert reasons == [("start", 1), ("class_hour", 2)]


def test_a_photo_that_never_came_is_asked_for_further_on() -> None:
    study = Study(ledger(points=[Point(1, 1, 5 * MINUTE, 0, (), "s")])).start()
    study.sends_photos = False
    while not any(it.expired_ms for it in study.ledger.of_kind(ControlKind.SNAPSHOT)):
        study.play(10_000)
    (point,) = study.ledger.points
    assert point.position_ms > study.position_ms
    study.sends_photos = True
    while study.position_ms < 45 * MINUTE:
        study.play(10_000)
    assert study.ledger.of_kind(ControlKind.SNAPSHOT)[-1].answered_ms is not None


def test_a_photo_that_never_came_is_asked_for_further_on_where_another_was_jumped_over() -> None:
    points = [Point(1, 1, at * MINUTE, at, (), "s") for at in (5, 20)]
    study = Study(ledger(points=points)).start()
    study.position_ms = 19 * MINUTE
    study.sends_photos = False
    while not any(it.expired_ms for it in study.ledger.of_kind(ControlKind.SNAPSHOT)):
        study.play(10_000)
    study.sends_photos = True
    while study.position_ms < 45 * MINUTE:
        study.play(10_000)
    assert study.ledger.of_kind(ControlKind.SNAPSHOT)[-1].answered_ms is not None


def test_two_points_close_together_give_two_photos() -> None:
    points = [Point(1, 1, 5 * MINUTE + gap, 0, (), "s") for gap in (0, 2)]
    study = Study(ledger(points=points)).start()
    while study.position_ms < 8 * MINUTE:
        study.play(10_000)
    assert [bool(it.answered_ms) for it in study.ledger.of_kind(ControlKind.SNAPSHOT)] == [
        True,
        True,
    ]


def test_jumping_across_a_photo_point_does_not_use_it_up() -> None:
    study = Study(ledger(points=[Point(1, 1, 20 * MINUTE, 0, (), "s")])).start()
    study.play(10_000)
    study.position_ms = 40 * MINUTE
    study.play(10_000)
    assert study.ledger.of_kind(ControlKind.SNAPSHOT) == [] and len(study.ledger.points) == 1
    study.position_ms = 19 * MINUTE
    for _ in range(6):
        study.play(10_000)
    assert len(study.ledger.of_kind(ControlKind.SNAPSHOT)) == 1


def test_an_outage_across_a_photo_point_is_followed_by_the_photo() -> None:
    study = Study(ledger(points=[Point(1, 1, 5 * MINUTE, 0, (), "s")])).start()
    for _ in range(24):
        study.play(10_000)
    study.play(3 * MINUTE)
    assert len(study.ledger.of_kind(ControlKind.SNAPSHOT)) == 1


def test_a_stopped_sitting_says_why() -> None:
    assert stop_code(ledger(state="superseded")) == "superseded"
    assert set(control_plan.STOPS) >= {"superseded", "closed", "expired", "popup_unanswered"}


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.lists(st.tuples(st.integers(0, 2700), st.integers(1, 900)), max_size=8))
def test_what_remains_of_a_class_hour_always_holds_a_photo_point(
    seed: bytes, studied: list[tuple[int, int]]
) -> None:
    intervals = [(at * 1000, (at + length) * 1000) for at, length in studied]
    points = photo_plan.plan(
        HOUR,
        studied={1: intervals},
        used=[],
        wanted=2,
        edge_ms=MINUTE,
        draw=photo_plan.drawer(seed, 1, "s", 0),
    )
    rest = photo_plan.remaining(HOUR.pieces, {1: intervals}) or HOUR.pieces
    assert len(points) == 2 and len({point.draw for point in points}) == 2
    assert all(any(a <= it.position_ms < b for _, a, b in rest) for it in points)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 60))
def test_a_pop_up_that_no_answer_brought_stands_until_one_does(seed: bytes, beats: int) -> None:
    """What the browser never received cannot run out; then it has its window like any other."""
    study = Study(ledger(seed), answer_ms=None).start()
    while outstanding(study.ledger, ControlKind.POPUP) is None:
        study.play(10_000)
    study.hears = False
    for _ in range(beats):
        study.play(10_000)
    (first,) = study.pop_ups()
    assert first.expired_ms is None and stop_code(study.ledger) is None
    study.hears = True
    for _ in range(30):
        study.play(10_000)
    assert first.expired_ms is not None
    assert stop_code(study.ledger) == "popup_unanswered"


def test_a_face_is_asked_for_after_every_interval_of_study() -> None:
    study = Study(ledger(terms=replace(TERMS, face_every_ms=10 * MINUTE))).start()
    while study.position_ms < 45 * MINUTE:
        study.play(10_000)
        study.pause(10_000)
    checks = study.ledger.of_kind(ControlKind.FACE_CHECK)
    assert [it.demand["reason"] for it in checks] == ["start", *["interval"] * 4]
    assert [round(it.mark_ms / MINUTE) for it in checks] == [0, 10, 20, 30, 40]


def test_a_face_is_asked_for_in_the_first_class_hour_and_every_nth_after_it() -> None:
    hours = tuple(
        PlannedHour(n + 1, ((1, n * 45 * MINUTE, (n + 1) * 45 * MINUTE),)) for n in range(4)
    )
    terms = replace(TERMS, face_nth_hour=3)
    study = Study(ledger(terms=terms, hours=hours, points=[])).start()
    while study.position_ms < 4 * 45 * MINUTE - 10_000:
        study.play(10_000)
    checks = study.ledger.of_kind(ControlKind.FACE_CHECK)
    assert [it.demand["hour"] for it in checks] == [1, 4]
    late = Study(ledger(terms=terms, hours=hours, points=[]), position_ms=50 * MINUTE)
    for _ in range(20):
        late.play(10_000)
    for _ in range(40):
        late.pause(10_000)
    late.play(10_000)
    assert not late.ledger.of_kind(ControlKind.FACE_CHECK)
