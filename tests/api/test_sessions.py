"""One person, one lease: who may open a sitting, who goes on, and who has to wait."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from app.domain.policy import sitting_terms
from app.domain.sittings import sittings
from app.services import Services
from tests.people import LIN, WU, County, TestClock, course, training_class


def opening(learner: str = "lin", **changes: Any) -> dict[str, Any]:
    return {
        "learner_id": learner,
        "class_id": "c1",
        "lesson_id": "l1",
        "device_id": "d1",
        "window_id": "w1",
        "client": {"user_agent": "test"},
        "started_at_ms": 1_772_413_200_000,
        **changes,
    }


@pytest.fixture
def school(client: TestClient, county: County) -> County:
    """Lin and Wu are in class c1 on Huangchuan's platform."""
    return found_school(client, county)


def found_school(client: TestClient, county: County, **terms: Any) -> County:
    headers = county.huang.headers
    for path, body in (
        ("/v1/courses/sewing", course()),
        ("/v1/classes/c1", training_class(**terms)),
        ("/v1/classes/c1/roster", {"learners": [LIN, WU]}),
    ):
        answer = client.put(path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
    return county


def post(client: TestClient, county: County, body: dict[str, Any]) -> Any:
    return client.post("/v1/sessions", json=body, headers=county.huang.headers)


@pytest.mark.both_databases
def test_lin_opens_a_sitting(client: TestClient, school: County, clock: TestClock) -> None:
    answer = post(client, school, opening())
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["resume_position"] == 0
    assert body["lease"]["heartbeat_s"] == 10
    assert body["lease"]["expires_at_ms"] == clock() + 120_000
    assert len(body["commitment"]) == 64
    check = body["controls"]["face_check"]
    assert len(check["actions"]) == 2 and set(check["actions"]) <= {"turn_left", "turn_right"}
    assert "popup" not in body["controls"] and "snapshot" not in body["controls"]


@pytest.mark.parametrize(
    ("pack", "face_actions", "asked"),
    [
        ("huangchuan-2021-graded@1.2.0", ["nearer", "farther", "juggle"], 3),
        ("huangchuan-2021-graded@1.2.0", ["nearer"], 2),
        ("huangchuan-2021-graded@1.2.0", None, 2),
        ("huangchuan-2021-graded@1.1.0", ["nearer", "farther"], 2),
    ],
)
def test_a_step_is_asked_of_clients_that_can_ask_for_it_where_the_pack_wants_it(
    client: TestClient, county: County, pack: str, face_actions: list[str] | None, asked: int
) -> None:
    found_school(client, county, policy_id=pack)
    told = {} if face_actions is None else {"face_actions": face_actions}
    check = post(client, county, opening(client=told)).json()["controls"]["face_check"]
    assert len(check["actions"]) == asked and check["frames"] == 2 + 7 * asked
    steps = set(check["actions"]) - {"turn_left", "turn_right"}
    assert len(steps) == asked - 2 and steps <= {"nearer", "farther"}


def test_what_was_drawn_is_shown_only_when_the_sitting_is_over(
    client: TestClient, school: County
) -> None:
    opened = post(client, school, opening()).json()
    url = f"/v1/sessions/{opened['session_id']}"
    while_open = client.get(url, headers=school.huang.headers).json()
    assert while_open["state"] == "open" and while_open["seed"] is None
    assert [line["control"] for line in while_open["controls"]] == ["face_check"]
    assert "drawn" not in while_open["controls"][0] and "nonce" not in while_open["controls"][0]
    closed = client.post(f"{url}/close", json={"reason": "done"}, headers=school.huang.headers)
    assert closed.status_code == 202
    over = client.get(url, headers=school.huang.headers).json()
    assert over["state"] == "closed" and over["close_reason"] == "done"
    assert hashlib.sha256(bytes.fromhex(over["seed"])).hexdigest() == opened["commitment"]
    assert over["schedule_verified"] is True


def test_closing_twice_changes_nothing_and_is_judged_once(
    client: TestClient, school: County, services: Services
) -> None:
    judged: list[int] = []
    services.on_closed.append(judged.append)
    session = post(client, school, opening()).json()["session_id"]
    for _ in range(2):
        url = f"/v1/sessions/{session}/close"
        assert client.post(url, headers=school.huang.headers).status_code == 202
    assert len(judged) == 1


def test_the_same_request_again_renews_the_lease(
    client: TestClient, school: County, clock: TestClock
) -> None:
    first = post(client, school, opening(session_id="s1")).json()
    clock.advance(seconds=30)
    again = post(client, school, opening(session_id="s1"))
    assert again.status_code == 201
    assert again.json()["lease"]["token"] != first["lease"]["token"]
    assert again.json()["lease"]["expires_at_ms"] == first["lease"]["expires_at_ms"] + 30_000
    assert again.json()["controls"] == first["controls"]


@pytest.mark.parametrize(
    "change", [{"learner_id": "wu"}, {"device_id": "d2"}, {"window_id": "w2"}, {"lesson_id": "l2"}]
)
def test_a_session_id_is_not_used_for_something_else(
    client: TestClient, school: County, change: dict[str, Any]
) -> None:
    post(client, school, opening(session_id="s1"))
    answer = post(client, school, opening(session_id="s1", **change))
    assert (answer.status_code, answer.json()["code"]) == (409, "session_exists")


def test_a_session_that_is_over_is_not_opened_again(client: TestClient, school: County) -> None:
    post(client, school, opening(session_id="s1"))
    client.post("/v1/sessions/s1/close", headers=school.huang.headers)
    answer = post(client, school, opening(session_id="s1"))
    assert (answer.status_code, answer.json()["code"]) == (409, "session_closed")


@pytest.mark.parametrize("device", ["d1", "d2"])
def test_a_second_window_is_refused_while_the_first_is_alive(
    client: TestClient, school: County, clock: TestClock, device: str
) -> None:
    first = post(client, school, opening(session_id="s1")).json()
    clock.advance(seconds=3)
    answer = post(client, school, opening(window_id="w2", device_id=device))
    assert (answer.status_code, answer.json()["code"]) == (409, "concurrent_session")
    assert answer.json()["rival"] == {
        "session_id": first["session_id"],
        "window_id": "w1",
        "device_id": "d1",
        "opened_at_ms": clock() - 3_000,
    }
    assert int(answer.headers["retry-after"]) > 0


def test_a_reloaded_page_goes_on_at_once(client: TestClient, school: County) -> None:
    post(client, school, opening(session_id="s1"))
    assert post(client, school, opening(session_id="s2")).status_code == 201
    old = client.get("/v1/sessions/s1", headers=school.huang.headers).json()
    assert (old["state"], old["close_reason"]) == ("superseded", "reload")


@pytest.mark.parametrize(("device", "silent_s"), [("d1", 10), ("d2", 20)])
def test_a_silent_window_is_taken_over(
    client: TestClient, school: County, clock: TestClock, device: str, silent_s: int
) -> None:
    post(client, school, opening(session_id="s1"))
    clock.advance(seconds=silent_s)
    again = opening(session_id="s2", window_id="w2", device_id=device)
    assert post(client, school, again).status_code == 409
    clock.advance(milliseconds=1)
    assert post(client, school, again).status_code == 201


def test_where_the_pack_says_so_the_old_window_ends(
    client: TestClient, school: County, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = sitting_terms.of_pack
    monkeypatch.setattr(
        sitting_terms, "of_pack", lambda *pack: replace(shipped(*pack), kick_old=True)
    )
    judged: list[int] = []
    services.on_closed.append(judged.append)
    post(client, school, opening(session_id="s1"))
    assert post(client, school, opening(session_id="s2", window_id="w2")).status_code == 201
    old = client.get("/v1/sessions/s1", headers=school.huang.headers).json()
    assert (old["state"], old["close_reason"]) == ("superseded", "other_window")
    assert len(judged) == 1


@pytest.mark.both_databases
def test_of_windows_opened_at_the_same_moment_one_gets_the_lease(
    client: TestClient, school: County
) -> None:
    windows = [opening(window_id=f"w{n}", device_id=f"d{n}") for n in range(6)]
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda body: post(client, school, body).status_code, windows))
    assert sorted(answers) == [201, 409, 409, 409, 409, 409]


def test_lin_with_an_account_elsewhere_is_still_one_person(
    client: TestClient, school: County
) -> None:
    other = school.guang.headers
    client.put("/v1/courses/sewing", json=course(), headers=other)
    client.put("/v1/classes/c1", json=training_class(), headers=other)
    client.put(
        "/v1/classes/c1/roster", json={"learners": [{**LIN, "learner_id": "x7"}]}, headers=other
    )
    post(client, school, opening())
    answer = client.post("/v1/sessions", json=opening("x7"), headers=other)
    assert (answer.status_code, answer.json()["code"]) == (409, "concurrent_session")
    assert "rival" not in answer.json()


def test_no_account_is_told_the_sitting_of_another(client: TestClient, school: County) -> None:
    mine = school.huang.headers
    client.put("/v1/courses/selling", json=course("selling"), headers=mine)
    klass = training_class("c2", course_ids=["selling"])
    client.put("/v1/classes/c2", json=klass, headers=mine)
    second = {"learners": [{**LIN, "learner_id": "lin-2"}]}
    assert client.put("/v1/classes/c2/roster", json=second, headers=mine).status_code == 200
    post(client, school, opening(session_id="secret-sitting", device_id="secret-device"))
    answer = post(client, school, {**opening("lin-2"), "class_id": "c2"})
    assert (answer.status_code, answer.json()["code"]) == (409, "concurrent_session")
    assert "另一个账号" in answer.json()["detail"]
    assert "secret" not in answer.text and "rival" not in answer.json()


def test_two_people_on_one_shared_computer_do_not_disturb_each_other(
    client: TestClient, school: County
) -> None:
    assert post(client, school, opening("lin")).status_code == 201
    assert post(client, school, opening("wu")).status_code == 201


def test_the_second_lesson_waits_for_the_first(client: TestClient, school: County) -> None:
    answer = post(client, school, opening(lesson_id="l2"))
    assert (answer.status_code, answer.json()["code"]) == (409, "lesson_locked")
    assert answer.json()["requires"] == {"lesson_id": "l1", "coverage": 0.0, "needed": 0.98}


@pytest.mark.parametrize("change", [{"course_kind": "public"}, {"sequential_lock": False}])
def test_public_and_unlocked_courses_are_free_to_choose_from(
    client: TestClient, county: County, change: dict[str, Any]
) -> None:
    client.put("/v1/courses/sewing", json=course(**change), headers=county.huang.headers)
    client.put("/v1/classes/c1", json=training_class(), headers=county.huang.headers)
    client.put("/v1/classes/c1/roster", json={"learners": [LIN]}, headers=county.huang.headers)
    assert post(client, county, opening(lesson_id="l2")).status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"learner_id": "nobody"}, 404, "unknown_learner"),
        ({"class_id": "c9"}, 404, "unknown_class"),
        ({"lesson_id": "l9"}, 422, "unknown_lesson"),
        ({"started_at_ms": "soon"}, 422, "invalid_input"),
        ({"device_id": ""}, 422, "invalid_input"),
    ],
)
def test_a_wrong_opening_is_refused(
    client: TestClient, school: County, change: dict[str, Any], status: int, code: str
) -> None:
    answer = post(client, school, opening(**change))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_someone_elses_sitting_is_not_there(client: TestClient, school: County) -> None:
    post(client, school, opening(session_id="s1"))
    other = school.guang.headers
    assert client.get("/v1/sessions/s1", headers=other).status_code == 404
    assert client.post("/v1/sessions/s1/close", headers=other).status_code == 404
    assert client.post("/v1/sessions", json=opening(), headers=other).status_code == 404


def test_a_learner_without_consent_is_asked_for_no_face(client: TestClient, county: County) -> None:
    found_school(client, county)
    refusing = {**LIN, "learner_id": "mei", "id_number": "000000198003060049", "consent": None}
    client.put(
        "/v1/classes/c1/roster",
        json={"learners": [LIN, WU, refusing]},
        headers=county.huang.headers,
    )
    answer = post(client, county, opening("mei"))
    assert answer.status_code == 201, answer.text
    assert answer.json()["controls"] == {}


def test_a_platform_that_runs_its_own_controls_reports_them(
    client: TestClient, county: County, clock: TestClock
) -> None:
    found_school(client, county, controls="platform")
    opened = post(client, county, opening(session_id="s1")).json()
    assert opened["controls"] == {}
    popup = {"control": "popup", "challenge_id": "p1", "nonce": "n1", "issued_at_ms": clock()}
    bad = {"control": "siren", "challenge_id": "p2", "issued_at_ms": clock()}
    far = {"control": "snapshot", "challenge_id": "p3", "issued_at_ms": clock() + 9_000_000}
    url = "/v1/sessions/s1/controls"
    body = {"controls": [popup, bad, far]}
    first = client.post(url, json=body, headers=county.huang.headers).json()
    assert first["stored"] == 1
    assert [(it["index"], it["code"]) for it in first["rejected"]] == [
        (1, "invalid_control"),
        (2, "outside_sitting"),
    ]
    again = client.post(url, json={"controls": [popup]}, headers=county.huang.headers).json()
    assert (again["stored"], again["unchanged"]) == (0, 1)
    other = {"controls": [{**popup, "nonce": "n2"}]}
    changed = client.post(url, json=other, headers=county.huang.headers).json()
    assert changed["rejected"][0]["code"] == "challenge_differs"


def test_where_the_service_runs_the_controls_there_is_nothing_to_report(
    client: TestClient, school: County, clock: TestClock
) -> None:
    post(client, school, opening(session_id="s1"))
    body = {"controls": [{"control": "popup", "challenge_id": "p", "issued_at_ms": clock()}]}
    answer = client.post("/v1/sessions/s1/controls", json=body, headers=school.huang.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "service_controls")


@pytest.mark.parametrize("started_at_ms", [0, -1, 1_772_413_200, 10**18, 1.5e12 + 0.5])
def test_a_device_with_a_broken_clock_may_study(
    client: TestClient, school: County, started_at_ms: float
) -> None:
    assert post(client, school, opening(started_at_ms=started_at_ms)).status_code == 201


def test_sittings_opened_elsewhere_under_the_same_number_shut_nobody_out(
    client: TestClient, school: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sittings, "MOST_A_DAY", 2)
    theirs = school.guang.headers
    client.put("/v1/courses/sewing", json=course(), headers=theirs)
    client.put("/v1/classes/c1", json=training_class(), headers=theirs)
    client.put("/v1/classes/c1/roster", json={"learners": [LIN]}, headers=theirs)
    for name, status in (("x1", 201), ("x2", 201), ("x3", 429)):
        answer = client.post("/v1/sessions", json=opening(session_id=name), headers=theirs)
        assert answer.status_code == status, answer.text
        client.post(f"/v1/sessions/{name}/close", json={}, headers=theirs)
    assert answer.json()["code"] == "too_many_sittings"
    assert post(client, school, opening()).status_code == 201


@pytest.mark.parametrize("name", ["a/b", "a%2Fb", "a%41", "a?b#c", "a b+c", "课/1"])
def test_a_sitting_is_reached_under_whatever_its_platform_calls_it(
    client: TestClient, school: County, name: str
) -> None:
    headers, there = school.huang.headers, f"/v1/sessions/{quote(name, safe='')}"
    assert post(client, school, opening(session_id="aA", learner_id="wu")).status_code == 201
    assert post(client, school, opening(session_id=name)).status_code == 201
    beat = {"seq": 0, "type": "progress", "at_ms": 1_772_413_200_000, "position": 0, "rate": 1}
    told = client.post(f"{there}/events", json={"events": [beat]}, headers=headers)
    assert told.json()["accepted"] == 1, told.text
    assert client.post(f"{there}/close", json={}, headers=headers).status_code == 202
    shown = client.get(there, headers=headers).json()
    assert (shown["session_id"], shown["state"]) == (name, "closed")
    assert client.get(f"{there}/timeline", headers=headers).status_code == 200
    other = client.get("/v1/sessions/aA", headers=headers).json()
    assert other["last_received_ms"] == other["opened_at_ms"], "these were another's events"


def test_a_class_a_course_and_a_learner_are_reached_under_a_name_with_a_slash(
    client: TestClient, school: County
) -> None:
    headers = school.huang.headers
    for path, body in (
        ("/v1/courses/sew%2Fing", course()),
        ("/v1/classes/2026%2F018", training_class(course_ids=["sew/ing"])),
        ("/v1/classes/2026%2F018/roster", {"learners": [LIN | {"learner_id": "lin/1"}]}),
    ):
        answer = client.put(path, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
    assert client.get("/v1/classes/2026%2f018", headers=headers).json()["class_id"] == "2026/018"
    link = client.post("/v1/classes/2026%2F018/learners/lin%2F1/link", headers=headers)
    assert link.status_code == 201, link.text
    page = client.options(
        "/v1/learners/lin%2F1/enrolment",
        headers={"origin": "https://lessons.example", "access-control-request-method": "GET"},
    )
    assert page.status_code == 200, page.text
