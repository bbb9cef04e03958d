"""What a platform learns of a person's study elsewhere: that there was some, and none of its
ids."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.domain import runs
from app.domain.accounts.users import ALL_COUNTIES
from app.domain.catalogue import classes
from app.domain.judging import wording
from app.jobs import class_run
from app.jobs.settler import settle_all
from app.services import Services
from tests.api.test_sessions_live import Lesson, lin
from tests.bodies import finding
from tests.evidence import START_MS, catalogue, ndjson, sitting
from tests.people import GUANGSHAN, HUANGCHUAN, LIN, County, Tenant
from tests.verdicts import sign_in

__all__ = ["lin"]

SECRET = "only-guang-knows"
READ = (
    "/v1/findings",
    "/v1/findings?session_id=s-huang",
    "/v1/classes/c1/class-hours",
    "/v1/classes/c1/eligibility",
    "/v1/sessions/s-huang",
    "/v1/sessions/s-huang/timeline",
    "/v1/platforms/huang-edu/conformity",
    "/v1/classes/c1/exports/invalid-hours.csv",
    "/v1/classes/c1/exports/reviews.csv",
)


def studied_on_both(
    client: TestClient, county: County, services: Services, name: str
) -> dict[str, Any]:
    """Lin studies on Guang's platform, and from 30 s later on Huang's; Huang's finding of it."""
    elsewhere = LIN | {"name": name, "learner_id": "their-lin"}
    guang = [
        *catalogue()[:2],
        {"kind": "roster", "class_id": "c1", "learners": [elsewhere]},
        *sitting(SECRET, learner_id="their-lin", beats=12),
    ]
    huang = [*catalogue(), *sitting("s-huang", start_ms=START_MS + 30_000, beats=12)]
    for records, tenant in ((guang, county.guang), (huang, county.huang)):
        report = client.post("/v1/imports", content=ndjson(records), headers=tenant.headers)
        assert report.json()["rejected"] == [], report.text
    settle_all(services)
    answer = client.get("/v1/findings?rule=multi_window", headers=county.huang.headers)
    (finding,) = answer.json()["findings"]
    told: dict[str, Any] = finding
    return told


@pytest.mark.both_databases
@pytest.mark.parametrize("by_run", [False, True])
def test_what_another_platform_brings_afterwards_is_held_against_what_was_judged_before(
    client: TestClient, county: County, services: Services, by_run: bool
) -> None:
    """Neither platform's class earns the same seconds of the same person, whichever came first."""
    later = [*catalogue(), *sitting("s-huang", start_ms=START_MS + 30_000, beats=12)]
    theirs = {"kind": "roster", "class_id": "c1", "learners": [LIN | {"learner_id": "their-lin"}]}
    earlier = [
        *catalogue()[:2],
        theirs,
        *sitting(SECRET, learner_id="their-lin", beats=12),
    ]

    def brings(records: list[dict[str, Any]], tenant: Tenant) -> None:
        report = client.post("/v1/imports", content=ndjson(records), headers=tenant.headers)
        assert report.json()["rejected"] == [], report.text
        if by_run:
            with services.database.write() as connection:
                class_id = classes.class_of(connection, tenant.platform.id, "c1").id
                run = runs.begin(connection, class_id, "test", services.clock())
            class_run.perform(services, run)
        else:
            settle_all(services)

    def credited_ms(session: str, tenant: Tenant) -> int:
        told = client.get(f"/v1/sessions/{session}", headers=tenant.headers).json()
        credit: int = told["verdict"]["credited_ms"]
        return credit

    brings(later, county.huang)
    assert credited_ms("s-huang", county.huang) == 120_000
    brings(earlier, county.guang)
    assert credited_ms(SECRET, county.guang) == 120_000
    assert credited_ms("s-huang", county.huang) == 30_000


def test_no_platform_s_log_accuses_who_studied_before_this_service_s_eyes(
    lin: Lesson, county: County, services: Services
) -> None:
    """Whoever knows an ID number can write that its bearer was there a minute earlier."""
    begun_ms = lin.clock()
    lin.open()
    for _ in range(30):
        lin.play()
    lin.client.post("/v1/sessions/s1/close", headers=county.huang.headers)
    settle_all(services)
    theirs = {"kind": "roster", "class_id": "c1", "learners": [LIN | {"learner_id": "their-lin"}]}
    log = sitting(SECRET, start_ms=begun_ms - 60_000, learner_id="their-lin", beats=24)
    records = [*catalogue()[:2], theirs, *log]
    report = lin.client.post("/v1/imports", content=ndjson(records), headers=county.guang.headers)
    assert report.json()["rejected"] == [], report.text
    settle_all(services)
    answer = lin.client.get("/v1/findings?rule=multi_window", headers=county.huang.headers)
    (finding,) = answer.json()["findings"]
    assert (finding["session_id"], finding["outcome"]) == ("s1", "review")
    assert (finding["reason"], finding["fault"]) == ("log_alone", "undetermined")


@pytest.mark.both_databases
def test_a_sitting_elsewhere_is_named_to_auditors_of_both_and_to_no_platform(
    client: TestClient, county: County, services: Services
) -> None:
    finding = studied_on_both(client, county, services, LIN["name"])
    assert (finding["outcome"], finding["reason"]) == ("violation", "overlap")
    assert (finding["rival_session_id"], finding["rival_elsewhere"]) == (None, True)
    for path in (*READ, f"/v1/findings/{finding['id']}"):
        answer = client.get(path, headers=county.huang.headers)
        assert answer.status_code == 200, (path, answer.text)
        assert SECRET not in answer.text and "their-lin" not in answer.text, path
    page = f"/console/findings/{finding['id']}"
    for name, of, sees in (("zhao", ALL_COUNTIES, True), ("sun", HUANGCHUAN, False)):
        cookie = sign_in(services, name, of)
        there = client.get(page, headers=cookie, follow_redirects=False)
        answer = client.get(there.headers["location"], headers=cookie, follow_redirects=False)
        assert answer.status_code == 200
        assert (SECRET in answer.text) == sees


def test_the_sitting_of_the_same_platform_is_named(
    client: TestClient, county: County, services: Services
) -> None:
    records = [*catalogue(), *sitting("a", beats=12), *sitting("b", start_ms=START_MS + 30_000)]
    client.post("/v1/imports", content=ndjson(records), headers=county.huang.headers)
    settle_all(services)
    answer = client.get("/v1/findings?rule=multi_window", headers=county.huang.headers)
    (finding,) = answer.json()["findings"]
    assert (finding["session_id"], finding["rival_session_id"]) == ("b", "a")


def test_one_number_under_two_names_accuses_nobody_and_waits_for_people(
    client: TestClient, county: County, services: Services
) -> None:
    finding = studied_on_both(client, county, services, "吴小兰")
    assert (finding["outcome"], finding["reason"]) == ("review", "two_names")
    assert finding["fault"] == "undetermined"
    assert "姓名不同" in finding["sentence"]["zh"] and "吴小兰" not in json.dumps(finding)
    told = client.get("/v1/sessions/s-huang", headers=county.huang.headers).json()
    assert told["verdict"]["outcome"] == "pending_review"
    assert GUANGSHAN not in json.dumps(finding, ensure_ascii=False)


def test_a_finding_stored_before_it_said_where_names_no_sitting() -> None:
    body = finding(rule="multi_window", reason="overlap", rival_session_id=SECRET)
    assert wording.finding(body).rival_session_id is None
