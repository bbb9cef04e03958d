"""How many apprentices an institution trains, against the full-time teachers it has on file."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from app.services import Services
from tests.domain.judging.test_attested_evidence import Class
from tests.people import HUANGCHUAN, County, TestClock
from tests.verdicts import sign_in

TERMS = {"policy_id": "huangchuan-2021-graded@1.3.0", "training_kind": "apprenticeship"}


def b14(klass: Class) -> dict[str, Any]:
    klass.client.post("/v1/classes/c1/validate", headers=klass.county.huang.headers)
    return next(it for it in klass.view()["class"]["checks"] if it["check"] == "B14")


def test_an_apprenticeship_waits_for_teachers_of_its_occupation_on_file(
    services: Services, client: TestClient, county: County, clock: TestClock
) -> None:
    klass = Class(services, client, county, clock, **TERMS)
    left = b14(klass)
    assert (left["result"], left["reason"]) == ("needs_authority", "teachers_not_filed")
    assert left["clause"]["quote"].endswith("不超过培训机构该职业（工种）专职教师总数的 20 倍")

    admin = sign_in(services, "root", HUANGCHUAN, role="admin")
    terms = client.get("/v1/classes/c1", headers=county.huang.headers).json()
    school = {"county": HUANGCHUAN, "code": "办学1号", "name": terms["institution"]}
    made = client.post("/v1/institutions", json=school, headers=admin).json()
    teacher = {"name": "沈教员", "occupation": "社会工作者（五级）", "from_on": "2020-01-01"}

    def file(*teachers: dict[str, Any]) -> Any:
        body = {"teachers": list(teachers), "reason": "机构报备表"}
        return client.put(
            f"/v1/institutions/{made['institution_id']}/teachers", json=body, headers=admin
        )

    assert file(teacher, teacher).status_code == 422
    assert file(teacher | {"occupation": "育婴员"}).is_success
    none = b14(klass)
    assert (none["result"], none["reason"]) == ("fail", "too_many_apprentices")
    answer = file(teacher, teacher | {"name": "顾教员", "until_on": "2020-12-31"})
    assert [it["name"] for it in answer.json()["teachers"]] == ["沈教员", "顾教员"]
    there = b14(klass)
    assert (there["result"], there["found"]) == ("pass", "2(2):1")  # who left before counts no more
    assert there["sentence"]["zh"] == "同时在训学徒2人，全年2人，该职业专职教师1人"
