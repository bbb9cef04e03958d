"""One person's file: all classes, years and platforms of the county, printed, taken, on record."""

from __future__ import annotations

import io
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from sqlalchemy import insert, select

from app.domain.accounts.users import Role, User
from app.domain.judging import person_file
from app.services import Services
from app.store.money import payments
from models import AuditEntry, Learner, StageEvent, TrainingClass
from tests.people import GUANGSHAN, HUANGCHUAN, LIN, County, course, training_class
from tests.verdicts import forty, sign_in

CERTIFICATE = "S000107"
HELD = {"learner_id": "lin", "held_on": "2026-04-20", "passed": True, "score": 86.5}


class Archive:
    """Lin in two classes on Huangchuan's platform and in one on Guangshan's."""

    def __init__(self, client: TestClient, county: County) -> None:
        forty(client, county)
        for tenant, name, number in (
            (county.huang, "c2", "HC2026-002"),
            (county.guang, "g1", "GS2026-009"),
        ):
            klass = training_class(official_class_no=number, occupation="缝纫工")
            for path, body in (
                ("courses/tailoring", course("tailoring")),
                (f"classes/{name}", klass | {"course_ids": ["tailoring"]}),
                (f"classes/{name}/roster", {"learners": [LIN]}),
            ):
                answer = client.put(f"/v1/{path}", json=body, headers=tenant.headers)
                assert answer.is_success, answer.text
        for name, item in (
            ("assessments", HELD | {"certificate_no": CERTIFICATE}),
            ("history", {"learner_id": "lin", "occupation": "育婴员", "started_on": "2024-05-01"}),
        ):
            path = f"/v1/classes/c1/{name}"
            assert client.post(path, json=[item], headers=county.huang.headers).is_success
        self.client = client
        self.services: Services = client.app.state.services  # type: ignore[attr-defined]
        self.here = sign_in(self.services, "zhao", HUANGCHUAN)
        self.there = sign_in(self.services, "qian", GUANGSHAN)
        with self.services.database.read() as connection:
            query = select(Learner.person_id).where(Learner.external_id == "lin")
            (self.lin,) = set(connection.scalars(query))

    def open(self, who: dict[str, str], ending: str = "") -> str:
        answer = self.client.get(f"/console/people/{self.lin}{ending}", headers=who)
        assert answer.status_code == 200
        return answer.text

    def looks(self) -> list[tuple[str, str]]:
        with self.services.database.read() as connection:
            query = select(AuditEntry).where(AuditEntry.action == "person.file_seen")
            return [(it.actor, it.detail["format"]) for it in connection.execute(query)]


@pytest.fixture
def archive(client: TestClient, county: County) -> Archive:
    return Archive(client, county)


def test_the_file_holds_every_training_of_the_county(archive: Archive) -> None:
    page = archive.open(archive.here)
    assert "HC2026-001" in page and "HC2026-002" in page and CERTIFICATE in page
    assert "育婴员" in page and "GS2026-009" not in page


def test_another_county_reads_its_own_part_only(archive: Archive) -> None:
    page = archive.open(archive.there)
    assert "GS2026-009" in page and "HC2026-001" not in page
    assert CERTIFICATE not in page and "育婴员" not in page


def test_every_look_is_on_record(archive: Archive) -> None:
    archive.open(archive.here)
    archive.open(archive.here, "/file.csv")
    assert archive.looks() == [("user:zhao", "page"), ("user:zhao", "csv")]


def test_nobody_s_file_is_not_there_and_leaves_no_trace(archive: Archive) -> None:
    assert archive.client.get("/console/people/999", headers=archive.here).status_code == 404
    path = f"/console/people/{archive.lin}/file.exe"
    assert archive.client.get(path, headers=archive.here).status_code == 404
    assert archive.looks() == []


def test_the_file_is_taken_as_a_table_and_as_json(archive: Archive) -> None:
    path = f"/console/people/{archive.lin}/file"
    told = archive.client.get(f"{path}.json", headers=archive.here).json()
    assert [it["official_class_no"] for it in told["trainings"]] == ["HC2026-002", "HC2026-001"]
    assert told["trainings"][1]["assessments"][0]["certificate_no"] == CERTIFICATE
    book = archive.client.get(f"{path}.xlsx", headers=archive.here).content
    cells = [it for row in load_workbook(io.BytesIO(book)).worksheets[0].values for it in row]
    assert any("缝纫工" in str(it) for it in cells) and "取得证书：1" in cells
    assert archive.client.get(f"{path}.pdf", headers=archive.here).content[:5] == b"%PDF-"


def test_rules_that_were_not_in_force_are_told_of_wherever_the_file_goes(archive: Archive) -> None:
    for ending in ("", "/file.csv", "/file.json"):
        assert "不在所用规定的有效期内" in archive.open(archive.here, ending), ending


def test_search_leads_to_the_file(archive: Archive) -> None:
    found = archive.client.get(
        f"/console/search?q={LIN['name']}", headers=archive.here, follow_redirects=False
    )
    assert found.headers["location"] == f"/console/people/{archive.lin}"


def test_what_was_paid_for_the_person_stands_on_the_file(archive: Archive) -> None:
    with archive.services.database.write() as connection:
        learner, klass = connection.execute(
            select(Learner.id, TrainingClass.id)
            .join(TrainingClass, TrainingClass.platform_id == Learner.platform_id)
            .where(Learner.external_id == "lin", TrainingClass.external_id == "c1")
        ).one()
        event: dict[str, Any] = {"step": "payment", "deed": "second", "body": {}, "remark": ""}
        done = {"class_id": klass, "done_by": "user:zhao", "done_ms": 0}
        added = insert(StageEvent).values(**event, **done).returning(StageEvent.id)
        paid: dict[str, Any] = {
            "class_id": klass,
            "learner_id": learner,
            "event_id": connection.scalar(added),
        }
        paid |= {"amount_fen": 120050, "paid_on": "2026-06-01", "held": None}
        payments.add(connection, [paid])
    page = archive.open(archive.here)
    assert "1,200.50" in page and "2026-06-01" in page and "补贴合计（元，已扣追回）" in page
    assert "1,200.50" not in archive.open(archive.there)


def test_certificates_are_those_of_all_trainings(archive: Archive) -> None:
    zhao = User(1, "zhao", "赵明", Role.AUDITOR, (HUANGCHUAN,), None)
    with archive.services.database.write() as connection:
        file = person_file.look(connection, zhao, archive.lin, "page", 0)
    assert file.certificates == [CERTIFICATE] and file.counties == [HUANGCHUAN]
