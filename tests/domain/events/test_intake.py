"""One intake behind every door: what a live batch and a platform's log say is stored the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.domain.controls.scheduler import Batch, ControlScheduler, Demands
from app.domain.events.events import read_one
from app.domain.events.intake import (
    _DECIDING,
    LAST_SEQ,
    LONGEST_MS,
    RunningSitting,
    _Settling,
    append,
    for_scheduler,
)
from app.domain.policy import packs, sitting_terms
from app.domain.sittings.sitting_life import Fate
from app.errors import NotFound
from app.services import Services
from app.store.events import event_log
from app.store.events.appending import Append, Receipt
from app.store.events.packed import Packed
from app.store.sittings import sittings
from detectors.event_types import EVENT_TYPES
from tests.api.test_sessions import found_school, opening, post
from tests.people import County, TestClock
from tests.waiting import eventually

TERMS = sitting_terms.from_policy(packs.load("huangchuan-2021-graded").policy)
MORE: dict[str, dict[str, Any]] = {
    "seek": {"from": 1.0, "to": 2.5},
    "rate": {"rate": 1.5},
    "visibility": {"visible": False},
    "focus": {"focused": True},
    "popup_shown": {"challenge_id": "c"},
    "popup_answered": {"challenge_id": "c", "latency_ms": 900},
    "popup_expired": {"challenge_id": "c"},
    "integrity": {"code": "untrusted_input", "value": "popup"},
    "error": {"code": "decode"},
}


def one_of_each(at_ms: int) -> list[dict[str, Any]]:
    return [
        {"seq": seq, "type": it.name, "at_ms": at_ms, **MORE.get(it.name, {"position": seq * 1.5})}
        for seq, it in enumerate(EVENT_TYPES)
    ]


@pytest.fixture
def school(client: TestClient, county: County) -> County:
    return found_school(client, county)


@pytest.mark.both_databases
def test_a_log_that_is_imported_is_stored_as_the_live_batch_was(
    client: TestClient, school: County, services: Services, clock: TestClock
) -> None:
    events = one_of_each(clock())
    assert post(client, school, opening(session_id="live")).status_code == 201
    opened_ms = clock()
    clock.advance(seconds=20)
    told = client.post(
        "/v1/sessions/live/events", json={"events": events}, headers=school.huang.headers
    ).json()
    assert told["accepted"] == len(events)
    session = {
        "kind": "session", "session_id": "log", "learner_id": "wu", "class_id": "c1",
        "lesson_id": "l1", "started_at_ms": opened_ms, "received_at_ms": opened_ms,
    }  # fmt: skip
    received = [
        {"kind": "event", "session_id": "log", **it, "received_at_ms": clock()} for it in events
    ]
    body = "\n".join(json.dumps(it) for it in (session, *received)).encode()
    report = client.post("/v1/imports", content=body, headers=school.huang.headers).json()
    assert report["rejected_total"] == 0 and report["stored"]["event"] == len(events)
    with services.database.read() as connection:
        live, log = (
            event_log.read(connection, found.id)
            for name in ("live", "log")
            if (found := sittings.by_external_id(connection, school.huang.platform.id, name))
        )
    assert np.array_equal(live.events, log.events)
    assert live.notes == log.notes


@pytest.mark.parametrize(
    ("seq", "age_ms"), [(0, LONGEST_MS + 1), (LAST_SEQ + 1, 0)], ids=["too old", "no number left"]
)
def test_what_no_longer_fits_into_31_bits_is_refused_before_it_is_stored(
    services: Services, database: Any, seq: int, age_ms: int
) -> None:
    event = read_one(b'{"seq":0,"type":"play","at_ms":1772413200000,"position":1}', 0)
    assert not hasattr(event, "code")
    event.seq = seq
    with database.write() as connection:
        (stored,) = append(connection, [(RunningSitting(1, 0, TERMS), [event])], age_ms)
    assert (stored.fate, stored.batch) == (Fate.CLOSED, None)


def test_a_sitting_that_resumes_is_looked_at_again(services: Services) -> None:
    packed = Packed(b"", 1, 0, 0, True, [], 0, 0, 0)
    receipt = Receipt(1, 0, (), 1, bytes(32), "open", 5, 0, 0, Fate.RESUMES)
    told = for_scheduler(Append(1, packed, 10, 0), receipt, [])
    assert told.resumed and services.controls.glance(told) is None


async def later(run: Callable[[], None]) -> None:
    """In the loop's own thread, when all have asked."""
    await asyncio.sleep(0.05)
    run()


@pytest.mark.both_databases
def test_sittings_that_ask_at_once_after_a_restart_are_decided_together(
    client: TestClient, school: County, services: Services, clock: TestClock
) -> None:
    """As with one after the other; and of one that is gone the others lose nothing."""
    ids = two_opened(client, school, services)
    batches = [Batch(id_, 0, 0, clock()) for id_ in ids]
    alone = [ControlScheduler(services.database, services.vault).settle([it]) for it in batches]
    transactions: list[int] = []

    class Desk(ControlScheduler):
        def settle(self, batches: Sequence[Batch]) -> list[Demands]:
            transactions.append(len(batches))
            return super().settle(batches)

    desk = Desk(services.database, services.vault)

    async def ask(asked: list[Batch]) -> list[Any]:
        settling = _Settling(desk, later)
        return await asyncio.gather(
            *(settling.settle([it]) for it in asked), return_exceptions=True
        )

    told = asyncio.run(ask(batches))
    assert told == alone and transactions == [2]
    *kept, lost = asyncio.run(ask([*batches, Batch(10**9, 0, 0, clock())]))
    assert kept == alone and isinstance(lost, NotFound)


def two_opened(client: TestClient, school: County, services: Services) -> list[int]:
    """Sittings of Lin and of Wu, by their numbers."""
    names = ("lin", "wu")
    for name in names:
        assert post(client, school, opening(learner_id=name, session_id=name)).status_code == 201
    with services.database.read() as connection:
        platform = school.huang.platform.id
        return sorted(
            found.id
            for name in names
            if (found := sittings.by_external_id(connection, platform, name))
        )


@pytest.mark.parametrize("backend", ["postgresql"])
def test_of_a_sitting_that_tells_twice_the_rows_are_locked_in_the_one_order(
    client: TestClient, school: County, services: Services, clock: TestClock
) -> None:
    """Who waits for the first row holds not yet the second, which another may want next."""
    first, second = two_opened(client, school, services)
    asked = [Batch(it, number, 0, clock()) for it, number in ((second, 0), (first, 0), (second, 1))]
    desk = ControlScheduler(services.database, services.vault)
    with ThreadPoolExecutor(1) as pool:
        with services.database.write() as holder:
            holder.execute(_LOCKED, {"id": first})
            told = pool.submit(desk.settle, asked)
            assert eventually(lambda: somebody_waits(services))
            with services.database.write() as other:
                other.execute(_LOCKED, {"id": second})
        assert len(told.result(timeout=60)) == len(asked)


_LOCKED = text("SELECT id FROM sessions WHERE id = :id FOR UPDATE NOWAIT")


def somebody_waits(services: Services) -> bool:
    """For a lock of this test's database."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with services.database.read() as connection:
        return bool(connection.execute(query).scalar_one())


def test_whoever_asks_is_told_however_many_ask_from_whatever_loop() -> None:
    class Desk:
        def settle(self, asked: list[Batch]) -> list[Batch]:
            return asked

    settling = _Settling(Desk(), asyncio.to_thread)  # type: ignore[arg-type]

    async def ask(who: int) -> None:
        for number in range(200):
            asked = [Batch(who, number, 0, 0)]
            assert await asyncio.wait_for(settling.settle(asked), 20) == asked

    with ThreadPoolExecutor(2 * _DECIDING) as pool:
        list(pool.map(lambda who: asyncio.run(ask(who)), range(2 * _DECIDING)))
    assert not settling._deciding and not settling._waiting


def test_who_goes_while_waiting_keeps_nobody_from_an_answer() -> None:
    told: list[int] = []

    class Desk:
        def settle(self, asked: list[Batch]) -> list[int]:
            told.extend(it.session_id for it in asked)
            return [it.session_id for it in asked]

    async def ask() -> None:
        settling = _Settling(Desk(), later)  # type: ignore[arg-type]
        asks = (settling.settle([Batch(it, 0, 0, 0)]) for it in (1, 2))
        gone, stays = (asyncio.ensure_future(it) for it in asks)
        await asyncio.sleep(0)
        gone.cancel()
        assert await asyncio.wait_for(stays, 5) == [2]

    asyncio.run(ask())
    assert told == [2]
