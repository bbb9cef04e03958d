"""A night end to end: sealed sessions → verdicts and findings in the database.

    python -m benchmarks.nightly [--sessions 100000] [--postgres URL]

The day is the one of `benchmarks.assess`, 2,000 sessions a class. Every figure comes from a fresh
copy of it and a process of its own: `zhenxue nightly` reads, detects, and writes all verdicts, with
one process and with two. Beside it, the same rows are merely read and decoded. Peak memory is the
largest process's. Photos are not part of it: the generated ones have no object.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from app.db import Database
from app.domain.classes import ClassTerms
from app.jobs import nightly
from app.services import Services
from app.settings import Settings
from app.store import schema
from benchmarks.assess import EVENTS, LEARNERS, START_MS, bare_read, generate
from benchmarks.machine import machine
from detectors.trace import CONTROL, PHOTO, Check
from models import Base, Control, Enrolment, EventLog, Session, Snapshot, TrainingClass

DAY_MS = 86_400_000
PROCESSES = (1, 2)
COMMAND = (sys.executable, "-m", "benchmarks.nightly")
TERMS = ClassTerms.model_validate(
    {
        "institution": "I",
        "occupation": "营销员",
        "mode": "online",
        "course_ids": ["c"],
        "starts_on": "2026-10-12",
        "ends_on": "2026-11-13",
    }
).model_dump(mode="json")


def that_night() -> int:
    """The clock of the run: the class ends within the month."""
    return START_MS + 10 * DAY_MS


def run(url: str, processes: int) -> dict[str, Any]:
    """One night in this process; what it came to."""
    settings = Settings(
        database_url=url,
        data_dir=Path(tempfile.gettempdir()),
        face_workers=0,
        executor=f"processes:{processes}",
    )
    services = Services.build(settings, that_night)
    began = time.perf_counter()
    summary = nightly.perform(services, "benchmark")
    seconds = time.perf_counter() - began
    services.stop()
    assert not summary["classes_failed"] and not summary["problems"], summary
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(it).ru_maxrss for it in who) / 1024
    return {**summary, "seconds": seconds, "peak_mib": peak}


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
    with database.write() as connection:
        connection.execute(update(TrainingClass).values(terms=TERMS))
        studied = select(Session.class_id, Session.learner_id).distinct()
        enrolments = [
            {
                "class_id": class_id,
                "learner_id": learner_id,
                "enrolled_ms": START_MS,
            }
            for class_id, learner_id in connection.execute(studied)
        ]
        connection.execute(insert(Enrolment), enrolments)
    for first in range(1, sessions + 1, 1_000):
        with database.write() as connection:
            _ledger(connection, first, first + 999)
    return database


def _ledger(connection: Connection, first: int, last: int) -> None:
    """Rows for the controls and photos in the logs, as they would be there."""
    query = (
        select(EventLog.session_id, EventLog.controls, EventLog.photos, Session.opened_ms)
        .join(Session, Session.id == EventLog.session_id)
        .where(EventLog.session_id.between(first, last))
    )
    controls, photos = [], []
    for session_id, lines, taken, opened_ms in connection.execute(query):
        controls += [
            {
                "session_id": session_id,
                "kind": "popup",
                "challenge_id": f"c{n}",
                "source": "service",
                "random_time": True,
                "demand": {},
                "issued_ms": opened_ms,
                "due_ms": opened_ms,
                "window_ms": 60_000,
                "flags": 1,
            }
            for n in range(len(lines) // CONTROL.itemsize)
        ]
        photos += [
            {
                "session_id": session_id,
                "external_id": f"p{n}",
                "purpose": "random",
                "frame": 0,
                "received_ms": opened_ms,
                "sha256": session_id.to_bytes(16, "big") + n.to_bytes(16, "big"),
                "media_type": "image/jpeg",
                "size": 1,
                "status": "done",
                "attempts": 1,
                "check": int(Check.MATCH),
                "checked_ms": opened_ms,
            }
            for n in range(len(taken) // PHOTO.itemsize)
        ]
    connection.execute(insert(Control), controls)
    connection.execute(insert(Snapshot), photos)


def measure(name: str, url: str, sessions: int) -> None:
    for processes in PROCESSES:
        database = fresh(url, sessions)
        if processes == PROCESSES[0]:
            reading = min(bare_read(database, sessions) for _ in range(2))
            print(f"{name}: {sessions:,} sessions, {sessions * EVENTS:,} events")
            print(f"  read and decode only  {reading:7.2f} s")
        database.close()
        told = subprocess.run(
            [*COMMAND, "--run", url, "--processes", str(processes)],
            check=True,
            capture_output=True,
            env=os.environ | {"ZHENXUE_FACE_WORKERS": "0"},
        )
        it = json.loads(told.stdout.splitlines()[-1])
        print(
            f"  {processes} process{'es' if processes > 1 else '  '}           "
            f"{it['seconds']:7.2f} s   {sessions / it['seconds']:,.0f} sessions/s,"
            f" {it['seconds'] / reading:.1f} × reading, peak {it['peak_mib']:.0f} MiB;"
            f" {it['classes_done']} classes, {it['verdicts_stored']:,} verdicts,"
            f" {it['new_findings']:,} findings"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--postgres", help="URL of a PostgreSQL database; WHAT IS IN IT IS DELETED")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--processes", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        print(json.dumps(run(arguments.run, arguments.processes)))
        return
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"sqlite:///{Path(folder) / 'night.sqlite'}", arguments.sessions)
        if arguments.postgres:
            url = arguments.postgres.replace("postgresql://", "postgresql+psycopg://")
            measure("PostgreSQL", url, arguments.sessions)


if __name__ == "__main__":
    main()
