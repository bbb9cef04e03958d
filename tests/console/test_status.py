"""A bureau's person sees what is wrong and what to do, above all when nothing else works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from app.console import health
from app.console.language import language
from app.http import readiness
from app.http.readiness import PartState
from app.jobs import backup
from app.outages import DatabaseAway
from app.services import Services
from app.store.accounts import audit
from tests.console.conftest import Clock, Desk

WELL = dict.fromkeys(health._PARTS, PartState.OK)
INSIDE = "校验、备份与审计</h2>"


@pytest.fixture(autouse=True)
def states(monkeypatch: pytest.MonkeyPatch) -> dict[str, PartState]:
    """What the parts say; the desk's own database has no version."""
    states = dict(WELL)
    monkeypatch.setattr(readiness, "ask", lambda _services: states)
    return states


def away(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def closed() -> Iterator[Any]:
        raise DatabaseAway("database", "does not answer", retry_after_s=2)
        yield

    monkeypatch.setattr(services.database, "read", closed)
    monkeypatch.setattr(services.database, "write", closed)


def test_everybody_sees_that_the_service_is_well_and_no_more(desk: Desk) -> None:
    page = desk.get("/status")
    assert "服务正常。" in page and "数据库" in page and INSIDE not in page


@pytest.mark.parametrize(("name", "told"), [("zhao", True), ("feng", False)])
def test_the_authoritys_people_are_told_of_night_backup_and_log(
    desk: Desk, name: str, told: bool
) -> None:
    assert (INSIDE in desk.sign_in(name).get("/status")) is told


def test_a_backup_counts_for_two_days(desk: Desk, clock: Clock) -> None:
    def told() -> Any:
        with desk.services.database.read() as connection:
            return health._backup(connection, clock(), language("zh")).state

    assert told() is health.LOOK
    with desk.services.database.write() as connection:
        audit.append(
            connection,
            at_ms=clock(),
            actor="system:cli",
            action=backup.MADE,
            subject="database",
            detail={},
        )
    assert told() is health.WELL
    clock.now_ms += health.BACKUP_LATE_MS + 1
    assert told() is health.LOOK


def test_a_page_that_needs_the_database_says_what_is_away_and_what_to_do(
    desk: Desk, states: dict[str, PartState], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sign_in("zhao")
    csrf = desk.csrf("/console")
    states["database"] = PartState.FAILED
    away(desk.services, monkeypatch)
    for answer in (desk.client.get("/console"), desk.client.get("/console/findings/7")):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert "没有应答" in answer.text and "请联系系统运维人员" in answer.text
        assert "要等数据库恢复" in answer.text and "被拨动过" not in answer.text
    assert desk.client.get("/status").status_code == 503
    sent = desk.client.post("/console/notices/read", data={"csrf": csrf})
    assert sent.status_code == 503 and "没有保存" in sent.text


def test_every_part_that_is_asked_has_words(app: FastAPI, services: Services) -> None:
    assert {"database", "store", "migrations", *services.checks} == set(health._PARTS)
