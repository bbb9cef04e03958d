"""Roles of least power: who reads the log alone, and a province that only reads."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.domain.accounts import users
from app.services import Services
from tests.walk.dataset import Dataset, appointed, routes, send
from tests.walk.test_console import FORM, MAY, NEVER, OPEN, PEOPLE

LOG = {"GET /console/audit", "GET /console/audit.csv", "GET /console"}
CLASS = re.compile(r'/console/classes/[0-9]+"')
OWN = ("/console/account", "/console/notices", "/console/help", "/console/logout")


def test_who_reads_the_log_gets_to_the_log_and_nowhere_else(
    app: FastAPI, walker: TestClient, dataset: Dataset, services: Services
) -> None:
    gu = appointed(services, "gu", "log_reader", [])
    for method, path in routes(app):
        name = f"{method} {path}"
        if MAY.get(name) is OPEN or path.startswith((*OWN, "/xAPI/about")):
            continue
        form = {**FORM, "csrf": gu["x-csrf-token"]} if method == "POST" else None
        status = send(walker, method, dataset.address(path), gu, form)
        if name in LOG:
            assert status in (200, 303), (name, status)
        elif path.startswith(("/v1", "/xAPI")):
            assert status in (400, 401, 403, 404, 415, 422), (name, status)
            if method == "GET" and path.startswith("/v1"):
                assert status == 401, (name, status)
        elif path.startswith("/console"):
            assert status == 403, (name, status)


def test_once_somebody_reads_the_log_administrators_do_not(
    walker: TestClient, dataset: Dataset, services: Services
) -> None:
    root = dataset.headers("root")
    for path in ("/console/audit", "/console/audit.csv"):
        assert send(walker, "GET", path, root) == 200, path
    gu = appointed(services, "gu", "log_reader", [])
    for path in ("/console/audit", "/console/audit.csv"):
        assert send(walker, "GET", path, root) == 403, path
        assert send(walker, "GET", path, gu) == 200, path
    assert "/console/audit" not in walker.get("/console/users", headers=root).text
    page = walker.get("/console/audit", headers=gu).text
    assert "gu本人" in page and "/console/classes" not in page and "/console/search" not in page
    terms: dict[str, Any] = {"actor": "system", "now_ms": services.clock()}
    for end in (
        lambda it: users.disable_user(it, "gu", **terms),
        lambda it: users.change_user(it, "gu", role="chief", counties=["*"], **terms),
    ):
        with services.database.write() as connection:
            end(connection)
        assert send(walker, "GET", "/console/audit", root) == 403


def test_a_province_that_only_reads_sees_all_counties_and_does_nothing(
    app: FastAPI, walker: TestClient, dataset: Dataset, services: Services
) -> None:
    sheng = appointed(services, "sheng", "chief", ["*"])
    for method, path in routes(app):
        name = f"{method} {path}"
        if MAY.get(name) in (None, OPEN):
            continue
        if method == "GET" and MAY[name] is PEOPLE and "{" in path and "access_id" not in path:
            status = send(walker, method, dataset.address(path), sheng)
            assert status in (200, 303, 404), (name, status)
        if method == "POST" and "chang" in NEVER[MAY[name]]:
            form = {**FORM, "csrf": sheng["x-csrf-token"]}
            status = send(walker, method, dataset.address(path), sheng, form)
            assert status == 403, (name, status)
    with services.database.read() as connection:
        assert users.named(connection, "sheng").sees_photos is False
    page = walker.get("/console/classes", headers=sheng).text
    for who in ("zhao", "qian"):
        theirs = walker.get("/console/classes", headers=dataset.headers(who)).text
        assert all(it in page for it in CLASS.findall(theirs)), who
    assert CLASS.findall(page)
