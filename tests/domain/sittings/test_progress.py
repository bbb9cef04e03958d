"""Where a learner goes on, and what counts as studied before and after a verdict."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Connection, insert, select, update

from app.db import Database
from app.services import Services
from app.store.sittings import progress
from app.store.sittings import sittings as store
from models import Lesson, Verdict
from tests.api.test_sessions import found_school, opening, post
from tests.people import County, TestClock

MINUTE = 60_000


def play(services: Services, county: County, session: str, *, learning: int, position: int) -> None:
    """What the event store leaves behind of a stretch of play, in minutes."""
    with services.database.write() as connection:
        row = store.by_external_id(connection, county.huang.platform.id, session)
        assert row is not None
        store.update_session(
            connection, row.id, learning_ms=learning * MINUTE, play_pos_ms=position * MINUTE
        )


def judge(services: Services, county: County, session: str, *credited: tuple[int, int]) -> None:
    """A verdict that credits content from … to, in minutes."""
    with services.database.write() as connection:
        row = store.by_external_id(connection, county.huang.platform.id, session)
        assert row is not None
        body = {"credited": [[a * MINUTE, b * MINUTE, 0, 0] for a, b in credited]}
        connection.execute(insert(Verdict).values(**_verdict(row, body)))


def _verdict(row: Any, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "subject_kind": "session",
        "subject_id": row.id,
        "hour": 0,
        "class_id": row.class_id,
        "run_id": None,
        "outcome": "valid",
        "pack": "p@1",
        "pack_digest": "",
        "facts_digest": bytes(32),
        "body": json.dumps(body).encode(),
        "digest": bytes(32),
        "created_ms": 0,
    }


def lesson_id(connection: Connection, name: str) -> int:
    query = select(Lesson.id).where(Lesson.external_id == name)
    return int(connection.execute(query).scalar_one())


@pytest.fixture
def client(app: FastAPI, database: Database) -> TestClient:
    """The service over HTTP without its threads: nobody judges but the test."""
    return TestClient(app)


@pytest.fixture
def school(client: TestClient, county: County) -> County:
    return found_school(client, county)


@pytest.mark.both_databases
def test_a_reload_goes_on_where_play_stopped(
    client: TestClient, school: County, services: Services
) -> None:
    post(client, school, opening(session_id="s1"))
    play(services, school, "s1", learning=12, position=12)
    assert post(client, school, opening(session_id="s2")).json()["resume_position"] == 720
    play(services, school, "s2", learning=3, position=15)
    assert post(client, school, opening(session_id="s3")).json()["resume_position"] == 900


def test_wu_jumps_ahead_and_starts_where_the_gap_is(
    client: TestClient, school: County, services: Services
) -> None:
    post(client, school, opening("wu", session_id="s1"))
    play(services, school, "s1", learning=1, position=40)
    assert post(client, school, opening("wu", session_id="s2")).json()["resume_position"] == 0


def test_a_verdict_replaces_the_running_mark(
    client: TestClient, school: County, services: Services
) -> None:
    post(client, school, opening(session_id="s1"))
    play(services, school, "s1", learning=20, position=20)
    judge(services, school, "s1", (0, 20))
    judge(services, school, "s1", (0, 8), (9, 20))
    assert post(client, school, opening(session_id="s2")).json()["resume_position"] == 480


def test_a_hole_of_seconds_sends_nobody_back(
    client: TestClient, school: County, services: Services
) -> None:
    post(client, school, opening(session_id="s1"))
    judge(services, school, "s1", (0, 8), (8, 9), (9, 20))
    with services.database.write() as connection:
        connection.execute(
            update(Verdict).values(body=b'{"credited":[[400,480000,0,0],[490000,1200000,0,0]]}')
        )
    assert post(client, school, opening(session_id="s2")).json()["resume_position"] == 1200


def test_a_lesson_studied_to_its_end_begins_again(
    client: TestClient, school: County, services: Services
) -> None:
    post(client, school, opening(session_id="s1"))
    judge(services, school, "s1", (0, 45))
    assert post(client, school, opening(session_id="s2")).json()["resume_position"] == 0


@pytest.mark.parametrize(("minutes", "status"), [(44, 409), (45, 201)])
def test_the_next_lesson_opens_as_soon_as_the_first_is_played_to_its_end(
    client: TestClient, school: County, services: Services, minutes: int, status: int
) -> None:
    """98 % of 45 minutes are 44.1; the verdict on the first lesson need not be out yet."""
    post(client, school, opening(session_id="s1"))
    play(services, school, "s1", learning=minutes, position=minutes)
    client.post("/v1/sessions/s1/close", headers=school.huang.headers)
    answer = post(client, school, opening(lesson_id="l2", window_id="w2"))
    assert answer.status_code == status, answer.text


def test_what_was_voided_locks_the_next_lesson_again(
    client: TestClient, school: County, services: Services, clock: TestClock
) -> None:
    post(client, school, opening(session_id="s1"))
    play(services, school, "s1", learning=45, position=45)
    judge(services, school, "s1", (0, 20))
    answer = post(client, school, opening(lesson_id="l2"))
    assert (answer.status_code, answer.json()["requires"]["coverage"]) == (409, 0.4444)
    with services.database.read() as connection:
        first = lesson_id(connection, "l1")
        row = store.by_external_id(connection, school.huang.platform.id, "s1")
        assert row is not None
        spans = progress.studied(connection, row.learner_id, [row.class_id], [first])
    assert spans == {first: [(0, 20 * MINUTE)]}


def test_the_marks_of_many_sittings_that_overlap_are_one_stretch(
    client: TestClient, school: County, services: Services, clock: TestClock
) -> None:
    for n in range(40):
        post(client, school, opening(session_id=f"s{n}"))
        judge(services, school, f"s{n}", *((k, k + 1) for k in range(n, n + 4)))
    with services.database.read() as connection:
        row = store.by_external_id(connection, school.huang.platform.id, "s0")
        assert row is not None
        first = lesson_id(connection, "l1")
        spans = progress.studied(connection, row.learner_id, [row.class_id], [first])
    assert spans[first] == [(0, 43 * MINUTE)]
