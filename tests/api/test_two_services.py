"""Two services on one database, each with a memory of its own, serve one lesson in turn."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.errors import TooManyRequests
from app.http import enrolment_ring
from app.http.keyring import KeyRing
from app.jobs.face_worker import run_pending
from app.main import create_app
from app.services import Services
from app.settings import Settings
from app.simulation.portraits.portrait import portrait
from models import KeyUse
from tests.api.test_sessions import found_school, opening, post
from tests.api.test_sessions_live import FACE, Lesson
from tests.people import County, TestClock


class InTurn:
    """A client whose every request goes to the other service than the one before."""

    def __init__(self, *clients: TestClient) -> None:
        self._next = cycle(clients)

    def __getattr__(self, name: str) -> Any:
        return getattr(next(self._next), name)


@pytest.fixture
def in_turn(client: TestClient, settings: Settings, clock: TestClock) -> Iterator[Any]:
    other = create_app(settings, clock)
    with TestClient(other) as second:
        yield InTurn(client, second)
    other.state.services.database.close()


@pytest.mark.both_databases
def test_a_lesson_that_two_services_serve_in_turn_is_one_lesson(
    in_turn: Any, county: County, services: Services, clock: TestClock
) -> None:
    found_school(in_turn, county)
    in_turn.put(
        "/v1/learners/lin/reference-photo",
        content=portrait(FACE, noise_seed=100),
        headers={**county.huang.headers, "content-type": "image/jpeg"},
    )
    lin = Lesson(in_turn, county, clock)
    lin.open()
    refused = post(in_turn, county, opening(session_id="s2", device_id="other", window_id="w2"))
    assert (refused.status_code, refused.json()["code"]) == (409, "concurrent_session")
    while lin.position_s < 15 * 60:
        lin.play()
        run_pending(services)
    headers = county.huang.headers
    assert in_turn.post("/v1/sessions/s1/close", headers=headers).status_code == 202
    while (seen := in_turn.get("/v1/sessions/s1", headers=headers).json())["verdict"] is None:
        time.sleep(0.01)
    beside = in_turn.get("/v1/sessions/s1", headers=headers).json()
    assert seen == beside
    assert seen["event_count"] == lin.seq
    asked = [line["control"] for line in seen["controls"]]
    assert asked.count("face_check") == 1 and 3 <= asked.count("popup") <= 5
    assert not any(line["expired_at_ms"] for line in seen["controls"])
    unanswered = {it["challenge_id"] for it in seen["controls"] if not it["answered_at_ms"]}
    assert unanswered <= {it["challenge_id"] for it in lin.controls.values()}  # told at the last


def test_photos_are_asked_for_whichever_service_hears_of_their_moments(
    in_turn: Any, county: County, clock: TestClock
) -> None:
    """Reports are a minute apart: each service knows the place of two minutes ago."""
    found_school(in_turn, county)
    lin = Lesson(in_turn, county, clock)
    lin.open()
    while lin.position_s < 45 * 60:
        lin.report([*(lin.beat() for _ in range(6)), *lin.answers()])
    seen = in_turn.get("/v1/sessions/s1", headers=county.huang.headers).json()
    assert [line["control"] for line in seen["controls"]].count("snapshot") == 2


def test_a_sitting_that_went_elsewhere_and_came_back_was_not_paused(
    client: TestClient,
    settings: Settings,
    county: County,
    services: Services,
    clock: TestClock,
) -> None:
    """The balancer takes a service out for some minutes. Its memory of the sitting is then old."""
    found_school(client, county)
    other = create_app(settings, clock)
    with TestClient(other) as second:
        lin = Lesson(client, county, clock)
        lin.open()
        for service, minutes in ((client, 2), (second, 7), (client, 2)):
            lin.client = service
            until = lin.position_s + minutes * 60
            while lin.position_s < until:
                lin.play()
    other.state.services.database.close()
    seen = client.get("/v1/sessions/s1", headers=county.huang.headers).json()
    asked = [line["control"] for line in seen["controls"]]
    assert asked.count("face_check") == 1


@pytest.mark.both_databases
def test_a_key_has_one_limit_at_all_services_together(
    services: Services, county: County, clock: TestClock
) -> None:
    here, there = (KeyRing(services.database, clock, 10) for _ in range(2))
    secret = f"Bearer {county.huang.secret}"

    def let_in(ring: KeyRing, tries: int) -> int:
        count = 0
        for _ in range(tries):
            with suppress(TooManyRequests):
                ring.caller(secret)
                count += 1
        return count

    def all_told() -> None:
        for ring in (here, there, here):
            ring.limit.share()

    assert let_in(here, 6) == 6
    all_told()
    assert let_in(there, 8) == 4
    all_told()
    assert let_in(here, 3) == 0
    clock.advance(seconds=60)
    assert let_in(here, 3) == 0, "of the minute before all lies in the window"
    clock.advance(seconds=30)
    assert let_in(there, 8) == 5
    all_told()
    clock.advance(minutes=2)
    all_told()
    assert let_in(here, 12) == 10
    here.limit.share()
    with services.database.read() as connection:
        kept = connection.execute(select(KeyUse.count)).scalars().all()
    assert kept == [10], "and nothing of earlier minutes"


@pytest.mark.both_databases
def test_a_link_that_enrols_has_one_limit_at_all_services(in_turn: Any, county: County) -> None:
    found_school(in_turn, county)
    asked = in_turn.post("/v1/learners/lin/enrolment", headers=county.huang.headers).json()
    headers = {"authorization": f"Bearer {asked['token']}"}
    for _ in range(enrolment_ring.REQUESTS_A_MINUTE):
        assert in_turn.get("/v1/learners/lin/enrolment", headers=headers).status_code == 200
    for _ in range(2):
        assert in_turn.get("/v1/learners/lin/enrolment", headers=headers).status_code == 429
