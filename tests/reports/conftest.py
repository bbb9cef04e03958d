"""One judged class for a whole file of tests: it takes seconds to make and nobody changes it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.db import Database
from app.domain.catalogue.classes import class_seen
from app.main import create_app
from app.services import Services
from app.settings import Settings
from app.store.catalogue.catalogue import ClassRow
from app.store.scope import EVERYTHING
from tests.people import County, TestClock, instant
from tests.reports.sample_class import CLASS, judged_class


@dataclass(frozen=True)
class Judged:
    """Where the class's database and photos lie, and who may ask for it."""

    folder: Path
    county: County
    clock: TestClock


@pytest.fixture(scope="session")
def judged(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    folder = tmp_path_factory.mktemp("judged")
    shutil.copyfile(sqlite_template, folder / "zhenxue.sqlite")
    clock = TestClock()
    clock.now_ms = instant("2026-11-16 09:00")
    services: Services = create_app(settings_of(folder), clock).state.services
    county = County.found(services.database, clock)
    judged_class(services, county, folder)
    services.database.close()
    return Judged(folder, county, clock)


def settings_of(folder: Path) -> Settings:
    url = f"sqlite:///{folder / 'zhenxue.sqlite'}"
    return Settings(database_url=url, data_dir=folder, face_workers=0)


@pytest.fixture
def settings(judged: Judged, tmp_path: Path) -> Settings:
    """A copy of the judged class's database and photos."""
    folder = tmp_path / "data"
    shutil.copytree(judged.folder, folder)
    return settings_of(folder)


@pytest.fixture
def clock(judged: Judged) -> TestClock:
    return judged.clock


@pytest.fixture
def county(judged: Judged, database: Database) -> Iterator[County]:
    yield judged.county


@pytest.fixture
def klass(database: Database) -> ClassRow:
    with database.read() as connection:
        return class_seen(connection, EVERYTHING, CLASS)
