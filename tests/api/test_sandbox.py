"""A class to try in: the same doors and verdicts, kept apart from everybody's real one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app.jobs import lease_sweep, settler
from app.services import Services
from models import Learner, Session, WebhookDelivery
from tests.api.test_xapi import Lrs
from tests.api.test_xapi_events import VIDEO, said
from tests.people import LIN, WU, County, TestClock, course, training_class

TRYING = {**LIN, "learner_id": "lin-tries"}


def put(client: TestClient, county: County, path: str, body: Any) -> Any:
    return client.put(path, json=body, headers=county.huang.headers)


def classes(client: TestClient, county: County) -> None:
    """Lin in the real class c1, and in the sandbox `try` under an account of its own."""
    for path, body in (
        ("/v1/courses/sewing", course()),
        ("/v1/classes/c1", training_class()),
        ("/v1/classes/try", training_class("try", sandbox=True)),
        ("/v1/classes/c1/roster", {"learners": [LIN]}),
        ("/v1/classes/try/roster", {"learners": [TRYING]}),
    ):
        answer = put(client, county, path, body)
        assert answer.status_code == 200, answer.text
        assert not answer.json().get("rejected"), answer.text


def opening(learner: str, klass: str, window: str = "w") -> dict[str, Any]:
    return {
        "learner_id": learner,
        "class_id": klass,
        "lesson_id": "l1",
        "device_id": "d",
        "window_id": window,
    }


def test_a_class_says_that_it_is_a_sandbox_and_a_real_one_says_that_it_is_none(
    client: TestClient, county: County
) -> None:
    classes(client, county)
    for klass, sandbox in (("try", True), ("c1", False)):
        told = client.get(f"/v1/classes/{klass}", headers=county.huang.headers).json()
        assert told["sandbox"] is sandbox


def test_a_class_never_changes_its_kind(client: TestClient, county: County) -> None:
    classes(client, county)
    for klass, sandbox in (("try", False), ("c1", True)):
        body = training_class(klass, sandbox=sandbox)
        answer = put(client, county, f"/v1/classes/{klass}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "sandbox_fixed")


def test_an_account_is_for_trying_or_for_studying(client: TestClient, county: County) -> None:
    classes(client, county)
    for klass, learner in (("try", LIN), ("c1", TRYING)):
        renamed = {**learner, "name": "林大兰"}
        told = put(client, county, f"/v1/classes/{klass}/roster", {"learners": [renamed]}).json()
        assert [it["code"] for it in told["errors"]] == ["sandbox_apart"]


def test_one_number_is_one_person_in_the_sandbox_and_another_outside(
    client: TestClient, county: County, services: Services
) -> None:
    classes(client, county)
    twin = {**TRYING, "learner_id": "lin-tries-again"}
    told = put(client, county, "/v1/classes/try/roster", {"learners": [twin]}).json()
    assert [it["code"] for it in told["errors"]] == ["one_person_twice"]
    with services.database.read() as connection:
        persons = connection.scalar(select(func.count(Learner.person_id.distinct())))
    assert persons == 2


def test_who_studies_is_not_in_the_way_of_who_tries_nor_the_other_way_round(
    client: TestClient, county: County
) -> None:
    classes(client, county)
    for body in (opening("lin", "c1"), opening("lin-tries", "try")):
        answer = client.post("/v1/sessions", json=body, headers=county.huang.headers)
        assert answer.status_code == 201, answer.text
    second = opening("lin-tries", "try", "another")
    answer = client.post("/v1/sessions", json=second, headers=county.huang.headers)
    assert answer.json()["code"] == "concurrent_session"


def test_nobody_moves_between_a_sandbox_and_a_real_class(
    client: TestClient, county: County
) -> None:
    classes(client, county)
    act = {
        "kind": "moved_class",
        "learner_id": "lin-tries",
        "reason": "试用转正式",
        "body": {"to_class": "c1", "first_on": "2026-03-10", "last_on": "2026-03-09"},
    }
    answer = client.post("/v1/classes/try/acts", json=act, headers=county.huang.headers)
    assert answer.json()["code"] == "unknown_class", answer.text


def test_no_list_that_could_be_taken_for_a_real_one_is_handed_out(
    client: TestClient, county: County
) -> None:
    classes(client, county)
    answer = client.get("/v1/classes/try/exports/roster.csv", headers=county.huang.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "sandbox")


def test_what_is_told_of_a_sandbox_says_so(
    client: TestClient, county: County, services: Services, clock: TestClock
) -> None:
    classes(client, county)
    put(client, county, "/v1/classes/c1/roster", {"learners": [WU]})
    hook = {"url": "https://huang.example/hook", "events": ["session.verdict"]}
    client.post("/v1/webhooks", json=hook, headers=county.huang.headers)
    for body in (opening("wu", "c1"), opening("lin-tries", "try")):
        opened = client.post("/v1/sessions", json=body, headers=county.huang.headers).json()
        clock.advance(seconds=30)
        path = f"/v1/sessions/{opened['session_id']}/close"
        client.post(path, json={}, headers=county.huang.headers)
    settler.settle_all(services)
    with services.database.read() as connection:
        told = [it["data"] for it in connection.scalars(select(WebhookDelivery.payload))]
    assert {it["class_id"]: it.get("sandbox", False) for it in told} == {"c1": False, "try": True}


# ------------------------------------------------------------------------------- its clock


def moved(client: TestClient, county: County, **advance: float) -> int:
    """What time it is in the sandbox once its clock was moved."""
    body = {"advance_s": round(timedelta(**advance).total_seconds())}
    answer = client.post("/v1/classes/try/clock", json=body, headers=county.huang.headers)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["now_ms"])


def beat(
    client: TestClient, county: County, session: str, seq: int, at_ms: int, position: float
) -> Any:
    kind = "progress" if seq else "play"
    event = {"seq": seq, "type": kind, "at_ms": at_ms, "position": position}
    event |= {"visible": True, "focused": True} if seq else {}
    body = {"sent_at_ms": at_ms, "events": [event]}
    path = f"/v1/sessions/{session}/events"
    return client.post(path, json=body, headers=county.huang.headers)


@pytest.mark.both_databases
def test_minutes_of_play_take_no_minutes_and_are_credited_by_the_moved_clock(
    client: TestClient, county: County, services: Services
) -> None:
    classes(client, county)
    answer = client.post(
        "/v1/sessions", json=opening("lin-tries", "try"), headers=county.huang.headers
    )
    session, at_ms = answer.json()["session_id"], moved(client, county)
    for seq in range(13):
        answer = beat(client, county, session, seq, at_ms, seq * 10)
        assert answer.status_code == 200, answer.text
        at_ms = moved(client, county, seconds=10)
    client.post(f"/v1/sessions/{session}/close", json={}, headers=county.huang.headers)
    settler.settle_all(services)
    seen = client.get(f"/v1/sessions/{session}", headers=county.huang.headers).json()
    credited = sum(end - start for start, end, *_ in seen["credited"])
    assert 100_000 <= credited <= 121_000, seen["credited"]
    assert seen["closed_at_ms"] - seen["opened_at_ms"] == 130_000


def test_a_player_s_statements_find_their_sitting_by_the_moved_clock(
    client: TestClient, county: County, services: Services
) -> None:
    put(client, county, "/v1/courses/sewing", course())
    days = {"starts_on": "2026-04-01", "ends_on": "2026-04-05", "controls": "platform"}
    put(client, county, "/v1/classes/try", training_class("try", sandbox=True, **days))
    put(client, county, "/v1/classes/try/roster", {"learners": [TRYING]})
    lrs = Lrs(client, county.huang)

    def states(verb: str, position: float) -> str:
        told = said(f"{VIDEO}verbs/{verb}", time=position)
        told["actor"]["account"]["name"] = TRYING["learner_id"]
        told["object"]["id"] = "l1:x"
        del told["context"]
        fates: str = lrs.post(told).headers["zhenxue-statements"]
        return fates

    put(client, county, "/v1/statement-mapping", {"lesson": {"shape": "{id}:x"}})
    assert states("played", 0) == "outside_class_dates=1"
    moved(client, county, days=31)
    assert states("played", 0) == "taken=1"
    moved(client, county, seconds=60)
    assert states("paused", 60) == "taken=1"
    moved(client, county, minutes=5)
    lease_sweep.sweep(services)
    assert states("played", 60) == "resumes=1"
    moved(client, county, minutes=3)
    lease_sweep.sweep(services)
    moved(client, county, minutes=16)
    assert states("played", 60) == "taken=1"  # the break was too long: another sitting
    with services.database.read() as connection:
        assert connection.scalar(select(func.count(Session.id))) == 2


@pytest.mark.both_databases
def test_a_lease_runs_out_by_the_clock_of_its_class_and_by_no_others(
    client: TestClient, county: County, services: Services
) -> None:
    classes(client, county)
    moved(client, county, days=2)
    opened = [
        client.post("/v1/sessions", json=body, headers=county.huang.headers).json()["session_id"]
        for body in (opening("lin", "c1"), opening("lin-tries", "try"))
    ]
    assert lease_sweep.sweep(services) == []
    moved(client, county, minutes=10)
    lease_sweep.sweep(services)
    states = [
        client.get(f"/v1/sessions/{it}", headers=county.huang.headers).json()["state"]
        for it in opened
    ]
    assert states == ["open", "expired"]
    assert beat(client, county, opened[1], 0, moved(client, county), 0).status_code == 200
    assert beat(client, county, opened[1], 1, moved(client, county, days=1), 0).status_code == 200


def test_a_class_of_next_month_is_tried_today_and_validated_after_its_end(
    client: TestClient, county: County, services: Services
) -> None:
    put(client, county, "/v1/courses/sewing", course())
    days = {"starts_on": "2026-04-01", "ends_on": "2026-04-05"}
    put(client, county, "/v1/classes/try", training_class("try", sandbox=True, **days))
    put(client, county, "/v1/classes/try/roster", {"learners": [TRYING]})
    body = opening("lin-tries", "try")
    early = client.post("/v1/sessions", json=body, headers=county.huang.headers)
    assert early.json()["code"] == "outside_class_dates"
    moved(client, county, days=31)
    assert client.post("/v1/sessions", json=body, headers=county.huang.headers).status_code == 201
    moved(client, county, days=10)
    late = client.post(
        "/v1/sessions", json=opening("lin-tries", "try", "later"), headers=county.huang.headers
    )
    assert late.json()["code"] == "outside_class_dates"


def test_no_clock_but_a_sandboxs_moves_and_it_moves_a_year_at_most(
    client: TestClient, county: County, clock: TestClock
) -> None:
    classes(client, county)
    for path, body, code in (
        ("/v1/classes/c1/clock", {"advance_s": 1}, "not_a_sandbox"),
        ("/v1/classes/try/clock", {"advance_s": -1}, "invalid_input"),
        ("/v1/classes/none/clock", {"advance_s": 1}, "unknown_class"),
    ):
        answer = client.post(path, json=body, headers=county.huang.headers)
        assert answer.json()["code"] == code, answer.text
    assert moved(client, county, days=31) == clock() + 31 * 86_400_000
    for _ in range(11):
        body = {"advance_s": 31 * 86_400}
        answer = client.post("/v1/classes/try/clock", json=body, headers=county.huang.headers)
    assert answer.json()["code"] == "too_far_ahead"


@pytest.mark.slow
@pytest.mark.thorough
def test_popups_photos_and_face_checks_come_due_by_the_moved_clock(
    client: TestClient, county: County, services: Services
) -> None:
    """A lesson of 45 minutes, studied in seconds: asked as often as a real one."""
    classes(client, county)
    answer = client.post(
        "/v1/sessions", json=opening("lin-tries", "try"), headers=county.huang.headers
    )
    session, at_ms, seq = answer.json()["session_id"], moved(client, county), 0
    assert "face_check" in answer.json()["controls"]
    asked: dict[str, set[str]] = {"popup": set(), "snapshot": set(), "face_check": set()}

    def tell(position: float, **event: Any) -> dict[str, Any]:
        nonlocal seq
        told = {"seq": seq, "type": "progress", "at_ms": at_ms, "position": position, **event}
        seq += 1
        path = f"/v1/sessions/{session}/events"
        answer = client.post(path, json={"events": [told]}, headers=county.huang.headers)
        assert answer.status_code == 200, answer.text
        controls: dict[str, Any] = answer.json()["controls"]
        return controls

    for n in range(271):
        controls = tell(n * 10, rate=1, visible=True, focused=True)
        for kind, seen in asked.items():
            if kind in controls:
                seen.add(controls[kind]["challenge_id"])
        if popup := controls.get("popup"):
            own = {"challenge_id": popup["challenge_id"], "nonce": popup["nonce"]}
            at_ms = moved(client, county, seconds=popup["due_in_s"])
            tell(n * 10, type="pause")
            tell(n * 10, type="popup_shown", **own)
            tell(n * 10, type="popup_answered", input="touch", trusted=True, latency_ms=900, **own)
            tell(n * 10, type="play")
        at_ms = moved(client, county, seconds=10)
    assert len(asked["popup"]) >= 9 and len(asked["snapshot"]) >= 2, asked
    tell(2700, type="pause")
    at_ms = moved(client, county, minutes=8)  # long enough to be asked again who is there
    lease_sweep.sweep(services)
    assert "face_check" in tell(2700, type="play")
    assert len(asked["face_check"]) > 3  # nobody answered: asked for again after study
    client.post(f"/v1/sessions/{session}/close", json={}, headers=county.huang.headers)
    settler.settle_all(services)
    judged = client.get(f"/v1/sessions/{session}", headers=county.huang.headers).json()
    rules = {it["rule"] for it in judged["verdict"]["findings"]}
    assert "popup_gap" not in rules, judged["verdict"]["findings"]
    assert judged["verdict"]["credited_ms"] >= 2_600_000
