"""A generated day through the detectors: 100,000 sessions, 24 M events → findings.

    python -m benchmarks.assess [--sessions 100000] [--postgres URL]

Reads sealed sessions class by class, as the night does, builds the columns and runs the credit
engine and every detector, in one process. Beside it, in the same run, the same rows are merely
read and decoded. Prints sessions/s, events/s, peak memory and the ratio of the two.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sqlalchemy import delete, select, text

from app.bench.day import EVENTS, LEARNERS, LESSONS, generate
from app.bench.machine import machine
from app.db import Database
from app.domain.policy import packs
from app.store import schema
from app.store.judging import facts
from detectors.assess import assess
from detectors.trace import CONTROL, EVENT, PHOTO
from models import Base, EventLog


def fresh(url: str, sessions: int, learners: int = LEARNERS) -> Database:
    """The generated day, in a database that holds nothing else."""
    database = Database(url)
    schema.upgrade(database)
    with database.write() as connection:
        tables = reversed(Base.metadata.sorted_tables)
        if database.sqlite:
            for table in tables:
                connection.execute(delete(table))
        else:
            connection.execute(text("TRUNCATE " + ", ".join(it.name for it in tables)))
    generate(database, sessions, learners)
    return database


def bare_read(database: Database, sessions: int) -> float:
    """Seconds to read and decode every sealed session, and nothing else."""
    began = time.perf_counter()
    events = 0
    with database.read() as connection:
        for first in range(1, sessions + 1, 2_000):
            query = select(EventLog.events, EventLog.controls, EventLog.photos).where(
                EventLog.session_id >= first, EventLog.session_id < first + 2_000
            )
            rows = connection.execute(query).all()
            columns = np.frombuffer(b"".join(row[0] for row in rows), EVENT)
            for name in ("recv_ms", "pos_ms", "seq", "at_ms"):
                events += len(columns[name].astype(np.int64))
            np.frombuffer(b"".join(row[1] for row in rows), CONTROL)
            np.frombuffer(b"".join(row[2] for row in rows), PHOTO)
    assert events == 4 * EVENTS * sessions
    return time.perf_counter() - began


def judge(database: Database, sessions: int) -> tuple[float, dict[str, int]]:
    """Seconds to read, credit and judge everything, class by class; findings by rule."""
    policy = packs.load("huangchuan-2021-graded").policy
    began = time.perf_counter()
    found: dict[str, int] = {}
    with database.read() as connection:
        for klass in range(1, -(-sessions // (LEARNERS * LESSONS)) + 1):
            evidence = facts.of_class(connection, klass)
            for finding in assess(evidence.trace, policy).findings:
                key = f"{finding.rule} {finding.outcome}"
                found[key] = found.get(key, 0) + 1
    return time.perf_counter() - began, found


def run(url: str, sessions: int) -> None:
    """The measurement proper, in a process of its own so that peak memory is its own."""
    database = Database(url)
    reading = min(bare_read(database, sessions) for _ in range(2))
    seconds, found = judge(database, sessions)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    events = sessions * EVENTS
    print(f"  read and decode only   {reading:7.2f} s")
    print(f"  read, credit, detect   {seconds:7.2f} s   {seconds / reading:.2f} × reading")
    print(
        f"  {sessions / seconds:,.0f} sessions/s, {events / seconds:,.0f} events/s,"
        f" peak {peak:.0f} MiB"
    )
    print("  findings: " + ", ".join(f"{name} {count}" for name, count in sorted(found.items())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--postgres", help="URL of a PostgreSQL database; WHAT IS IN IT IS DELETED")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        run(arguments.run, arguments.sessions)
        return
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        urls = {"SQLite": f"sqlite:///{Path(folder) / 'bench.sqlite'}"}
        if arguments.postgres:
            urls["PostgreSQL"] = arguments.postgres
        for name, url in urls.items():
            database = fresh(
                url.replace("postgresql://", "postgresql+psycopg://"), arguments.sessions
            )
            database.close()
            print(
                f"{name}: {arguments.sessions:,} sessions, {arguments.sessions * EVENTS:,} events"
            )
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "benchmarks.assess",
                    "--run",
                    str(database.url.render_as_string(False)),
                    "--sessions",
                    str(arguments.sessions),
                ],
                check=True,
            )


if __name__ == "__main__":
    main()
