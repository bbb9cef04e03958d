"""Courses are upserts; what changed becomes a new version, and old versions stay as they were."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.people import County, course, lesson


def put(client: TestClient, county: County, content: dict[str, Any]) -> Any:
    return client.put("/v1/courses/sewing", json=content, headers=county.huang.headers)


@pytest.mark.both_databases
def test_the_same_content_is_the_same_version(client: TestClient, county: County) -> None:
    first = put(client, county, course())
    assert first.status_code == 200, first.text
    assert first.json()["version"] == 1
    reordered = course(lessons=list(reversed(course()["lessons"])))
    assert put(client, county, reordered).json() == first.json()
    assert client.get("/v1/courses/sewing", headers=county.huang.headers).json() == first.json()


@pytest.mark.parametrize(
    "change",
    [
        {"title": "缝纫工提高"},
        {"course_kind": "public"},
        {"course_kind": None},
        {"sequential_lock": False},
        {"lessons": [lesson("l1", 45, order=1)]},
    ],
)
def test_changed_content_is_a_new_version(
    client: TestClient, county: County, change: dict[str, Any]
) -> None:
    put(client, county, course())
    assert put(client, county, course(**change)).json()["version"] == 2
    assert put(client, county, course()).json()["version"] == 3


def test_another_platform_s_course_does_not_exist(client: TestClient, county: County) -> None:
    put(client, county, course())
    answer = client.get("/v1/courses/sewing", headers=county.guang.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_course")
    own = client.put("/v1/courses/sewing", json=course(title="x"), headers=county.guang.headers)
    assert own.json()["version"] == 1


WRONG_LESSONS: list[tuple[dict[str, Any], str]] = [
    ({"lesson_id": ""}, "lessons[0].lesson_id"),
    ({"lesson_id": 7}, "lessons[0].lesson_id"),
    ({"lesson_id": "x" * 129}, "lessons[0].lesson_id"),
    ({"lesson_id": "a\u0000b"}, "lessons[0].lesson_id"),
    ({"lesson_id": "\ud800"}, "lessons[0].lesson_id"),
    ({"order": -1}, "lessons[0].order"),
    ({"order": 1.5}, "lessons[0].order"),
    ({"order": True}, "lessons[0].order"),
    ({"order": 10**30}, "lessons[0].order"),
    ({"title": None}, "lessons[0].title"),
    ({"media_seconds": 0}, "lessons[0].media_seconds"),
    ({"media_seconds": -1}, "lessons[0].media_seconds"),
    ({"media_seconds": "2700"}, "lessons[0].media_seconds"),
    ({"media_seconds": float("nan")}, "lessons[0].media_seconds"),
    ({"media_seconds": float("inf")}, "lessons[0].media_seconds"),
    ({"media_seconds": 1e300}, "lessons[0].media_seconds"),
    ({"class_hours": -1}, "lessons[0].class_hours"),
    ({"class_hours": 10**12}, "lessons[0].class_hours"),
]


@pytest.mark.parametrize(("change", "field"), WRONG_LESSONS)
def test_a_wrong_lesson_is_refused_by_field(
    client: TestClient, county: County, change: dict[str, Any], field: str
) -> None:
    content = course(lessons=[lesson("l1", 45, order=1) | change])
    headers = {**county.huang.headers, "content-type": "application/json"}
    answer = client.put("/v1/courses/sewing", content=json.dumps(content), headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["errors"][0]["index"] == 0
    assert client.get("/v1/courses/sewing", headers=county.huang.headers).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": 5}, "title"),
        ({"course_kind": "secret"}, "course_kind"),
        ({"sequential_lock": "yes"}, "sequential_lock"),
        ({"sequential_lock": None}, "sequential_lock"),
        ({"lessons": "l1"}, "lessons"),
        ({"lessons": []}, "lessons"),
        ({"lessons": [1]}, "lessons[0]"),
    ],
)
def test_a_wrong_course_is_refused_by_field(
    client: TestClient, county: County, change: dict[str, Any], field: str
) -> None:
    content = course() | change
    answer = put(client, county, content)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (lesson("l1", 45, order=2), "duplicate_lesson_id"),
        (lesson("l2", 45, order=1), "duplicate_order"),
    ],
)
def test_lessons_are_told_apart(
    client: TestClient, county: County, second: dict[str, Any], code: str
) -> None:
    answer = put(client, county, course(lessons=[lesson("l1", 45, order=1), second]))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert [error["index"] for error in answer.json()["errors"]] == [0, 1]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed_json"),
        (b"", "application/json", 422, "invalid_input"),
        (b"[" * 100_000, "application/json", 400, "malformed_body"),
        (b"9" * 10_000, "application/json", 400, "malformed_body"),
        (b"\xff\xfe\x00", "application/json", 400, "malformed_json"),
        (b"null", "application/json", 422, "invalid_input"),
        (b"[]", "application/json", 422, "invalid_input"),
        (b"{}", "text/plain", 415, "wrong_media_type"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "wrong_media_type"),
    ],
)
def test_a_body_that_is_no_course_is_refused(
    client: TestClient, county: County, body: bytes, content_type: str, status: int, code: str
) -> None:
    headers = {**county.huang.headers, "content-type": content_type}
    answer = client.put("/v1/courses/sewing", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("course_id", ["x" * 129, "%00", "%20", "a%0Ab"])
def test_a_wrong_id_in_the_address_is_refused(
    client: TestClient, county: County, course_id: str
) -> None:
    answer = client.put(f"/v1/courses/{course_id}", json=course(), headers=county.huang.headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "course_id")
