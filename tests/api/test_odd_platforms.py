"""What platforms, pages and tools do around the play itself, over HTTP against one service:
controls, windows, lessons, days, clocks and retries that glitch or cheat. Each row has a class of
its own.

A row gives its sittings' outcomes: the seconds that count, and what is said beside the face, which
nobody here shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.clock import SHANGHAI
from app.jobs.lease_sweep import sweep
from app.jobs.settler import settle_all
from tests.api.test_nothing_lost import Road, road
from tests.api.test_odd_players import Player
from tests.people import course, lesson, training_class

__all__ = ["road"]  # a fixture
NEVER = 1 << 60
DAY_MS, SHANGHAI_MS = 86_400_000, 8 * 3_600_000
Said = list[tuple[float, set[str]]]


@dataclass
class Row:
    """A class of its own, and the sittings in it."""

    road: Road
    klass: str
    sessions: list[str] = field(default_factory=list)

    def begin(self, *learners: str, controls: str = "platform") -> None:
        terms = training_class(self.klass, controls=controls)
        people = [
            {"learner_id": self.of(it), "name": "林某", "consent": {"face": False}}
            for it in learners or ("lin",)
        ]
        for path, body in (("", terms), ("/roster", {"learners": people})):
            answer = self.road.call("PUT", f"/v1/classes/{self.klass}{path}", json=body)
            assert answer.status_code < 300, answer.text

    def of(self, name: str) -> str:
        return f"{self.klass}-{name}"

    def page(self, learner: str = "lin", device: str = "d1", **more: Any) -> Player:
        return self.enter(Player, learner, device, **more)

    def enter(self, kind: type[Any], learner: str = "lin", device: str = "d1", **more: Any) -> Any:
        self.sessions.append(f"{self.klass}-{len(self.sessions)}")
        about = {"device": self.of(device), "learner": self.of(learner), "klass": self.klass}
        page = kind(self.road, self.sessions[-1], **about, **more)
        page.open()
        return page

    def popup(self, page: Player, issued_ms: int, answered: bool = True) -> None:
        told = {
            "control": "popup",
            "challenge_id": f"{page.session}-{issued_ms}",
            "issued_at_ms": issued_ms,
            "shown_at_ms": issued_ms,
        }
        if answered:
            told["answered_at_ms"] = issued_ms + 3000
        url = f"/v1/sessions/{page.session}/controls"
        assert self.road.call("POST", url, json={"controls": [told]}).status_code == 200


def by_the_minute(page: Player, seconds: int, **more: Any) -> None:
    """Play that is told of once a minute, every ten seconds of it."""
    for gone in range(0, seconds, 60):
        began_ms, last = page.road.clock(), min(60, seconds - gone)
        page.wait(last)
        told = page.beats(page.at, last, began_ms)[1:]
        page.tell(*({**it, "visible": True, **more} for it in told))
        page.at += last


def close(page: Player) -> None:
    page.road.call("POST", f"/v1/sessions/{page.session}/close", json={"reason": "done"})


@dataclass
class Shown(Player):
    """A page in a class whose pop-ups this service asks for; `answer` is how they are met."""

    answer: Callable[[Shown], None] = lambda _: None
    due: dict[str, Any] | None = None

    def post(self, events: list[dict[str, Any]]) -> None:
        url = f"/v1/sessions/{self.session}/events"
        told = self.road.call("POST", url, json={"events": events}).json()
        popup = (told.get("controls") or {}).get("popup")
        self.due = popup if popup and popup["due_in_s"] <= 0 else self.due

    def wait(self, seconds: float) -> None:
        self.road.clock.advance(seconds=seconds)

    def of_popup(self, kind: str, **more: Any) -> dict[str, Any]:
        assert self.due
        names = {name: self.due[name] for name in ("challenge_id", "nonce")}
        return {**self.event(kind), **names, **more}

    def meet(self, seconds: float = 4, **answer: Any) -> None:
        """Stop, show, and answer after so long."""
        self.tell(self.event("pause", self.at), self.of_popup("popup_shown"))
        self.wait(seconds)
        said = {"latency_ms": seconds * 1000, "trusted": True, **answer}
        self.tell(self.of_popup("popup_answered", **said), self.event("play", self.at))

    def go(self, seconds: int) -> None:
        """Play until the film is so far, whatever of it ran under pop-ups, which come by chance."""
        self.beat()
        while self.at < seconds:
            step = min(10, seconds - self.at)
            self.wait(step)
            self.at += step
            self.beat()
            if self.due:
                self.answer(self)
                self.due = None


ROWS: dict[str, tuple[Callable[[Row], None], Said]] = {}


def row(*said: tuple[float, str]) -> Callable[[Callable[[Row], None]], Callable[[Row], None]]:
    """The sittings' credited seconds, and reasons with their outcomes, as `reason:outcome`."""

    def enter(play: Callable[[Row], None]) -> Callable[[Row], None]:
        ROWS[play.__name__] = play, [(seconds, set(told.split())) for seconds, told in said]
        return play

    return enter


# --------------------------------------------------------------------------- lessons and films


@row((2580, ""), (0, ""))
def the_next_lesson_after_most_of_this_one_is_refused(it: Row) -> None:
    it.begin()
    first = it.page()
    first.beat()
    by_the_minute(first, 2580)
    close(first)
    it.page(lesson="urn:l2").study(60)


@row((2700, "no_consent:not_proven"), (121, ""))
def the_last_word_of_a_lesson_that_comes_when_the_next_one_plays(it: Row) -> None:
    it.begin()
    first = it.page()
    first.beat()
    by_the_minute(first, 2400)
    first.study(290)
    first.wait(10)
    ended = first.event("ended", 2700)
    following = it.page(lesson="urn:l2")
    following.tell(following.event("play", 0))
    it.road.clock.advance(seconds=1)
    following.at = 1
    following.beat()
    first.tell(ended)
    following.study(120)


@row((2700, "no_consent:not_proven"), (121, ""))
def the_end_of_a_lesson_that_is_told_under_the_sitting_of_the_next(it: Row) -> None:
    it.begin()
    first = it.page()
    first.beat()
    by_the_minute(first, 2700)
    following = it.page(lesson="urn:l2")
    following.tell(following.event("pause", 2700), following.event("ended", 2700))
    it.road.clock.advance(seconds=1)
    following.tell(following.event("play", 0))
    it.road.clock.advance(seconds=1)
    following.at = 1
    following.study(120)


@row((2500, ""))
def a_film_that_is_shorter_than_its_entry(it: Row) -> None:
    it.begin()
    lin = it.page()
    lin.tell(lin.event("play", 0, duration=2500))
    by_the_minute(lin, 2500)
    lin.tell(lin.event("ended", 2500, duration=2500))


@row((2700, "no_consent:not_proven"))
def a_film_that_is_longer_than_its_entry(it: Row) -> None:
    it.begin()
    lin = it.page()
    lin.tell(lin.event("play", 0, duration=3000))
    by_the_minute(lin, 3000)
    lin.tell(lin.event("ended", 3000, duration=3000))


@row((600, ""))
def a_course_that_is_put_in_another_order_and_made_shorter_meanwhile(it: Row) -> None:
    it.begin()
    lin = it.page()
    lin.beat()
    by_the_minute(lin, 300)
    one, two = lesson("l1", 45, order=1), lesson("urn:l2", 45, order=2)
    for lessons in ([lesson("urn:l2", 41, order=1), lesson("l1", 41, order=2)], [one, two]):
        it.road.call("PUT", "/v1/courses/sewing", json=course(lessons=lessons))
        by_the_minute(lin, 150)


# ------------------------------------------------------------------------- a platform's pop-ups


@row((1200, ""))
def pop_ups_that_are_reported_when_all_is_over(it: Row) -> None:
    it.begin()
    lin, began_ms = it.page(), it.road.clock()
    lin.popup_ms = NEVER
    lin.beat()
    by_the_minute(lin, 1200)
    close(lin)
    for at in range(240, 1200, 240):
        it.popup(lin, began_ms + at * 1000)


@row((1200, ""))
def pop_ups_by_a_clock_three_minutes_slow(it: Row) -> None:
    it.begin()
    lin = it.page()
    lin.popup_ms = NEVER
    lin.beat()
    for _ in range(6):
        by_the_minute(lin, 200)
        it.popup(lin, it.road.clock() - 184_000)


@row((480, ""))
def a_pop_up_that_nobody_answers_while_play_stands(it: Row) -> None:
    it.begin()
    lin = it.page()
    lin.popup_ms = NEVER
    lin.beat()
    by_the_minute(lin, 240)
    it.popup(lin, it.road.clock(), answered=False)
    lin.tells([240] * 30)
    it.popup(lin, it.road.clock())
    by_the_minute(lin, 240)


@row((300, "none_issued:violation"))
def a_platform_that_asks_nothing(it: Row) -> None:
    it.begin()
    lin = it.page()
    lin.popup_ms = NEVER
    lin.beat()
    by_the_minute(lin, 900)


@row((1200, ""))
def heartbeats_every_four_minutes(it: Row) -> None:
    it.begin()
    lin = it.page()
    lin.beat()
    for _ in range(5):
        for _ in range(4):
            lin.wait(60)
        lin.at += 240
        lin.beat()


# --------------------------------------------------------------------------- windows and devices


@row((300, ""), (300, ""))
def two_learners_on_one_device_in_turns(it: Row) -> None:
    it.begin("lin", "wu")
    for who in ("lin", "wu"):
        page = it.page(who)
        page.beat()
        by_the_minute(page, 300)
        close(page)


@row((400, ""), (0, "overlap:violation"))
def an_old_window_that_plays_on_for_two_minutes(it: Row) -> None:
    it.begin()
    old = it.page()
    old.beat()
    by_the_minute(old, 240)
    it.road.clock.advance(seconds=40)
    new = it.page(device="d2", at=240)
    for n in range(0, 121, 10):
        new.beat(240 + n)
        old.beat(280 + n)
        it.road.clock.advance(seconds=10)


@row((270, ""), (120, ""))
def what_an_old_window_kept_back_while_the_network_changed(it: Row) -> None:
    it.begin()
    old = it.page()
    old.beat()
    by_the_minute(old, 240)
    left_ms = it.road.clock()
    it.road.clock.advance(seconds=35)
    new = it.page(device="d2", at=240)
    new.beat()
    old.tell(*old.beats(240, 30, left_ms)[1:])
    by_the_minute(new, 120)


@row((300, ""), (0, ""))
def a_second_lesson_that_a_client_opens_at_once_is_refused(it: Row) -> None:
    it.begin()
    wu = it.page()
    wu.beat()
    it.page(device="d2", lesson="urn:l2")
    by_the_minute(wu, 300)


@row((420, ""))
def a_learner_who_moves_to_another_class_in_the_midst_of_a_lesson(it: Row) -> None:
    it.begin()
    other = training_class(it.of("other"), controls="platform")
    it.road.call("PUT", f"/v1/classes/{it.of('other')}", json=other)
    lin = it.page()
    lin.beat()
    by_the_minute(lin, 300)
    today = datetime.fromtimestamp(it.road.clock() / 1000, SHANGHAI).date()
    days = {"last_on": str(today), "first_on": str(today + timedelta(days=1))}
    body = {"to_class": it.of("other"), **days}
    act = {"kind": "moved_class", "learner_id": lin.learner, "reason": "学员申请转班", "body": body}
    url = f"/v1/classes/{it.klass}/acts"
    assert it.road.call("POST", url, json=act).status_code == 201
    by_the_minute(lin, 120)


# ------------------------------------------------------------------------------ clocks and days


@row((600, ""))
def a_sitting_over_midnight(it: Row) -> None:
    it.begin()
    passed_ms = (it.road.clock() + SHANGHAI_MS) % DAY_MS
    it.road.clock.now_ms += DAY_MS - passed_ms - 300_000
    lin = it.page()
    lin.beat()
    by_the_minute(lin, 600)


@row((600, ""))
def a_device_that_crosses_time_zones(it: Row) -> None:
    it.begin()
    lin = it.page()
    for n in range(0, 601, 10):
        ahead_ms = 0 if n < 200 else 3_600_000 if n < 400 else -SHANGHAI_MS
        lin.beat(n, at_ms=it.road.clock() + ahead_ms)
        lin.wait(10)


@row((600, ""))
def a_picture_in_a_picture_without_the_focus(it: Row) -> None:
    it.begin()
    lin = it.page()
    lin.beat()
    by_the_minute(lin, 600, focused=False)


@row((400, "hidden:clear"))
def a_telephone_that_plays_on_hidden_at_three_quarters(it: Row) -> None:
    it.begin()
    lin = it.page()
    lin.beat()
    by_the_minute(lin, 200)
    lin.tell(lin.event("visibility", visible=False))
    for _ in range(3):
        lin.wait(60)
        lin.at += 45
        lin.beat(visible=False)
    lin.tell(lin.event("visibility", visible=True))
    by_the_minute(lin, 200)


@row((200, ""), (200, ""))
def a_laptop_that_is_opened_again_an_hour_later(it: Row) -> None:
    it.begin()
    lin = it.page()
    lin.beat()
    by_the_minute(lin, 200)
    it.road.wait(3600)
    lin = it.page(at=200)
    lin.beat()
    by_the_minute(lin, 200)


@row((600, ""))
def retries_that_bear_new_times(it: Row) -> None:
    it.begin()
    lin = it.page()
    for n in range(0, 601, 10):
        told = {**lin.event("progress", n, monotonic_ms=n * 1000), "seq": n // 10}
        lin.post([told])
        if n % 50 == 0:
            lin.post([{**told, "at_ms": told["at_ms"] + 1500, "monotonic_ms": n * 1000 + 1500}])
        lin.wait(10)


@row((50, "seq_conflict:review"))
def numbers_that_begin_anew_on_each_page(it: Row) -> None:
    it.begin()
    lin = it.page()
    for start in (0, 60):
        lin.seq = 0
        for n in range(0, 51, 10):
            lin.beat(start + n)
            lin.wait(10)


# ------------------------------------------------------------------------ this service's pop-ups


def answering(name: str, said: tuple[float, str], answer: Callable[[Shown], None]) -> None:
    def play(it: Row) -> None:
        it.begin(controls="service")
        it.enter(Shown, seq=0, answer=answer).go(900)

    ROWS[name] = play, [(said[0], set(said[1].split()))]


def twice(page: Shown) -> None:
    page.meet()
    page.tell(page.of_popup("popup_shown"), page.of_popup("popup_answered", trusted=True))


def late(page: Shown) -> None:
    """The learner answers two seconds too late, and then the one that follows."""
    first, page.due = page.due, None
    page.tell(page.event("pause", page.at), {**page.event("popup_shown"), **named(first)})
    for _ in range(6):
        page.wait(10)
        page.beat()
    page.wait(2)
    page.tell({**page.event("popup_answered"), **named(first)}, page.event("play", page.at))
    if page.due:
        page.meet()


def named(due: dict[str, Any] | None) -> dict[str, Any]:
    assert due
    return {name: due[name] for name in ("challenge_id", "nonce")}


def playing_on(page: Shown) -> None:
    page.tell(page.of_popup("popup_shown"))
    page.wait(4)
    page.at += 4
    page.tell(page.of_popup("popup_answered", latency_ms=4000, trusted=True))


SCRIPTED, INSTANT = "scripted_answer:review", "instant_answers:review"
for _name, _said, _answer in (
    ("answers", (900, ""), Shown.meet),
    ("answers_twice", (900, ""), twice),
    ("answers_too_late_and_again", (900, ""), late),
    ("a_player_that_plays_on_for_four_seconds", (900, ""), playing_on),
    ("a_latency_of_nothing", (900, ""), lambda it: it.meet(latency_ms=0)),
    ("a_latency_in_seconds", (900, ""), lambda it: it.meet(latency_ms=4)),
    ("a_latency_in_broken_seconds", (900, ""), lambda it: it.meet(3.2, latency_ms=3.2)),
    ("a_browser_that_does_not_tell_scripts", (900, ""), lambda it: it.meet(trusted=None)),
    ("a_script_that_clicks", (900, SCRIPTED), lambda it: it.meet(0, latency_ms=3, trusted=False)),
    ("a_driven_browser_that_clicks", (900, INSTANT), lambda it: it.meet(0, latency_ms=100)),
    ("a_page_whose_pop_ups_are_removed", (300, "never_shown:violation"), lambda it: None),
    (
        "a_nonce_of_somebody_else",
        (300, "forged_answer:review page_untold:not_proven"),
        lambda it: it.meet(nonce="another"),
    ),
):
    answering(_name, _said, _answer)


def test_what_platforms_pages_and_tools_do_is_judged_for_what_it_is(road: Road) -> None:
    rows = {name: Row(road, f"k{n}") for n, name in enumerate(ROWS)}
    for name, (play, _) in ROWS.items():
        play(rows[name])
        road.clock.advance(seconds=300)
    road.wait(40 * 60)
    sweep(road.services)
    settle_all(road.services)
    wrong = {}
    for name, (_, wanted) in ROWS.items():
        told = [verdict_of(road, it) for it in rows[name].sessions]
        matches = len(told) == len(wanted) and all(
            seconds == pytest.approx(due, abs=1) and reasons == expected
            for (seconds, reasons), (due, expected) in zip(told, wanted, strict=True)
        )
        if not matches:
            wrong[name] = told
    assert wrong == {}


def verdict_of(road: Road, session: str) -> tuple[float, set[str]]:
    verdict = road.call("GET", f"/v1/sessions/{session}").json().get("verdict")
    if not verdict:  # it was refused
        return 0, set()
    found = [it for it in verdict["findings"] if it["rule"] != "face_liveness"]
    return verdict["credited_ms"] / 1000, {f"{it['reason']}:{it['outcome']}" for it in found}
