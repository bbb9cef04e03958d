"""Who keeps the lists of institutions over the API, and who reads what of them."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from tests.people import GUANGSHAN, HUANGCHUAN
from tests.walk.dataset import SCHOOL, Dataset

NEW = {"county": HUANGCHUAN, "code": "52411526MJ00000016", "name": "示例技工学校"}


def ask(
    walker: TestClient, dataset: Dataset, who: str, method: str, path: str, body: Any = None
) -> tuple[int, Any]:
    walker.cookies.clear()
    headers = dataset.headers(who) | {"x-csrf-token": dataset.csrf[who]}
    answer = walker.request(method, f"/v1{path}", headers=headers, json=body)
    return answer.status_code, answer.json()


def names(walker: TestClient, headers: dict[str, str]) -> list[str]:
    walker.cookies.clear()
    answer = walker.get("/v1/institutions", headers=headers)
    assert answer.status_code == 200
    return [it["name"] for it in answer.json()["institutions"]]


def test_an_auditor_keeps_the_list_of_her_county(walker: TestClient, dataset: Dataset) -> None:
    status, made = ask(walker, dataset, "zhao", "POST", "/institutions", NEW)
    assert status == 201 and made["reviews"] == []
    there = f"/institutions/{made['institution_id']}"
    assert ask(walker, dataset, "zhao", "POST", "/institutions", NEW)[1]["code"] == (
        "institution_code_taken"
    )
    ask(walker, dataset, "zhao", "PUT", f"{there}/reviews/2025", {"passed": False})
    passed = {"passed": True, "document": "潢人社〔2026〕9号"}
    ask(walker, dataset, "zhao", "PUT", f"{there}/reviews/2026", passed)
    ask(walker, dataset, "zhao", "PUT", f"{there}/reviews/2026", passed)
    off = {"withdrawn_on": "2026-11-20", "reason": "办学许可到期未续"}
    status, told = ask(walker, dataset, "zhao", "POST", f"{there}/withdrawal", off)
    assert status == 201 and told["withdrawn_on"] == "2026-11-20"
    assert [(it["year"], it["passed"]) for it in told["reviews"]] == [(2026, True), (2025, False)]
    assert ask(walker, dataset, "zhao", "POST", f"{there}/withdrawal", off)[0] == 409
    for reason in ("      ", "许可\0已续", "续"):
        told = ask(walker, dataset, "zhao", "POST", f"{there}/relisting", {"reason": reason})
        assert told[0] == 422
    back = ask(walker, dataset, "zhao", "POST", f"{there}/relisting", {"reason": "许可已续"})
    assert back[1]["withdrawn_on"] is None
    changed = {"code": NEW["code"], "name": "示例高级技工学校", "reason": "更名批复"}
    assert ask(walker, dataset, "zhao", "PUT", there, changed)[1]["name"] == "示例高级技工学校"


def test_who_does_not_keep_it_is_refused_in_every_way(walker: TestClient, dataset: Dataset) -> None:
    there = f"/institutions/{dataset.console['institution_id']}"
    elsewhere = NEW | {"county": GUANGSHAN}
    assert ask(walker, dataset, "zhao", "POST", "/institutions", elsewhere)[0] == 404
    for who in ("sun", "chang", "fang", "han"):
        assert ask(walker, dataset, who, "POST", "/institutions", NEW)[0] == 403
        assert ask(walker, dataset, who, "PUT", f"{there}/reviews/2026", {"passed": True})[0] == 403
    assert ask(walker, dataset, "qian", "PUT", f"{there}/reviews/2026", {"passed": True})[0] == 404
    for who in ("zhao", "han"):
        assert ask(walker, dataset, who, "PUT", "/counties/新县", {"code": None})[0] == 403
    status, told = ask(walker, dataset, "root", "PUT", "/counties/新县", {"code": "12"})
    assert (status, told["code"]) == (422, "bad_county_code")
    assert ask(walker, dataset, "root", "PUT", "/counties/新县", {"code": "411523"})[0] == 200


def test_each_reads_what_is_theirs(walker: TestClient, dataset: Dataset) -> None:
    county = dataset.county
    assert names(walker, county.huang.headers) == [SCHOOL]
    assert names(walker, county.guang.headers) == []
    assert names(walker, dataset.headers("han")) == [SCHOOL]
    assert len(names(walker, dataset.headers("zhao"))) == 2
    assert names(walker, dataset.headers("qian")) == []
    there = f"/institutions/{dataset.console['institution_id']}"
    off = {"withdrawn_on": "2026-11-20", "reason": "办学许可到期未续"}
    ask(walker, dataset, "zhao", "POST", f"{there}/withdrawal", off)
    told = walker.get(f"/v1{there}", headers=county.huang.headers).json()
    assert told["withdrawn_on"] == "2026-11-20" and told["withdrawn_reason"] is None
    seen = walker.get("/v1/counties", headers=county.huang.headers).json()["counties"]
    assert [it["name"] for it in seen] == [HUANGCHUAN]
