"""A platform's developers see what was refused and why, and nobody's data in it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, func, select

from app.domain.accounts import refused_requests
from app.domain.accounts.refused_requests import KEPT_MS
from app.http.refusals import Refusals
from app.jobs import purge
from app.main import create_app
from app.services import Services
from app.settings import Settings
from models import RefusedRequest
from tests.api.test_sessions import found_school, opening, post
from tests.people import County, TestClock

STRANGER = {"authorization": "Bearer zx_" + "q" * 43}


def book(client: TestClient) -> Refusals:
    found: Refusals = client.app.state.callers.refusals  # type: ignore[attr-defined]
    return found


def refused(client: TestClient, county: County, whose: str = "huang") -> list[dict[str, Any]]:
    book(client).write()
    answer = client.get("/v1/refused-requests", headers=getattr(county, whose).headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["refused"]
    return found


def test_a_refusal_is_told_with_its_reason_and_without_what_was_sent(
    client: TestClient, county: County
) -> None:
    found_school(client, county)
    answer = post(client, county, opening(learner_id="wu-13800000000"))
    roster = {"learners": [{"learner_id": "x", "name": "吴某", "id_number": "not-a-number"}]}
    client.put("/v1/classes/c1/roster", json=roster, headers=county.huang.headers)
    client.get("/v1/clases/c1", headers=county.huang.headers)
    client.head("/v1/clases/c1", headers=county.huang.headers)
    told = refused(client, county)
    assert {(it["method"], it["route"], it["status"]) for it in told} == {
        ("POST", "/v1/sessions", answer.status_code),
        ("PUT", "/v1/classes/{class_id}/roster", 422),
        ("GET", "/v1/clases/…", 404),
        ("HEAD", "/v1/clases/…", 404),
    }
    opened = next(it for it in told if it["route"] == "/v1/sessions")
    assert opened["code"] == answer.json()["code"]
    assert opened["request_id"] == answer.headers["x-request-id"]
    assert opened["key_label"] and opened["key_id"]
    assert next(it for it in told if it["status"] == 422)["field"].startswith("learners[0]")
    assert not any(sent in repr(told) for sent in ("13800000000", "吴某", "not-a-number", "wu-"))


def test_each_platform_sees_its_own_and_a_stranger_is_nobodys(
    client: TestClient, county: County
) -> None:
    client.get("/v1/classes/none", headers=county.huang.headers)
    client.get("/v1/classes/none", headers=STRANGER)
    client.get("/v1/classes/none")
    assert len(refused(client, county)) == 1
    assert refused(client, county, "guang") == []


def test_a_key_that_is_over_and_an_xapi_client_are_told_too(
    client: TestClient, county: County
) -> None:
    made = client.post(
        "/v1/keys", json={"label": "old", "scopes": ["ingest"]}, headers=county.huang.headers
    ).json()
    client.delete(f"/v1/keys/{made['key_id']}", headers=county.huang.headers)
    client.get("/v1/keys", headers={"authorization": f"Bearer {made['key']}"})
    pair = base64.b64encode(f"{made['key_id']}:{made['key']}".encode()).decode()
    client.post(
        "/xAPI/statements",
        json={},
        headers={"authorization": f"Basic {pair}", "x-experience-api-version": "1.0.3"},
    )
    told = refused(client, county)
    assert {(it["route"], it["status"], it["key_label"]) for it in told} == {
        ("/xAPI/statements", 401, "old"),
        ("/v1/keys", 401, "old"),
    }


def test_events_that_are_refused_one_by_one_are_told(client: TestClient, county: County) -> None:
    found_school(client, county)
    opened = post(client, county, opening(session_id="s1")).json()
    lease = {"authorization": f"Bearer {opened['lease']['token']}"}
    bad = {"seq": 1, "type": "dance", "at_ms": 1, "position": 1}
    good = {"seq": 0, "type": "play", "at_ms": 1, "position": 0}
    path = "/v1/sessions/s1/events"
    client.post(
        path, json={"sent_at_ms": 1, "events": [good, bad, {**bad, "seq": 2}]}, headers=lease
    )
    client.post(path, content=b"{", headers={**lease, "content-type": "application/json"})
    told = refused(client, county)
    assert {(it["status"], it["count"], it["key_label"]) for it in told} == {
        (400, 1, None),
        (200, 2, None),
    }
    assert {it["route"] for it in told} == {"/v1/sessions/{session_id}/events"}
    forged = f"zl{opened['lease']['token'][2:].partition('_')[0]}_" + "x" * 43
    client.post(path, json={"events": []}, headers={"authorization": f"Bearer {forged}"})
    assert len(refused(client, county)) == 2  # a made-up lease writes on nobody's page


def test_a_flood_costs_one_row_and_nothing_is_written_for_what_is_answered(
    client: TestClient, county: County, services: Services
) -> None:
    said: list[str] = []
    event.listen(services.database.engine, "before_cursor_execute", lambda *it: said.append(it[2]))
    client.get("/v1/keys", headers=county.huang.headers)
    book(client).write()
    assert not [it for it in said if "refused_requests" in it]
    for n in range(30):
        client.get(f"/v1/classes/c{n}", headers=county.huang.headers)
    assert [it["count"] for it in refused(client, county)] == [30]
    assert len([it for it in said if "INSERT INTO refused_requests" in it]) <= 2


def test_the_newest_are_kept_for_their_days(
    client: TestClient,
    county: County,
    services: Services,
    clock: TestClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refused_requests, "MOST", 3)
    for _ in range(5):
        client.get("/v1/classes/none", headers=county.huang.headers)
        book(client).write()
        clock.advance(minutes=1)
    assert len(refused(client, county)) == 3
    clock.advance(milliseconds=KEPT_MS)
    assert refused(client, county) == []
    purge.perform(services, "test")
    with services.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(RefusedRequest)) == 0


@pytest.fixture
def other(client: TestClient, settings: Settings, clock: TestClock) -> Iterator[TestClient]:
    app = create_app(settings, clock)
    with TestClient(app) as second:
        yield second
    app.state.services.database.close()


@pytest.mark.both_databases
def test_what_another_service_refused_is_seen_and_counted_on(
    client: TestClient, other: TestClient, county: County
) -> None:
    for service in (client, other, client):
        service.get("/v1/classes/none", headers=county.huang.headers)
        book(service).write()
    assert [it["count"] for it in refused(other, county)] == [3]


def test_an_answer_does_not_wait_for_the_database(
    client: TestClient, county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/v1/keys", headers=county.huang.headers)
    writes: list[object] = []
    monkeypatch.setattr(type(book(client)), "write", lambda self: writes.append(self))
    assert client.get("/v1/classes/none", headers=county.huang.headers).status_code == 404
    assert writes == []
