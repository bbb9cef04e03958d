"""Who moves to another class of the same course keeps what they studied, and what was found."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from app.clock import day
from app.domain.judging import enrolment_facts
from app.reports import package
from app.reports.exports import ExportOptions
from app.reports.verify import verify
from app.services import Services
from app.simulation.scenarios import perform
from app.store import stays
from app.store.catalogue import catalogue
from app.store.scope import EVERYTHING
from models import Session
from tests.people import County, TestClock
from tests.verdicts import class_row, take, validate


class Move:
    """A simulated learner of class-demo who moves to the class next door."""

    def __init__(
        self, services: Services, client: TestClient, county: County, clock: TestClock, folder: Path
    ) -> None:
        self.services, self.client, self.county = services, client, county
        self.clock, self.folder = clock, folder
        self.headers = county.huang.headers

    def studied(self, scenario: str) -> None:
        scene = perform(scenario)
        take(self.services, self.county, scene, self.folder)
        (terms,) = [dict(it) for it in scene.catalogue if it["kind"] == "class"]
        terms |= {"class_id": "next", "official_class_no": "000000-next"}
        del terms["kind"]
        answer = self.client.put("/v1/classes/next", json=terms, headers=self.headers)
        assert answer.status_code < 300, answer.text
        self.judge("class-demo")

    def judge(self, klass: str) -> None:
        validate(self.services, class_row(self.services.database, self.county, klass).id)

    def hours(self, klass: str) -> list[str]:
        url = f"/v1/classes/{klass}/class-hours"
        (learner,) = self.client.get(url, headers=self.headers).json()["learners"]
        return [it["outcome"] for it in learner["class_hours"]]

    def attends(self, klass: str, day: str) -> None:
        item = {"learner_id": "lin-yi", "held_on": day, "hours": 4, "practical": True}
        url = f"/v1/classes/{klass}/offline-attendance"
        answer = self.client.post(url, json={"items": [item]}, headers=self.headers)
        assert answer.json()["accepted"] == 1, answer.text

    def on_leave(self, klass: str, day: str, **told: object) -> None:
        item = {"learner_id": "lin-yi", "from_on": day, "to_on": day, **told}
        url = f"/v1/classes/{klass}/leave"
        items = {"items": [{"written": True, "approved": True, "reason": "看病", **item}]}
        answer = self.client.post(url, json=items, headers=self.headers)
        assert answer.status_code == 200 and answer.json()["accepted"] == 1, answer.text

    def leaves(self, klass: str) -> list[tuple[str, bool]]:
        """The first day of each leave, and whether the authority accepted it."""
        row = class_row(self.services.database, self.county, klass)
        with self.services.database.read() as connection:
            (candidate,) = enrolment_facts.gather(connection, row, ()).candidates
        return [(it.first_day.isoformat(), it.accepted) for it in candidate.facts.leaves]

    def goes_back(self, last_on: str) -> None:
        body = {"to_class": "class-demo", "last_on": last_on}
        said = {"kind": "moved_class", "learner_id": "lin-yi", "body": body, "reason": "转回原班"}
        url = "/v1/classes/next/acts"
        answer = self.client.post(url, json=said, headers=self.headers)
        assert answer.status_code == 201, answer.text

    def attended(self, klass: str) -> float | None:
        row = class_row(self.services.database, self.county, klass)
        with self.services.database.read() as connection:
            (candidate,) = enrolment_facts.gather(connection, row, ()).candidates
        return candidate.attended

    def goes(self) -> Any:
        with self.services.database.read() as connection:
            klass = class_row(self.services.database, self.county, "class-demo")
            last = connection.exec_driver_sql(
                f"SELECT max(opened_ms) FROM sessions WHERE class_id = {klass.id}"
            ).scalar_one()
            assert catalogue.enrolled(connection, klass.id) == 1
        self.clock.now_ms = last + 86_400_000
        said = {
            "kind": "moved_class",
            "learner_id": "lin-yi",
            "body": {"to_class": "next", "last_on": day(last).isoformat()},
            "reason": "工作时间冲突，申请转班",
        }
        url = "/v1/classes/class-demo/acts"
        answer = self.client.post(url, json=said, headers=self.headers)
        assert answer.status_code == 201, answer.text
        self.judge("class-demo")
        self.judge("next")
        return answer.json()


@pytest.fixture
def move(
    services: Services, client: TestClient, county: County, clock: TestClock, tmp_path: Path
) -> Move:
    return Move(services, client, county, clock, tmp_path)


def test_hours_that_were_studied_before_the_move_count_in_the_other_class(move: Move) -> None:
    move.studied("H01")
    before = move.hours("class-demo")
    assert "valid" in before
    act = move.goes()
    assert move.hours("next") == before == move.hours("class-demo")

    lesson = before.index("not_started") + 1  # the first that is still to do
    opening = {
        "learner_id": "lin-yi",
        "class_id": "next",
        "lesson_id": f"course-demo-{lesson:02}",
        "device_id": "d",
        "window_id": "w",
    }
    opened = move.client.post("/v1/sessions", json=opening, headers=move.headers)
    assert opened.status_code == 201, opened.text  # and the lessons before need not be seen again
    assert act["body"]["first_on"] > act["body"]["last_on"]


def test_attendance_in_person_follows_to_the_other_class_and_back(move: Move) -> None:
    move.studied("H01")
    first = class_row(move.services.database, move.county, "class-demo").starts_on
    move.attends("class-demo", first)
    act = move.goes()
    move.attends("next", act["body"]["first_on"])
    assert move.attended("next") == 8
    klass = class_row(move.services.database, move.county, "next")
    made = package.export(move.services, klass, ExportOptions("user:zhao", named=True), EVERYTHING)
    assert verify(made.file.data, made.public_key).problems == []
    before = move.hours("class-demo")
    move.goes_back(act["body"]["first_on"])
    move.judge("class-demo")
    assert move.attended("class-demo") == 8
    assert move.hours("class-demo") == before


def test_leave_follows_to_the_other_class_with_what_the_authority_said_of_it(move: Move) -> None:
    move.studied("H01")
    first = class_row(move.services.database, move.county, "class-demo").starts_on
    move.on_leave("class-demo", first)
    before = move.leaves("class-demo")
    assert [day for day, _ in before] == [first]
    act = move.goes()
    assert move.leaves("next") == before
    klass = class_row(move.services.database, move.county, "next")
    made = package.export(move.services, klass, ExportOptions("user:zhao", named=True), EVERYTHING)
    assert verify(made.file.data, made.public_key).problems == []
    move.on_leave("next", act["body"]["first_on"])
    assert len(move.leaves("next")) == 2
    move.on_leave("next", first)  # told by the class moved to as well: it is one
    assert len(move.leaves("next")) == 2


def test_what_was_found_before_the_move_follows(move: Move) -> None:
    move.studied("F01")
    move.goes()
    assert move.hours("next") == move.hours("class-demo")
    assert "valid" not in move.hours("next")
    told = move.client.get("/v1/classes/next/eligibility", headers=move.headers).json()
    (learner,) = told["learners"]
    assert "fast_forward" in {it["rule"] for it in learner["findings"]}
    gone = move.client.get("/v1/classes/class-demo/eligibility", headers=move.headers).json()
    assert gone["learners"] == []


def test_an_audit_package_of_the_class_moved_to_gives_the_same_verdicts(move: Move) -> None:
    move.studied("H01")
    move.goes()
    klass = class_row(move.services.database, move.county, "next")
    made = package.export(move.services, klass, ExportOptions("user:zhao", named=True), EVERYTHING)
    report = verify(made.file.data, made.public_key)
    assert report.problems == [] and report.checked["verdicts"] > 0


def test_what_an_import_tells_of_while_somebody_was_away_earns_nothing(move: Move) -> None:
    move.studied("H01")
    assert "valid" in move.hours("class-demo")
    klass = class_row(move.services.database, move.county, "class-demo")
    with move.services.database.write() as connection:
        (enrolment,) = stays.of_class(connection, klass.id)
        gap = stays.Away(
            from_on=date.fromisoformat(klass.starts_on),
            to_on=date.fromisoformat(klass.ends_on),
            ended_by=stays.LEFT,
        )
        away = stays.as_rows([gap])
        stays.change(connection, klass.id, enrolment.learner_id, away=away)
    with move.services.database.write() as connection:
        connection.execute(update(Session).values(settled=False))
    validate(move.services, klass.id)
    assert "valid" not in move.hours("class-demo")
