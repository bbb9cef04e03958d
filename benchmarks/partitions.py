"""Large tables cut into ranges while others write: how long it takes, and who waits for it.

    ZHENXUE_DATABASE_URL=postgresql+psycopg://… python -m benchmarks.partitions [--sittings 1000000]

On a throw-away database: 800 sittings of the day of `app.bench.day`, judged by a real night, with
29 photos each, then their rows multiplied in SQL (sessions, logs, verdicts, controls, photos; a
copy's blobs are cut to 200 bytes, as ten million of full length need more disk than most machines
have). The server's user must be allowed to leave out triggers. Meanwhile one writer adds a log and
a photo each time it may, and tells its longest wait.
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, func, insert, select, text, update

from app.bench import day, night, throw_away
from app.bench.machine import machine
from app.clock import system_clock
from app.db import Database
from app.domain.judging import assess
from app.settings import Settings
from app.store import partitions
from app.store.controls import controls
from app.store.events import event_log
from app.store.exchange import report_rows
from app.store.faces import snapshots
from models import Control, EventLog, Session, Snapshot, TrainingClass, Verdict

BASE, LEARNERS = 800, 80
PHOTOS = 29  # of a class-hour
_TEMPLATE = 540  # bytes of a face's encrypted embedding
_COPIES = 250  # of all base rows in a transaction
_BLOB = "substr({0}, 1, 200)"
_ELSEWHERE = {it: f"{it} + 100000 * n" for it in ("class_id", "learner_id", "person_id")}
_OF_SITTING = {"session_id": "session_id + n * {sessions}"}
_CHANGED = {
    Session: {"id": "id + n * {sessions}", "external_id": "external_id || '-' || n", **_ELSEWHERE},
    EventLog: {
        **_OF_SITTING,
        **{it: _BLOB.format(it) for it in ("manifest", "events", "notes", "controls", "photos")},
    },
    Verdict: {
        "id": "id + n * {verdicts}",
        "subject_id": "subject_id + n * {verdicts}",
        "class_id": _ELSEWHERE["class_id"],
        "body": _BLOB.format("body"),
    },
    Control: {"id": "id + n * {controls}", **_OF_SITTING},
    Snapshot: {
        "id": "id + n * {snapshots}",
        "control_id": "control_id + n * {controls}",
        "sha256": "sha256(sha256 || int4send(n))",
        **_OF_SITTING,
    },
}


def photograph(database: Database) -> None:
    """All photos of a class-hour for each sitting, bound to its last control, as a burst is."""
    rows = [
        day._photo(sitting, n, day.START_MS)
        | {"embedding_encrypted": secrets.token_bytes(_TEMPLATE)}
        for sitting in range(1, BASE + 1)
        for n in range(3, PHOTOS)
    ]
    last = select(func.max(Control.id)).where(Control.session_id == Snapshot.session_id)
    with database.write() as connection:
        connection.execute(insert(Snapshot), rows)
        connection.execute(update(Snapshot).values(control_id=last.scalar_subquery()))


def multiply(database: Database, sittings: int) -> None:
    """Copies of all rows under other keys, of classes and people that are not there."""
    keys = {it: "session_id" if it is EventLog else "id" for it in _CHANGED}
    with database.read() as connection:
        steps = {
            it.__tablename__: connection.scalar(text(f"SELECT max({key}) FROM {it.__tablename__}"))
            for it, key in keys.items()
        }
    for model, changed in _CHANGED.items():
        table = model.__tablename__
        names = [it.name for it in model.__table__.columns]
        told = ", ".join(changed.get(it, f'"{it}"').format(**steps) for it in names)
        into = ", ".join(f'"{it}"' for it in names)
        copies = sittings // BASE
        for first in range(1, copies, _COPIES):
            last = min(first + _COPIES, copies) - 1
            with database.write() as connection:
                database.unbounded(connection)
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                connection.execute(
                    text(
                        f"INSERT INTO {table} ({into}) SELECT {told} FROM {table},"
                        f" generate_series({first}, {last}) AS n"
                        f" WHERE {keys[model]} <= {steps[table]}"
                    )
                )
        if "id" in names:
            with database.write() as connection:
                connection.execute(
                    text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")
                )
        print(f"  {table:<12}{_size(database, table):>14}", flush=True)


def _size(database: Database, table: str) -> str:
    with database.read() as connection:
        size = connection.scalar(text(f"SELECT pg_total_relation_size('{table}')"))
        rows = connection.scalar(text(f"SELECT count(*) FROM {table}"))
    return f"{rows:,} rows, {size / 1e9:.2f} GB"


@contextmanager
def writing(database: Database) -> Iterator[Callable[[], float]]:
    """Adds logs and photos all the while; the longest wait in seconds."""
    stop, longest = threading.Event(), [0.0]
    with database.read() as connection:
        key = connection.scalar(text("SELECT max(session_id) FROM event_logs"))

    def write() -> None:
        at = key
        blobs = dict.fromkeys(("manifest", "events", "notes", "controls", "photos"), b"")
        while not stop.is_set():
            at += 1
            began = time.perf_counter()
            row = {"session_id": at, "chain": bytes(32), "sealed_ms": 0, **blobs}
            photo = day._photo(at, 0, day.START_MS)
            with database.write() as connection:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                connection.execute(insert(EventLog), [row])
                connection.execute(insert(Snapshot), [photo])
            longest[0] = max(longest[0], time.perf_counter() - began)
            time.sleep(0.002)

    with ThreadPoolExecutor(1) as other:
        done = other.submit(write)
        yield lambda: longest[0]
        stop.set()
        done.result()


def asked(database: Database) -> dict[str, float]:
    """Milliseconds of what the service asks these tables."""
    with database.read() as connection:
        class_id = connection.execute(select(TrainingClass.id)).scalars().all()[0]
        last = connection.scalar(text("SELECT max(id) FROM sessions"))
        some = [1 + n * (last // 200) for n in range(200)]
        newest = select(Verdict.id).where(Verdict.class_id == class_id, Verdict.hour == 1)
        newest = newest.where(Verdict.subject_kind == "class_hour", Verdict.subject_id == 7)
        found = [snapshots.rows(connection, it)[0] for it in some]
        told: dict[str, list[Callable[[], Any]]] = {
            "the log of a sitting": [partial(event_log.sealed_of, connection, it) for it in some],
            "a learner's verdicts": [lambda: connection.execute(newest).all()] * 50,
            "the controls of a sitting": [partial(controls.rows, connection, it) for it in some],
            "the photos of a sitting": [partial(snapshots.rows, connection, it) for it in some],
            "a photo by its id alone": [
                partial(snapshots.with_owner, connection, [it.id]) for it in found
            ],
            "photos that answer a control": [
                partial(snapshots.count_bound, connection, it.session_id, it.control_id or 0)
                for it in found
            ],
            "photos claimed": [
                partial(snapshots.claim, connection, "w", day.START_MS, day.START_MS, 8, 3)
            ]
            * 20,
            "a photo decided": [
                partial(snapshots.decide, connection, it, check=it.check) for it in found
            ],
            "a class of 80: its photos": [partial(report_rows.photos, connection, class_id)] * 5,
            "a class of 80: judged": [partial(assess.evaluate_sittings, connection, class_id)] * 5,
        }
        return {what: statistics.median([_timed(it) for it in work]) for what, work in told.items()}


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _judged(connection: Connection) -> list[bytes]:
    classes = connection.execute(select(TrainingClass.id)).scalars().all()
    return [it.body for one in classes for it in assess.evaluate_sittings(connection, one).judged]


def measure(settings: Settings, sittings: int, rows: int, grown: bool) -> None:
    day.fill(settings, BASE, LEARNERS)
    night.judge(settings)
    database = Database(settings.resolved_database_url)
    photograph(database)
    if grown:
        partitions.AHEAD = sittings // rows + 1
        partitions.cut(database, rows)
    began = time.perf_counter()
    multiply(database, sittings)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.connection.dbapi_connection.patience_s = None  # type: ignore[union-attr]
        connection.execute(text("VACUUM ANALYZE"))
        connection.invalidate()
    print(f"  made in {time.perf_counter() - began:,.0f} s", flush=True)
    if grown:
        with database.read() as connection:
            counts = {it.table: len(it.ranges) for it in partitions.described(connection)}
        print(f"  ranges: {counts}")
        for what, ms in asked(database).items():
            print(f"  {what:<32}{ms:>10.2f} ms")
    else:
        _cut(database, rows)
    database.close()


def _cut(database: Database, rows: int) -> None:
    with database.read() as connection:
        bodies = _judged(connection)
    before = asked(database)
    with writing(database) as longest:
        began = time.perf_counter()
        partitions.cut(database, rows)
        took = time.perf_counter() - began
        waited = longest()
    print(f"  cut into ranges of {rows:,} in {took:,.1f} s; a writer waited {waited:.2f} s at most")
    with database.read() as connection:
        print(f"  verdicts the same bytes: {_judged(connection) == bodies}")
    after = asked(database)
    for what, ms in before.items():
        print(f"  {what:<32}{ms:>10.2f} ms before {after[what]:>10.2f} ms after")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sittings", type=int, default=10_000_000)
    parser.add_argument("--rows", type=int, default=1_000_000, help="ids of a range")
    parser.add_argument(
        "--grown", action="store_true", help="cut first, as rows of years have come"
    )
    given = parser.parse_args()
    print(machine())
    with throw_away.installation(Settings(), system_clock()) as settings:
        measure(settings, given.sittings, given.rows, given.grown)


if __name__ == "__main__":
    main()
