"""The console on a county of its own, and people signed in to it."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

try:
    import app.domain.timeline  # noqa
except ImportError:
    stub = types.ModuleType("app.domain.timeline")
    stub.timeline = lambda c, i: {}
    sys.modules["app.domain.timeline"] = stub
from app import console
from app.console import session_page
from app.db import Database
from app.security import Vault
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


class Services:
    """What the console takes from `app.state.services`."""

    def __init__(self, settings: Settings, clock: Callable[[], int]) -> None:
        self.settings = settings
        self.clock = clock
        self.database = Database(settings.resolved_database_url)
        self.vault = Vault(settings.master_key.get_secret_value())


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
    services = Services(settings, clock or Clock())
    Base.metadata.create_all(services.database.engine)
    with services.database.write() as connection:
        county = rows.build(connection)
        if crowd:
            rows.crowd(connection, county, crowd)
            rows.full_class(connection, county, 80, 40)
    app = FastAPI(openapi_url=None)
    app.state.services = services
    session_page.timeline_of = lambda _connection, session_id: county.timelines[session_id]
    console.mount(app)
    return app, county


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_desk(tmp_path: Path, clock: Clock) -> Iterator[Callable[[], Desk]]:
    """More browsers on the same county."""
    app, county = application(tmp_path, clock)
    yield lambda: Desk(TestClient(app), county, app.state.services, clock)
    app.state.services.database.close()


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    return new_desk()
