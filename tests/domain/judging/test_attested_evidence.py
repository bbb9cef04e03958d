"""What rests on a platform's log alone makes nobody eligible and no class acceptable, until the
authority has recorded that it accepts it."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, select, update

from app.services import Services
from models import Learner, Lesson, Session, TrainingClass
from tests.people import HUANGCHUAN, County, TestClock
from tests.verdicts import codes, forty, sign_in, studied

ACCEPTED = {
    "kind": "attested_accepted",
    "body": {"examined": "与平台机房日志、抓拍原图逐日核对"},
    "reason": "平台停运前的学习记录，核对无误",
    "document": "潢人社核〔2026〕12号",
}


class Class:
    """Class c1 of forty class-hours. Where `log` names sittings' provenance, there are some."""

    def __init__(
        self, services: Services, client: TestClient, county: County, clock: TestClock, **terms: Any
    ):
        self.services, self.client, self.county, self.clock = services, client, county, clock
        forty(client, county, **terms)

    def sat(self, provenance: str, number: int = 1) -> None:
        with self.services.database.write() as connection:
            klass = connection.execute(select(TrainingClass.id)).scalar_one()
            learner, person = connection.execute(
                select(Learner.id, Learner.person_id).order_by(Learner.id).limit(1)
            ).one()
            lesson = connection.execute(select(Lesson.id).limit(1)).scalar_one()
            row: dict[str, Any] = dict.fromkeys(
                ("opened_ms", "last_recv_ms", "closed_ms", "started_at_ms"), self.clock()
            )
            row |= dict.fromkeys(("resume_ms", "batch_count", "event_count", "next_seq"), 0)
            row |= {"learning_ms": 0, "play_pos_ms": 0, "schedule": {}, "client": {}}
            row |= {"settled": False, "seq_conflict": False, "state": "closed", "chain": bytes(32)}
            row |= {"device_id": "d", "window_id": "w", "provenance": provenance}
            row |= {"learner_id": learner, "person_id": person, "lesson_id": lesson}
            row |= {"class_id": klass, "platform_id": self.county.huang.platform.id}
            connection.execute(insert(Session).values(external_id=f"s{number}", **row))

    def studied(self, learner: str, attested: Any = (), **outcomes: Any) -> None:
        database = self.services.database
        studied(database, self.county, self.clock, learner, attested, **outcomes)

    def view(self) -> dict[str, Any]:
        headers = self.county.huang.headers
        answer = self.client.get("/v1/classes/c1/eligibility", headers=headers)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def learner(self, name: str) -> dict[str, Any]:
        return next(it for it in self.view()["learners"] if it["learner_id"] == name)

    def record(self, headers: dict[str, str], **changes: Any) -> Any:
        url = "/v1/classes/c1/acts"
        return self.client.post(url, json=ACCEPTED | changes, headers=headers)


@pytest.fixture
def klass(services: Services, client: TestClient, county: County, clock: TestClock) -> Class:
    return Class(services, client, county, clock)


@pytest.fixture
def self_run(services: Services, client: TestClient, county: County, clock: TestClock) -> Class:
    """The same, but that the platform runs its own pop-ups, photos and face checks."""
    return Class(services, client, county, clock, controls="platform")


ALL = range(1, 41)


@pytest.mark.both_databases
def test_forty_attested_hours_wait_for_the_authority(klass: Class) -> None:
    klass.sat("attested")
    klass.studied("lin", ALL)
    lin, told = klass.learner("lin"), klass.view()["class"]
    assert (lin["outcome"], codes(lin)) == ("pending", ["hours_attested"])
    assert lin["hours"]["valid"] == lin["hours"]["attested"] == 40
    assert "第1–40课时" in lin["reasons"][0]["sentence"]["zh"]
    assert lin["reasons"][0]["cure"]["how"] == "authority_approval"
    assert told["outcome"] == "pending" and "attested_not_accepted" in codes(told)
    (reason,) = [it for it in told["reasons"] if it["code"] == "attested_not_accepted"]
    assert "40个有效课时中有40个" in reason["sentence"]["zh"]


@pytest.mark.both_databases
def test_once_a_person_has_recorded_it_they_count_and_no_longer_when_it_is_revoked(
    klass: Class,
) -> None:
    klass.sat("attested")
    klass.studied("lin", ALL)
    zhao = sign_in(klass.services, "zhao", HUANGCHUAN)
    answer = klass.record(zhao)
    assert answer.status_code == 201, answer.text
    assert klass.learner("lin")["own"] == "eligible"
    assert "attested_not_accepted" not in codes(klass.view()["class"])
    url = f"/v1/acts/{answer.json()['id']}/revocation"
    assert klass.client.post(url, json={"reason": "日志后来被查出有误"}, headers=zhao).is_success
    assert klass.learner("lin")["outcome"] == "pending"


def test_a_platform_cannot_accept_its_own_log_and_a_person_names_the_paper(klass: Class) -> None:
    assert klass.record(klass.county.huang.headers).status_code == 403
    zhao = sign_in(klass.services, "zhao", HUANGCHUAN)
    answer = klass.record(zhao, document=" ")
    assert (answer.status_code, answer.json()["code"]) == (422, "missing_document")
    assert not klass.record(zhao, body={"examined": ""}).is_success


def test_a_mixed_class_is_decided_hour_by_hour_and_says_what_share_is_attested(
    klass: Class,
) -> None:
    klass.sat("attested")
    klass.sat("live", 2)
    klass.studied("lin")
    klass.studied("wu", [3, 4])
    lin, wu, told = klass.learner("lin"), klass.learner("wu"), klass.view()["class"]
    assert lin["own"] == "eligible" and lin["hours"]["attested"] == 0
    assert (wu["outcome"], codes(wu)) == ("pending", ["hours_attested"])
    assert wu["reasons"][0]["class_hours"] == [3, 4]
    assert told["outcome"] == "pending"
    assert "80个有效课时中有2个" in str(told["reasons"])


def test_attested_hours_beside_lost_ones_are_told_too(klass: Class) -> None:
    klass.sat("attested")
    klass.studied("wu", ALL, invalid=[7])
    wu = klass.learner("wu")
    assert wu["outcome"] == "ineligible"
    assert codes(wu)[:2] == ["hours_violation", "hours_attested"]


def test_a_class_with_nothing_but_a_log_is_not_acceptable_even_if_nothing_in_it_is_valid(
    klass: Class,
) -> None:
    klass.sat("attested")
    assert klass.view()["class"]["outcome"] == "pending"


def test_a_class_opened_under_the_version_before_is_judged_as_it_says(klass: Class) -> None:
    with klass.services.database.write() as connection:
        connection.execute(update(TrainingClass).values(pack_version="1.0.0"))
    klass.sat("attested")
    klass.studied("lin", ALL)
    assert klass.learner("lin")["own"] == "eligible"
    assert "attested_not_accepted" not in codes(klass.view()["class"])


RUN_BY_PLATFORM = ACCEPTED | {
    "kind": "platform_controls_accepted",
    "body": {"examined": "抽查20次学习的弹窗和抓拍下发记录，与平台机房日志一致"},
}


def test_live_hours_under_a_platform_s_own_controls_wait_for_the_authority(
    self_run: Class,
) -> None:
    self_run.sat("live")
    self_run.studied("lin")
    lin, told = self_run.learner("lin"), self_run.view()["class"]
    assert (lin["outcome"], codes(lin)) == ("pending", ["hours_platform_controls"])
    assert lin["hours"]["valid"] == lin["hours"]["platform_controls"] == 40
    assert "由平台自行实施" in lin["reasons"][0]["sentence"]["zh"]
    assert lin["reasons"][0]["cure"]["how"] == "authority_approval"
    assert told["outcome"] == "pending" and "platform_controls_not_accepted" in codes(told)
    assert not any(it["blocks"] for it in lin["reasons"]), "nobody is accused of it"


def test_once_the_controls_are_accepted_they_count_and_no_longer_when_it_is_revoked(
    self_run: Class,
) -> None:
    self_run.sat("live")
    self_run.studied("lin")
    platform = self_run.county.huang.headers
    assert self_run.record(platform, **RUN_BY_PLATFORM).status_code == 403
    zhao = sign_in(self_run.services, "zhao", HUANGCHUAN)
    assert self_run.record(zhao, **RUN_BY_PLATFORM | {"document": ""}).status_code == 422
    answer = self_run.record(zhao, **RUN_BY_PLATFORM)
    assert answer.status_code == 201, answer.text
    assert self_run.learner("lin")["own"] == "eligible"
    assert "platform_controls_not_accepted" not in codes(self_run.view()["class"])
    url = f"/v1/acts/{answer.json()['id']}/revocation"
    assert self_run.client.post(url, json={"reason": "平台更换了弹窗程序"}, headers=zhao).is_success
    assert self_run.learner("lin")["outcome"] == "pending"


def test_a_log_under_a_platform_s_own_controls_needs_one_acceptance_and_not_two(
    self_run: Class,
) -> None:
    self_run.sat("attested")
    self_run.studied("lin", ALL)
    assert codes(self_run.learner("lin")) == ["hours_attested"]
    zhao = sign_in(self_run.services, "zhao", HUANGCHUAN)
    assert self_run.record(zhao, **RUN_BY_PLATFORM).status_code == 201
    assert self_run.learner("lin")["outcome"] == "pending", "its log is another question"
    assert self_run.record(zhao).status_code == 201
    assert self_run.learner("lin")["own"] == "eligible"


def test_a_platform_s_own_controls_under_the_version_before_are_judged_as_it_says(
    self_run: Class,
) -> None:
    with self_run.services.database.write() as connection:
        connection.execute(update(TrainingClass).values(pack_version="1.0.0"))
    self_run.sat("live")
    self_run.studied("lin")
    assert self_run.learner("lin")["own"] == "eligible"
