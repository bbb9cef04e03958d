"""A platform's server and a school's clerk answer what the authority asks of them, over the API."""

from __future__ import annotations

import base64

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.domain.accounts import users
from app.domain.review import material
from app.services import Services
from tests.evidence import picture
from tests.walk.dataset import Dataset

ACTIVE_PDF = b"%PDF-1.7\n1 0 obj << /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >> endobj"


@pytest.fixture
def services(app: FastAPI) -> Services:
    made: Services = app.state.services
    return made


def file(name: str, data: bytes) -> dict[str, str]:
    return {"name": name, "content": base64.b64encode(data).decode()}


def test_a_platforms_server_reads_what_is_asked_and_hands_in_files_once(
    walker: TestClient, dataset: Dataset
) -> None:
    key = dataset.county.huang.headers
    (asked,) = walker.get("/v1/requests?state=asked", headers=key).json()["requests"]
    assert asked["wanted"] == "请提供该时段原始日志" and asked["answered_at_ms"] is None
    there = f"/v1/requests/{asked['request_id']}/answer"
    for bad, code in (
        ({"files": [file("日志.pdf", ACTIVE_PDF)]}, "active_file"),
        ({"files": [file("日志.pdf", b"MZ\x90 a program")]}, "bad_file_kind"),
        ({"answer": "短"}, "material_words"),
        ({"files": [{"name": "x.png", "content": "not base64!"}]}, "invalid_input"),
    ):
        answer = walker.post(there, headers=key, json=bad)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    good = {"files": [file("一.png", picture(0)), file("二.png", picture(1))]}
    done = walker.post(there, headers=key, json=good)
    assert done.status_code == 201 and done.json()["state"] == "answered"
    assert done.json()["file_name"] == "一.png"
    assert walker.post(there, headers=key, json=good).json()["code"] == "already_answered"
    assert walker.get("/v1/requests?state=asked", headers=key).json() == {"requests": []}
    page = walker.get(f"/console/cases/{asked['case_id']}", headers=dataset.headers("zhao")).text
    assert "一.png" in page and "二.png" in page


def test_a_schools_clerk_answers_signed_in(
    walker: TestClient, dataset: Dataset, services: Services
) -> None:
    with services.database.write() as connection:
        zhao = users.named(connection, "zhao")
        case = int(dataset.api["case_id"])
        who = material.choices(connection, zhao.scope, case)
        school = next(it for it in who if it.startswith("institution:"))
        due, now_ms = "2026-11-30", services.clock()
        asked = material.ask(connection, zhao, case, school, "请提供签到表", due, now_ms)
    han = dataset.headers("han")
    (told,) = walker.get("/v1/requests", headers=han).json()["requests"]
    assert (told["request_id"], told["wanted"]) == (asked, "请提供签到表")
    there = f"/v1/requests/{asked}/answer"
    answer = {"answer": "签到表随附。", "files": [file("签到.png", picture(0))]}
    assert walker.post(there, headers=han, json=answer).status_code == 403
    token = han | {"x-csrf-token": dataset.csrf["han"]}
    assert walker.post(there, headers=token, json=answer).status_code == 201


def test_nobody_else_reads_or_answers_it(walker: TestClient, dataset: Dataset) -> None:
    other = dataset.county.guang.headers
    assert walker.get("/v1/requests", headers=other).json() == {"requests": []}
    zhao = dataset.headers("zhao")
    assert walker.get("/v1/requests", headers=zhao).json() == {"requests": []}
