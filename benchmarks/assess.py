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
from sqlalchemy import Connection, delete, insert, select

from app.db import Database
from app.domain import packs
from app.store import facts, schema
from app.store.event_log import GENESIS, MANIFEST
from benchmarks.machine import machine
from detectors.assess import assess
from detectors.trace import CONTROL, EVENT, PHOTO, Check, Control, Kind, PhotoFlag, Purpose
from models import (
    ClassHour,
    Course,
    CourseVersion,
    EventLog,
    Learner,
    Lesson,
    Person,
    Platform,
    Session,
    TrainingClass,
)

EVENTS = 240
LESSON_MS = 2_700_000
LESSONS = 40
LEARNERS = 50  # of a class
START_MS = 1_791_766_800_000
CHEATS = 0.03


def generate(database: Database, sessions: int, learners: int = LEARNERS) -> None:
    """A day's sealed sessions: mostly honest, three in a hundred at four times the speed.

    `learners` make a class, each with all its lessons.
    """
    rng = np.random.default_rng(7)
    with database.write() as connection:
        _catalogue(connection, -(-sessions // (learners * LESSONS)), learners)
    done = 0
    while done < sessions:
        count = min(2_000, sessions - done)
        with database.write() as connection:
            _sittings(connection, rng, done, count, learners)
        done += count


def _catalogue(connection: Connection, classes: int, learners: int) -> None:
    pack = packs.load("huangchuan-2021-graded")
    connection.execute(
        insert(Platform).values(
            id=1, slug="bench", name="Bench", county="000000", created_ms=START_MS
        )
    )
    connection.execute(insert(Course).values(id=1, platform_id=1, external_id="c"))
    connection.execute(
        insert(CourseVersion).values(
            id=1,
            course_id=1,
            version=1,
            digest=GENESIS,
            title="C",
            course_kind="professional",
            sequential_lock=True,
            created_ms=START_MS,
        )
    )
    connection.execute(
        insert(Lesson),
        [
            {
                "id": n + 1,
                "course_version_id": 1,
                "external_id": f"l{n}",
                "position": n,
                "title": f"L{n}",
                "media_ms": LESSON_MS,
                "class_hours": 1,
            }
            for n in range(LESSONS)
        ],
    )
    for klass in range(1, classes + 1):
        connection.execute(
            insert(TrainingClass).values(
                id=klass,
                platform_id=1,
                external_id=f"k{klass}",
                institution="I",
                occupation="营销员",
                county="000000",
                controls="service",
                pack_id=pack.id,
                pack_version=pack.version,
                pack_digest=pack.digest,
                starts_on="2026-10-12",
                ends_on="2026-11-13",
                terms={},
                course_version_ids=[1],
                plan_digest=GENESIS,
                opened_ms=START_MS,
            )
        )
        connection.execute(
            insert(ClassHour),
            [
                {
                    "class_id": klass,
                    "course_version_id": 1,
                    "number": n + 1,
                    "media_ms": LESSON_MS,
                    "pieces": [{"lesson_id": n + 1, "start_ms": 0, "end_ms": LESSON_MS}],
                }
                for n in range(LESSONS)
            ],
        )
        people = range((klass - 1) * learners + 1, klass * learners + 1)
        connection.execute(insert(Person), [{"id": n} for n in people])
        connection.execute(
            insert(Learner),
            [
                {
                    "id": n,
                    "platform_id": 1,
                    "external_id": f"p{n}",
                    "person_id": n,
                    "name": "学员",
                    "real_name_verified": True,
                    "face_consent": True,
                    "created_ms": START_MS,
                }
                for n in people
            ],
        )


def _sittings(
    connection: Connection, rng: np.random.Generator, first: int, count: int, learners: int
) -> None:
    rows, logs = [], []
    for number in range(first, first + count):
        learner, lesson = number // LESSONS + 1, number % LESSONS
        start = START_MS + lesson * 3_600_000
        speed = 4 if rng.random() < CHEATS else 1
        events, controls, photos = _evidence(rng, speed)
        last = start + int(events["recv_ms"][-1])
        rows.append(
            {
                "id": number + 1,
                "platform_id": 1,
                "external_id": f"s{number}",
                "class_id": (learner - 1) // learners + 1,
                "learner_id": learner,
                "person_id": learner,
                "lesson_id": lesson + 1,
                "device_id": f"d{learner}",
                "window_id": "w",
                "client": {},
                "provenance": "live",
                "state": "closed",
                "opened_ms": start,
                "last_recv_ms": last,
                "closed_ms": last,
                "resume_ms": 0,
                "chain": GENESIS,
                "batch_count": 0,
                "event_count": len(events),
                "next_seq": len(events),
                "seq_conflict": False,
                "learning_ms": 0,
                "play_pos_ms": 0,
                "schedule": {},
            }
        )
        logs.append(
            {
                "session_id": number + 1,
                "events": events.tobytes(),
                "notes": b"",
                "manifest": np.array([(last, len(events), 0)], MANIFEST).tobytes(),
                "controls": controls.tobytes(),
                "photos": photos.tobytes(),
                "chain": GENESIS,
                "sealed_ms": last,
            }
        )
    connection.execute(insert(Session), rows)
    connection.execute(insert(EventLog), logs)


def _evidence(rng: np.random.Generator, speed: int):
    """Heartbeats with the jitter of a network, pop-ups every four minutes or so, three photos."""
    events = np.zeros(EVENTS, EVENT)
    step = LESSON_MS / (EVENTS - 1) / speed
    at = np.arange(EVENTS) * step
    events["recv_ms"] = at + rng.uniform(40, 400, EVENTS)
    events["recv_ms"] = np.maximum.accumulate(events["recv_ms"])
    events["at_ms"] = START_MS + at
    events["pos_ms"] = np.minimum(at * speed, LESSON_MS)
    events["seq"] = np.arange(EVENTS)
    events["x"], events["mono_ms"] = 1000, at
    events["kind"], events["flags"] = Kind.PROGRESS, 5
    events["kind"][0], events["kind"][-1] = Kind.PLAY, Kind.ENDED
    due = np.cumsum(rng.uniform(180_000, 285_000, 15))
    due = due[due < events["recv_ms"][-1]].astype(np.int64)
    controls = np.full(len(due) + 1, -1, CONTROL)
    controls["flags"], controls["window_ms"], controls["kind"] = 1, 60_000, Control.POPUP
    controls["issued_ms"][:-1], controls["due_ms"][:-1] = due - 15_000, due
    controls["shown_ms"][:-1], controls["answered_ms"][:-1] = due + 300, due + 4_000
    controls["shown_seq"][:-1] = np.searchsorted(at, due)
    controls["latency_ms"][:-1] = 3_700
    controls["kind"][-1], controls["issued_ms"][-1] = Control.SNAPSHOT, 1_200_000
    photos = np.zeros(3, PHOTO)
    photos["recv_ms"] = (2_000, 600_000 // speed, 1_205_000 // speed)
    photos["control"] = len(due)
    photos["score"], photos["limit"] = 0.31, 0.45
    photos["purpose"] = (Purpose.START, Purpose.RANDOM, Purpose.RANDOM)
    photos["check"] = Check.MATCH
    photos["flags"] = PhotoFlag.BOUND | PhotoFlag.RANDOM_TIME | PhotoFlag.KEPT
    return events, controls, photos


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
    parser.add_argument("--postgres", help="URL of an empty PostgreSQL database to use as well")
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
            database = Database(url.replace("postgresql://", "postgresql+psycopg://"))
            schema.upgrade(database)
            with database.write() as connection:
                for table in (EventLog, Session):
                    connection.execute(delete(table))
            generate(database, arguments.sessions)
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
