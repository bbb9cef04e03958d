"""A platform forwards events without numbers: the service numbers them, each batch once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from app.jobs.settler import settle_all
from tests.api.test_events import school  # noqa: F401
from tests.api.test_sessions import opening, post
from tests.people import County, TestClock


def forward(client: TestClient, county: County, *events: Any, head: Any = None, **more: Any) -> Any:
    body = {"events": [{"session_id": "s1", **event} for event in events], **more}
    headers = county.huang.headers | (head or {})
    return client.post("/v1/events", json=body, headers=headers)


def beat(at_ms: int, position: float) -> dict[str, Any]:
    return {"type": "progress", "at_ms": at_ms, "position": position, "rate": 1}


def stored(client: TestClient, county: County) -> int:
    return client.get("/v1/sessions/s1", headers=county.huang.headers).json()["event_count"]


@pytest.mark.both_databases
@pytest.mark.parametrize("how", ["body", "header", "content"])
def test_a_batch_that_is_sent_again_is_stored_once(client, school, clock, how):  # noqa: F811
    ways: dict[str, dict[str, Any]] = {
        "body": {"batch_id": "b1"},
        "header": {"head": {"Idempotency-Key": "b1"}},
        "content": {},
    }
    more = ways[how]
    events = [beat(clock() + 10_000, 10.0), beat(clock(), 0.0)]
    clock.advance(seconds=20)
    first = forward(client, school, *events, **more).json()
    again = forward(client, school, *events, **more).json()
    assert (first["accepted"], first["sessions"]["s1"]["next_seq"]) == (2, 2)
    assert (again["accepted"], again["duplicates"]) == (0, 2)
    assert again["sessions"]["s1"]["chain"] == first["sessions"]["s1"]["chain"]
    assert stored(client, school) == 2


def test_concurrent_retries_are_stored_once(client, school, clock):  # noqa: F811
    events = [beat(clock() + n, float(n)) for n in range(5)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: forward(client, school, *events, batch_id="b").json(), range(8))
        )
    assert sum(it["accepted"] for it in answers) == 5
    assert stored(client, school) == 5


def test_one_name_with_other_events_is_refused_and_stores_nothing(client, school, clock: TestClock):  # noqa: F811
    forward(client, school, beat(clock(), 0.0), batch_id="b")
    answer = forward(client, school, beat(clock(), 5.0), batch_id="b")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "batch_conflict"
    assert stored(client, school) == 1


def test_numbers_of_a_client_and_of_the_service_do_not_mix(client, school, clock):  # noqa: F811
    forward(client, school, beat(clock(), 0.0))
    answer = forward(client, school, {"seq": 0, **beat(clock(), 7.0)})
    assert answer.json()["errors"][0]["code"] == "numbered_by_server"
    assert forward(client, school, {"seq": 1, **beat(clock(), 8.0)}).status_code == 200
    answer = forward(client, school, beat(clock(), 9.0))
    assert answer.json()["errors"][0]["code"] == "numbered_by_client"
    assert stored(client, school) == 2


def test_a_retry_is_known_after_the_sitting_was_sealed(client, school, clock, services):  # noqa: F811
    events = [beat(clock(), 0.0)]
    forward(client, school, *events, batch_id="b")
    client.post("/v1/sessions/s1/close", headers=school.huang.headers)
    clock.advance(seconds=60)
    assert settle_all(services) == 1
    again = forward(client, school, *events, batch_id="b").json()
    assert (again["accepted"], again["duplicates"]) == (0, 1)


def test_a_browser_numbers_its_events_itself(client, school, clock):  # noqa: F811
    opened = post(client, school, opening(session_id="s2", lesson="l1", learner="wu")).json()
    headers = {"authorization": f"Bearer {opened['lease']['token']}"}
    body = {"events": [beat(clock(), 0.0)]}
    answer = client.post("/v1/sessions/s2/events", json=body, headers=headers)
    assert answer.status_code == 422 and "seq" in answer.text


def test_a_batch_looks_up_its_name_and_not_what_the_sitting_has(client, school, clock, services):  # noqa: F811
    """A sitting of four hours at a batch every five seconds has 2,880 of them."""
    forward(client, school, beat(clock(), 0.0), batch_id="b0")
    read: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        read.append(statement)

    event.listen(services.database.engine, "before_cursor_execute", note)
    clock.advance(seconds=5)
    forward(client, school, beat(clock(), 5.0), batch_id="b1")
    event.remove(services.database.engine, "before_cursor_execute", note)
    assert any("forwarded_batches" in it for it in read)
    assert [it for it in read if "FROM event_batches" in it or "FROM event_logs" in it] == []
