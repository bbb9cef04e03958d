"""Old months moved out of the database, killed over it, and judged again from the files.

    ZHENXUE_DATABASE_URL=… python -m benchmarks.archive [--sittings 8000] [--kills 5]

On a throw-away database: a day of `app.bench.day`, judged by a real night, with 29 photos a sitting
and what is read in one for each; then years pass and the photos are removed. On PostgreSQL
the tables are cut into ranges first.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from app.bench import day, night, throw_away
from app.bench.machine import machine
from app.clock import DAY_MS, system_clock
from app.clock import day as day_of
from app.domain.judging import assess
from app.jobs import archive
from app.services import Services
from app.settings import Settings
from app.store import partitions
from models import Finding, Snapshot, TrainingClass

LEARNERS, PHOTOS = 80, 29
YEARS_MS = 5 * 366 * DAY_MS
TABLES = (
    *("sessions", "event_logs", "controls", "snapshots", "verdicts", "findings"),
    *("archived_logs", "archived_ledgers", "archived_photos"),
)
READING = {  # as much as the face worker writes of a photo
    "model": "dlib-resnet-v1",
    "faces": [{"box": [n, n + 1, n + 2, n + 3], "sharp": 0.123 * n} for n in range(20)],
    "reasons": ["near_threshold"],
}


def later() -> int:
    return system_clock() + YEARS_MS


def photograph(services: Services, sittings: int) -> None:
    done = {"status": "done", "reading": READING, "removal_ms": 1, "removed_ms": 1}
    for first in range(1, sittings + 1, 500):
        rows = [
            day._photo(sitting, n, day.START_MS)
            for sitting in range(first, min(first + 500, sittings + 1))
            for n in range(3, PHOTOS)
        ]
        with services.database.write() as connection:
            connection.execute(insert(Snapshot), rows)
    with services.database.write() as connection:
        services.database.unbounded(connection)
        connection.execute(update(Snapshot).values(**done, embedding_encrypted=None))
        connection.execute(update(Finding).values(status="overturned"))


def sizes(services: Services) -> dict[str, float]:
    """MB of each table with its indexes, after a vacuum."""
    engine = services.database.engine
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if services.database.sqlite:
            connection.execute(text("VACUUM"))
            return {it: _of_sqlite(connection, it) for it in TABLES}
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM FULL sessions, verdicts, findings"))
        size = text(
            "SELECT coalesce(sum(pg_total_relation_size(relid)), 0) FROM pg_partition_tree(:t)"
        )
        whole = text("SELECT pg_total_relation_size(CAST(:t AS regclass))")
        found = {}
        for it in TABLES:
            parts = connection.scalar(size, {"t": it}) or connection.scalar(whole, {"t": it})
            found[it] = float(parts or 0) / 1e6
        connection.invalidate()
        return found


def _of_sqlite(connection: Connection, table: str) -> float:
    asked = text(
        "SELECT sum(pgsize) FROM dbstat WHERE name = :t OR name IN"
        " (SELECT name FROM sqlite_master WHERE tbl_name = :t)"
    )
    return float(connection.scalar(asked, {"t": table}) or 0) / 1e6


def judged(services: Services) -> list[bytes]:
    with services.database.read() as connection:
        classes = connection.execute(select(TrainingClass.id).order_by(TrainingClass.id))
        return [
            it.body
            for one in classes.scalars().all()
            for it in assess.evaluate_sittings(connection, one).judged
        ]


def run(settings: Settings) -> None:
    services = Services.build(settings, later)
    archive.perform(services, "bench", months=1)
    services.database.close()


def timed(what: str, work: Callable[[], Any]) -> Any:
    began, spent = time.perf_counter(), time.process_time()
    found = work()
    took, own = time.perf_counter() - began, time.process_time() - spent
    print(f"  {what:<40}{took:>8.1f} s, {own:.1f} s of CPU here", flush=True)
    return found


def killed(services: Services, times: int) -> None:
    """Started and killed in the midst of a file, once a few more are there."""
    for _ in range(times):
        made = len(archive.files(services))
        spawn = multiprocessing.get_context("spawn")
        other = spawn.Process(target=run, args=(services.settings,))
        other.start()
        while other.is_alive() and len(archive.files(services)) < made + 3:
            time.sleep(0.05)
        other.kill()
        other.join()


def measure(settings: Settings, sittings: int, kills: int) -> None:
    day.fill(settings, sittings, LEARNERS)
    night.judge(settings)
    services = Services.build(settings, later)
    photograph(services, sittings)
    if not services.database.sqlite:
        timed("cut into ranges", lambda: partitions.cut(services.database, 100_000))
        partitions.keep_ahead(services.database, day_of(later()))
    before, bodies = sizes(services), timed("judged", lambda: judged(services))
    killed(services, kills)
    print(f"  {len(archive.files(services))} files after {kills} kills", flush=True)
    timed("archived, the rest of it", lambda: archive.perform(services, "bench", months=1))
    after = sizes(services)
    for it in TABLES:
        print(f"  {it:<20}{before[it]:>10.1f} MB before {after[it]:>10.1f} MB after")
    files = archive.files(services)
    print(f"  {len(files)} files, {sum(it.size for it in files) / 1e6:.1f} MB")
    assert timed("verified", lambda: archive.damaged(services)) == []
    assert timed("judged from the files, the same bytes", lambda: judged(services)) == bodies
    timed("back in the database", lambda: archive.take_back(services, "bench"))
    services.database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sittings", type=int, default=8_000)
    parser.add_argument("--kills", type=int, default=5)
    given = parser.parse_args()
    print(machine())
    with throw_away.installation(Settings(), system_clock()) as settings:
        measure(settings, given.sittings, given.kills)


if __name__ == "__main__":
    main()
