"""What the lease of a sitting opens: its own doors while the sitting takes something, else nothing.

Every route is asked with leases in every state; at all but those doors the answer is the one that
nobody gets, so that a lease never says more than no credentials at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Connection, func, select, update

from app.http.lease_ring import CACHE_MS
from app.jobs import lease_sweep
from app.services import Services
from models import Control, EventBatch, Session, Snapshot, TrainingClass
from tests.people import TestClock
from tests.thorough import later
from tests.walk.dataset import Dataset, routes
from tests.walk.test_api import ask

DOORS = {
    "POST /v1/sessions/{session_id}/events": 200,
    "PUT /v1/sessions/{session_id}/snapshots/{snapshot_id}": 202,
    "POST /v1/sessions/{session_id}/close": 202,
}
RECORD_STORE = "/xAPI/"  # its doors: tests/api/test_xapi.py
OURS = {
    "learner_id": "learner-01",
    "class_id": "class-demo",
    "lesson_id": "course-demo-01",
    "device_id": "phone",
    "window_id": "tab",
    "session_id": "ours",
}


class Desk:
    """Opens and ends sittings as the platform does."""

    def __init__(self, walker: TestClient, dataset: Dataset, clock: TestClock) -> None:
        self.walker, self.clock = walker, clock
        self.services: Services = walker.app.state.services  # type: ignore[attr-defined]
        self.headers = dataset.county.huang.headers

    def opened(self, **changes: Any) -> str:
        body = OURS | changes
        answer = self.walker.post("/v1/sessions", json=body, headers=self.headers)
        assert answer.status_code in (200, 201), answer.text
        return str(answer.json()["lease"]["token"])

    def closed(self) -> str:
        token = self.opened()
        answer = self.walker.post("/v1/sessions/ours/close", json={}, headers=self.headers)
        assert answer.status_code == 202
        return token

    def later(self, token: str, **time: float) -> str:
        self.clock.advance(**time)
        return token

    def swept(self, token: str, **time: float) -> str:
        self.clock.advance(**time)
        assert lease_sweep.sweep(self.services)
        return token


def renewed(desk: Desk) -> str:
    former = desk.opened()
    desk.opened()
    return former


def superseded(desk: Desk) -> str:
    former = desk.later(desk.opened(), seconds=60)  # silent for longer than a handover takes
    desk.opened(session_id="elsewhere", window_id="tab-2")
    return former


def another_learners(desk: Desk) -> str:
    desk.opened()
    return desk.opened(learner_id="learner-02", session_id="theirs", device_id="pc")


def altered(desk: Desk) -> str:
    token = desk.opened()
    return token[:-1] + ("A" if token[-1] != "A" else "B")


def of_another_platform(desk: Desk) -> str:
    token = desk.opened()
    return "zl2" + token[token.index("_") :]


OPENS: dict[str, Callable[[Desk], str]] = {
    "open": Desk.opened,
    "run out a minute ago": lambda desk: desk.swept(desk.opened(), minutes=3),
    "closed just now": Desk.closed,
    "superseded just now": superseded,
}
SHUT: dict[str, Callable[[Desk], str]] = {
    "closed long ago": lambda desk: desk.later(desk.closed(), minutes=16),
    "superseded long ago": lambda desk: desk.later(superseded(desk), minutes=16),
    "run out days ago": lambda desk: desk.later(desk.swept(desk.opened(), minutes=3), days=2),
    "renewed": renewed,
    "another learner's": another_learners,
    "altered": altered,
    "of another platform": of_another_platform,
}


@pytest.fixture
def desk(app: FastAPI, dataset: Dataset, clock: TestClock) -> Iterator[Desk]:
    """Of a service that runs: what is acknowledged is written by a thread of its own."""
    with TestClient(app) as client:
        desk = Desk(client, dataset, clock)
        with desk.services.database.write() as connection:  # the class is still taught
            connection.execute(update(TrainingClass).values(ends_on="2027-01-31"))
        yield desk


@pytest.fixture
def ours(dataset: Dataset) -> Dataset:
    """Addresses name the sitting that the lease is of."""
    names = {**dataset.api, "session_id": "ours", "snapshot_id": "p1"}
    return Dataset(dataset.folder, dataset.county, dataset.now_ms, api=names)


def kept(connection: Connection) -> list[int]:
    every = (EventBatch, Snapshot, Control, Session)
    return [connection.execute(select(func.count()).select_from(it)).scalar_one() for it in every]


@pytest.mark.parametrize("state", OPENS)
def test_a_lease_opens_the_doors_of_its_sitting(state: str, desk: Desk, ours: Dataset) -> None:
    mine = {"authorization": f"Bearer {OPENS[state](desk)}"}
    for name, status in DOORS.items():
        method, path = name.split()
        told = ask(desk.walker, ours, method, path, mine)
        assert told[0] == status, (name, told)


@pytest.mark.parametrize("state", SHUT)
def test_no_other_lease_opens_them_and_nothing_is_kept(
    state: str, desk: Desk, ours: Dataset
) -> None:
    services = desk.services
    not_mine = {"authorization": f"Bearer {SHUT[state](desk)}"}
    desk.clock.advance(milliseconds=CACHE_MS)
    with services.database.read() as connection:
        before = kept(connection)
    for name in DOORS:
        method, path = name.split()
        told = ask(desk.walker, ours, method, path, not_mine)
        assert told[0] == 401, (name, told)
    with services.database.read() as connection:
        assert kept(connection) == before


@pytest.mark.thorough
@pytest.mark.parametrize("state", ["open", *later("closed just now", "run out a minute ago")])
def test_everywhere_else_a_lease_is_no_more_than_nothing(
    state: str, desk: Desk, ours: Dataset, dataset: Dataset, app: FastAPI
) -> None:
    mine = {"authorization": f"Bearer {OPENS[state](desk)}"}
    asked = 0
    for method, path in routes(app):
        if f"{method} {path}" in DOORS or path.startswith(RECORD_STORE):
            continue
        of = ours if path.startswith("/v1/") else dataset
        nobody, with_lease = (ask(desk.walker, of, method, path, it)[0] for it in ({}, mine))
        refused = {nobody, with_lease} <= {401, 403}
        assert refused or with_lease == nobody, (method, path, nobody, with_lease)
        asked += 1
    assert asked > 200
