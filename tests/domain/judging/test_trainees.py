"""What a roster says of who somebody is reaches the checks on who may be trained."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from app.services import Services
from tests.domain.judging.test_attested_evidence import Class
from tests.people import HUANGCHUAN, LIN, WU, County, TestClock
from tests.verdicts import sign_in, studied

TERMS = {"policy_id": "huangchuan-2021-graded@1.2.0", "occupation_code": "４-07-08-01"}


def checks(klass: Class, learner: str) -> dict[str, dict[str, Any]]:
    return {it["check"]: it for it in klass.learner(learner)["checks"]}


def put(klass: Class, *rows: dict[str, Any]) -> Any:
    url, headers = "/v1/classes/c1/roster", klass.county.huang.headers
    return klass.client.put(url, json={"learners": list(rows)}, headers=headers)


def test_posts_students_and_ages_are_checked_and_the_authority_decides_what_is_near(
    services: Services, client: TestClient, county: County, clock: TestClock
) -> None:
    klass = Class(services, client, county, clock, **TERMS)
    for learner in ("lin", "wu"):
        studied(services.database, county, clock, learner)
    assert checks(klass, "lin")["B2"]["result"] == "not_proven"
    assert klass.learner("lin")["own"] == "eligible"  # blank columns hold nobody

    student = {"category": "在校生", "school": "潢川县示例培训学校", "major": "社会工作"}
    answer = put(klass, LIN | {"post_code": "6-29-01-01"}, WU | student)
    assert answer.status_code == 200 and answer.json()["rejected"] == []
    lin, wu = checks(klass, "lin"), checks(klass, "wu")
    assert (lin["B2"]["result"], lin["B2"]["reason"]) == ("needs_authority", "other_occupation")
    assert "是否相近由主管部门认定" in lin["B2"]["sentence"]["zh"]
    assert lin["B2"]["clause"]["quote"] == "企业职工须参加与本人岗位相同或相近的职业（工种）培训"
    assert (wu["B4"]["result"], klass.learner("wu")["own"]) == ("needs_authority", "pending")
    assert wu["B8"]["result"] == wu["B2"]["result"] == "not_applicable"

    zhao, qian = (sign_in(services, it, HUANGCHUAN) for it in ("zhao", "qian"))
    said = {"kind": "learner_check_decided", "learner_id": "lin"}
    body = {"body": {"check": "B2", "decision": "allowed"}, "document": "会议纪要3号"}
    client.post("/v1/classes/c1/validate", headers=zhao)
    act = klass.record(zhao, **said, **body)
    assert act.status_code == 201, act.text
    assert client.post(f"/v1/acts/{act.json()['id']}/approval", headers=qian).is_success
    assert checks(klass, "lin")["B2"]["result"] == "pass"


def test_a_code_that_is_none_is_refused_by_the_persons_name(
    services: Services, client: TestClient, county: County, clock: TestClock
) -> None:
    klass = Class(services, client, county, clock, **TERMS)
    (row,) = put(klass, LIN | {"post_code": "缝纫"}).json()["errors"]
    assert (row["code"], row["name"]) == ("bad_occupation_code", "林小兰")
    assert "如 4-01-02-01" in row["detail"]
