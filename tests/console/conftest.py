"""The console on a county of its own, and people signed in to it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from app import console
from app.console import session_page
from app.domain.accounts import users
from app.domain.catalogue import institutions
from app.domain.catalogue.institutions import CountyTerms, InstitutionTerms
from app.domain.judging import rulings
from app.domain.judging.timeline import Timeline
from app.http.callers import Callers
from app.services import Services
from app.settings import Settings
from models import Base, TrainingClass
from tests.console import county as rows
from tests.console.county import NOW, PASSWORD, County

_mounted: list[BaseRoute] = []  # of the first application; the next ones share them
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
    followed: list[int]  # findings whose decisions were brought to effect

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


def application(services: Services) -> FastAPI:
    """An application with only the console."""
    app = FastAPI(openapi_url=None)
    app.state.services = services
    app.state.callers = Callers.of(services)
    if not _mounted:  # what FastAPI makes of the routes at a first request takes 0.2 s
        app.include_router(console.router)
        _mounted.extend(app.router.routes)
    app.router.routes = list(_mounted)
    return app


def services_in(folder: Path, clock: Callable[[], int]) -> Services:
    return Services.build(Settings(data_dir=folder), clock)


def settle(services: Services, crowd: int = 0) -> County:
    """The tables with the county in them."""
    Base.metadata.create_all(services.database.engine)
    with services.database.write() as connection:
        county = rows.build(connection)
        if crowd:
            rows.crowd(connection, county, crowd)
            rows.full_class(connection, county, 80, 40)
    return county


def told_by(county: County) -> Callable[[Any, int], Timeline]:
    """Stands in for domain.judging.timeline: the county's sittings have stories, not events."""
    return lambda _connection, session_id: county.timelines[session_id]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, County]:
    """A data folder with the county, made once: five passwords take a while to hash."""
    folder = tmp_path_factory.mktemp("county")
    services = services_in(folder, Clock())
    county = settle(services)
    services.stop()
    return folder, county


@pytest.fixture
def new_desk(
    tmp_path: Path,
    settled: tuple[Path, County],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[], Desk]]:
    """More browsers on the same county."""
    template, county = settled
    folder = shutil.copytree(template, tmp_path / "data")
    services = services_in(folder, clock)
    app = application(services)
    # The county's sittings have stories and no events, so that nothing of theirs can be judged.
    monkeypatch.setattr(session_page, "timeline_of", told_by(county))
    followed: list[int] = []
    monkeypatch.setattr(
        rulings, "follow", lambda _connection, finding_ids, _now_ms: followed.extend(finding_ids)
    )
    yield lambda: Desk(TestClient(app), county, services, clock, followed)
    services.stop()


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    return new_desk()


@pytest.fixture
def han(new_desk: Callable[[], Desk]) -> Desk:
    """The clerk of the school whose class it is."""
    desk = new_desk()
    by: dict[str, Any] = {"actor": "system", "now_ms": desk.clock()}
    with desk.services.database.write() as connection:
        klass = connection.execute(
            select(TrainingClass).where(TrainingClass.external_id == "HC-2026-014")
        ).one()
        institutions.add_county(connection, CountyTerms(name=klass.county, code="411526"), **by)
        terms = InstitutionTerms(code="52411526", name=klass.institution)
        school = institutions.list_institution(connection, klass.county, terms, **by)
        users.add_user(
            connection,
            username="han",
            display_name="韩梅",
            password=PASSWORD,
            role="school",
            counties=[],
            institution=school,
            **by,
        )
    return desk.sign_in("han")
