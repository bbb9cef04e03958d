"""Lists and packages come out of either database."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.main import create_app
from app.reports import exports, package
from app.reports.exports import ExportOptions
from app.reports.lists import LISTS
from app.reports.verify import verify
from app.services import Services
from app.settings import Settings
from app.store.scope import EVERYTHING
from tests.people import County, TestClock, instant
from tests.reports.sample_class import judged_class

A_CLERK = ExportOptions("system:cli", named=True)


@pytest.mark.both_databases
def test_all_lists_and_a_package_that_replays(database_url: str, tmp_path: Path) -> None:
    clock = TestClock()
    clock.now_ms = instant("2026-11-16 09:00")
    settings = Settings(database_url=database_url, data_dir=tmp_path, face_workers=0)
    services: Services = create_app(settings, clock).state.services
    try:
        klass = judged_class(
            services, County.found(services.database, clock), tmp_path, ("H01", "F02")
        )
        sheets = exports.sheets(services, klass, list(LISTS), A_CLERK)
        made = package.export(services, klass, A_CLERK, EVERYTHING, photos=True)
    finally:
        services.database.close()
    assert [len(it.rows) for it in sheets if it.name == "roster"] == [2]
    assert not verify(made.file.data, made.public_key).problems
