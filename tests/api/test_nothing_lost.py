"""Whatever a platform sends is credited by a rule, or told: in the answer, on the platform's
pages, by its webhook and on the learner's own page. One table, walked over HTTP against a service
that runs.

`played_s` is what the learner saw; where less is credited, each of the four has to say so.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from app.db import Database
from app.domain.accounts import users
from app.domain.exchange.xapi_values import as_timestamp
from app.domain.notify import WebhookEvent
from app.http.callers import Callers
from app.jobs.lease_sweep import sweep
from app.jobs.settler import settle_all
from app.services import Services
from tests.api.test_sessions import opening
from tests.api.test_xapi_events import ADL, VIDEO, paused, played, said
from tests.people import LIN, WU, County, TestClock, course, instant, lesson, training_class
from tests.served import served

LMS = "https://huang.example/lessons"
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
HOUR, DAY = 3600, 86_400
FENG: dict[str, Any] = {"username": "feng", "password": "no real password 17"}


@dataclass
class Road:
    """A platform's server on its way to a service that runs, and what comes back."""

    http: httpx.Client
    clock: TestClock
    services: Services
    refusals: Any
    hook: int
    answers: list[str] = field(default_factory=list)  # codes that the answers told
    seq: int = 0

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self.http.request(method, path, **more)
        assert answer.status_code < 500, answer.text
        return answer

    def wait(self, seconds: float) -> None:
        """Nothing arrives, and the sweep of leases runs as it does."""
        for _ in range(int(seconds // 100)):
            self.clock.advance(seconds=100)
            sweep(self.services)
        self.clock.advance(seconds=seconds % 100)

    def open(self, klass: str = "c1", learner: str = "lin", session: str = "s1") -> None:
        body = opening(learner, class_id=klass, session_id=session)
        self.note(self.call("POST", "/v1/sessions", json=body))

    def close(self) -> None:
        self.call("POST", "/v1/sessions/s1/close", json={"reason": "done"})

    def event(self, kind: str, position: Any, **more: Any) -> dict[str, Any]:
        return {"type": kind, "at_ms": self.clock(), "position": position, **more}

    def send(self, *events: dict[str, Any], numbered: bool = False, **more: Any) -> None:
        told = list(events)
        if numbered:
            told = [{**it, "seq": self.seq + n} for n, it in enumerate(told)]
            self.seq += len(told)
        self.note(self.call("POST", "/v1/sessions/s1/events", json={"events": told, **more}))

    def study(self, seconds: int, start: float = 0, **beat: Any) -> None:
        for n in range(0, seconds + 1, 10):
            self.send(self.event("progress", start + n, **{"rate": 1, **beat}))
            if n < seconds:
                self.clock.advance(seconds=10)

    def state(self, *statements: dict[str, Any]) -> None:
        headers = {"x-experience-api-version": "1.0.3"}
        answer = self.call("POST", "/xAPI/statements", json=list(statements), headers=headers)
        if answer.status_code != 200:
            self.answers.append(answer.json()["code"])
            return
        self.answers += [it.partition("=")[0] for it in told_fates(answer)]

    def note(self, answer: httpx.Response) -> None:
        body = answer.json()
        self.answers += [it["code"] for it in body.get("rejected") or body.get("errors") or ()]
        if "code" in body:
            self.answers.append(body["code"])
        note = (body.get("controls") or {}).get("note")
        if "fate" in body:
            self.answers.append(body["fate"])
        if note:
            self.answers.append(note["code"])

    # ------------------------------------------------------------- what is told afterwards

    def judged(self) -> list[dict[str, Any]]:
        """Lin's and Wu's sittings, once all of them are over."""
        self.wait(40 * 60)
        sweep(self.services)
        settle_all(self.services)
        self.refusals.write()
        views = [self.call("GET", f"/v1/sessions/{it}").json() for it in self.sittings()]
        return [it for it in views if it.get("verdict")]

    def sittings(self) -> list[str]:
        with self.services.database.read() as connection:
            rows = connection.exec_driver_sql("SELECT external_id FROM sessions ORDER BY id")
            return [str(it[0]) for it in rows]

    def told_by_webhook(self) -> set[str]:
        """Why something does not count, by the messages."""
        url = f"/v1/webhooks/{self.hook}/messages"
        found = self.call("POST", url, json={}).json()["messages"]
        told = [it["payload"]["data"] for it in found]
        codes = {it["code"] for it in told if "code" in it}
        parts = [one for it in told for one in (*it.get("findings", ()), *it.get("withheld", ()))]
        return codes | {it["reason"] for it in parts}

    def told_on_the_platforms_pages(self, code: str, findings: list[dict[str, Any]]) -> bool:
        """Whether its page names the reason, or the sitting's own page says the finding."""
        record = self.call("GET", "/v1/platforms/huang-edu/conformity").json()
        words = [it["sentence"]["zh"] for it in record["notes"] if it["code"] == code]
        words += [it["sentence"]["zh"] for it in findings if it["reason"] == code]
        with self.browser() as feng:
            found = CSRF.search(feng.get("/console/login").text)
            assert found
            feng.post("/console/login", data={**FENG, "csrf": found[1]})
            pages = [feng.get("/console/platforms/huang-edu").text]
            for number in range(1, len(self.sittings()) + 1):
                pages.append(feng.get(f"/console/sessions/{number}").text)
        shown = html.unescape("".join(pages))
        return any(it in shown for it in (f">{code}<", *words))

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.http.base_url, follow_redirects=True, timeout=60)

    def own_page(self, klass: str, learner: str) -> str:
        link = self.call("POST", f"/v1/classes/{klass}/learners/{learner}/link").json()["url"]
        with self.browser() as browser:
            return browser.get("/my/" + link.rpartition("/my/")[2]).text


def told_fates(answer: httpx.Response) -> list[str]:
    return [it.strip() for it in answer.headers["zhenxue-statements"].split(",")]


@pytest.fixture
def road(
    app: FastAPI, database: Database, county: County, clock: TestClock, services: Services
) -> Iterator[Road]:
    with database.write() as connection:
        users.add_user(
            connection, **FENG, display_name="冯某", role="platform_viewer",
            platform="huang-edu", actor="system", now_ms=clock(),
        )  # fmt: skip
    with served(app) as address, httpx.Client(base_url=address, timeout=60) as http:
        http.headers.update(county.huang.headers)
        lessons = [lesson("l1", 45, order=1), lesson("urn:l2", 45, order=2)]
        for path, body in (
            ("/v1/courses/sewing", course(lessons=lessons)),
            ("/v1/classes/c1", training_class(controls="platform")),
            ("/v1/classes/c1/roster", {"learners": [LIN, WU]}),
            ("/v1/classes/try", training_class("try", controls="platform", sandbox=True)),
            ("/v1/classes/try/roster", {"learners": [{**LIN, "learner_id": "try-lin"}]}),
        ):
            answer = http.put(path, json=body)
            assert answer.status_code < 300, answer.text
        events = [it for it in WebhookEvent if it is not WebhookEvent.WEBHOOK_TEST]
        hook = http.post("/v1/webhooks", json={"url": "listen:", "events": events}).json()
        callers: Callers = app.state.callers
        yield Road(http, clock, services, callers.refusals, hook["webhook_id"])


# ------------------------------------------------------------------------------- the cases


def statements_for_an_ended_sitting(road: Road) -> None:
    road.open()
    road.close()
    road.wait(20 * 60)
    road.state(played(0))
    road.clock.advance(seconds=60)
    road.state(paused(60))


def events_for_an_ended_sitting(road: Road) -> None:
    road.open()
    road.close()
    road.wait(20 * 60)
    road.study(60)


def forwarded_events_for_an_ended_sitting(road: Road) -> None:
    road.open()
    road.close()
    road.wait(20 * 60)
    beats = [{"session_id": "s1", **road.event("progress", n, rate=1)} for n in (0, 10, 20)]
    road.note(road.call("POST", "/v1/events", json={"batch_id": "b", "events": beats}))


def study_outside_the_days(road: Road) -> None:
    road.clock.now_ms = instant("2026-04-06 09:00")
    road.open()


def study_past_midnight_of_the_last_day(road: Road) -> None:
    road.clock.now_ms = instant("2026-04-05 23:59")
    road.open()
    road.study(120)


def statements_outside_the_days(road: Road) -> None:
    mapped(road)
    road.clock.now_ms = instant("2026-04-06 09:00")
    road.state(without_session(played(0)))
    road.clock.advance(seconds=60)
    road.state(without_session(paused(60)))


def without_session(statement: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in statement.items() if name != "context"}


def a_frame_without_focus(road: Road) -> None:
    road.open()
    road.study(60, visible=True, focused=False)


def a_class_without_focus_telemetry(road: Road) -> None:
    road.open()
    road.study(60)


def a_page_that_is_hidden(road: Road) -> None:
    road.open()
    road.study(120, visible=False, focused=False)


def play_and_pause_without_heartbeats(road: Road) -> None:
    road.open()
    road.send(road.event("play", 0))
    road.clock.advance(seconds=60)
    road.send(road.event("pause", 60))


def play_and_pause_over_half_an_hour(road: Road) -> None:
    road.open()
    road.send(road.event("play", 0))
    road.wait(1800)
    road.send(road.event("pause", 1800))


def a_replaced_video_element(road: Road) -> None:
    road.open()
    road.study(30)
    road.send(road.event("pause", 30), road.event("play", 30, duration=2700))
    road.study(30, start=30)


def forwarded_an_hour_later(road: Road) -> None:
    road.open()
    began_ms = road.clock()
    road.wait(HOUR)
    beats = [
        {"type": "progress", "at_ms": began_ms + n * 1000, "position": n, "rate": 1}
        for n in range(0, 201, 10)
    ]
    road.send(*beats)


def forwarded_a_day_later(road: Road) -> None:
    road.open()
    road.wait(DAY + 300)
    road.send(road.event("progress", 0, rate=1), road.event("progress", 60, rate=1))


def after_a_break(road: Road) -> None:
    road.open()
    road.study(60)
    road.wait(300)
    road.study(60, start=60)


def after_the_lease(road: Road) -> None:
    road.open()
    road.study(60)
    road.wait(20 * 60)
    road.study(60, start=60)


def a_statement_of_somebody_else(road: Road) -> None:
    road.open()
    wu = {"account": {"homePage": "https://huang.example", "name": "wu"}}
    road.state(played(0, actor=wu))
    road.clock.advance(seconds=60)
    road.state(paused(60, actor=wu))


def a_statement_of_another_lesson(road: Road) -> None:
    road.open()
    road.state(played(0, object={"id": "urn:l2"}))
    road.clock.advance(seconds=60)
    road.state(paused(60, object={"id": "urn:l2"}))


def a_lesson_that_is_locked(road: Road) -> None:
    road.call("PUT", "/v1/statement-mapping", json={})
    road.state(without_session(played(0, object={"id": "urn:l2"})))
    road.clock.advance(seconds=60)
    road.state(without_session(paused(60, object={"id": "urn:l2"})))


def a_sitting_beside_another(road: Road) -> None:
    road.open()
    road.study(60)
    mapped(road)
    road.state(without_session(played(60)))
    road.clock.advance(seconds=60)
    road.state(without_session(paused(120)))


def a_statement_of_no_sitting(road: Road) -> None:
    road.state(played(0))
    road.clock.advance(seconds=60)
    road.state(paused(60))


def a_statement_of_no_position(road: Road) -> None:
    road.state(said("https://w3id.org/xapi/acrossx/verbs/watched"))


def sent_twice(road: Road) -> None:
    road.open()
    road.send(road.event("play", 0), batch_id="b1")
    road.clock.advance(seconds=60)
    for _ in range(2):
        road.send(road.event("pause", 60), batch_id="b2")


def one_name_for_two_batches(road: Road) -> None:
    road.open()
    road.send(road.event("play", 0), batch_id="b1")
    road.clock.advance(seconds=60)
    road.send(road.event("pause", 60), batch_id="b1")


def without_seq(road: Road) -> None:
    road.open()
    road.study(60)


def without_seq_among_numbered(road: Road) -> None:
    road.open()
    road.send(road.event("play", 0), numbered=True)
    road.clock.advance(seconds=60)
    road.send(road.event("pause", 60))


def of_a_sandbox(road: Road) -> None:
    road.open("try", "try-lin")
    road.study(60)


def of_a_sandbox_that_ended(road: Road) -> None:
    road.open("try", "try-lin")
    road.close()
    road.wait(20 * 60)
    lin = {"account": {"homePage": "https://huang.example", "name": "try-lin"}}
    road.state(played(0, actor=lin), paused(60, actor=lin))


def a_position_as_a_word(road: Road) -> None:
    road.open()
    road.send(road.event("play", 0))
    road.clock.advance(seconds=60)
    road.send(road.event("pause", "60"))


def a_duration_as_a_word(road: Road) -> None:
    road.open()
    road.send(road.event("play", 0, duration="2700"))
    road.clock.advance(seconds=60)
    road.send(road.event("pause", 60, duration="2700"))


def times_as_words_in_statements(road: Road) -> None:
    road.open()
    road.state(said(VIDEO + "verbs/played", time="0.000"))
    road.clock.advance(seconds=60)
    road.state(said(VIDEO + "verbs/paused", time="PT1M"))


def an_older_player(road: Road) -> None:
    road.open()
    road.state(said(ADL + "initialized", length="PT45M"), played(0))
    road.clock.advance(seconds=60)
    road.state(paused(60))


def mapped(road: Road) -> None:
    road.call("PUT", "/v1/statement-mapping", json={"lesson": {"shape": LMS + "/{id}"}})


def beats(start_s: int, seconds: int, began_ms: int) -> list[dict[str, Any]]:
    """What a player says every 10 seconds, with its times, and without naming a sitting."""
    told = []
    for n in range(start_s, start_s + seconds, 10):
        statement = said(ADL + "interacted", time=n) if n else played(0)
        told.append({**without_session(statement), "timestamp": as_timestamp(began_ms + n * 1000)})
    return told


def statements_forwarded_by_the_minute(road: Road) -> None:
    mapped(road)
    began_ms = road.clock()
    for minute in range(5):
        road.wait(60)
        road.state(*beats(minute * 60, 60, began_ms))


def statements_forwarded_one_by_one_every_five_minutes(road: Road) -> None:
    mapped(road)
    began_ms = road.clock()
    for five in range(2):
        road.wait(300)
        for statement in beats(five * 300, 240, began_ms):
            road.state(statement)


def statements_of_play_that_began_before_the_first_of_them_came(road: Road) -> None:
    mapped(road)
    (first,) = beats(0, 10, road.clock())
    began_ms = road.clock()
    road.wait(60)
    road.state(first)
    road.wait(300)
    told = [paused(200), played(200), paused(340)]
    times = [as_timestamp(began_ms + it * 1000) for it in (200, 205, 345)]
    road.state(
        *({**without_session(it), "timestamp": at} for it, at in zip(told, times, strict=True))
    )


def statements_of_a_clock_that_is_five_minutes_behind(road: Road) -> None:
    """A browser's, in the second sitting; of the first it cost the beginning."""
    mapped(road)
    for start_s in (0, 200):
        for n in range(start_s, start_s + 190, 10):
            told = played(n) if n == start_s else said(ADL + "interacted", time=n)
            at = as_timestamp(road.clock() - 300_000)
            road.state({**without_session(told), "timestamp": at})
            road.clock.advance(seconds=10)
        road.wait(1200)


def a_sitting_opened_when_all_was_over(road: Road) -> None:
    began_ms = road.clock()
    road.wait(600)
    road.open()
    road.send(
        *(
            {"type": "progress", "at_ms": began_ms + n * 1000, "position": n, "rate": 1}
            for n in range(0, 601, 10)
        )
    )


def positions_in_milliseconds(road: Road) -> None:
    road.open()
    for n in range(0, 61, 10):
        road.send(road.event("progress", n * 1000, rate=1))
        road.clock.advance(seconds=10)


def positions_in_milliseconds_for_many(road: Road) -> None:
    road.open()
    for n in (0, 60):
        beat = {"session_id": "s1", **road.event("progress", n * 1000, rate=1)}
        road.note(road.call("POST", "/v1/events", json={"events": [beat]}))
        road.clock.advance(seconds=60)


def positions_in_milliseconds_in_statements(road: Road) -> None:
    road.open()
    road.state(played(0))
    road.clock.advance(seconds=60)
    road.state(paused(60_000))


def positions_in_milliseconds_of_each_second(road: Road) -> None:
    """Of a film of 45 minutes 3.4 s fit into its length, taken for 3,400."""
    road.open()
    for start in range(0, 60, 10):
        began_ms = road.clock()
        road.clock.advance(seconds=10)
        road.send(
            *(
                {"type": "progress", "at_ms": began_ms + (n - start) * 1000, "position": n * 1000}
                for n in range(start, start + 10)
            )
        )


def everything_twice_under_other_numbers(road: Road) -> None:
    road.open()
    for n in range(0, 121, 10):
        for _ in range(2):
            road.send(road.event("progress", n), numbered=True)
        road.clock.advance(seconds=10)


def numbers_that_begin_anew_on_each_page(road: Road) -> None:
    road.open()
    for page in range(3):
        road.seq = 0
        for n in range(page * 60, page * 60 + 60, 10):
            road.send(road.event("progress", n), numbered=True)
            road.clock.advance(seconds=10)


def times_in_seconds(road: Road) -> None:
    road.open()
    for n in range(0, 121, 10):
        road.send(road.event("progress", n, at_ms=road.clock() // 1000))
        road.clock.advance(seconds=10)


def times_in_microseconds(road: Road) -> None:
    road.open()
    for n in range(0, 121, 10):
        road.send(road.event("progress", n, at_ms=road.clock() * 1000))
        road.clock.advance(seconds=10)


def a_speed_in_percent(road: Road) -> None:
    road.open()
    road.study(120, rate=100)


def a_speed_of_150_percent(road: Road) -> None:
    road.open()
    road.study(120, rate=150)


def ended_at_each_pause(road: Road) -> None:
    road.open()
    for start in (0, 60, 120):
        road.send(road.event("play", start))
        road.clock.advance(seconds=60)
        road.send(road.event("ended", start + 60))
        road.clock.advance(seconds=20)


def completed_at_each_pause(road: Road) -> None:
    road.open()
    for start in (0, 60, 120):
        road.send(road.event("play", start))
        road.clock.advance(seconds=60)
        road.send(road.event("ended", start + 60, completed=True))
        road.clock.advance(seconds=20)


def the_length_while_it_buffers(road: Road) -> None:
    road.open()
    for n in range(0, 181, 10):
        road.send(road.event("progress", 2700 if n in (60, 70, 120) else n))
        road.clock.advance(seconds=10)


def two_sittings_in_turns_in_one_batch(road: Road) -> None:
    road.open()
    road.open(learner="wu", session="s2")
    for start in (0, 60):
        began_ms = road.clock()
        road.clock.advance(seconds=60)
        told = [
            {
                "session_id": it,
                "type": "progress",
                "at_ms": began_ms + n * 1000,
                "position": start + n,
            }
            for n in range(0, 60, 10)
            for it in ("s1", "s2")
        ]
        body = {"batch_id": f"from {start}", "events": told}
        road.note(road.call("POST", "/v1/events", json=body))


def a_roster_that_came_after_the_first_events(road: Road) -> None:
    road.open(learner="zhou")
    road.study(60)
    zhou = {**LIN, "learner_id": "zhou", "name": "周某", "id_number": "110101199003074047"}
    answer = road.call("PUT", "/v1/classes/c1/roster", json={"learners": [LIN, WU, zhou]})
    assert answer.status_code == 200 and not answer.json()["rejected"], answer.text
    road.open(learner="zhou")
    road.study(60)


def a_class_that_the_learner_is_not_in(road: Road) -> None:
    road.call("PUT", "/v1/classes/c2", json=training_class("c2", controls="platform"))
    road.open("c2")
    road.study(60)


def verbs_written_differently(road: Road) -> None:
    road.open()
    road.state(played(0, verb={"id": "http://w3id.org/xapi/video/verbs/Played"}))
    road.clock.advance(seconds=60)
    road.state(paused(60, verb={"id": "HTTPS://w3id.org/xapi/video/verbs/paused/"}))


def a_learner_in_capitals(road: Road) -> None:
    mapped(road)
    actor = {"account": {"homePage": "https://huang.example", "name": "LIN"}}
    road.state(without_session(played(0, actor=actor)))
    road.clock.advance(seconds=60)
    road.state(without_session(paused(60, actor=actor)))


def a_lesson_with_a_slash_behind_it(road: Road) -> None:
    mapped(road)
    road.state(without_session(played(0, object={"id": LMS + "/l1/"})))
    road.clock.advance(seconds=60)
    road.state(without_session(paused(60, object={"id": LMS + "/l1/"})))


def a_learner_who_moved_to_another_class(road: Road) -> None:
    mapped(road)
    road.call("PUT", "/v1/classes/c2", json=training_class("c2", controls="platform"))
    body = {"to_class": "c2", "last_on": "2026-03-01", "first_on": "2026-03-02"}
    act = {"kind": "moved_class", "learner_id": "lin", "reason": "学员申请转班", "body": body}
    answer = road.call("POST", "/v1/classes/c1/acts", json=act)
    assert answer.status_code == 201, answer.text
    road.state(without_session(played(0)))
    road.clock.advance(seconds=60)
    road.state(without_session(paused(60)))


def a_statement_with_the_id_of_another(road: Road) -> None:
    road.open()
    mine = "6c2a4b8e-8c2b-4b60-9d0b-0f2f8ad7a001"
    road.state(played(0, id=mine))
    road.clock.advance(seconds=60)
    road.state(paused(60, id=mine))


def a_faulty_statement_beside_a_good_one(road: Road) -> None:
    road.open()
    road.state(played(0))
    road.clock.advance(seconds=60)
    road.state(paused(60), {**paused(60), "verb": {}})


def more_statements_than_are_taken_at_once(road: Road) -> None:
    road.open()
    road.state(played(0))
    road.clock.advance(seconds=60)
    road.state(*([paused(60)] * 1001))


def progress_without_a_position(road: Road) -> None:
    road.open()
    road.state(said(ADL + "progressed", progress="0.5"))


@dataclass(frozen=True)
class Case:
    """What is sent; how much of it the learner saw, and how much counts; the reason that is told
    in the answer or the verdict where that is less; in whose name."""

    send: Callable[[Road], None]
    played_s: float
    credited_s: float
    reason: str = ""
    klass: str = "c1"
    learner: str = "lin"


CASES = [
    Case(statements_for_an_ended_sitting, 60, 0, "session_closed"),
    Case(events_for_an_ended_sitting, 60, 0, "session_closed"),
    Case(forwarded_events_for_an_ended_sitting, 20, 0, "session_closed"),
    Case(study_outside_the_days, 60, 0, "outside_class_dates"),
    Case(study_past_midnight_of_the_last_day, 120, 60, "after_the_class"),
    Case(statements_outside_the_days, 60, 0, "outside_class_dates"),
    Case(a_frame_without_focus, 60, 60),
    Case(a_class_without_focus_telemetry, 60, 60),
    Case(a_page_that_is_hidden, 120, 0, "hidden"),
    Case(play_and_pause_without_heartbeats, 60, 60),
    Case(play_and_pause_over_half_an_hour, 1800, 300, "offline_past_due"),
    Case(a_replaced_video_element, 60, 60),
    Case(forwarded_an_hour_later, 200, 200),
    Case(forwarded_a_day_later, 60, 0, "session_closed"),
    Case(after_a_break, 120, 120),
    Case(after_the_lease, 120, 120),
    Case(a_statement_of_somebody_else, 60, 0, "other_learner", learner="wu"),
    Case(a_statement_of_another_lesson, 60, 0, "other_lesson"),
    Case(a_lesson_that_is_locked, 60, 0, "lesson_locked"),
    Case(a_sitting_beside_another, 120, 120),
    Case(a_statement_of_no_sitting, 60, 0, "unknown_session"),
    Case(a_statement_of_no_position, 60, 0, "no_position"),
    Case(sent_twice, 60, 60),
    Case(one_name_for_two_batches, 60, 0, "batch_conflict"),
    Case(without_seq, 60, 60),
    Case(without_seq_among_numbered, 60, 0, "numbered_by_client"),
    Case(of_a_sandbox, 60, 60, klass="try", learner="try-lin"),
    Case(of_a_sandbox_that_ended, 60, 0, "session_closed", klass="try", learner="try-lin"),
    Case(a_position_as_a_word, 60, 0, "invalid_field"),
    Case(a_duration_as_a_word, 60, 0, "invalid_field"),
    Case(times_as_words_in_statements, 60, 60),
    Case(an_older_player, 60, 60),
    Case(statements_forwarded_by_the_minute, 290, 240, "before_opening"),
    Case(statements_forwarded_one_by_one_every_five_minutes, 470, 230, "before_opening"),
    Case(statements_of_play_that_began_before_the_first_of_them_came, 340, 140, "before_opening"),
    Case(statements_of_a_clock_that_is_five_minutes_behind, 360, 180, "before_opening"),
    Case(a_sitting_opened_when_all_was_over, 600, 0, "before_opening"),
    Case(positions_in_milliseconds, 60, 0, "beyond_the_film"),
    Case(positions_in_milliseconds_for_many, 60, 0, "beyond_the_film"),
    Case(positions_in_milliseconds_in_statements, 60, 0, "beyond_the_film"),
    Case(positions_in_milliseconds_of_each_second, 60, 0, "beyond_the_film"),
    Case(everything_twice_under_other_numbers, 120, 120),
    Case(numbers_that_begin_anew_on_each_page, 180, 50, "seq_conflict"),
    Case(times_in_seconds, 120, 120),
    Case(times_in_microseconds, 120, 120),
    Case(a_speed_in_percent, 120, 120),
    Case(a_speed_of_150_percent, 120, 0, "invalid_field"),
    Case(ended_at_each_pause, 180, 180),
    Case(completed_at_each_pause, 180, 180),
    Case(the_length_while_it_buffers, 180, 180),
    Case(two_sittings_in_turns_in_one_batch, 220, 220),
    Case(a_roster_that_came_after_the_first_events, 120, 60, "unknown_learner", learner="zhou"),
    Case(a_class_that_the_learner_is_not_in, 60, 0, "not_enrolled"),
    Case(verbs_written_differently, 60, 60),
    Case(a_learner_in_capitals, 60, 0, "unknown_learner"),
    Case(a_lesson_with_a_slash_behind_it, 60, 0, "unknown_lesson"),
    Case(a_learner_who_moved_to_another_class, 60, 60, klass="c2"),
    Case(a_statement_with_the_id_of_another, 60, 0, "statement_conflict"),
    Case(a_faulty_statement_beside_a_good_one, 60, 0, "invalid_statement"),
    Case(more_statements_than_are_taken_at_once, 60, 0, "too_many_statements"),
    Case(progress_without_a_position, 60, 0, "no_position"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda it: it.send.__name__)
def test_what_is_sent_is_credited_by_rule_or_told_to_all_whom_it_concerns(
    road: Road, case: Case
) -> None:
    case.send(road)
    views = road.judged()
    credited_s = sum(it["verdict"]["credited_ms"] for it in views) / 1000
    assert credited_s == pytest.approx(case.credited_s, abs=1)
    findings = [one for it in views for one in it["verdict"]["findings"]]
    assert all(it["fault"] != "learner" for it in findings)
    if credited_s >= case.played_s - 1:
        return

    reasons = {it["reason"] for it in findings} | set(road.answers)
    assert case.reason in reasons
    for view in views:  # never 0 s and valid
        assert view["verdict"]["credited_ms"] or view["verdict"]["outcome"] != "valid", view

    assert case.reason in road.told_by_webhook()
    assert road.told_on_the_platforms_pages(case.reason, findings)
    own = road.own_page(case.klass, case.learner)
    assert "没有算进去" in own or "还没有学" in own
    if case.send in (events_for_an_ended_sitting, forwarded_events_for_an_ended_sitting):
        count = 7 if case.send is events_for_an_ended_sitting else 3
        assert f"学习平台报来的{count}条播放记录没有算进去：在会话结束后才到达" in own


def test_a_session_opened_again_for_another_lesson_is_told_to_webhooks(road: Road) -> None:
    """Its answer may be dropped, and what follows counts for the lesson that bears the id."""
    road.open()
    body = opening("lin", session_id="s1", lesson_id="urn:l2")
    answer = road.call("POST", "/v1/sessions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "session_exists")
    road.study(60)
    road.judged()
    assert "session_exists" in road.told_by_webhook()


@pytest.mark.parametrize(
    "second", [1 / 2700, 100 / 2700, 1 / 60], ids=["share", "percent", "minute"]
)
def test_positions_in_larger_units_earn_next_to_nothing_and_accuse_nobody(
    road: Road, second: float
) -> None:
    road.open()
    for n in range(0, 301, 10):
        road.send(road.event("progress", n * second, rate=1))
        road.clock.advance(seconds=10)
    (view,) = road.judged()
    assert view["verdict"]["outcome"] == "not_proven"
    assert view["verdict"]["credited_ms"] / 1000 == pytest.approx(300 * second, abs=0.1)
    assert "not_seconds" in {it["reason"] for it in view["verdict"]["findings"]}
    assert all(it["fault"] != "learner" for it in view["verdict"]["findings"])
