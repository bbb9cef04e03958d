"""Corrections of who stands behind an account: recorded, approved by a second person, and followed
by every verdict."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.domain.accounts.users import Role, User
from app.domain.review import acts
from app.errors import Conflict, NotAllowed
from app.jobs.settler import settle_all
from app.services import Services
from app.simulation.entities import invented_id_number
from app.store.catalogue.catalogue import classes_named
from models import Finding, HistoryRecord, Learner, Session
from tests.evidence import catalogue, ndjson, sitting
from tests.people import LIN, County, training_class

RIGHT = invented_id_number(77)
# Another person who was entered under Lin's number, in another class.
TWIN = LIN | {"learner_id": "xiao", "name": "林小兰"}
WHY = "身份证复印件与登记不符，经核对原件"


def user(name: str, role: Role = Role.AUDITOR) -> User:
    return User(1, name, name, role, ("*",), None)


@pytest.fixture
def huang(client: TestClient, county: County, services: Services) -> TestClient:
    client.headers.update(county.huang.headers)
    records = [
        *catalogue(),
        {"kind": "class", **training_class("c2")},
        {"kind": "roster", "class_id": "c2", "learners": [TWIN]},
        *sitting("s-lin", beats=12),
        *sitting("s-xiao", learner_id="xiao", beats=12, class_id="c2"),
    ]
    report = client.post("/v1/imports", content=ndjson(records)).json()
    assert report["rejected"] == []
    item = {"learner_id": "xiao", "occupation": "电工", "started_on": "2025-03-01"}
    assert client.post("/v1/classes/c2/history", json=[item]).json()["accepted"] == 1
    settle_all(services)
    return client


def overlaps(services: Services) -> list[str]:
    """Sittings with a finding of two windows that was found by their newest verdict."""
    with services.database.read() as connection:
        query = select(Session.external_id).join(Finding, Finding.session_id == Session.id)
        query = query.where(Finding.rule == "multi_window", Finding.status == "open")
        return sorted(set(connection.scalars(query)))


def record(huang: TestClient, body: dict[str, Any]) -> Any:
    return huang.post(
        "/v1/classes/c2/acts",
        json={
            "kind": "identity_correction",
            "learner_id": "xiao",
            "body": body,
            "reason": WHY,
            "document": "身份证",
        },
    )


def approve(services: Services, act_id: int, who: str = "zhao") -> None:
    with services.database.write() as connection:
        acts.approve(connection, act_id, user(who), services.clock())


def account(services: Services) -> Any:
    with services.database.read() as connection:
        return connection.execute(select(Learner).where(Learner.external_id == "xiao")).one()


def test_a_corrected_number_ends_a_false_accusation(huang: TestClient, services: Services) -> None:
    assert overlaps(services)
    answer = record(huang, {"id_number": f" {RIGHT}"})
    assert answer.status_code == 201, answer.text
    act = answer.json()
    assert act["state"] == "awaits_approval"
    assert RIGHT not in answer.text and act["body"]["id_number"].endswith(RIGHT[-4:])
    assert overlaps(services)  # nothing changes before a second person approves
    before = account(services)
    approve(services, act["id"])
    after = account(services)
    assert after.person_id != before.person_id and after.id_last4 == RIGHT[-4:]
    settle_all(services)
    assert overlaps(services) == []
    with services.database.read() as connection:
        told = connection.scalars(select(HistoryRecord.person_id)).all()
        sat = connection.scalars(
            select(Session.person_id).where(Session.external_id == "s-xiao")
        ).one()
    assert told == [after.person_id] and sat == after.person_id
    again = huang.put("/v1/classes/c2/roster", json={"learners": [TWIN | {"id_number": RIGHT}]})
    assert again.status_code == 200 and again.json()["rejected"] == []
    old = huang.put("/v1/classes/c2/roster", json={"learners": [TWIN]})
    assert old.json()["code"] == "identity_frozen"
    assert RIGHT not in services_dump(services)


def services_dump(services: Services) -> str:
    with services.database.read() as connection:
        tables = ("acts", "audit_log", "identity_corrections", "learners", "verdicts")
        there = set(connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars().all())
        return "".join(
            repr(connection.exec_driver_sql(f"SELECT * FROM {it}").all())
            for it in tables
            if it in there
        )


def test_a_revoked_correction_puts_back_what_stood_there(
    huang: TestClient, services: Services
) -> None:
    before = account(services)
    act = record(huang, {"id_number": RIGHT, "name": "肖兰"}).json()
    approve(services, act["id"])
    assert account(services).name == "肖兰"
    with services.database.write() as connection:
        acts.revoke(connection, act["id"], user("zhao"), "批错了人", services.clock())
    after = account(services)
    same = ("person_id", "name", "id_number_encrypted", "id_last4")
    assert [getattr(after, it) for it in same] == [getattr(before, it) for it in same]


@pytest.mark.both_databases
def test_who_revokes_while_another_approves_takes_back_what_was_approved(
    huang: TestClient, services: Services
) -> None:
    before, act = account(services), record(huang, {"id_number": RIGHT, "name": "肖兰"}).json()

    def revoke() -> None:
        with services.database.write() as connection:
            acts.revoke(connection, act["id"], user("sun"), "批错了人", services.clock())

    with ThreadPoolExecutor(1) as sun:
        with services.database.write() as connection:
            acts.approve(connection, act["id"], user("zhao"), services.clock())
            asked = sun.submit(revoke)
            wait([asked], timeout=0.5)
        asked.result(20)
    after = account(services)
    same = ("person_id", "name", "id_number_encrypted", "id_last4")
    assert [getattr(after, it) for it in same] == [getattr(before, it) for it in same]


@pytest.mark.both_databases
def test_of_two_who_approve_at_once_one_does(huang: TestClient, services: Services) -> None:
    before, act = account(services), record(huang, {"id_number": RIGHT}).json()
    with ThreadPoolExecutor(1) as sun:
        with services.database.write() as connection:
            acts.approve(connection, act["id"], user("zhao"), services.clock())
            asked = sun.submit(approve, services, act["id"], "sun")
            wait([asked], timeout=0.5)
        with pytest.raises(Conflict):
            asked.result(20)
    with services.database.write() as connection:
        acts.revoke(connection, act["id"], user("zhao"), "批错了人", services.clock())
    assert account(services).person_id == before.person_id


def test_nobody_approves_a_correction_of_their_own(huang: TestClient, services: Services) -> None:
    with services.database.write() as connection:
        klass = classes_named(connection, user("zhao").scope, "c2", None)
        act_id = acts.record(
            connection,
            klass[0],
            kind="identity_correction",
            learner="xiao",
            body={"name": "肖兰"},
            reason=WHY,
            document="",
            actor="user:zhao",
            user=user("zhao"),
            now_ms=services.clock(),
            vault=services.vault,
        )
    with pytest.raises(NotAllowed):
        approve(services, act_id)
    assert account(services).name == "林小兰"
    approve(services, act_id, "qian")
    assert account(services).name == "肖兰"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "nothing_to_correct"),
        ({"name": "林　小兰"}, "nothing_to_correct"),
        ({"id_number": LIN["id_number"]}, "nothing_to_correct"),
        ({"id_number": RIGHT[:-1] + ("0" if RIGHT[-1] != "0" else "1")}, "id_number_check_digit"),
        ({"id_number": "4.1E+17"}, "id_number_cut"),
        ({"id_number": "00000019810318003X"}, "id_number_shared"),  # Wu's
        ({"name": "\u0000"}, "unprintable"),
    ],
)
def test_what_corrects_nothing_is_refused(huang: TestClient, body: Any, code: str) -> None:
    answer = record(huang, body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_number_taken_meanwhile_is_a_conflict(huang: TestClient, services: Services) -> None:
    act = record(huang, {"id_number": RIGHT}).json()
    other = {"learner_id": "zheng", "name": "郑某", "id_number": RIGHT}
    assert huang.put("/v1/classes/c1/roster", json={"learners": [other]}).is_success
    with pytest.raises(Conflict):
        approve(services, act["id"])
    assert account(services).name == "林小兰"
