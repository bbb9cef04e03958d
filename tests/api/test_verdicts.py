"""What a platform, or an auditor, reads of the verdicts; and what people decide about findings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.jobs.settler import settle_all
from app.services import Services
from app.simulation.entities import invented_id_number
from app.simulation.scenarios import perform
from models import AuditEntry
from tests.evidence import START_MS, catalogue, ndjson, sitting
from tests.people import GUANGSHAN, HUANGCHUAN, WU, County, training_class
from tests.verdicts import class_row, sign_in, take_without_photos, text, validate
from tests.waiting import eventually

CLASS = "/v1/classes/class-demo"
UPHOLD = {"decision": "uphold", "reason": "已核对服务器记录"}


class Bureau:
    """Wu's sittings of scenario F01 are in class `class-demo` and judged."""

    def __init__(self, client: TestClient, services: Services, county: County) -> None:
        self.client, self.services, self.county = client, services, county

    def get(self, path: str, **headers: str) -> Any:
        answer = self.client.get(path, headers=headers or self.county.huang.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def findings(self, query: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/v1/findings{query}")["findings"]
        return found

    def post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
        return self.client.post(path, json=body, headers=headers)

    def decide(self, finding: int, who: dict[str, str], **changes: str) -> Any:
        return self.post(f"/v1/findings/{finding}/reviews", UPHOLD | changes, who)


@pytest.fixture
def bureau(client: TestClient, services: Services, county: County, tmp_path: Path) -> Bureau:
    take_without_photos(services, county, perform("F01"), tmp_path)
    validate(services, class_row(services.database, county, "class-demo").id)
    return Bureau(client, services, county)


def test_the_matrix_has_every_learner_and_every_planned_class_hour(bureau: Bureau) -> None:
    told = bureau.get(f"{CLASS}/class-hours")
    (row,) = told["learners"]
    first, *others = row["class_hours"]
    assert told["planned"] == len(row["class_hours"]) == 3
    assert (first["outcome"], first["standing"]) == ("invalid", "pending_review")
    assert first["sessions"]
    assert first["credited_seconds"] == first["credited_ms"] / 1000
    assert 0 < first["coverage"] < 1
    assert {it["rule"] for it in first["findings"]} >= {"fast_forward"}
    assert [it["outcome"] for it in others] == ["not_started", "not_started"]
    assert told["counts"] == row["counts"] == {"not_started": 2, "pending_review": 1}
    assert told["unsettled_sessions"] == 0


def test_what_rests_on_faces_tells_with_how_many_enrolled_photos(bureau: Bureau) -> None:
    few = {"photos": 0, "photos_wanted": 5, "confidence": "low"}
    (row,) = bureau.get(f"{CLASS}/class-hours")["learners"]
    assert row["face_enrolment"] == few
    told = {it["rule"]: it.get("face_enrolment") for it in bureau.findings()}
    assert told["face_liveness"] == few and told["fast_forward"] is None


def test_the_matrix_of_one_learner(bureau: Bureau) -> None:
    learner = bureau.get(f"{CLASS}/class-hours")["learners"][0]["learner_id"]
    assert len(bureau.get(f"{CLASS}/class-hours?learner_id={learner}")["learners"]) == 1
    answer = bureau.client.get(
        f"{CLASS}/class-hours?learner_id=nobody", headers=bureau.county.huang.headers
    )
    assert answer.status_code == 404 and answer.json()["code"] == "unknown_learner"


def test_a_violation_is_told_in_one_sentence_with_the_clause_s_own_words(bureau: Bureau) -> None:
    finding = bureau.findings("?rule=fast_forward&outcome=violation")[0]
    assert finding["clause"]["quote"] == "快进播放"
    assert "而服务器时间只过去了" in finding["sentence"]["zh"]
    assert finding["class_id"] == "class-demo" and finding["platform_id"] == "huang-edu"
    assert finding["status"] == "open" and finding["session_id"].startswith("f01")
    detail = bureau.get(f"/v1/findings/{finding['id']}")
    assert detail["reviews"] == [] and not detail["pack_term"]["covers_class"]


@pytest.mark.both_databases
def test_pages_of_findings_neither_repeat_nor_leave_out(bureau: Bureau, tmp_path: Path) -> None:
    everything = [it["id"] for it in bureau.findings()]
    assert len(everything) >= 2 and everything == sorted(everything)
    first = bureau.get("/v1/findings?limit=1")
    later = perform("F02")
    take_without_photos(bureau.services, bureau.county, later, tmp_path)
    validate(bureau.services, class_row(bureau.services.database, bureau.county, "class-demo").id)
    seen, cursor = [it["id"] for it in first["findings"]], first["next_cursor"]
    while cursor:
        page = bureau.get(f"/v1/findings?limit=2&cursor={cursor}")
        seen += [it["id"] for it in page["findings"]]
        cursor = page["next_cursor"]
    assert seen == [it["id"] for it in bureau.findings()]
    assert set(everything) < set(seen)


def test_findings_are_narrowed(bureau: Bureau) -> None:
    everything = bureau.findings()
    session = everything[0]["session_id"]
    assert bureau.findings(f"?session_id={session}") == [
        it for it in everything if it["session_id"] == session
    ]
    assert bureau.findings("?class_id=class-demo") == everything
    assert bureau.findings("?status=upheld") == bureau.findings("?rule=marathon") == []
    assert bureau.findings("?since=2026-03-02T09:00:00%2B08:00") == everything
    assert bureau.findings(f"?since={bureau.services.clock() + 1}") == []


@pytest.mark.parametrize(
    "query",
    [
        "cursor=abc",
        "cursor=-1",
        "since=yesterday",
        "since=99",
        "limit=0",
        "limit=9999",
        "rule=%00",
        "class_id=%00",
    ],
)
def test_a_senseless_question_is_refused(bureau: Bureau, query: str) -> None:
    answer = bureau.client.get(f"/v1/findings?{query}", headers=bureau.county.huang.headers)
    assert answer.status_code == 422, answer.text


def test_what_is_left_blank_narrows_nothing(bureau: Bureau) -> None:
    assert bureau.findings("?rule=&outcome=&status=&since=&cursor=") == bureau.findings()


def test_another_platform_finds_nothing_here(bureau: Bureau) -> None:
    finding = bureau.findings()[0]
    theirs = bureau.county.guang.headers
    for path in (
        f"{CLASS}/class-hours",
        f"{CLASS}/eligibility",
        f"/v1/sessions/{finding['session_id']}/timeline",
        f"/v1/findings/{finding['id']}",
        "/v1/findings?class_id=class-demo",
        "/v1/platforms/huang-edu/conformity",
        "/v1/runs/1",
    ):
        answer = bureau.client.get(path, headers=theirs)
        assert answer.status_code == 404, path
    assert bureau.get("/v1/findings", **theirs) == {"findings": [], "next_cursor": None}
    for path, body in (
        (f"{CLASS}/validate", {}),
        (f"/v1/findings/{finding['id']}/appeals", {"statement": "我没有快进"}),
    ):
        assert bureau.post(path, body, theirs).status_code == 404, path


def test_zhao_reads_her_county_and_qian_sees_nothing(bureau: Bureau) -> None:
    zhao = sign_in(bureau.services, "zhao", HUANGCHUAN)
    qian = sign_in(bureau.services, "qian", GUANGSHAN)
    assert bureau.get(f"{CLASS}/eligibility", **zhao)["class_id"] == "class-demo"
    assert bureau.client.get(f"{CLASS}/eligibility", headers=qian).status_code == 404
    assert bureau.client.get("/v1/findings", headers=qian).json()["findings"] == []
    assert bureau.client.get(f"{CLASS}/eligibility").status_code == 401


def test_the_timeline_tells_no_nonce_and_no_seed(bureau: Bureau) -> None:
    session = bureau.findings("?rule=fast_forward")[0]["session_id"]
    told = bureau.get(f"/v1/sessions/{session}/timeline")
    assert told["session"]["id"] == session and told["session"]["outcome"] == "invalid"
    assert told["samples"] and told["voided"] and told["findings"][0]["sentence"]["en"]
    assert "nonce" not in text(told) and "seed" not in text(told)
    assert all(it["rule_status"] == "active" for it in told["findings"])
    unknown = bureau.client.get("/v1/sessions/none/timeline", headers=bureau.county.huang.headers)
    assert unknown.status_code == 404


def test_one_class_id_on_two_platforms_is_told_apart(bureau: Bureau) -> None:
    theirs = bureau.county.guang.headers
    klass = training_class("class-demo", course_ids=[], mode="offline")
    assert bureau.client.put(CLASS, json=klass, headers=theirs).is_success
    feng = sign_in(bureau.services, "feng", "*")
    answer = bureau.client.get(f"{CLASS}/eligibility", headers=feng)
    assert answer.status_code == 409 and answer.json()["code"] == "ambiguous_id"
    told = bureau.get(f"{CLASS}/eligibility?platform=guang-edu", **feng)
    assert told["learners"] == []


def test_what_zhao_overturns_counts_again_at_once(bureau: Bureau) -> None:
    zhao = sign_in(bureau.services, "zhao", HUANGCHUAN)
    before = bureau.get(f"{CLASS}/class-hours")["learners"][0]["class_hours"][0]
    for finding in bureau.findings("?rule=fast_forward"):
        answer = bureau.decide(finding["id"], zhao, decision="overturn")
        assert answer.status_code == 201 and answer.json()["settled"], answer.text
        session = finding["session_id"]
    after = bureau.get(f"{CLASS}/class-hours")["learners"][0]["class_hours"][0]
    assert after["credited_ms"] > before["credited_ms"]
    verdict = bureau.get(f"/v1/sessions/{session}")["verdict"]
    struck = [it for it in verdict["findings"] if it["rule"] == "fast_forward"]
    assert {(it["outcome"], it["decision"]) for it in struck} == {("clear", "overturned")}
    assert bureau.findings("?rule=fast_forward")[0]["status"] == "overturned"


@pytest.mark.both_databases
def test_what_was_struck_is_asked_about_once_more_when_evidence_makes_it_far_longer(
    client: TestClient, services: Services, county: County
) -> None:
    """A platform that had 40 s explained does not bring the other six minutes afterwards."""
    whole = sitting("b", start_ms=START_MS + 30_000, beats=40, device_id="d2")
    zhao, headers = sign_in(services, "zhao", HUANGCHUAN), county.huang.headers

    def brings(records: list[dict[str, Any]], until: int) -> tuple[str, float, int]:
        told = [it for it in records if it.get("session_id") != "b" or it.get("seq", 0) <= until]
        report = client.post("/v1/imports", content=ndjson(told), headers=headers).json()
        assert report["rejected"] == [], report
        settle_all(services)
        (found,) = client.get("/v1/findings?rule=multi_window", headers=headers).json()["findings"]
        verdict = client.get("/v1/sessions/b", headers=headers).json()["verdict"]
        return found["status"], found["measured"], verdict["credited_ms"]

    first = [*catalogue(), *sitting("a", beats=60), *whole]
    assert brings(first, 4) == ("open", 40.0, 0)
    (found,) = client.get("/v1/findings?rule=multi_window", headers=headers).json()["findings"]
    strike = {"decision": "overturn", "reason": "换设备时的衔接"}
    review = client.post(f"/v1/findings/{found['id']}/reviews", json=strike, headers=zhao)
    assert review.status_code == 201, review.text
    assert brings(whole, 6) == ("overturned", 40.0, 60_000)  # little more: it stays struck
    assert brings(whole, 8) == ("overturned", 40.0, 80_000)
    status, measured, credited_ms = brings(whole, 99)
    assert (status, credited_ms) == ("open", 0) and measured > 300
    with services.database.read() as connection:
        told = select(AuditEntry.action).where(AuditEntry.subject == f"finding:{found['id']}")
        assert connection.scalars(told).all() == ["finding.overturn", "finding.outgrown"]
    review = client.post(f"/v1/findings/{found['id']}/reviews", json=strike, headers=zhao)
    assert review.status_code == 201, review.text
    assert client.get("/v1/sessions/b", headers=headers).json()["verdict"]["credited_ms"] > 300_000


def test_what_was_struck_of_a_class_is_asked_about_again_when_far_more_stand_in_it(
    client: TestClient, services: Services, county: County
) -> None:
    """A couple that shares a computer does not vouch for four more who join them on it."""
    zhao, headers = sign_in(services, "zhao", HUANGCHUAN), county.huang.headers
    more = [f"l-{n}" for n in range(4)]
    others = [
        {**WU, "learner_id": it, "name": f"某{it}", "id_number": invented_id_number(50 + n)}
        for n, it in enumerate(more)
    ]

    def brings(learners: Sequence[str], records: list[dict[str, Any]]) -> tuple[str, float]:
        for it in learners:
            records += sitting(f"s-{it}", learner_id=it, beats=60, device_id="shared")
        report = client.post("/v1/imports", content=ndjson(records), headers=headers).json()
        assert report["rejected"] == [], report
        validate(services, class_row(services.database, county).id)
        address = "/v1/findings?rule=shared_device"
        (found,) = client.get(address, headers=headers).json()["findings"]
        return found["status"], found["measured"]

    roster = {"kind": "roster", "class_id": "c1", "learners": others}
    assert brings(["lin", "wu"], [*catalogue(), roster]) == ("open", 2)
    (found,) = client.get("/v1/findings?rule=shared_device", headers=headers).json()["findings"]
    strike = {"decision": "overturn", "reason": "夫妻合用一台电脑"}
    review = client.post(f"/v1/findings/{found['id']}/reviews", json=strike, headers=zhao)
    assert review.status_code == 201, review.text
    assert brings(more[:2], [])[0] == "overturned", "few more: it stays struck"
    assert brings(more[2:], []) == ("open", 6)


def test_only_people_decide_and_only_with_their_own_page_s_token(bureau: Bureau) -> None:
    finding = bureau.findings()[0]["id"]
    assert bureau.decide(finding, bureau.county.huang.headers).json()["code"] == "people_only"
    assert bureau.decide(finding, {}).status_code == 401
    zhao = sign_in(bureau.services, "zhao", HUANGCHUAN)
    forged = zhao | {"x-csrf-token": "guessed"}
    assert bureau.decide(finding, forged).json()["code"] == "csrf"
    qian = sign_in(bureau.services, "qian", GUANGSHAN)
    assert bureau.decide(finding, qian).status_code == 404
    assert bureau.decide(finding, zhao, reason="好").status_code == 422
    assert bureau.decide(finding, zhao, reason="不清楚\0不清楚").status_code == 422
    assert bureau.decide(finding, zhao, decision="maybe").json()["code"] == "bad_decision"
    assert bureau.decide(finding, zhao).status_code == 201
    assert bureau.decide(finding, zhao).json()["code"] == "already_decided"


def test_a_platform_learns_what_was_decided_and_not_by_whom(bureau: Bureau) -> None:
    finding = bureau.findings("?outcome=violation")[0]["id"]
    zhao = sign_in(bureau.services, "zhao", HUANGCHUAN)
    bureau.decide(finding, zhao, decision="need_more")
    assert bureau.get(f"/v1/findings/{finding}")["reviews"] == []
    bureau.decide(finding, zhao)
    told = bureau.get(f"/v1/findings/{finding}")
    assert told["status"] == "upheld"
    assert [it["decision"] for it in told["reviews"]] == ["need_more", "uphold"]
    assert "zhao" not in text(told["reviews"])
    assert bureau.get(f"/v1/findings/{finding}", **zhao)["reviews"][1]["reviewer"] == "zhao"


def test_wu_appeals_through_the_platform_once(bureau: Bureau) -> None:
    finding = bureau.findings("?outcome=violation")[0]["id"]
    path, ours = f"/v1/findings/{finding}/appeals", bureau.county.huang.headers
    words = {"statement": "我没有快进，请核对设备日志。"}
    first = bureau.post(path, words, ours)
    assert first.status_code == 201
    assert bureau.post(path, words, ours).json() == first.json()
    assert bureau.post(path, {"statement": "不"}, ours).status_code == 422
    (appeal,) = bureau.get(f"/v1/findings/{finding}")["appeals"]
    assert appeal["statement"] == words["statement"] and appeal["reply"] is None
    zhao = sign_in(bureau.services, "zhao", HUANGCHUAN)
    bureau.decide(finding, zhao, decision="overturn")
    assert bureau.post(path, words | {"statement": "再次申诉"}, ours).status_code == 409


def test_a_run_is_asked_for_and_followed(bureau: Bureau) -> None:
    ours = bureau.county.huang.headers
    asked = bureau.post(f"{CLASS}/validate", {}, ours)
    assert asked.status_code == 202
    run_id = asked.json()["run_id"]
    assert eventually(lambda: bureau.get(f"/v1/runs/{run_id}")["state"] == "done")
    told = bureau.get(f"/v1/runs/{run_id}")
    assert told["percent"] == 100
    assert told["results"]["outcomes"]["session"] == {"invalid": 1}
    zhao = sign_in(bureau.services, "zhao", HUANGCHUAN, "auditor")
    assert bureau.get(f"/v1/runs/{run_id}", **zhao)["class_id"] == "class-demo"
    assert bureau.post(f"{CLASS}/validate", {}, zhao).status_code == 202
    sun = sign_in(bureau.services, "sun", HUANGCHUAN, "reviewer")
    assert bureau.post(f"{CLASS}/validate", {}, sun).status_code == 403
    without = {"cookie": zhao["cookie"]}
    assert bureau.post(f"{CLASS}/validate", {}, without).json()["code"] == "csrf"
    assert bureau.client.get("/v1/runs/99", headers=ours).status_code == 404
