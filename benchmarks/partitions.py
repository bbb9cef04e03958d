"""Large tables cut into ranges while others write: how long it takes, and who waits for it.

    ZHENXUE_DATABASE_URL=postgresql+psycopg://… python -m benchmarks.partitions [--sittings 1000000]

On a throw-away database: 800 sittings of the day of `app.bench.day`, judged by a real night, then
their rows multiplied in SQL (sessions, logs, verdicts; a copy's blobs are cut to 200 bytes, as ten
million of full length need more disk than most machines have). The server's user must be allowed
to leave out triggers. Meanwhile one writer adds a row each time it may, and tells its longest wait.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, insert, select, text

from app.bench import day, night, throw_away
from app.bench.machine import machine
from app.clock import system_clock
from app.db import Database
from app.domain.judging import assess
from app.settings import Settings
from app.store import partitions
from app.store.events import event_log
from models import EventLog, Session, TrainingClass, Verdict

BASE, LEARNERS = 800, 80
_COPIES = 250  # of all base rows in a transaction
_BLOB = "substr({0}, 1, 200)"
_ELSEWHERE = {it: f"{it} + 100000 * n" for it in ("class_id", "learner_id", "person_id")}
_CHANGED = {
    Session: {"id": "id + n * {step}", "external_id": "external_id || '-' || n", **_ELSEWHERE},
    EventLog: {
        "session_id": "session_id + n * {step}",
        **{it: _BLOB.format(it) for it in ("manifest", "events", "notes", "controls", "photos")},
    },
    Verdict: {
        "id": "id + n * {step}",
        "subject_id": "subject_id + n * {step}",
        "class_id": _ELSEWHERE["class_id"],
        "body": _BLOB.format("body"),
    },
}


def multiply(database: Database, sittings: int) -> None:
    """Copies of all rows under other keys, of classes and people that are not there."""
    for model, changed in _CHANGED.items():
        table = model.__tablename__
        key = partitions.TABLES.get(table, "id")
        with database.read() as connection:
            step = connection.scalar(text(f"SELECT max({key}) FROM {table}"))
        names = [it.name for it in model.__table__.columns]
        told = ", ".join(changed.get(it, f'"{it}"').format(step=step) for it in names)
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
                        f" generate_series({first}, {last}) AS n WHERE {key} <= {step}"
                    )
                )
        print(f"  {table:<12}{_size(database, table):>14}", flush=True)


def _size(database: Database, table: str) -> str:
    with database.read() as connection:
        size = connection.scalar(text(f"SELECT pg_total_relation_size('{table}')"))
        rows = connection.scalar(text(f"SELECT count(*) FROM {table}"))
    return f"{rows:,} rows, {size / 1e9:.2f} GB"


@contextmanager
def writing(database: Database) -> Iterator[Callable[[], float]]:
    """Adds logs all the while; the longest wait in seconds."""
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
            with database.write() as connection:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                connection.execute(insert(EventLog), [row])
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
        last = connection.scalar(text("SELECT max(session_id) FROM event_logs"))
        one = [
            _timed(partial(event_log.sealed_of, connection, 1 + n * (last // 200)))
            for n in range(200)
        ]
        newest = select(Verdict.id).where(Verdict.class_id == class_id, Verdict.hour == 1)
        newest = newest.where(Verdict.subject_kind == "class_hour", Verdict.subject_id == 7)
        few = [_timed(lambda: connection.execute(newest).all()) for _ in range(50)]
        judged = _timed(lambda: assess.evaluate_sittings(connection, class_id))
    return {
        "the log of a sitting": statistics.median(one),
        "a learner's verdicts": statistics.median(few),
        "a class of 80 sittings judged": judged,
    }


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _judged(connection: Connection) -> list[bytes]:
    classes = connection.execute(select(TrainingClass.id)).scalars().all()
    return [it.body for one in classes for it in assess.evaluate_sittings(connection, one).judged]


def measure(settings: Settings, sittings: int, rows: int) -> None:
    day.fill(settings, BASE, LEARNERS)
    night.judge(settings)
    database = Database(settings.resolved_database_url)
    began = time.perf_counter()
    multiply(database, sittings)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.connection.dbapi_connection.patience_s = None  # type: ignore[union-attr]
        connection.execute(text("VACUUM ANALYZE"))
        connection.invalidate()
    print(f"  made in {time.perf_counter() - began:,.0f} s", flush=True)
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
    database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sittings", type=int, default=10_000_000)
    parser.add_argument("--rows", type=int, default=1_000_000, help="ids of a range")
    given = parser.parse_args()
    print(machine())
    with throw_away.installation(Settings(), system_clock()) as settings:
        measure(settings, given.sittings, given.rows)


if __name__ == "__main__":
    main()
