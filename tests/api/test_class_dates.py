"""Study counts on the days of the class: a start outside them is refused, what comes all the same
is kept and counts for nothing, and an extended class is judged again."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Select, select

from app.jobs import class_run
from app.jobs.settler import settle_all
from app.services import Services
from models import Run
from tests.api.test_sessions import found_school, opening, post
from tests.evidence import ndjson, sitting
from tests.people import HUANGCHUAN, County, TestClock, instant, training_class
from tests.verdicts import sign_in


@pytest.fixture
def school(client: TestClient, county: County) -> County:
    return found_school(client, county)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("moment", "says"),
    [
        ("2026-03-01 23:59:59", "尚未开班"),
        ("2026-03-02 00:00", None),
        ("2026-04-05 23:59:59", None),
        ("2026-04-06 00:00", "2026年4月5日截止"),
    ],
)
def test_a_sitting_begins_on_the_days_of_the_class(
    client: TestClient, school: County, clock: TestClock, moment: str, says: str | None
) -> None:
    clock.now_ms = instant(moment)
    answer = post(client, school, opening())
    if says is None:
        assert answer.status_code == 201
        return
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "outside_class_dates")
    assert says in problem["detail"] and says in problem["reason"]["zh"]
    assert problem["counts"]["first_day"] == "2026-03-02"
    assert problem["counts"]["until_ms"] == instant("2026-04-06 00:00")


def test_nobody_studies_on_for_an_assessment_that_was_held(
    client: TestClient, school: County, clock: TestClock
) -> None:
    exam = {"learner_id": "lin", "held_on": "2026-03-20", "passed": True}
    answer = client.post(
        "/v1/classes/c1/assessments", json={"items": [exam]}, headers=school.huang.headers
    )
    assert answer.json()["accepted"] == 1, answer.text
    clock.now_ms = instant("2026-03-20 08:00")
    assert post(client, school, opening()).json()["code"] == "outside_class_dates"
    assert post(client, school, opening("wu", device_id="d2")).status_code == 201


def test_whoever_had_leave_makes_up_for_it_before_the_assessment(
    client: TestClient, school: County, clock: TestClock
) -> None:
    leave: dict[str, Any] = {
        "learner_id": "lin",
        "from_on": "2026-03-10",
        "to_on": "2026-03-12",
        "written": True,
        "approved": True,
    }
    answer = client.post(
        "/v1/classes/c1/leave", json={"items": [leave]}, headers=school.huang.headers
    )
    assert answer.json()["accepted"] == 1, answer.text
    clock.now_ms = instant("2026-04-19 20:00")
    assert post(client, school, opening()).status_code == 201
    assert post(client, school, opening("wu", device_id="d2")).status_code == 409
    clock.now_ms = instant("2026-04-20 00:00")
    assert post(client, school, opening(session_id="again")).status_code == 409


def verdict(client: TestClient, county: County, session: str) -> dict[str, Any]:
    answer = client.get(f"/v1/sessions/{session}", headers=county.huang.headers)
    found: dict[str, Any] = answer.json()["verdict"]
    return found


def of_dates(found: dict[str, Any]) -> list[tuple[str, str, float]]:
    return [
        (it["reason"], it["outcome"], it["measured"])
        for it in found["findings"]
        if it["rule"] == "class_dates"
    ]


def acts_of(client: TestClient, headers: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/v1/classes/c1/acts", headers=headers).json()["acts"]
    return found


def extend(client: TestClient, school: County, door: str, **terms: Any) -> None:
    """A later end by the platform's word, by `PUT` or in an import."""
    klass = training_class(**terms)
    if door == "api":
        answer = client.put("/v1/classes/c1", json=klass, headers=school.huang.headers)
    else:
        record = {"kind": "class", "class_id": "c1", **klass}
        answer = client.post("/v1/imports", content=ndjson([record]), headers=school.huang.headers)
        assert answer.json()["rejected"] == []
    assert answer.is_success, answer.text


def judged_again(services: Services) -> None:
    """By this thread, or by the service's own where it was quicker to take the run on."""
    unfinished = select(Run.id).where(Run.finished_ms.is_(None))
    while class_run.run_next(services) or _any(services, unfinished):
        time.sleep(0.01)


def _any(services: Services, query: Select[Any]) -> bool:
    with services.database.read() as connection:
        return connection.execute(query.limit(1)).first() is not None


@pytest.mark.parametrize("door", ["api", "import"])
def test_what_was_imported_from_outside_counts_once_the_authority_accepts_the_later_end(
    client: TestClient, school: County, services: Services, clock: TestClock, door: str
) -> None:
    late = sitting("late", start_ms=instant("2026-04-10 19:00"))
    early = sitting("early", start_ms=instant("2026-02-28 19:00"))
    border = sitting("border", start_ms=instant("2026-04-05 23:59:30"))
    for records in (early, border, late):
        told = client.post("/v1/imports", content=ndjson(records), headers=school.huang.headers)
        assert told.json()["rejected"] == []
    settle_all(services)
    assert of_dates(verdict(client, school, "early")) == [
        ("before_the_class", "not_proven", pytest.approx(60, abs=0.1))
    ]
    (outside,) = of_dates(verdict(client, school, "late"))
    assert outside[:2] == ("after_the_class", "not_proven")
    assert verdict(client, school, "late")["credited_ms"] == 0
    (half,) = of_dates(verdict(client, school, "border"))
    assert half == ("after_the_class", "clear", pytest.approx(30, abs=0.1))
    assert verdict(client, school, "border")["credited_ms"] == pytest.approx(30_000, abs=100)

    for _ in range(2):  # saying it twice is one act
        extend(client, school, door, ends_on="2026-04-12")
    judged_again(services)
    (waiting,) = of_dates(verdict(client, school, "late"))
    assert waiting[:2] == ("days_not_accepted", "not_proven"), "undecided, and nobody is accused"
    assert {it["fault"] for it in verdict(client, school, "late")["findings"]} <= {
        "institution",
        "undetermined",
        "environment",
        "platform",
    }
    assert verdict(client, school, "late")["credited_ms"] == 0
    assert verdict(client, school, "border")["credited_ms"] == pytest.approx(30_000, abs=100)

    zhao = sign_in(services, "zhao", HUANGCHUAN)
    (act,) = acts_of(client, zhao)
    assert (act["kind"], act["state"]) == ("class_extended", "awaits_approval")
    assert act["body"] == {"ends_on": "2026-04-12", "formerly": "2026-04-05"}
    assert client.post(f"/v1/acts/{act['id']}/approval", headers=zhao).status_code == 200
    judged_again(services)
    for session in ("border", "late"):
        assert of_dates(verdict(client, school, session)) == []
        assert verdict(client, school, session)["credited_ms"] == pytest.approx(60_000, abs=100)
    assert len(of_dates(verdict(client, school, "early"))) == 1

    reason = {"reason": "经核对，主管部门未同意延期"}
    client.post(f"/v1/acts/{act['id']}/revocation", json=reason, headers=zhao)
    judged_again(services)
    assert of_dates(verdict(client, school, "late"))[0][0] == "days_not_accepted"


def test_people_study_on_the_days_that_wait_for_the_authority(
    client: TestClient, school: County, services: Services, clock: TestClock
) -> None:
    clock.now_ms = instant("2026-04-05 20:00")
    assert post(client, school, opening(session_id="before")).status_code == 201
    extend(client, school, "api", ends_on="2026-04-12")
    clock.now_ms = instant("2026-04-10 20:00")
    assert post(client, school, opening()).status_code == 201
    clock.now_ms = instant("2026-04-13 00:00")
    assert post(client, school, opening("wu", device_id="d2")).status_code == 409
    (act,) = acts_of(client, sign_in(services, "zhao", HUANGCHUAN))
    assert act["state"] == "awaits_approval"


def test_an_end_may_come_earlier_and_be_told_before_anybody_studied_without_an_act(
    client: TestClient, school: County, services: Services, clock: TestClock
) -> None:
    extend(client, school, "api", ends_on="2026-04-12")
    clock.now_ms = instant("2026-04-10 20:00")
    assert post(client, school, opening()).status_code == 201
    extend(client, school, "api", ends_on="2026-04-11")
    assert acts_of(client, sign_in(services, "zhao", HUANGCHUAN)) == []


@pytest.mark.parametrize("door", ["api", "import"])
def test_leave_that_a_platform_calls_approved_waits_for_the_authority(
    client: TestClient, school: County, services: Services, clock: TestClock, door: str
) -> None:
    leave: dict[str, Any] = {"learner_id": "lin", "from_on": "2026-03-10", "to_on": "2026-03-12"}
    leave |= {"written": True, "approved": True}
    headers, zhao = school.huang.headers, sign_in(services, "zhao", HUANGCHUAN)
    for _ in range(2):
        if door == "api":
            client.post("/v1/classes/c1/leave", json={"items": [leave]}, headers=headers)
        else:
            record = {"kind": "leave", "class_id": "c1", "items": [leave]}
            client.post("/v1/imports", content=ndjson([record]), headers=headers)
    late = sitting("late", start_ms=instant("2026-04-10 19:00"))
    assert client.post("/v1/imports", content=ndjson(late), headers=headers).json()["stored"]
    settle_all(services)
    (waiting,) = of_dates(verdict(client, school, "late"))
    assert waiting[:2] == ("days_not_accepted", "not_proven")

    def b24() -> tuple[str, int]:
        told = client.get("/v1/classes/c1/eligibility", headers=headers).json()
        (lin,) = [it for it in told["learners"] if it["learner_id"] == "lin"]
        (check,) = [it for it in lin["checks"] if it["check"] == "B24"]
        return check["result"], lin["hours"]["on_leave"]

    assert b24() == ("needs_authority", 0)
    (act,) = acts_of(client, zhao)
    assert (act["kind"], act["learner_id"]) == ("leave_approved", "lin")
    assert client.post(f"/v1/acts/{act['id']}/approval", headers=zhao).status_code == 200
    judged_again(services)
    assert of_dates(verdict(client, school, "late")) == []
    result, on_leave = b24()
    assert result == "not_proven" and on_leave > 0


def test_a_sitting_that_runs_past_midnight_of_the_last_day_goes_on_and_counts_to_midnight(
    client: TestClient, school: County, services: Services, clock: TestClock
) -> None:
    clock.now_ms = instant("2026-04-05 23:59")
    assert post(client, school, opening(session_id="s1")).status_code == 201
    for n in range(12):
        clock.advance(seconds=10)
        beat = {"seq": n, "type": "progress", "at_ms": clock(), "position": 10.003 * (n + 1)}
        answer = client.post(
            "/v1/sessions/s1/events", json={"events": [beat]}, headers=school.huang.headers
        )
        assert answer.status_code == 200
    assert post(client, school, opening(session_id="s1")).status_code == 201  # a renewal
    client.post("/v1/sessions/s1/close", headers=school.huang.headers)
    settle_all(services)
    assert verdict(client, school, "s1")["credited_ms"] == pytest.approx(60_000, abs=200)


def test_an_extension_that_names_no_former_end_is_judged_by(
    client: TestClient, school: County, services: Services
) -> None:
    late = sitting("late", start_ms=instant("2026-04-04 19:00"))
    client.post("/v1/imports", content=ndjson(late), headers=school.huang.headers)
    zhao = sign_in(services, "zhao", HUANGCHUAN)
    told = {"kind": "class_extended", "reason": "疫情停课顺延", "body": {"ends_on": "2026-04-12"}}
    answer = client.post("/v1/classes/c1/acts", json=told, headers=zhao)
    assert answer.json()["body"] == {"ends_on": "2026-04-12"}
    judged_again(services)
    assert of_dates(verdict(client, school, "late")) == []
