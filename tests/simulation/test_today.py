"""The demo's class that studies at this moment, before a running service in true time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.main import create_app
from app.services import Services, open_services
from app.settings import Settings
from app.simulation import today
from app.simulation.transport import Api, UrllibClient
from models import ReferencePhoto, Session
from tests.people import County
from tests.served import served
from tests.waiting import eventually

pytestmark = pytest.mark.thorough


def test_two_learners_are_on_line_within_seconds_and_a_second_start_finds_the_same_class(
    tmp_path: Path,
) -> None:
    settings = Settings(data_dir=tmp_path, database_url="", blob_url="", face_workers=0)
    with open_services(settings) as first:
        county = County.found(first.database, first.clock)  # type: ignore[arg-type]
    app = create_app(settings)
    services: Services = app.state.services

    def count(query: object) -> int:
        with services.database.read() as connection:
            return int(connection.scalar(query) or 0)  # type: ignore[call-overload]

    on_line = select(func.count()).select_from(Session).where(Session.state == "open")
    with served(app) as url:
        for _ in range(2):
            stopping = threading.Event()
            api = Api(UrllibClient(url), county.huang.secret)
            threads = today.study(api, services.clock(), stopping)
            assert eventually(lambda: count(on_line) >= 2)
            stopping.set()
            for thread in threads:
                thread.join(timeout=20)
        enrolled = select(func.count()).select_from(ReferencePhoto)
        assert count(enrolled) == len(today.PEOPLE) * today.PHOTOS
