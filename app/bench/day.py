"""A generated day: sealed sittings of many classes, as a night finds them.

Mostly honest, three in a hundred at four times the speed; every learner has all lessons. The photos
are rows without an object.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert

from app.db import Database
from app.domain.catalogue.classes import ClassTerms
from app.domain.policy import packs
from app.settings import Settings
from app.store.events.event_log import GENESIS, MANIFEST, link
from detectors.trace import CONTROL, EVENT, PHOTO, Check, Control, Kind, PhotoFlag, Purpose
from models import (
    ClassHour,
    Course,
    CourseVersion,
    Enrolment,
    EventLog,
    Learner,
    Lesson,
    Person,
    Platform,
    Session,
    Snapshot,
    TrainingClass,
)
from models import Control as ControlRow

EVENTS = 240  # of a sitting
LESSON_MS = 2_700_000
LESSONS = 40
LEARNERS = 50  # of a class
START_MS = 1_791_766_800_000
CHEATS = 0.03
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


def fill(settings: Settings, sittings: int, learners: int = LEARNERS) -> None:
    """`generate` in the database of those settings."""
    database = Database(settings.resolved_database_url)
    try:
        generate(database, sittings, learners)
    finally:
        database.close()


def generate(database: Database, sessions: int, learners: int = LEARNERS) -> None:
    """Fill an empty database of this version's schema with a day of that many sittings.

    `learners` make a class, each with all its lessons. Raises what the database raises.
    """
    rng = np.random.default_rng(7)
    people(database, -(-sessions // LESSONS), learners)
    done = 0
    while done < sessions:
        count = min(2_000, sessions - done)
        with database.write() as connection:
            _sittings(connection, rng, done, count, learners)
        done += count


def people(database: Database, count: int, learners: int) -> None:
    """That many people in classes of `learners`, who have not studied yet."""
    with database.write() as connection:
        _catalogue(connection, -(-count // learners))
        _enrol(connection, count, learners)


def _catalogue(connection: Connection, classes: int) -> None:
    _course(connection)
    for klass in range(1, classes + 1):
        _class(connection, klass)


def _course(connection: Connection) -> None:
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


def _class(connection: Connection, klass: int) -> None:
    pack = packs.load("huangchuan-2021-graded")
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
            terms=TERMS,
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


def _enrol(connection: Connection, count: int, learners: int) -> None:
    people = range(1, count + 1)
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
    connection.execute(
        insert(Enrolment),
        [
            {"class_id": (n - 1) // learners + 1, "learner_id": n, "enrolled_ms": START_MS}
            for n in people
        ],
    )


def _session(
    number: int, learner: int, learners: int, start: int, last: int, events: int, chain: bytes
) -> dict[str, Any]:
    return {
        "id": number + 1,
        "platform_id": 1,
        "external_id": f"s{number}",
        "class_id": (learner - 1) // learners + 1,
        "learner_id": learner,
        "person_id": learner,
        "lesson_id": number % LESSONS + 1,
        "device_id": f"d{learner}",
        "window_id": "w",
        "client": {},
        "provenance": "live",
        "state": "closed",
        "settled": True,
        "opened_ms": start,
        "last_recv_ms": last,
        "closed_ms": last,
        "resume_ms": 0,
        "chain": chain,
        "batch_count": 0,
        "event_count": events,
        "next_seq": events,
        "seq_conflict": False,
        "learning_ms": 0,
        "play_pos_ms": 0,
        "schedule": {},
    }


def _sittings(
    connection: Connection, rng: np.random.Generator, first: int, count: int, learners: int
) -> None:
    rows: list[dict[str, Any]] = []
    logs: list[dict[str, Any]] = []
    ledger: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for number in range(first, first + count):
        learner, lesson = number // LESSONS + 1, number % LESSONS
        start = START_MS + lesson * 3_600_000
        speed = 4 if rng.random() < CHEATS else 1
        events, controls, photos = _evidence(rng, speed)
        last = start + int(events["recv_ms"][-1])
        chain = link(GENESIS, last, events.tobytes(), b"")
        rows.append(_session(number, learner, learners, start, last, len(events), chain))
        logs.append(
            {
                "session_id": number + 1,
                "events": events.tobytes(),
                "notes": b"",
                "manifest": np.array([(last, len(events), 0)], MANIFEST).tobytes(),
                "controls": controls.tobytes(),
                "photos": photos.tobytes(),
                "chain": chain,
                "sealed_ms": last,
            }
        )
        ledger += [_popup(number + 1, n, start) for n in range(len(controls))]
        kept += [_photo(number + 1, n, start) for n in range(len(photos))]
    connection.execute(insert(Session), rows)
    connection.execute(insert(EventLog), logs)
    connection.execute(insert(ControlRow), ledger)
    connection.execute(insert(Snapshot), kept)


def _evidence(
    rng: np.random.Generator, speed: int
) -> tuple[NDArray[np.void], NDArray[np.void], NDArray[np.void]]:
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


def _popup(session_id: int, n: int, opened_ms: int) -> dict[str, Any]:
    """The row of a control that is in the log."""
    return {
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


def _photo(session_id: int, n: int, opened_ms: int) -> dict[str, Any]:
    """The row of a photo that is in the log."""
    return {
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
