"""What an installation does on tables that are cut into ranges, it does as on whole ones."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from app.clock import day
from app.db import Database
from app.domain.controls import draws
from app.domain.faces import retention
from app.jobs import backup, purge, restore
from app.main import create_app
from app.services import Services
from app.settings import Settings
from app.store import partitions
from app.store.controls.controls import OF_PHOTO
from models import Control, Learner, PhotoAccess, PhotoCode, Snapshot, TrainingClass
from tests.described import DescribedClient
from tests.machine import POSTGRESQL, lacks
from tests.people import County, TestClock
from tests.postgres import Postgres
from tests.scenarios.test_live_verdicts import Stage
from tests.verdicts import bodies, validate

pytestmark = pytest.mark.thorough
LIVE = ("H28", "F16", "F02")  # studied with pop-ups, photos and face checks; and not


def lived(postgres: Postgres, url: str, folder: Path, *, ranges: bool) -> dict[str, Any]:
    """All that is asked of an installation, and what is seen of it: sittings, judgement, a backup
    on a new machine, erasure, purge."""
    clock = TestClock()
    app = create_app(Settings(database_url=url, data_dir=folder, face_workers=0), clock)
    services: Services = app.state.services
    county = County.found(services.database, clock)
    if ranges:  # of two sittings each
        partitions.cut(services.database, 2)
    seen: dict[str, Any] = {}
    with DescribedClient(app) as client:
        stage = Stage(client, services, clock, county.huang.secret)
        for n, scenario in enumerate(LIVE):
            partitions.keep_ahead(services.database, day(clock()))
            with services.database.write() as connection:  # beyond all ranges, but the first time
                connection.execute(text(f"SELECT setval('sessions_id_seq', {20 * n + 1})"))
            report = stage.play(scenario)
            assert report.problems == []
            seen[scenario] = [
                (it["outcome"], it["credited_ms"], [each["reason"] for each in it["findings"]])
                for it in stage.verdicts(report)
            ]
        seen["ledger"] = ledger(services)
        with services.database.read() as connection:
            classes = connection.execute(select(TrainingClass.id)).scalars().all()
        for class_id in classes:
            validate(services, class_id)
        seen["judged"] = bodies(services.database)
        seen["restored"] = restored(postgres, services, folder)
        seen["erased"] = erase(services, county, clock)
        if ranges:  # the service moves what lies beyond all of them as soon as the month is over
            assert_spread(services.database)
        clock.advance(days=3_000)
        seen["purged"] = purge.perform(services, "test")
        seen["left"] = ledger(services)
    services.database.close()
    return seen


def assert_spread(database: Database) -> None:
    """Rows lie in the first range, in a later one, and beyond all ranges."""
    with database.read() as connection:
        cut = {it.table: it for it in partitions.described(connection)}
        photos = select(Snapshot.session_id).distinct().order_by(Snapshot.session_id)
        sittings = connection.execute(photos).scalars().all()
    last = cut["snapshots"].ranges[-1].upper
    assert sittings[0] < 4 <= 20 < sittings[1] < last < sittings[-1]
    assert cut["snapshots"].outside and cut["controls"].outside


def ledger(services: Services) -> dict[str, Any]:
    """Each photo with the control that it answers, each control with what became of it."""
    photo = (
        Snapshot.id, Snapshot.session_id, Snapshot.purpose, Snapshot.check, Snapshot.status,
        Snapshot.late, Snapshot.blob_key.is_(None), Snapshot.embedding_encrypted.is_(None),
        Control.kind, Control.issued_ms,
    )  # fmt: skip
    control = (
        Control.id, Control.session_id, Control.kind, Control.shown_ms, Control.answered_ms,
        Control.expired_ms, Control.flags,
    )  # fmt: skip
    with services.database.read() as connection:
        photos = select(*photo).outerjoin(Control, OF_PHOTO).order_by(Snapshot.id)
        of_nothing = select(func.count()).select_from(Snapshot).outerjoin(Control, OF_PHOTO)
        of_nothing = of_nothing.where(Snapshot.control_id.is_not(None), Control.id.is_(None))
        assert connection.scalar(of_nothing) == 0
        for model in (PhotoCode, PhotoAccess):
            known = select(Snapshot.id)
            of_none = select(func.count()).where(
                model.snapshot_id.is_not(None), model.snapshot_id.not_in(known)
            )
            assert connection.scalar(of_none) == 0
        told = {
            "photos": [tuple(it) for it in connection.execute(photos)],
            "controls": [
                tuple(it) for it in connection.execute(select(*control).order_by(Control.id))
            ],
        }
    assert told["photos"] and told["controls"]
    return told


def erase(services: Services, county: County, clock: TestClock) -> int:
    with services.database.write() as connection:
        learner = connection.execute(select(Learner.external_id).order_by(Learner.id)).scalars()
        who = learner.first()
        assert who is not None
        platform = county.huang.platform.id
        return retention.erase_learner(
            connection, platform, who, reason="本人要求", actor="test", now_ms=clock()
        )


def restored(postgres: Postgres, services: Services, folder: Path) -> Any:
    """On a new machine, and brought to this version's schema."""
    made = backup.make(services, folder / "backups")
    with postgres.another("restored") as url:
        settings = Settings(data_dir=folder / "new", database_url=url, face_workers=0)
        done = restore.restore(settings, Path(made.folder))
        again = Services.build(settings)
        with again.database.read() as connection:
            cut = [it.table for it in partitions.described(connection)]
        with services.database.read() as connection:
            assert cut == [it.table for it in partitions.described(connection)]
        assert ledger(again) == ledger(services)
        again.stop()
    return done.whole, done.photos, done.photos_missing


def test_what_is_asked_of_an_installation_is_done_on_cut_tables_as_on_whole_ones(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("pg_dump") is None:
        lacks(POSTGRESQL)
    monkeypatch.setattr(partitions, "LEAST_ROWS", 2)
    seen = []
    for name in ("whole", "in_ranges"):
        seeds = iter(range(1, 1_000))
        monkeypatch.setattr(draws, "new_seed", lambda it=seeds: bytes([next(it)] * 32))
        folder = tmp_path / name
        folder.mkdir()
        with postgres.another(name, migrated=True) as url:
            seen.append(lived(postgres, url, folder, ranges=name == "in_ranges"))
    whole, in_ranges = seen
    assert whole["restored"][:2] == (True, whole["purged"]["removed"]) and whole["judged"]
    assert whole.keys() == in_ranges.keys()
    for what, told in whole.items():
        assert in_ranges[what] == told, what
