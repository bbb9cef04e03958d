"""Where the time went is told to a collector, and of nobody."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest

from app import tracing
from app.db import Database
from app.jobs import nightly
from app.services import Services
from app.settings import Settings
from app.store.events.appending import Waiting
from app.store.events.events import EventStore
from tests.api.test_sessions import found_school, opening, post
from tests.collector import Collector, attributes, collecting
from tests.jobs.test_nightly import hold
from tests.people import LIN

SECRETS = ("sitting-77", LIN["name"], LIN["id_number"])


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as it:
        yield it
        tracing.end()


@pytest.fixture
def settings(collector: Collector, settings: Settings) -> Settings:
    settings.otlp_endpoint = collector.url
    return settings


def said_of_nobody(collector: Collector) -> bool:
    sent = b"".join(collector.bodies)
    return bool(sent) and not [it for it in SECRETS if it.encode() in sent]


def test_a_request_its_commit_and_its_judgement_are_one_trace(client, county, services, collector):
    found_school(client, county)
    post(client, county, opening(session_id="sitting-77"))
    headers = county.huang.headers
    events = [{"seq": 0, "type": "play", "at_ms": 1_772_413_200_000, "position": 0.0, "rate": 1}]
    client.post("/v1/sessions/sitting-77/events", json={"events": events}, headers=headers)
    asked = client.post("/v1/sessions/sitting-77/close", json={}, headers=headers)
    assert asked.is_success, asked.text
    for stop in reversed(services.on_stop):
        stop()
    services.on_stop.clear()
    tracing.end()
    took = collector.one("POST /v1/sessions/{session_id}/events")
    commit = collector.one("events.commit")
    assert (commit.trace_id, commit.parent_span_id) == (took.trace_id, took.span_id)
    assert attributes(commit) == {"batches": 1}
    assert attributes(took)["http.response.status_code"] == 200
    judged = collector.one("sitting.judge")
    closed = collector.one("POST /v1/sessions/{session_id}/close")
    assert judged.trace_id == closed.trace_id
    assert [it for it in collector.named("database.write") if it.trace_id == judged.trace_id]
    assert said_of_nobody(collector)


def test_a_refusal_says_of_nobody_what_was_asked_for(client, county, collector):
    found_school(client, county)
    client.get("/v1/sessions/sitting-77", headers=county.huang.headers)
    client.get("/v1/nothing/like/sitting-77?name=" + LIN["name"], headers=county.huang.headers)
    tracing.end()
    missing = collector.one("GET /v1/sessions/{session_id}")
    assert attributes(missing)["http.response.status_code"] == 404
    assert collector.one("any unmatched")
    assert said_of_nobody(collector)


def test_a_commit_of_many_is_linked_to_each(database: Database, collector: Collector):
    store = EventStore(database, lambda *_: None)
    seen = []

    async def wait(name: str) -> Waiting:
        with tracing.span(name):
            seen.append(tracing.here())
            return Waiting.here(None)

    async def commit() -> None:
        group = [await wait(name) for name in ("one", "two", "three")]
        store._outcomes = lambda group: [RuntimeError()] * len(group)  # type: ignore[method-assign]
        store._write(group)

    tracing.begin(collector.url, "0")
    asyncio.run(commit())
    tracing.end()
    commit_span = collector.one("events.commit")
    assert commit_span.parent_span_id.hex() == seen[0].split("-")[2]
    assert [it.span_id.hex() for it in commit_span.links] == [it.split("-")[2] for it in seen[1:]]


@pytest.mark.parametrize(
    "executor", ["processes:1", pytest.param("processes:2", marks=pytest.mark.thorough)]
)
def test_a_night_is_one_trace_whoever_works(
    services: Services, county, tmp_path, collector, executor
):
    hold(services, county, tmp_path, 2)
    tracing.begin(collector.url, "0")
    services.settings.executor = executor
    nightly.perform(services, "test")
    tracing.end()
    night = collector.one("night")
    classes = collector.named("night.class")
    assert [it.parent_span_id for it in classes] == [night.span_id] * 2
    judged = collector.named("class.judge")
    assert len(judged) == 2 and {it.trace_id for it in judged} == {night.trace_id}
    assert said_of_nobody(collector)


def test_an_error_is_told_by_its_kind_and_not_by_its_words(collector: Collector):
    tracing.begin(collector.url, "0")
    with pytest.raises(ValueError), tracing.span("work"):
        raise ValueError("Lin " + LIN["id_number"])
    tracing.end()
    failed = collector.one("work")
    assert attributes(failed) == {"error.type": "ValueError"}
    assert not failed.events and not failed.status.message
    assert said_of_nobody(collector)


def test_without_an_address_nothing_is_traced():
    tracing.begin("", "0")
    with tracing.span("nothing"), tracing.part("nothing"):
        assert tracing.here() is None and tracing.in_log() == {}


@pytest.mark.thorough
def test_a_collector_that_hangs_keeps_nobody():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        tracing.begin(f"http://127.0.0.1:{deaf.getsockname()[1]}", "0")
        began = time.monotonic()
        for _ in range(3_000):  # more than the queue holds
            with tracing.span("work"):
                pass
        worked = time.monotonic()
        tracing.end()
        assert worked - began < 10 and time.monotonic() - worked < 2.5 * tracing.EXPORT_S
