"""Whoever sits in for a learner once, among many sittings, is shown to a person."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.domain.accounts import users
from app.jobs.face_worker import run_pending
from app.services import Services
from app.store.judging import facts as fact_store
from app.store.review import reviews
from detectors.trace import Check, OverCourse
from models import CourseFace, Finding, Learner, Session
from tests.api.test_sessions import found_school, opening, post
from tests.jobs.test_face_worker import LIN, WU, AtDistance, checks, enrol, face, put
from tests.people import County, TestClock
from tests.waiting import eventually


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


def lin_id(services: Services) -> int:
    with services.database.read() as connection:
        own = select(Learner.id).where(Learner.external_id == "lin")
        return connection.execute(own).scalar_one()


def sit_apart(
    client: TestClient,
    county: County,
    clock: TestClock,
    services: Services,
    sitting: tuple[str, int, float],
) -> None:
    """A sitting of so many photos of Lin, all so far from the enrolled face."""
    name, photos, distance = sitting
    clock.advance(minutes=5)
    assert post(client, county, opening(session_id=name)).status_code == 201
    for take in range(photos):
        clock.advance(minutes=1)
        put(client, county, f"p{take}", face(LIN, 10 + take), session=name)
    client.post(f"/v1/sessions/{name}/close", json={"reason": "done"}, headers=county.huang.headers)
    run_pending(services, readers=AtDistance(services, lin_id(services), distance))


@pytest.mark.both_databases
def test_a_sitting_in_doubt_is_settled_by_a_later_one_of_the_course(
    enrolled: None, client: TestClient, county: County, clock: TestClock, services: Services
) -> None:
    run_pending(services)
    sit_apart(client, county, clock, services, ("s1", 1, 0.33))
    assert checks(services, county, "s1") == [Check.REVIEW]
    sit_apart(client, county, clock, services, ("s2", 4, 0.2))
    assert checks(services, county, "s2") == [Check.MATCH] * 4
    assert checks(services, county, "s1") == [Check.MATCH]
    with services.database.read() as connection:
        settled = select(Session.settled).where(Session.external_id == "s1")
        assert not connection.execute(settled).scalar_one()  # it is judged again


def test_what_a_person_has_decided_is_not_settled_by_a_later_sitting(
    enrolled: None, client: TestClient, county: County, clock: TestClock, services: Services
) -> None:
    run_pending(services)
    sit_apart(client, county, clock, services, ("s1", 1, 0.33))

    def findings() -> Sequence[int]:
        with services.database.read() as connection:
            of_sittings = select(Finding.id).where(Finding.session_id.is_not(None))
            return connection.execute(of_sittings).scalars().all()

    assert eventually(findings)
    decided = findings()[0]
    with services.database.write() as connection:
        reviewer = users.add_user(
            connection,
            username="zhao",
            display_name="赵初审",
            password="a-quiet-river-in-henan",
            role="reviewer",
            counties=["潢川县"],
            actor="system",
            now_ms=clock(),
        )
        reviews.insert_review(
            connection,
            finding_id=decided,
            reviewer_id=reviewer,
            stage="first",
            decision="uphold",
            reason="不是本人",
            created_ms=clock(),
        )
    sit_apart(client, county, clock, services, ("s2", 4, 0.2))
    assert checks(services, county, "s1") == [Check.REVIEW]
