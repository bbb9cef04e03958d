"""A whole lesson over HTTP: Lin plays, answers what is asked, closes; the ledger has it all."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.db import Database
from app.jobs.face_worker import run_pending
from app.services import Services
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from tests.api.test_sessions import found_school, opening, post
from tests.people import County, TestClock

FACE = PORTRAIT_SEEDS[0]


@dataclass
class Lesson:
    client: TestClient
    county: County
    clock: TestClock
    session: str = "s1"
    seq: int = 0
    position_s: float = 0.0
    taken: int = 0
    light: float = 1.0  # in the room, whenever a random photo is taken
    controls: dict[str, Any] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)

    def open(self, **changes: Any) -> None:
        answer = post(self.client, self.county, opening(session_id=self.session, **changes))
        assert answer.status_code == 201, answer.text
        self.position_s = answer.json()["resume_position"]
        self.told(answer.json()["controls"])

    def told(self, controls: dict[str, Any]) -> None:
        self.controls = controls
        for demand in (it for it in controls.values() if "challenge_id" in it):
            due_ms = round(demand.get("due_in_s", 0) * 1000)
            self.due.setdefault(demand["challenge_id"], self.clock() + due_ms)

    def event(self, kind: str, **more: Any) -> dict[str, Any]:
        self.seq += 1
        return {"seq": self.seq, "type": kind, "at_ms": self.clock(), **more}

    def play(self, seconds: float = 10) -> None:
        self.report([self.beat(seconds), *self.answers()])

    def beat(self, seconds: float = 10) -> dict[str, Any]:
        self.clock.advance(seconds=seconds)
        self.position_s += seconds
        return self.event("progress", position=self.position_s, rate=1, visible=True, focused=True)

    def report(self, events: list[dict[str, Any]]) -> None:
        answer = self.client.post(
            f"/v1/sessions/{self.session}/events",
            json={"sent_at_ms": self.clock(), "events": events},
            headers=self.county.huang.headers,
        )
        assert answer.status_code == 200, answer.text
        self.told(answer.json()["controls"])

    def answers(self) -> list[dict[str, Any]]:
        events = []
        for kind, demand in self.controls.items():
            if "challenge_id" not in demand:
                continue  # `stop` and `note` ask for nothing
            challenge = demand["challenge_id"]
            if self.clock() < self.due[challenge]:
                continue
            if kind == "popup":
                own = {"challenge_id": challenge, "nonce": demand["nonce"]}
                events.append(self.event("popup_shown", **own))
                trusted = {"trusted": True, "input": "keyboard", "latency_ms": 900}
                events.append(self.event("popup_answered", **own, **trusted))
            else:
                self.photo(challenge, "challenge" if kind == "face_check" else "random")
        return events

    def photo(self, challenge: str, purpose: str) -> None:
        self.taken += 1
        light = self.light if purpose == "random" else 1.0
        answer = self.client.put(
            f"/v1/sessions/{self.session}/snapshots/p{self.taken}",
            content=portrait(FACE, noise_seed=self.taken, light=light),
            params={"purpose": purpose, "challenge_id": challenge},
            headers={**self.county.huang.headers, "content-type": "image/jpeg"},
        )
        assert answer.status_code == 202 and answer.json()["bound"]


@pytest.fixture
def lin(client: TestClient, county: County, services: Services, clock: TestClock) -> Lesson:
    found_school(client, county)
    for take in range(3):
        client.put(
            "/v1/learners/lin/reference-photo",
            content=portrait(FACE, noise_seed=100 + take),
            headers={**county.huang.headers, "content-type": "image/jpeg"},
        )
    return Lesson(client, county, clock)


def test_lin_studies_a_whole_lesson(
    lin: Lesson, services: Services, app: FastAPI, database: Database
) -> None:
    lin.open()
    while lin.position_s < 45 * 60:
        lin.play()
        run_pending(services)
    lin.play(seconds=0)  # answers what fell due with the last words of the lesson
    headers = lin.county.huang.headers
    assert lin.client.post("/v1/sessions/s1/close", headers=headers).status_code == 202
    seen = lin.client.get("/v1/sessions/s1", headers=headers).json()
    asked = [line["control"] for line in seen["controls"]]
    assert asked.count("face_check") == 1 and asked.count("snapshot") == 2
    assert 9 <= asked.count("popup") <= 15
    due = [line for line in seen["controls"] if line["due_at_ms"] <= lin.clock()]
    assert len(seen["controls"]) - len(due) <= 1  # announced ahead, for after the end
    assert all(line["answered_at_ms"] and not line["expired_at_ms"] for line in due)
    assert seen["schedule_verified"] is True
    noted = {flag for line in seen["controls"] for flag in line["flags"]}
    assert noted == {"service", "random_time"}


def test_photos_are_asked_for_whoever_sends_some_of_their_own_between_seldom_reports(
    lin: Lesson,
) -> None:
    lin.open()
    while lin.position_s < 45 * 60:
        lin.report([*(lin.beat() for _ in range(6)), *lin.answers()])
        lin.client.put(
            f"/v1/sessions/s1/snapshots/own{lin.seq}",
            content=portrait(FACE, noise_seed=lin.seq),
            params={"purpose": "random"},
            headers={**lin.county.huang.headers, "content-type": "image/jpeg"},
        )
    seen = lin.client.get("/v1/sessions/s1", headers=lin.county.huang.headers).json()
    assert [line["control"] for line in seen["controls"]].count("snapshot") == 2


def test_photos_are_asked_for_again_in_an_hour_whose_first_ones_show_nobody(
    lin: Lesson, services: Services
) -> None:
    headers, asked = lin.county.huang.headers, []
    for lin.session, lin.light in (("s1", 0.02), ("s2", 1.0)):
        lin.seq = 0
        lin.open()
        while lin.position_s < 45 * 60:
            lin.play(20)
        lin.play(seconds=0)
        run_pending(services)
        assert lin.client.post(f"/v1/sessions/{lin.session}/close", headers=headers).is_success
        url = f"/v1/sessions/{lin.session}"
        while (seen := lin.client.get(url, headers=headers).json())["verdict"] is None:
            time.sleep(0.01)
        asked.append([line["control"] for line in seen["controls"]].count("snapshot"))
        hours = lin.client.get("/v1/classes/c1/class-hours?learner_id=lin", headers=headers)
        hour = hours.json()["learners"][0]["class_hours"][0]
        reasons = {it["reason"] for it in hour["findings"]}
        assert ("no_face_visible" in reasons) == (lin.session == "s1")
    assert asked == [2, 2]


def test_an_answer_that_comes_twice_in_one_batch_sent_twice_is_one_answer(lin: Lesson) -> None:
    lin.open()
    while "popup" not in lin.controls:
        lin.play()
    own = {key: lin.controls["popup"][key] for key in ("challenge_id", "nonce")}
    events = [lin.event("popup_shown", **own), lin.event("popup_answered", **own)]
    body = {"sent_at_ms": lin.clock(), "events": events}
    for _ in range(2):
        answer = lin.client.post(
            "/v1/sessions/s1/events", json=body, headers=lin.county.huang.headers
        )
        assert "popup" not in answer.json()["controls"]
    seen = lin.client.get("/v1/sessions/s1", headers=lin.county.huang.headers).json()
    assert [it["flags"] for it in seen["controls"] if it["control"] == "popup"] == [
        ["service", "random_time"]
    ]
