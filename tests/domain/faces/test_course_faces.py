"""Whoever sits in for a learner once, among many sittings, is shown to a person."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.jobs.face_worker import run_pending
from app.services import Services
from app.store.judging import facts as fact_store
from detectors.trace import OverCourse
from models import CourseFace, Session
from tests.api.test_sessions import found_school, opening, post
from tests.jobs.test_face_worker import LIN, WU, enrol, face, put
from tests.people import County, TestClock


def study(
    client: TestClient, county: County, clock: TestClock, services: Services, who: str
) -> None:
    """A sitting of three photos for each letter, by Lin (l) or Wu (w)."""
    for number, letter in enumerate(who, 1):
        clock.advance(minutes=5)
        assert post(client, county, opening(session_id=f"s{number}")).status_code == 201
        for take in range(3):
            clock.advance(minutes=1)
            person = LIN if letter == "l" else WU
            put(client, county, f"p{take}", face(person, 10 * number + take), session=f"s{number}")
        client.post(
            f"/v1/sessions/s{number}/close", json={"reason": "done"}, headers=county.huang.headers
        )
        run_pending(services)


@pytest.fixture
def enrolled(client: TestClient, county: County) -> None:
    found_school(client, county)
    for take in range(3):
        enrol(client, county, "lin", face(LIN, take))


@pytest.mark.both_databases
def test_the_odd_sitting_is_kept_as_distances_and_reaches_the_rules(
    enrolled: None, client: TestClient, county: County, clock: TestClock, services: Services
) -> None:
    study(client, county, clock, services, "lllwl")
    with services.database.read() as connection:
        (row,) = connection.execute(
            select(CourseFace, Session.external_id, Session.class_id, Session.learner_id).join(
                Session, Session.id == CourseFace.session_id
            )
        )
        trace = fact_store.of_learner(connection, row.class_id, row.learner_id).trace
    assert (row.external_id, row.kind) == ("s4", "odd")
    assert row.distance > row.limit and (row.sittings, row.others) == (1, 4)
    (told,) = trace.course
    assert (int(told["session"]), int(told["kind"])) == (3, OverCourse.ODD)


def test_of_one_person_nothing_is_kept(
    enrolled: None, client: TestClient, county: County, clock: TestClock, services: Services
) -> None:
    study(client, county, clock, services, "llll")
    with services.database.read() as connection:
        assert connection.execute(select(CourseFace)).first() is None
