"""Who gets what from /v1 and xAPI, tried on every route that the document names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.domain.accounts import platforms
from app.services import Services
from models import AuditEntry
from tests.evidence import picture
from tests.people import HUANGCHUAN, LIN, course, training_class
from tests.walk.dataset import Dataset, appointed, routes

OPEN = {"GET /xAPI/about"}
# Ids that every platform gives for itself: a stranger's write makes something of the stranger's.
OWN_NAMES = {
    "PUT /v1/courses/{course_id}",
    "PUT /v1/classes/{class_id}",
    "POST /v1/sessions",
    "POST /v1/keys",
    "POST /v1/webhooks",
}
JUDGES = {"POST /v1/classes/{class_id}/validate"}  # changes nothing but what is read
PEOPLE_ONLY = {
    "POST /v1/findings/{finding_id}/reviews",
    "POST /v1/cases/{case_id}/reviews",
    "POST /v1/cases/{case_id}/undo",
    "POST /v1/cases/{case_id}/corrections",
    "POST /v1/acts/{act_id}/approval",
    "PUT /v1/counties/{county}",
    "POST /v1/institutions",
    "PUT /v1/institutions/{institution_id}",
    "PUT /v1/institutions/{institution_id}/reviews/{year}",
    "PUT /v1/institutions/{institution_id}/teachers",
    "POST /v1/institutions/{institution_id}/withdrawal",
    "POST /v1/institutions/{institution_id}/relisting",
}
KEEPS_LISTS = ("PUT /v1/counties/", "POST /v1/institutions", "PUT /v1/institutions/")
AT_MS = 1_794_790_800_000
EVENT = {"seq": 0, "type": "play", "at_ms": AT_MS, "position": 0}
# Filled in so well that nothing but the right to do it is missing.
BODIES: dict[str, Any] = {
    "POST /v1/classes/{class_id}/clock": {"advance_s": 60},
    "PUT /v1/courses/{course_id}": course(),
    "PUT /v1/classes/{class_id}": training_class(),
    "PUT /v1/classes/{class_id}/roster": {"learners": [LIN]},
    "POST /v1/keys": {"label": "x", "scopes": ["read"]},
    "POST /v1/keys/{key_id}/rotate": {"overlap_s": 0},
    "POST /v1/webhooks": {"url": "https://somebody.example/x", "events": ["review.decided"]},
    "POST /v1/sessions": {
        "learner_id": "learner-01",
        "class_id": "class-demo",
        "lesson_id": "course-demo-01",
        "device_id": "d",
        "window_id": "w",
    },
    "POST /v1/sessions/{session_id}/events": {"sent_at_ms": AT_MS, "events": [EVENT]},
    "POST /v1/events": {
        "sent_at_ms": AT_MS,
        "events": [EVENT | {"session_id": "nobody's"}],
    },
    "POST /v1/sessions/{session_id}/close": {"reason": "ended"},
    "POST /v1/sessions/{session_id}/controls": {
        "controls": [{"control": "popup", "challenge_id": "x", "nonce": "y", "issued_at_ms": 1}]
    },
    "POST /v1/findings/{finding_id}/reviews": {"decision": "uphold", "reason": "已核对服务器记录"},
    "POST /v1/cases/{case_id}/reviews": {"decision": "uphold", "reason": "已核对服务器记录"},
    "POST /v1/cases/{case_id}/corrections": {"findings": [1], "reason": "认错了人"},
    "POST /v1/classes/{class_id}/acts": {
        "kind": "answer_time",
        "learner_id": "learner-01",
        "body": {"answer_window_s": 120},
        "reason": "使用读屏软件",
    },
    "PUT /v1/counties/{county}": {"code": "411526"},
    "POST /v1/institutions": {"county": HUANGCHUAN, "code": "x-1", "name": "新学校"},
    "PUT /v1/institutions/{institution_id}": {"code": "x", "name": "改名", "reason": "登记有误"},
    "PUT /v1/institutions/{institution_id}/reviews/{year}": {"passed": True},
    "PUT /v1/institutions/{institution_id}/teachers": {"teachers": [], "reason": "年度备案"},
    "POST /v1/institutions/{institution_id}/withdrawal": {
        "withdrawn_on": "2026-11-16",
        "reason": "年检不合格",
    },
    "POST /v1/institutions/{institution_id}/relisting": {"reason": "整改完毕"},
    "POST /v1/requests/{request_id}/answer": {"answer": "日志随后寄上。"},
    "POST /v1/acts/{act_id}/revocation": {"reason": "登记有误"},
    "POST /v1/findings/{finding_id}/appeals": {"statement": "当天并未快进"},
}


def of_machines(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    for method, path in routes(app):
        name = f"{method} {path}"
        if path.startswith(("/v1/", "/xAPI/")) and name not in OPEN:
            yield method, path, name


def ask(
    client: TestClient, dataset: Dataset, method: str, path: str, headers: dict[str, str]
) -> tuple[int, str]:
    client.cookies.clear()
    some: dict[str, Any] | None = {"items": []} if method in ("POST", "PUT") else None
    body = BODIES.get(f"{method} {path}", some)
    headers = headers | ({"x-experience-api-version": "1.0.3"} if "xAPI" in path else {})
    sent: dict[str, Any] = {"json": body}
    if method == "PUT" and ("photo" in path or "snapshots" in path):
        sent = {
            "content": picture(0),
            "params": {"purpose": "random", "taken_at_ms": AT_MS},
        }
        headers = headers | {"content-type": "image/png"}
    answer = client.request(method, dataset.address(path), headers=headers, **sent)
    return answer.status_code, answer.text


@pytest.mark.parametrize("key", [None, "Bearer zx_made-up", "Basic eDp5", "Bearer "])
def test_nobody_enters_without_a_key(
    app: FastAPI, walker: TestClient, dataset: Dataset, key: str | None
) -> None:
    for method, path, name in of_machines(app):
        status, _ = ask(walker, dataset, method, path, {"authorization": key} if key else {})
        assert status == (403 if key and name in PEOPLE_ONLY else 401), (name, status)


def test_a_foreign_platforms_key_finds_nothing_of_this_one(
    app: FastAPI, walker: TestClient, dataset: Dataset
) -> None:
    told: dict[str, tuple[int, str]] = {}
    for method, path, name in of_machines(app):
        status, text = ask(walker, dataset, method, path, dataset.county.guang.headers)
        if name in PEOPLE_ONLY:
            assert status == 403, (name, text)
        elif "{" in path and name not in OWN_NAMES:
            told[name] = (status, text)
        assert status < 500, (name, text)
        for telling in ("林一", "吴小二", "潢川示例"):
            assert telling not in text, (name, telling)
    assert len(told) > 20
    assert {name: it for name, it in told.items() if it[0] != 404} == {}


def test_a_key_does_only_what_its_scopes_say(
    app: FastAPI, walker: TestClient, dataset: Dataset
) -> None:
    """Whatever writes is closed to a key that reads, and whatever reads to one that writes."""
    services = app.state.services
    headers = {}
    with services.database.write() as connection:
        for scope in ("read", "ingest"):
            made = platforms.create_key(
                connection,
                dataset.county.huang.platform.id,
                label=scope,
                scopes=[scope],
                expires_ms=None,
                actor="system",
                now_ms=dataset.now_ms,
            )
            headers[scope] = {"authorization": f"Bearer {made.secret}"}
    for method, path, name in of_machines(app):
        kept = path.startswith(("/v1/keys", "/v1/webhooks"))  # which need a scope of their own
        reads = (method == "GET" and not kept) or name in JUDGES
        status, text = ask(walker, dataset, method, path, headers["ingest" if reads else "read"])
        assert status == 403, (name, status, text)


@pytest.mark.parametrize("who", ["zhao", "root", "fang", "han"])
def test_a_browser_writes_nothing_without_its_logins_token(
    app: FastAPI, walker: TestClient, dataset: Dataset, who: str
) -> None:
    for method, path, name in of_machines(app):
        if method != "GET":
            for token in ({}, {"x-csrf-token": "forged"}, {"x-csrf-token": dataset.csrf["sun"]}):
                status, _ = ask(walker, dataset, method, path, dataset.headers(who) | token)
                assert status in (401, 403), (name, status)


@pytest.mark.parametrize("who", ["qian", "gao", "tang"])
def test_people_of_elsewhere_find_nothing_of_this_county(
    app: FastAPI, walker: TestClient, dataset: Dataset, who: str
) -> None:
    headers = dataset.headers(who) | {"x-csrf-token": dataset.csrf[who]}
    for method, path, name in of_machines(app):
        status, text = ask(walker, dataset, method, path, headers)
        if "{" in path:
            assert status in (401, 403, 404), (name, status)
        assert "林一" not in text and "吴小二" not in text, name


def test_a_schools_clerk_reads_what_is_the_schools_and_decides_nothing(
    app: FastAPI, walker: TestClient, dataset: Dataset
) -> None:
    """Han, whose class it is: nothing fails, no reviewer is named, and what people of the authority
    do is refused."""
    headers = dataset.headers("han") | {"x-csrf-token": dataset.csrf["han"]}
    read = 0
    for method, path, name in of_machines(app):
        status, text = ask(walker, dataset, method, path, headers)
        assert status < 500, (name, text)
        assert "user:zhao" not in text and "user:sun" not in text, name
        if name in PEOPLE_ONLY:
            assert status in (403, 404), (name, status, text)
        read += method == "GET" and status == 200
    assert read > 15


@pytest.mark.parametrize("who", ["chang", "root", "sheng", "gu"])
def test_who_reads_writes_nothing(
    app: FastAPI, walker: TestClient, dataset: Dataset, services: Services, who: str
) -> None:
    """A county's chief, who keeps accounts, a province's auditor, who reads the log: the lists that
    an administrator keeps are all that any of them changes."""
    offices = {"sheng": ("chief", ["*"]), "gu": ("log_reader", [])}
    headers = dataset.headers(who) if who in dataset.cookies else {}
    if who in offices:
        headers = appointed(services, who, *offices[who])
    headers = {"x-csrf-token": dataset.csrf.get(who, "")} | headers
    for method, path, name in of_machines(app):
        keeps = who == "root" and name.startswith(KEEPS_LISTS)
        if method != "GET" and not keeps:
            status, text = ask(walker, dataset, method, path, headers)
            assert status in (401, 403, 404), (name, status, text)


def test_who_may_not_have_a_class_judged_in_the_console_may_not_here(
    walker: TestClient, dataset: Dataset, services: Services
) -> None:
    for who, wanted in (("fang", 403), ("sun", 403), ("han", 202), ("zhao", 202)):
        headers = dataset.headers(who) | {"x-csrf-token": dataset.csrf[who]}
        name = "/v1/classes/{class_id}/validate"
        assert ask(walker, dataset, "POST", name, headers)[0] == wanted, who
    with services.database.read() as connection:
        asked = AuditEntry.action == "class.judged"
        actors = connection.scalars(select(AuditEntry.actor).where(asked)).all()
    assert actors == ["user:han", "user:zhao"]
