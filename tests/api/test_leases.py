"""What a learner's browser may do with the lease of its sitting, and what it may not."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.http.lease_ring import REQUESTS_A_MINUTE, LeaseRing
from tests.api.test_sessions import found_school, opening, post
from tests.evidence import picture
from tests.people import County, TestClock

ELSEWHERE = {"origin": "https://school.example"}


@pytest.fixture
def school(client: TestClient, county: County) -> County:
    return found_school(client, county)


def lease(client: TestClient, county: County, **terms: Any) -> dict[str, str]:
    opened = post(client, county, opening(**terms))
    assert opened.status_code == 201, opened.text
    return {"authorization": f"Bearer {opened.json()['lease']['token']}"}


def told(client: TestClient, headers: dict[str, str], clock: TestClock, session: str = "s1") -> Any:
    event = {"seq": clock() // 1000 % 100_000, "type": "play", "at_ms": clock(), "position": 0}
    body = {"sent_at_ms": clock(), "events": [event]}
    return client.post(f"/v1/sessions/{session}/events", json=body, headers=headers)


@pytest.mark.both_databases
def test_lins_browser_tells_of_its_sitting_shows_a_photo_and_ends_it(
    client: TestClient, school: County, clock: TestClock
) -> None:
    mine = lease(client, school, session_id="s1")
    assert told(client, mine, clock).json()["accepted"] == 1
    photo = client.put(
        "/v1/sessions/s1/snapshots/p1?purpose=random",
        content=picture(0),
        headers={**mine, "content-type": "image/png"},
    )
    assert photo.status_code == 202
    assert client.post("/v1/sessions/s1/close", headers=mine).status_code == 202


def test_a_lease_opens_nothing_else(client: TestClient, school: County, clock: TestClock) -> None:
    mine = lease(client, school, session_id="s1")
    lease(client, school, learner="wu", session_id="s2")
    assert told(client, mine, clock, "s2").status_code == 401
    assert client.post("/v1/sessions/s2/close", headers=mine).status_code == 401
    for method, path in (
        ("GET", "/v1/sessions/s1"),
        ("POST", "/v1/sessions"),
        ("POST", "/v1/sessions/s1/controls"),
        ("POST", "/v1/events"),
        ("GET", "/v1/findings"),
        ("GET", "/v1/keys"),
    ):
        answer = client.request(method, path, json={} if method == "POST" else None, headers=mine)
        assert answer.status_code == 401, (method, path, answer.text)


def test_a_renewed_lease_takes_the_place_of_the_old_one(
    client: TestClient, school: County, clock: TestClock
) -> None:
    old = lease(client, school, session_id="s1")
    assert told(client, old, clock).status_code == 200
    new = lease(client, school, session_id="s1")
    clock.advance(seconds=6)
    assert (told(client, old, clock).status_code, told(client, new, clock).status_code) == (
        401,
        200,
    )


def test_an_opening_tells_which_number_comes_next(
    client: TestClient, school: County, clock: TestClock
) -> None:
    assert post(client, school, opening(session_id="s1")).json()["next_seq"] == 0
    body = {"events": [{"seq": 7, "type": "play", "at_ms": clock(), "position": 0}]}
    client.post("/v1/sessions/s1/events", json=body, headers=school.huang.headers)
    assert post(client, school, opening(session_id="s1")).json()["next_seq"] == 8


def test_a_backlog_is_taken_until_a_quarter_of_an_hour_after_the_end(
    client: TestClient, school: County, clock: TestClock
) -> None:
    mine = lease(client, school, session_id="s1")
    client.post("/v1/sessions/s1/close", headers=mine)
    clock.advance(minutes=14)
    assert told(client, mine, clock).status_code == 200
    clock.advance(minutes=2)
    late = told(client, mine, clock)
    assert (late.status_code, late.json()["code"]) == (401, "lease_over")


def test_a_browser_that_runs_wild_is_told_to_wait(
    client: TestClient, school: County, clock: TestClock
) -> None:
    mine = lease(client, school, session_id="s1")
    answers = {told(client, mine, clock).status_code for _ in range(REQUESTS_A_MINUTE)}
    assert answers == {200}
    refused = told(client, mine, clock)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == str(refused.json()["retry_after_s"])


def test_a_browser_that_waited_for_the_next_minute_is_heard_again(
    client: TestClient, school: County, clock: TestClock
) -> None:
    mine = lease(client, school, session_id="s1")
    answers = [told(client, mine, clock).status_code for _ in range(REQUESTS_A_MINUTE + 1)]
    assert answers[-1] == 429
    clock.advance(minutes=1)
    assert told(client, mine, clock).status_code == 200


def test_a_lease_that_was_met_of_late_needs_no_look_into_the_database(
    client: TestClient, school: County, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = lease(client, school, session_id="s1")
    assert told(client, mine, clock).status_code == 200
    monkeypatch.setattr(LeaseRing, "caller", None)  # which is what a thread is taken for
    assert told(client, mine, clock).status_code == 200


def test_a_page_of_another_origin_may_ask_for_its_sitting_and_for_nothing_else(
    client: TestClient, school: County, clock: TestClock
) -> None:
    asks = {**ELSEWHERE, "access-control-request-headers": "authorization,content-type"}
    for path, method in (("events", "POST"), ("close", "POST"), ("snapshots/p1", "PUT")):
        headers = {**asks, "access-control-request-method": method}
        allowed = client.options(f"/v1/sessions/s1/{path}", headers=headers)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in allowed.headers
    mine = lease(client, school, session_id="s1")
    answer = told(client, {**mine, **ELSEWHERE}, clock)
    assert answer.headers["access-control-allow-origin"] == "*"
    for path in ("/v1/sessions/s1", "/v1/findings", "/console", "/metrics"):
        headers = {**ELSEWHERE, **school.huang.headers}
        seen = client.get(path, headers=headers, follow_redirects=False)
        assert "access-control-allow-origin" not in seen.headers, path
