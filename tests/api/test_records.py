"""Lists about a class: good items are kept, bad ones named, and twice is once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.people import LIN, WU, County, course, training_class

GOOD: dict[str, dict[str, Any]] = {
    "offline-attendance": {"learner_id": "lin", "held_on": "2026-03-10", "hours": 4},
    "leave": {
        "learner_id": "lin",
        "from_on": "2026-03-11",
        "to_on": "2026-03-12",
        "written": True,
        "approved": True,
    },
    "satisfaction": {"answered": 40, "satisfied": 36, "surveyed_on": "2026-04-05"},
    "assessments": {"learner_id": "lin", "held_on": "2026-04-20", "passed": True},
    "history": {"learner_id": "lin", "occupation": "缝纫工", "started_on": "2025-05-01"},
    "recordings": {
        "file": "0310-1.mp4",
        "held_on": "2026-03-10",
        "practical": True,
        "class_hours": "1-4",
        "minutes": 165.5,
        "stored_at": "示例平台 /2026/c1",
    },
}


@pytest.fixture
def huang(client: TestClient, county: County) -> TestClient:
    client.headers.update(county.huang.headers)
    client.put("/v1/courses/sewing", json=course())
    client.put("/v1/classes/c1", json=training_class())
    assert client.put("/v1/classes/c1/roster", json={"learners": [LIN, WU]}).is_success
    return client


def post(client: TestClient, name: str, *items: Any) -> Any:
    answer = client.post(f"/v1/classes/c1/{name}", json={"items": list(items)})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.both_databases
@pytest.mark.parametrize("name", GOOD)
def test_the_same_item_twice_is_once(huang: TestClient, name: str) -> None:
    item = GOOD[name]
    assert post(huang, name, item) == {"accepted": 1, "unchanged": 0, "rejected": []}
    assert post(huang, name, item) == {"accepted": 0, "unchanged": 1, "rejected": []}
    twice = post(huang, name, item, item)
    if name == "offline-attendance":  # two half-days, or one row too many: never silently one
        assert (twice["accepted"], twice["unchanged"]) == (0, 1)
        assert [(it["index"], it["code"]) for it in twice["rejected"]] == [(1, "duplicate_item")]
        assert "两个半天" in twice["rejected"][0]["detail"]
    else:
        assert twice == {"accepted": 0, "unchanged": 2, "rejected": []}
    bare = huang.post(f"/v1/classes/c1/{name}", json=[item])
    assert bare.json()["unchanged"] == 1


def test_a_corrected_item_replaces_the_old_one(huang: TestClient) -> None:
    item = GOOD["offline-attendance"]
    post(huang, "offline-attendance", item)
    assert post(huang, "offline-attendance", item | {"hours": 3})["accepted"] == 1
    assert post(huang, "offline-attendance", item | {"hours": 3})["unchanged"] == 1


def test_two_halves_of_a_day_need_ids(huang: TestClient) -> None:
    item = GOOD["offline-attendance"]
    report = post(huang, "offline-attendance", item, item | {"hours": 3})
    assert report["accepted"] == 1
    assert [(it["index"], it["code"]) for it in report["rejected"]] == [(1, "duplicate_item")]
    report = post(
        huang,
        "offline-attendance",
        item | {"item_id": "am"},
        item | {"item_id": "pm", "hours": 3},
    )
    assert report["accepted"] == 2


def test_two_equal_halves_of_a_day_are_both_counted(huang: TestClient) -> None:
    item = GOOD["offline-attendance"]
    halves = [item | {"session": half} for half in ("am", "pm")]
    assert post(huang, "offline-attendance", *halves)["accepted"] == 2
    assert post(huang, "offline-attendance", *halves)["unchanged"] == 2


@pytest.mark.parametrize("hours", [4, 3])
def test_two_lines_of_a_file_for_one_day_are_a_question(huang: TestClient, hours: int) -> None:
    record = {"kind": "offline_attendance", "class_id": "c1", **GOOD["offline-attendance"]}
    lines = "\n".join(json.dumps(it) for it in (record, record | {"hours": hours}))
    for stored in (1, 0):
        report = huang.post("/v1/imports", content=lines).json()
        assert report["stored"].get("offline_attendance", 0) == stored
        assert [(it["line"], it["code"]) for it in report["rejected"]] == [(2, "duplicate_item")]


def test_a_bad_item_spoils_no_other(huang: TestClient) -> None:
    good = GOOD["leave"]
    report = post(
        huang, "leave", 7, good, good | {"to_on": "2026-03-01"}, good | {"learner_id": "nobody"}
    )
    assert report["accepted"] == 1
    assert [(it["index"], it["code"]) for it in report["rejected"]] == [
        (0, "model_type"),
        (2, "ends_before_start"),
        (3, "unknown_learner"),
    ]
    assert "to_on" in report["rejected"][1]["detail"]


@pytest.mark.parametrize(
    ("name", "change", "field"),
    [
        ("offline-attendance", {"hours": 0}, "hours"),
        ("offline-attendance", {"hours": -1}, "hours"),
        ("offline-attendance", {"hours": "4"}, "hours"),
        ("offline-attendance", {"hours": 1e9}, "hours"),
        ("offline-attendance", {"held_on": "1970-01-01"}, "held_on"),
        ("offline-attendance", {"held_on": "2100-01-01"}, "held_on"),
        ("leave", {"written": 1}, "written"),
        ("leave", {"approved": None}, "approved"),
        ("satisfaction", {"satisfied": 41}, "satisfied"),
        ("satisfaction", {"answered": -1}, "answered"),
        ("satisfaction", {"answered": 10**20}, "answered"),
        ("assessments", {"passed": "yes"}, "passed"),
        ("assessments", {"score": -1}, "score"),
        ("history", {"learner_id": None}, "learner_id"),
        ("history", {"id_number": "1"}, "id_number"),
        ("history", {"occupation": ""}, "occupation"),
        ("history", {"item_id": "x" * 129}, "item_id"),
    ],
)
def test_a_wrong_item_is_rejected_by_field(
    huang: TestClient, name: str, change: dict[str, Any], field: str
) -> None:
    report = post(huang, name, GOOD[name] | change)
    assert report["accepted"] == 0
    assert field in report["rejected"][0]["detail"]


def test_history_finds_a_person_by_id_number(huang: TestClient) -> None:
    item = GOOD["history"] | {"item_id": "reg-1"}
    post(huang, "history", item)
    by_number = {key: it for key, it in item.items() if key != "learner_id"}
    by_number["id_number"] = LIN["id_number"]
    # the same person and item, so it replaces the one before
    assert post(huang, "history", by_number)["accepted"] == 1
    assert post(huang, "history", by_number)["unchanged"] == 1


def test_history_of_one_platform_cannot_overwrite_another_s(
    huang: TestClient, county: County
) -> None:
    item = GOOD["history"] | {"item_id": "reg-1"}
    post(huang, "history", item)
    headers = county.guang.headers
    huang.put("/v1/courses/sewing", json=course(), headers=headers)
    huang.put("/v1/classes/c1", json=training_class(), headers=headers)
    huang.put("/v1/classes/c1/roster", json={"learners": [LIN]}, headers=headers)
    theirs = huang.post(
        "/v1/classes/c1/history", json=[item | {"occupation": "电工"}], headers=headers
    )
    assert theirs.json()["accepted"] == 1
    assert post(huang, "history", item)["unchanged"] == 1


@pytest.mark.parametrize("body", [{}, {"items": 3}, {"items": None}, "items", 3, None])
def test_a_body_without_a_list_is_refused(huang: TestClient, body: Any) -> None:
    answer = huang.post("/v1/classes/c1/leave", json=body)
    assert answer.status_code == 422


@pytest.mark.parametrize("day", ["2026-03-01", "2026-04-21"])
def test_attendance_outside_the_class_is_refused_with_its_dates(
    huang: TestClient, day: str
) -> None:
    report = post(huang, "offline-attendance", GOOD["offline-attendance"] | {"held_on": day})
    assert [it["code"] for it in report["rejected"]] == ["outside_class_dates"]
    assert "'lin'" in report["rejected"][0]["detail"]


def test_a_day_holds_twelve_class_hours_of_one_learner_however_they_come(
    huang: TestClient,
) -> None:
    item = GOOD["offline-attendance"]
    assert post(huang, "offline-attendance", item | {"hours": 8, "session": "am"})["accepted"] == 1
    assert post(huang, "offline-attendance", item | {"hours": 4, "session": "pm"})["accepted"] == 1
    over = post(huang, "offline-attendance", item | {"hours": 1, "session": "evening"})
    assert [it["code"] for it in over["rejected"]] == ["more_than_a_day_holds"]
    assert post(huang, "offline-attendance", item | {"hours": 3, "session": "pm"})["accepted"] == 1


PASSED = GOOD["assessments"] | {"certificate_no": "S0001 07"}


def test_a_certificate_is_only_for_who_passed(huang: TestClient) -> None:
    for passed in (False, None):
        (refused,) = post(huang, "assessments", PASSED | {"passed": passed})["rejected"]
        assert refused["code"] == "certificate_not_passed" and "合格" in refused["detail"]


@pytest.mark.both_databases
def test_a_certificate_number_is_one_learner_s(huang: TestClient) -> None:
    assert post(huang, "assessments", PASSED)["accepted"] == 1
    assert post(huang, "assessments", PASSED | {"certificate_no": "ｓ000107"})["unchanged"] == 1
    (refused,) = post(huang, "assessments", PASSED | {"learner_id": "wu"})["rejected"]
    assert refused["code"] == "certificate_taken" and str(LIN["name"]) in refused["detail"]


def test_one_number_for_two_in_one_list_is_the_first_s(huang: TestClient) -> None:
    report = post(huang, "assessments", PASSED, PASSED | {"learner_id": "wu"})
    assert report["accepted"] == 1
    assert [(it["index"], it["code"]) for it in report["rejected"]] == [(1, "certificate_taken")]


def test_a_number_that_was_corrected_is_free_again(huang: TestClient) -> None:
    post(huang, "assessments", PASSED)
    post(huang, "assessments", PASSED | {"certificate_no": "S000108"})
    assert post(huang, "assessments", PASSED | {"learner_id": "wu"})["accepted"] == 1


def test_of_another_class_s_certificate_nobody_is_named(huang: TestClient) -> None:
    post(huang, "assessments", PASSED)
    assert huang.put("/v1/courses/tailoring", json=course("tailoring")).is_success
    klass = training_class() | {"course_ids": ["tailoring"]}
    assert huang.put("/v1/classes/c2", json=klass).is_success
    assert huang.put("/v1/classes/c2/roster", json={"learners": [WU]}).is_success
    answer = huang.post("/v1/classes/c2/assessments", json=[PASSED | {"learner_id": "wu"}])
    (refused,) = answer.json()["rejected"]
    assert "另一班级" in refused["detail"] and str(LIN["name"]) not in refused["detail"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"class_hours": "3-1"}, "class_hours"),
        ({"class_hours": "0"}, "class_hours"),
        ({"minutes": 0}, "minutes"),
        ({"sha256": "abc"}, "sha256"),
        ({"begins": "8点"}, "begins"),
        ({"held_on": "2027-01-01"}, "held_on"),
    ],
)
def test_a_recording_that_cannot_be_is_refused_by_field(
    huang: TestClient, change: dict[str, Any], field: str
) -> None:
    (refused,) = post(huang, "recordings", GOOD["recordings"] | change)["rejected"]
    assert refused["detail"].startswith(f"{field}: ")


def test_films_of_two_days_may_have_one_name(huang: TestClient) -> None:
    item = GOOD["recordings"]
    report = post(huang, "recordings", item, item | {"held_on": "2026-03-11"})
    assert (report["accepted"], report["rejected"]) == (2, [])
