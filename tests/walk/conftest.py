"""The dataset is made once; each test works on a copy of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.main import create_app
from app.services import Services
from app.settings import Settings
from tests.described import DescribedClient
from tests.people import County, TestClock, instant
from tests.walk.dataset import Dataset, found


@pytest.fixture(scope="session")
def template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("dataset")
    shutil.copyfile(sqlite_template, folder / "zhenxue.sqlite")
    clock = _clock()
    services: Services = create_app(_settings(folder), clock).state.services
    county = County.found(services.database, clock)
    dataset = found(services, county, folder)
    services.database.close()
    return dataset


@pytest.fixture
def settings(template: Dataset, tmp_path: Path) -> Settings:
    folder = tmp_path / "data"
    shutil.copytree(template.folder, folder)
    return _settings(folder)


@pytest.fixture
def clock() -> TestClock:
    return _clock()


@pytest.fixture
def app(settings: Settings, clock: TestClock) -> FastAPI:
    return create_app(settings, clock)


@pytest.fixture
def dataset(template: Dataset) -> Dataset:
    return template


@pytest.fixture
def walker(app: FastAPI) -> Iterator[TestClient]:
    """A client of the service whose jobs do not run: nothing changes by itself."""
    yield DescribedClient(app)
    app.state.services.database.close()


def _clock() -> TestClock:
    clock = TestClock()
    clock.now_ms = instant("2026-11-16 09:00")
    return clock


def _settings(folder: Path) -> Settings:
    url = f"sqlite:///{folder / 'zhenxue.sqlite'}"
    return Settings(database_url=url, data_dir=folder, face_workers=0)
