"""The authority decides what checks leave to it, for what they found and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.domain.catalogue.classes import ClassTerms
from tests.domain.judging.test_eligibility import School
from tests.people import HUANGCHUAN, County, TestClock, training_class
from tests.verdicts import check, forty, sign_in

REASON = {"reason": "主管部门会议研究决定", "document": "潢人社〔2026〕8号"}


class Authority(School):
    """Class c1, and the people of the authority who decide on it."""

    def opened(self, **terms: Any) -> None:
        terms = training_class(**{"occupation": "社会工作者"} | terms)
        answer = self.client.put("/v1/classes/c1", json=terms, headers=self.county.huang.headers)
        assert answer.status_code < 300, answer.text

    def person(self, name: str) -> dict[str, str]:
        services: Any = self.client.app.state.services  # type: ignore[attr-defined]
        return sign_in(services, name, HUANGCHUAN)

    def records(self, who: dict[str, str], kind: str, **body: Any) -> Any:
        learner = {"learner_id": "lin"} if kind == "learner_check_decided" else {}
        act = {"kind": kind, "body": body} | REASON | learner
        return self.client.post("/v1/classes/c1/acts", json=act, headers=who)

    def trained(self, *occupations: str) -> None:
        self.post(
            "history",
            *(
                {
                    "learner_id": "lin",
                    "occupation": it,
                    "started_on": f"2026-01-0{day}",
                    "assessed_on": f"2026-01-1{day}",
                }
                for day, it in enumerate(occupations, 1)
            ),
        )


@pytest.fixture
def school(client: TestClient, county: County, clock: TestClock) -> Authority:
    forty(client, county)
    return Authority(client, county, clock)


def test_a_class_outside_annex_3_passes_once_the_authority_decided(school: Authority) -> None:
    school.opened(occupation="古籍修复师")
    school.studied("lin")
    assert check(school.view()["class"], "B17")["result"] == "needs_authority"
    zhao = school.person("zhao")
    answer = school.records(zhao, "class_check_decided", check="B17", decision="allowed")
    assert answer.status_code == 201, answer.text
    assert answer.json()["body"] == {
        "check": "B17",
        "decision": "allowed",
        "because": "not_in_annex_3",
        "found": "古籍修复师",
    }
    decided = check(school.view()["class"], "B17")
    assert (decided["result"], decided["reason"]) == ("pass", "authority_allowed")
    assert decided["sentence"]["zh"].endswith("；主管部门已登记：准予")
    act = answer.json()["id"]
    body = {"reason": "会议决定已撤回"}
    assert school.client.post(f"/v1/acts/{act}/revocation", json=body, headers=zhao).is_success
    assert check(school.view()["class"], "B17")["result"] == "needs_authority"


def test_a_decision_on_a_fourth_training_says_nothing_of_a_fifth(school: Authority) -> None:
    school.studied("lin")
    school.trained("育婴员", "保洁员", "收银员")
    assert check(school.learner(), "D1")["result"] == "needs_authority"
    zhao = school.person("zhao")
    school.records(zhao, "learner_check_decided", check="D1", decision="allowed")
    assert check(school.learner(), "D1")["result"] == "pass"
    school.trained("育婴员", "保洁员", "收银员", "家政服务员")
    assert check(school.learner(), "D1")["result"] == "needs_authority"


def test_a_refusal_makes_the_learner_ineligible_and_is_not_to_be_cured(school: Authority) -> None:
    school.studied("lin")
    school.trained("育婴员", "保洁员", "收银员")
    school.learner()
    school.records(school.person("zhao"), "learner_check_decided", check="D1", decision="refused")
    lin = school.learner()
    assert (lin["outcome"], lin["curable"]) == ("ineligible", False)
    assert lin["reasons"][0]["sentence"]["zh"].endswith("；主管部门已登记：不予")


def test_packs_from_1_2_on_take_two_different_persons(school: Authority) -> None:
    school.opened(occupation="古籍修复师", policy_id="huangchuan-2021-graded@1.2.0")
    school.view()
    zhao = school.person("zhao")
    answer = school.records(zhao, "class_check_decided", check="B17", decision="allowed")
    path = f"/v1/acts/{answer.json()['id']}/approval"
    assert answer.json()["state"] == "awaits_approval"
    assert check(school.view()["class"], "B17")["result"] == "needs_authority"
    assert school.client.post(path, headers=zhao).status_code == 403
    assert school.client.post(path, headers=school.person("qian")).is_success
    assert check(school.view()["class"], "B17")["result"] == "pass"


def test_an_explicit_rule_on_hours_takes_the_place_of_forty(school: Authority) -> None:
    school.studied("lin", not_started=range(31, 41))
    assert check(school.learner(), "B5")["result"] == "fail"
    zhao = school.person("zhao")
    assert school.records(zhao, "explicit_hours", least_hours=24).status_code == 201
    told = check(school.learner(), "B5")
    assert told["result"] == "pass" and "须达24学时" in told["sentence"]["zh"]


@pytest.mark.parametrize(
    ("kind", "asked"), [("class_check_decided", "B1"), ("learner_check_decided", "D1")]
)
def test_what_is_not_left_to_the_authority_cannot_be_decided(
    school: Authority, kind: str, asked: str
) -> None:
    school.view()
    answer = school.records(school.person("zhao"), kind, check=asked, decision="allowed")
    assert answer.status_code == 422 and answer.json()["code"] == "nothing_to_decide"


def test_a_platform_decides_nothing(school: Authority) -> None:
    school.opened(occupation="古籍修复师")
    school.view()
    key = school.county.huang.headers
    answer = school.records(key, "class_check_decided", check="B17", decision="allowed")
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("field", "word"), [("certificate_type", "结业证明"), ("level", "熟练"), ("level", "六级")]
)
def test_words_that_a_rule_hangs_on_are_known_ones(field: str, word: str) -> None:
    with pytest.raises(ValueError, match="须为"):
        ClassTerms.model_validate(training_class(**{field: word}))


@pytest.mark.parametrize("word", ["培训合格证", "培训合格证书", "职业技能培训合格证书"])
def test_a_certificate_by_another_name_is_held_to_the_same_hours(
    school: Authority, word: str
) -> None:
    school.opened(certificate_type=word)
    school.studied("lin", not_started=[40])
    assert check(school.learner(), "B5")["result"] == "fail"


def test_the_same_occupation_at_the_same_level_counts_under_any_of_its_names(
    school: Authority,
) -> None:
    school.studied("lin")
    school.trained("社会工作者（五级）")
    assert check(school.learner(), "D1")["reason"] == "repeated_subject"
