"""The console on a county of its own, and people signed in to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app import console
from app.console import session_page
from app.services import Services
from app.settings import Settings
from models import Base
from tests.console import county as rows
from tests.console.county import NOW, PASSWORD, County

CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Clock:
    now_ms: int = NOW

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Desk:
    """One browser at the console."""

    client: TestClient
    county: County
    services: Services
    clock: Clock

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (answer.status_code, path)
        return answer.text

    def sign_in(self, username: str, password: str = PASSWORD) -> Desk:
        csrf = self.csrf("/console/login")
        answer = self.client.post(
            "/console/login",
            data={"username": username, "password": password, "csrf": csrf},
            follow_redirects=False,
        )
        assert answer.status_code == 303, answer.status_code
        return self

    def csrf(self, path: str) -> str:
        found = CSRF.search(self.client.get(path).text)
        assert found, path
        return found[1]

    def decide(self, finding: str, decision: str, reason: str = "已核对服务器记录"):
        return self.client.post(
            f"/console/findings/{self.county.findings[finding]}/decision",
            data={"csrf": self.csrf("/console"), "decision": decision, "reason": reason},
        )


def application(
    folder: Path, clock: Callable[[], int] | None = None, crowd: int = 0
) -> tuple[FastAPI, County]:
    """An application with the county in a database of its own."""
    settings = Settings(data_dir=folder)
    services = Services.build(settings, clock or Clock())
    Base.metadata.create_all(services.database.engine)
    with services.database.write() as connection:
        county = rows.build(connection)
        if crowd:
            rows.crowd(connection, county, crowd)
            rows.full_class(connection, county, 80, 40)
    app = FastAPI(openapi_url=None)
    app.state.services = services
    console.mount(app)
    return app, county


def told_by(county: County) -> Callable[[Any, int], dict[str, Any]]:
    """Stands in for app.domain.timeline: the county's sittings have stories, not events."""
    return lambda _connection, session_id: county.timelines[session_id]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_desk(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Desk]]:
    """More browsers on the same county."""
    app, county = application(tmp_path, clock)
    monkeypatch.setattr(session_page, "timeline_of", told_by(county))
    yield lambda: Desk(TestClient(app), county, app.state.services, clock)
    app.state.services.stop()


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    return new_desk()
