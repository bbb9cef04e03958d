"""When the ground gives way: 503 with Retry-After, told by /readyz, and over by itself."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text, update

from app import db
from app.clock import SteadyClock
from app.db import Database
from app.domain.sittings.sitting_life import of_batch
from app.errors import Conflict
from app.jobs import purge
from app.jobs.lease_sweep import sweep
from app.outages import DatabaseAway
from app.services import Services
from app.store.events import appending, event_log
from app.store.events.appending import Append
from app.store.events.events import EventStore
from app.store.faces.blobs import MARKER, Blobs, StoreAway
from models import Session
from tests.api.test_sessions import found_school, opening, post
from tests.domain.events.test_events import event
from tests.evidence import ndjson
from tests.people import County, TestClock
from tests.store.events.test_events import packed

both = pytest.mark.both_databases
BEAT = {"events": [event("progress", seq=0, position=1)]}


def tells(client: TestClient, county: County, seq: int = 0) -> Any:
    beat = {"events": [event("progress", seq=seq, position=1)]}
    return client.post("/v1/sessions/s1/events", json=beat, headers=county.huang.headers)


@contextmanager
def full(database: Database) -> Iterator[None]:
    """Connections from now on find no room for another page."""
    database.engine.dispose()
    with database.read() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()

    def limit(connection: Any, *_: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    from sqlalchemy import event as hooks

    hooks.listen(database.engine, "checkout", limit)
    yield
    hooks.remove(database.engine, "checkout", limit)
    database.engine.dispose()


def test_a_full_disk_is_an_outage_and_over_once_there_is_room(
    client: TestClient, county: County, services: Services
) -> None:
    found_school(client, county)
    assert post(client, county, opening(session_id="s1")).is_success
    beats = [event("error", seq=n, code="x", detail="y" * 1500) for n in range(200)]
    with full(services.database):
        for asked in (
            lambda: client.post(
                "/v1/sessions/s1/events", json={"events": beats}, headers=county.huang.headers
            ),
            lambda: client.put(
                "/v1/courses/big",
                json={
                    "title": "大",
                    "kind": "public",
                    "sequential_lock": False,
                    "lessons": [
                        {"lesson_id": f"l{n}", "title": "课" * 400, "media_seconds": 60, "order": n}
                        for n in range(300)
                    ],
                },
                headers=county.huang.headers,
            ),
        ):
            answer = asked()
            assert (answer.status_code, answer.json()["code"]) == (503, "database"), answer.text
            assert int(answer.headers["retry-after"]) > 0
    answer = client.post(
        "/v1/sessions/s1/events", json={"events": beats}, headers=county.huang.headers
    )
    assert answer.json()["accepted"] == 200


def test_an_import_without_room_to_sort_its_records_is_an_outage(
    client: TestClient, county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect

    def full_at_once(*where: Any, **how: Any) -> sqlite3.Connection:
        connection = connect(*where, **how)
        connection.execute("PRAGMA max_page_count = 1")
        return connection

    records = ndjson([{"kind": "course"}])
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(sqlite3, "connect", full_at_once)
        answer = client.post("/v1/imports", content=records, headers=county.huang.headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "disk"), answer.text
        assert int(answer.headers["retry-after"]) > 0
    answer = client.post("/v1/imports", content=records, headers=county.huang.headers)
    assert answer.json()["code"] != "disk"


def test_a_lock_that_somebody_holds_is_an_outage_within_seconds(
    client: TestClient, county: County, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    found_school(client, county)
    assert post(client, county, opening(session_id="s1")).is_success
    path = services.database.url.database
    assert path
    services.database.engine.dispose()
    monkeypatch.setattr(appending, "MOST_PATIENCE_S", 0.3)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        answer = tells(client, county)
        assert (answer.status_code, answer.json()["code"]) == (503, "database")
        assert time.monotonic() - began < 2
        monkeypatch.setattr("app.http.readiness.MOST_WAIT_S", 0.2)
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "failed")
        other.execute("ROLLBACK")
    assert tells(client, county).json()["next_seq"] == 1


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_database_that_was_restarted_is_an_outage_and_over_by_itself(
    client: TestClient, county: County, services: Services, backend: str
) -> None:
    found_school(client, county)
    assert post(client, county, opening(session_id="s1")).is_success
    statuses = []
    for n in range(6):
        url = services.database.url.set(drivername="postgresql")
        with psycopg.connect(url.render_as_string(hide_password=False)) as it:
            it.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        statuses.append(tells(client, county, n).status_code)
    assert set(statuses) <= {200, 503}
    assert tells(client, county, 7).status_code == 200


@pytest.mark.parametrize("backend", ["postgresql"])
@pytest.mark.parametrize(
    "state",
    [
        *("08000", "08001", "08004", "08006", "08P01", "25006", "25P03", "25P04", "28P01"),
        *("40001", "40P01", "42501", "42P01", "53000", "53100", "53200", "53300", "55P03"),
        *("57014", "57P01", "57P02", "57P03", "57P04", "57P05", "58030", "58P01", "XX001", "XX002"),
    ],
)
def test_what_a_server_says_in_trouble_is_an_outage(
    database: Database, backend: str, state: str
) -> None:
    said = f"DO $$ BEGIN RAISE EXCEPTION 'in trouble' USING ERRCODE = '{state}'; END $$"
    with pytest.raises(DatabaseAway), database.write() as connection:
        connection.execute(text(said))


@pytest.mark.parametrize("backend", ["postgresql"])
def test_no_connection_is_kept_to_a_server_that_only_reads(
    database: Database, backend: str
) -> None:
    """A standby answers for ever, while behind the same address another server takes writes."""
    name = database.url.database

    def set_by_its_owner(words: str) -> None:
        url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        writing = "-c default_transaction_read_only=off"
        with psycopg.connect(url, autocommit=True, options=writing) as it:
            it.execute(f"ALTER DATABASE {name} {words}")

    database.engine.dispose()
    set_by_its_owner("SET default_transaction_read_only = on")
    with pytest.raises(DatabaseAway):
        database.ping()
    set_by_its_owner("RESET default_transaction_read_only")
    database.ping()


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_server_that_freezes_is_given_up(
    database: Database, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db._BoundedConnection, "patience_s", 0.3)
    began = time.monotonic()
    with pytest.raises(DatabaseAway), database.read() as connection:
        connection.execute(text("SELECT pg_sleep(30)"))
    assert time.monotonic() - began < 3
    with database.read() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def sit_down(client: TestClient, county: County, learners: list[str]) -> None:
    """A sitting for each of them, so that judging one has no rivals to look at."""
    people = [{"learner_id": it, "name": "林某", "consent": {"face": False}} for it in learners]
    body = {"learners": people}
    answer = client.put("/v1/classes/c1/roster", json=body, headers=county.huang.headers)
    assert answer.is_success, answer.text
    for it in learners:
        answer = post(client, county, opening(it, session_id=f"of-{it}", device_id=it))
        assert answer.is_success, answer.text


@pytest.mark.thorough
@pytest.mark.parametrize("backend", ["postgresql"])
def test_sweep_and_append_stand_in_nobody_s_way(
    client: TestClient, county: County, services: Services, clock: TestClock, backend: str
) -> None:
    """Leases that ran out in one order, posted to in the other: each group holds half of what the
    other waits for, unless one of them waits for nobody."""
    found_school(client, county)
    sit_down(client, county, [f"lin-{n}" for n in range(78)])
    database = services.database
    with database.write() as connection:
        ids = connection.execute(select(Session.id).order_by(Session.id)).scalars().all()
        for n, session_id in enumerate(ids):
            mine = update(Session).where(Session.id == session_id)
            connection.execute(mine.values(lease_expires_ms=clock() - 1000 - n))
    over = threading.Event()
    failed: list[Exception] = []

    def sweeping() -> None:
        while not over.is_set():
            try:
                sweep(services)
                with database.write() as connection:
                    every = select(Session.id).order_by(Session.id)
                    connection.execute(every.with_for_update(key_share=True))
                    again = update(Session).values(state="open", closed_ms=None)
                    connection.execute(again.values(lease_expires_ms=clock() - Session.id))
            except Exception as error:  # noqa: BLE001 - told below
                failed.append(error)

    thread = threading.Thread(target=sweeping)
    thread.start()
    store = EventStore(database, of_batch)
    try:
        for n in range(25):
            group = [Append(it, packed([n], 10), clock(), 120_000) for it in ids]
            outcomes = store._outcomes(group)
            assert not [it for it in outcomes if isinstance(it, Exception)]
    finally:
        over.set()
        thread.join()
    assert not [it for it in failed if "deadlock" in repr(it.__cause__)]


def test_one_batch_that_cannot_be_stored_costs_no_other_its_place(
    client: TestClient, county: County, services: Services, clock: TestClock
) -> None:
    found_school(client, county)
    assert post(client, county, opening(session_id="s1")).is_success
    store = EventStore(services.database, of_batch)
    good = Append(1, packed([0], 10), clock(), 120_000)
    bad = Append(1, packed([1], 10), "never", 120_000)  # type: ignore[arg-type]
    stored, failed = store._outcomes([good, bad])
    assert isinstance(failed, Exception) and stored.next_seq == 1  # type: ignore[union-attr]


@pytest.mark.thorough
@both
def test_one_purge_at_a_time(services: Services, database: Database) -> None:
    other = Database(database.url.render_as_string(hide_password=False))
    with other.alone("purge") as mine:
        assert mine
        with pytest.raises(Conflict, match="another process"):
            purge.perform(services, "test")
    assert purge.perform(services, "test")["photos"] == 0
    other.close()


class TestClockThatIsSet:
    def test_it_goes_on_as_it_went_and_tells(self) -> None:
        at = {"wall": 1_000_000 * 10**9, "boot": 0}
        clock = SteadyClock(lambda: at["wall"], lambda: at["boot"])
        first = clock()
        for seconds in (-600, 86_400):
            at["wall"] += seconds * 10**9
            assert clock() == first and clock.stepped_ms == seconds * 1000
            at["wall"] -= seconds * 10**9
            assert clock.stepped_ms == 0

    def test_small_corrections_and_sleep_are_followed(self) -> None:
        at = {"wall": 1_000_000 * 10**9, "boot": 0}
        clock = SteadyClock(lambda: at["wall"], lambda: at["boot"])
        for name in ("wall", "boot"):  # the machine slept for an hour
            at[name] += 3_600 * 10**9
        assert clock() == at["wall"] // 10**6 and clock.stepped_ms == 0
        at["wall"] -= 10**9
        assert clock() == at["wall"] // 10**6

    def test_within_a_sitting_time_never_runs_backwards(
        self, client: TestClient, county: County, services: Services, clock: TestClock
    ) -> None:
        found_school(client, county)
        assert post(client, county, opening(session_id="s1")).is_success
        clock.advance(minutes=1)
        assert tells(client, county, 0).status_code == 200
        clock.advance(minutes=-10)
        assert tells(client, county, 1).status_code == 200
        with services.database.read() as connection:
            log = event_log.read(connection, 1)
            row = connection.execute(select(Session)).one()
        assert log.events["recv_ms"].tolist() == [60_000, 60_000]
        assert row.last_recv_ms == row.opened_ms + 60_000

    def test_a_time_that_has_not_come_locks_nobody_out(
        self, client: TestClient, county: County, clock: TestClock
    ) -> None:
        found_school(client, county)
        clock.advance(days=1)
        assert post(client, county, opening(session_id="s1")).is_success
        clock.advance(days=-1)
        answer = post(client, county, opening(session_id="s2", device_id="d2", window_id="w2"))
        assert answer.is_success, answer.text


class TestPhotoFolder:
    def test_one_that_is_gone_is_away_and_not_made_anew(self, tmp_path: Any) -> None:
        folder = tmp_path / "blobs"
        blobs = Blobs(folder.as_uri())
        blobs.put("learners/1/a", b"x")
        (folder / MARKER).rename(tmp_path / "elsewhere")
        for asked in (blobs.ping, lambda: blobs.get("learners/1/a"), lambda: blobs.put("b", b"y")):
            with pytest.raises(StoreAway):
                asked()
        (tmp_path / "elsewhere").rename(folder / MARKER)
        assert blobs.get("learners/1/a") == b"x"

    def test_an_empty_one_in_the_place_of_a_full_one_is_not_taken(self, tmp_path: Any) -> None:
        with pytest.raises(StoreAway):
            Blobs((tmp_path / "gone").as_uri(), lambda: False).ping()
        assert not (tmp_path / "gone").exists()

    def test_one_of_an_earlier_version_is_taken_over(self, tmp_path: Any) -> None:
        (tmp_path / "learners").mkdir()
        Blobs(tmp_path.as_uri(), lambda: False).ping()
        assert (tmp_path / MARKER).exists()


def test_a_disk_that_is_nearly_full_is_told(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/readyz").json()["checks"]["disk"] == "ok"
    monkeypatch.setattr("app.jobs.ground.LEAST_FREE", 1 << 60)
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["disk"]) == (503, "failed")
