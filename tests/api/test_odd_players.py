"""Odd players, clocks, networks and tools over HTTP, in both directions: what an honest platform
sends accuses nobody, what a tool does is found, and what does not count is said.

`credited` are bounds in seconds; `accused` the rules that find a violation of the learner's,
`doubted` those that ask for a person, `told` what is said of the sitting and accuses nobody.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from tests.api.test_nothing_lost import Road, road
from tests.thorough import later

__all__ = ["road"]  # a fixture
POPUP_MS = 200_000


@dataclass
class Player:
    """A page of one learner, its film at `at` seconds; the platform's pop-ups are answered."""

    road: Road
    session: str = "s1"
    device: str = "d1"
    learner: str = "lin"
    lesson: str = "l1"
    klass: str = "c1"
    seq: int | None = None  # the next number, where the page numbers its events
    at: float = 0.0
    popup_ms: int = 0
    popups: int = 0

    def open(self) -> Player:
        body = {
            "session_id": self.session,
            "learner_id": self.learner,
            "class_id": self.klass,
            "lesson_id": self.lesson,
            "device_id": self.device,
            "window_id": self.device,
        }
        self.road.note(self.road.call("POST", "/v1/sessions", json=body))
        self.popup_ms = self.road.clock()
        return self

    def event(self, kind: str, position: Any = None, **more: Any) -> dict[str, Any]:
        told = {"type": kind, "at_ms": self.road.clock(), **more}
        return told if position is None else {**told, "position": position}

    def seek(self, origin: float | None, target: float) -> dict[str, Any]:
        return self.event("seek", **{"from": origin, "to": target})

    def beats(self, start: float, seconds: float, began_ms: int) -> list[dict[str, Any]]:
        """Every ten seconds from a place on, with times from `began_ms` on."""
        return [
            {"type": "progress", "at_ms": began_ms + n * 1000, "position": start + n, "rate": 1}
            for n in range(0, int(seconds) + 1, 10)
        ]

    def tell(self, *events: dict[str, Any]) -> None:
        told = list(events)
        if self.seq is not None:
            told = [{**it, "seq": self.seq + n} for n, it in enumerate(told)]
            self.seq += len(told)
        self.post(told)

    def post(self, events: list[dict[str, Any]]) -> None:
        url = f"/v1/sessions/{self.session}/events"
        self.road.note(self.road.call("POST", url, json={"events": events}))

    def beat(self, position: float | None = None, **more: Any) -> None:
        at = self.at if position is None else position
        self.tell(self.event("progress", at, **{"rate": 1, "visible": True, **more}))

    def wait(self, seconds: float) -> None:
        """Time passes; a pop-up that is due is shown and answered."""
        self.road.clock.advance(seconds=seconds)
        now_ms = self.road.clock()
        if now_ms - self.popup_ms < POPUP_MS:
            return
        self.popups, self.popup_ms = self.popups + 1, now_ms
        told = {
            "control": "popup",
            "challenge_id": f"{self.session}-{self.popups}",
            "issued_at_ms": now_ms - 4000,
            "answered_at_ms": now_ms - 1000,
        }
        url = f"/v1/sessions/{self.session}/controls"
        assert self.road.call("POST", url, json={"controls": [told]}).status_code == 200

    def study(self, seconds: float, *, pace: float = 1.0, step: float = 10, **more: Any) -> None:
        self.beat(**more)
        for _ in range(round(seconds / step)):
            self.wait(step)
            self.at += step * pace
            self.beat(**more)

    def tells(self, places: Iterable[float | None], step: float = 10) -> None:
        """These places, one each `step` seconds."""
        for place in places:
            self.wait(step)
            self.tell({"type": "progress", "at_ms": self.road.clock(), "position": place})


def page(road: Road, **more: Any) -> Player:
    return Player(road, **more).open()


@dataclass(frozen=True)
class Odd:
    play: Callable[[Road], None]
    credited: tuple[float, float]
    accused: frozenset[str] = frozenset()
    doubted: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()


ODD: list[Odd] = []
FIRST: list[Odd] = []  # what was judged wrongly once


def honest(low: float, high: float, *told: str, doubted: str = "", first: bool = False) -> Any:
    return _enter((low, high), "", doubted, told, first)


def fraud(rule: str, high: float, *, first: bool = False) -> Any:
    return _enter((0, high), rule, "", (), first)


def _enter(
    credited: tuple[float, float], accused: str, doubted: str, told: tuple[str, ...], first: bool
) -> Callable[[Callable[[Road], None]], Callable[[Road], None]]:
    def enter(play: Callable[[Road], None]) -> Callable[[Road], None]:
        rules = [frozenset({it} - {""}) for it in (accused, doubted)]
        (FIRST if first else ODD).append(Odd(play, credited, rules[0], rules[1], frozenset(told)))
        return play

    return enter


# --------------------------------------------------------------- how a player tells of a seek


@honest(295, 301, first=True)
def a_seek_that_is_told_where_it_led(road: Road) -> None:
    lin = page(road)
    lin.study(100)
    lin.tell(lin.seek(400, 400))
    lin.at = 400
    lin.study(200)


@honest(295, 301, first=True)
def a_seek_whose_beginning_the_player_does_not_know(road: Road) -> None:
    lin = page(road)
    lin.study(100)
    lin.tell(lin.seek(None, 400))
    lin.at = 400
    lin.study(200)


@honest(295, 301)
def a_seek_that_is_told_twice(road: Road) -> None:
    lin = page(road)
    lin.study(100)
    lin.tell(lin.seek(100, 400), lin.seek(100, 400))
    lin.at = 400
    lin.study(200)


@honest(295, 301)
def a_seek_that_is_told_by_waiting_and_playing(road: Road) -> None:
    lin = page(road)
    lin.study(100)
    lin.tell(lin.event("waiting", 100))
    lin.wait(1)
    lin.tell(lin.event("playing", 400))
    lin.at = 400
    lin.study(200)


@honest(295, 301)
def a_pause_that_is_told_at_the_target_of_a_seek(road: Road) -> None:
    lin = page(road)
    lin.study(100)
    lin.tell(lin.event("pause", 400), lin.seek(100, 400), lin.event("play", 400))
    lin.at = 400
    lin.study(200)


@honest(295, 305, first=True)
def a_bar_that_is_dragged(road: Road) -> None:
    lin = page(road)
    lin.study(100)
    for n in range(100, 400, 20):
        lin.tell(lin.seek(n, n + 20))
        lin.wait(0.2)
    lin.at = 400
    lin.study(200)


@honest(350, 365)
def a_bar_that_is_dragged_forth_and_back(road: Road) -> None:
    lin = page(road)
    lin.study(300)
    at = 300
    for to in (500, 800, 350, 900, 1200, 320, 310):
        lin.tell(lin.seek(at, to))
        lin.wait(0.4)
        at = to
    lin.at = 310
    lin.study(60)


@honest(98, 108, first=True)
def an_arrow_key_that_is_held(road: Road) -> None:
    lin = page(road)
    lin.study(60)
    lin.at = 60.0
    for _ in range(40):
        lin.tell(lin.seek(lin.at, lin.at + 5))
        lin.wait(0.1)
        lin.at += 5.05
    lin.study(40)


@honest(98, 112, first=True)
def a_button_for_ten_seconds_that_tells_where_it_led(road: Road) -> None:
    lin = page(road)
    lin.study(60)
    for _ in range(12):
        lin.at += 10
        lin.tell(lin.seek(lin.at, lin.at))
        lin.wait(0.3)
    lin.study(40)


@honest(375, 385, doubted="fast_forward")
def looks_into_four_later_places(road: Road) -> None:
    lin = page(road)
    lin.study(300)
    for to in (600, 1000, 1400, 1800):
        lin.tell(lin.seek(lin.at, to))
        lin.at = to
        lin.study(20)


@fraud("fast_forward", 1)
def steps_of_a_second_and_a_half_that_are_told(road: Road) -> None:
    wu = page(road)
    for _ in range(200):
        wu.tell(wu.seek(wu.at, wu.at + 1.5))
        wu.at += 1.5
        wu.wait(0.5)
        wu.at += 0.5
        wu.beat()


@fraud("fast_forward", 60)
def a_minute_is_skipped_twice_a_minute_without_a_word(road: Road) -> None:
    wu = page(road)
    for _ in range(10):
        wu.study(30)
        wu.at += 60


# ------------------------------------------------------------------------- units and rounding


@honest(0, 1, "not_seconds", first=True)
def places_as_a_share_of_the_film(road: Road) -> None:
    page(road).tells(n / 2700 for n in range(0, 601, 10))


@honest(0, 23, "not_seconds", first=True)
def places_in_percent(road: Road) -> None:
    page(road).tells(n / 27 for n in range(0, 601, 10))


@honest(0, 23, "not_seconds", first=True)
def places_in_whole_percent(road: Road) -> None:
    page(road).tells(n // 27 for n in range(0, 601, 10))


@honest(0, 11, "not_seconds", first=True)
def places_in_minutes(road: Road) -> None:
    page(road).tells(n / 60 for n in range(0, 601, 10))


@honest(0, 11, "not_seconds", first=True)
def places_in_whole_minutes(road: Road) -> None:
    page(road).tells(n // 60 for n in range(0, 601, 10))


@honest(0, 11, "not_seconds", first=True)
def places_in_minutes_with_pauses(road: Road) -> None:
    lin = page(road)
    for start in range(0, 600, 100):
        lin.tell(lin.event("play", start / 60))
        lin.tells((start + n) / 60 for n in range(10, 101, 10))
        lin.tell(lin.event("pause", (start + 100) / 60))
        lin.wait(35)


@honest(0, 1, "not_seconds", first=True)
def shares_that_are_forwarded_by_the_minute(road: Road) -> None:
    lin = page(road)
    for start in range(0, 600, 60):
        began_ms = road.clock()
        lin.wait(60)
        told = lin.beats(start, 50, began_ms)
        lin.tell(*({**it, "position": it["position"] / 2700} for it in told))


@honest(0, 11, "not_seconds", first=True)
def places_in_milliseconds_of_each_second(road: Road) -> None:
    page(road).tells((n * 1000 for n in range(60)), step=1)


@honest(0, 11, "not_seconds", first=True)
def milliseconds_of_a_page_that_closes_at_once(road: Road) -> None:
    lin = page(road)
    lin.tells((0, 900, 1900, 2900), step=1)
    road.close()


@honest(0, 60)
def a_film_that_buffers_badly(road: Road) -> None:
    rng, at = Random(5), 0.0
    lin = page(road)
    for _ in range(120):
        at += rng.uniform(0.5, 6) if rng.random() < 0.1 else 0
        lin.tells([at])


@honest(0, 6)
def a_film_that_stands(road: Road) -> None:
    page(road).tells([5.0] * 60)


@honest(37, 39)
def a_sixteenth_of_the_speed(road: Road) -> None:
    page(road).study(600, pace=0.0625)


@honest(595, 601, first=True)
def places_by_the_whole_minute_in_seconds(road: Road) -> None:
    page(road).tells(n // 60 * 60 for n in range(0, 601, 10))


@honest(590, 601, first=True)
def places_by_the_percent_of_ninety_minutes_in_seconds(road: Road) -> None:
    page(road).tells(n // 54 * 54 for n in range(0, 601, 10))


def in_steps(
    road: Road, step: int, rounded: Callable[[float], int], *, exact: bool = False,
    start: float = 0, pace: float = 1,
) -> None:  # fmt: skip
    """Ten minutes of beats in steps; each pop-up pauses the player, which tells where, or in steps
    as well."""
    lin = page(road, at=start)
    popups, place = 0, start
    lin.tell(lin.event("play", start if exact else rounded(start / step) * step))
    for _ in range(60):
        lin.wait(10)
        lin.at += 10 * pace
        place = rounded(lin.at / step) * step
        lin.beat(place)
        if lin.popups > popups:
            popups, place = lin.popups, lin.at if exact else place
            lin.tell(lin.event("pause", place))
            lin.wait(5)
            lin.tell(lin.event("play", place))


@honest(535, 601, first=True)
def places_by_the_minute_that_a_pop_up_pauses(road: Road) -> None:
    in_steps(road, 60, math.floor)


@honest(535, 661, first=True)
def places_by_the_minute_and_exact_where_it_pauses(road: Road) -> None:
    in_steps(road, 60, math.floor, exact=True)


@honest(535, 661, first=True)
def places_by_the_minute_from_the_end_of_one_on(road: Road) -> None:
    in_steps(road, 60, math.floor, start=290)


@honest(565, 631, first=True)
def places_by_the_nearest_percent_in_seconds(road: Road) -> None:
    in_steps(road, 27, round)


@fraud("fast_forward", 90, first=True)
def places_by_the_minute_a_quarter_too_fast(road: Road) -> None:
    in_steps(road, 60, math.floor, pace=1.25)


@fraud("fast_forward", 60)
def whole_minutes_at_double_speed(road: Road) -> None:
    page(road).tells(n * 2 // 60 * 60 for n in range(0, 601, 10))


@fraud("fast_forward", 60)
def stands_for_five_minutes_and_leaps_as_far(road: Road) -> None:
    wu = page(road)
    wu.tells([0] * 30)
    wu.at = 300
    wu.study(30)


# --------------------------------------------------------------------- values that are no places


@honest(595, 601)
def a_hair_below_nothing(road: Road) -> None:
    lin = page(road)
    lin.beat(-0.041)
    lin.study(600)


@honest(595, 601)
def places_that_no_film_has(road: Road) -> None:
    lin = page(road)
    lin.study(300)
    for place in (-1, -1.5, -2147483648, -9.2e18, 2147483647, 4294967295, 4294967.295, "NaN"):
        lin.tell(lin.event("progress", place))
    lin.study(300)


@honest(595, 601)
def a_place_that_nobody_knows_for_three_minutes(road: Road) -> None:
    lin = page(road)
    lin.study(300)
    lin.tells([None] * 18)
    lin.study(300)


@honest(595, 601)
def nothing_while_it_is_loaded_for_three_minutes(road: Road) -> None:
    lin = page(road)
    lin.study(300)
    lin.tells([0] * 18)
    lin.study(300)


@honest(595, 601)
def a_live_film_that_grows(road: Road) -> None:
    lin = page(road)
    for n in range(0, 600, 60):
        lin.tell(lin.event("playing", lin.at, duration=n + 60))
        lin.study(60)


@honest(595, 601)
def another_base_for_forty_seconds(road: Road) -> None:
    lin = page(road)
    lin.study(300)
    lin.tells(405 + n for n in range(0, 40, 10))
    lin.at = 340
    lin.study(260)


@honest(595, 601)
def an_advertisement_of_half_a_minute(road: Road) -> None:
    lin = page(road)
    lin.study(300)
    lin.tells(range(0, 30, 5), step=5)
    lin.study(300)


@honest(595, 720)
def two_advertisements_of_a_minute(road: Road) -> None:
    """What they tell lies within what was seen; it counts once."""
    lin = page(road)
    lin.study(300)
    for _ in range(2):
        lin.tells(range(0, 60, 10))
    lin.study(300)


@honest(585, 601)
def an_end_at_the_beginning(road: Road) -> None:
    lin = page(road)
    lin.study(300)
    lin.tell(lin.event("ended", 0))
    lin.study(300)


# -------------------------------------------------------------------------------- paces


@honest(595, 601)
def a_speed_that_is_only_said(road: Road) -> None:
    page(road).study(600, rate=1.25)


@honest(595, 612)
def a_film_that_runs_a_hair_fast(road: Road) -> None:
    page(road).study(600, pace=1.015)


@honest(265, 280)
def half_a_minute_at_a_speed_that_is_taken_back(road: Road) -> None:
    lin = page(road)
    lin.study(120)
    lin.study(30, pace=1.25)
    lin.study(120)


@fraud("fast_forward", 1)
def a_quarter_too_fast(road: Road) -> None:
    page(road).study(600, pace=1.25)


# -------------------------------------------------------------------------------- networks


@honest(595, 601)
def a_laptop_that_sleeps_for_eight_minutes(road: Road) -> None:
    lin = page(road)
    lin.study(300)
    road.wait(480)
    lin.study(300)


@honest(595, 601, first=True)
def a_line_that_falls_a_minute_behind_and_catches_up(road: Road) -> None:
    lin = page(road, seq=0)
    waiting: list[tuple[float, dict[str, Any]]] = []
    for second in range(601):
        lag = second / 5 if second < 300 else max(0, 60 - (second - 300) / 2)
        if second % 10 == 0:
            waiting.append((second + lag, lin.event("progress", second)))
        while waiting and waiting[0][0] <= second:
            lin.tell(waiting.pop(0)[1])
        lin.wait(1)


@fraud("fast_forward", 450)
def double_speed_after_each_minute_of_rest(road: Road) -> None:
    wu = page(road)
    for _ in range(5):
        wu.study(60, pace=2)
        wu.wait(60)


@honest(595, 601)
def batches_in_reverse_order(road: Road) -> None:
    lin = page(road)
    held: list[list[dict[str, Any]]] = []
    for n in range(0, 601, 10):
        held.append([{**lin.event("progress", n), "seq": n // 10}])
        if n % 40 == 30 or n == 600:
            for batch in reversed(held):
                lin.post(batch)
            held = []
        lin.wait(10)


@honest(595, 601)
def everything_again_under_new_numbers(road: Road) -> None:
    lin = page(road, seq=0)
    told: list[dict[str, Any]] = []
    for n in range(0, 601, 10):
        told.append(lin.event("progress", n))
        lin.tell(told[-1])
        if n % 150 == 140:
            lin.tell(*told)
        lin.wait(10)


@honest(0, 1)
def play_and_pause_that_are_swapped(road: Road) -> None:
    lin = page(road)
    for start in range(0, 600, 60):
        lin.tell(lin.event("pause", start))
        lin.wait(60)
        lin.tell(lin.event("play", start + 60))
        lin.wait(5)


@honest(595, 601)
def play_and_pause_that_are_swapped_between_heartbeats(road: Road) -> None:
    lin = page(road)
    for _ in range(10):
        lin.tell(lin.event("pause", lin.at))
        lin.study(60)
        lin.tell(lin.event("play", lin.at))


@honest(0, 11, "before_opening", first=True)
def numbered_events_of_before_the_opening(road: Road) -> None:
    began_ms = road.clock()
    road.wait(600)
    lin = page(road, seq=0)
    lin.tell(*lin.beats(0, 600, began_ms))


@honest(295, 311, "before_opening", first=True)
def numbered_events_of_before_the_opening_and_what_follows(road: Road) -> None:
    began_ms = road.clock()
    road.wait(300)
    lin = page(road, seq=0, at=300)
    lin.tell(*lin.beats(0, 300, began_ms))
    lin.study(300)


@honest(295, 311, "before_opening", first=True)
def events_of_before_the_opening_one_by_one(road: Road) -> None:
    began_ms = road.clock()
    road.wait(300)
    lin = page(road, at=300)
    for it in lin.beats(0, 300, began_ms):
        lin.tell(it)
    lin.study(300)


@honest(295, 311, "before_opening", first=True)
def events_of_before_the_opening_from_a_clock_an_hour_fast(road: Road) -> None:
    began_ms = road.clock() + 3_600_000
    road.wait(300)
    lin = page(road, seq=0, at=300)
    lin.tell(*lin.beats(0, 300, began_ms))
    for _ in range(30):
        lin.wait(10)
        lin.at += 10
        lin.beat(at_ms=road.clock() + 3_600_000)


@fraud("fast_forward", 60)
def times_of_before_the_opening_after_real_play(road: Road) -> None:
    wu = page(road, seq=0)
    wu.study(60)
    wu.tell(*wu.beats(70, 1500, road.clock() - 1_500_000))


@fraud("fast_forward", 60)
def a_backlog_with_times_to_come(road: Road) -> None:
    wu = page(road, seq=0)
    wu.study(120)
    wu.tell(*wu.beats(130, 2400, road.clock()))


@pytest.mark.parametrize(
    "odd",
    [*FIRST, *later(*ODD)],
    ids=lambda it: it.play.__name__,
)
def test_what_is_odd_is_judged_for_what_it_is(road: Road, odd: Odd) -> None:
    odd.play(road)
    views = road.judged()
    credited_s = sum(it["verdict"]["credited_ms"] for it in views) / 1000
    found = [one for it in views for one in it["verdict"]["findings"]]
    accused = {
        it["rule"] for it in found if (it["outcome"], it["fault"]) == ("violation", "learner")
    }
    assert accused == odd.accused, found
    assert {it["rule"] for it in found if it["outcome"] == "review"} == odd.doubted
    assert odd.credited[0] <= credited_s <= odd.credited[1]
    assert odd.told <= {it["reason"] for it in found}
    for reason in odd.told:
        assert reason in road.told_by_webhook()
        assert road.told_on_the_platforms_pages(reason, found)
    if odd.told and credited_s < 30:
        assert "没有算进去" in road.own_page("c1", "lin")
