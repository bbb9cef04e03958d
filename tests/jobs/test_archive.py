"""Old months of events leave the database and are read, judged and verified as before."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from app.db import Database
from app.domain.faces import retention
from app.domain.judging import assess
from app.errors import NotReady
from app.jobs import archive, backup, restore
from app.services import Services
from app.settings import Settings
from app.simulation.scenarios import perform
from app.store.events import event_log
from app.store.events.archive import ArchiveDamaged, SealedLog
from models import ArchivedLog, AuditEntry, EventLog, Learner, Session, TrainingClass
from tests.evidence import catalogue, ndjson, sitting
from tests.people import LIN, WU, County, TestClock, training_class
from tests.verdicts import class_row, take, validate

pytestmark = pytest.mark.both_databases


@pytest.fixture
def class_id(services: Services, county: County, clock: TestClock, tmp_path: Path) -> int:
    """A class of two and a half years ago that was judged, with two sittings."""
    terms = {"starts_on": "2026-03-01", "ends_on": "2026-03-31"}
    records = [
        *catalogue()[:1],
        {"kind": "class", **training_class("c1", **terms)},
        {"kind": "roster", "class_id": "c1", "learners": [LIN, WU]},
        *sitting("s1", class_id="c1"),
        *sitting("s2", class_id="c1", learner_id=WU["learner_id"]),
    ]
    path = tmp_path / "county.ndjson"
    path.write_bytes(ndjson(records))
    report = services.imports.take_file(county.huang.platform.id, path, actor="test")
    assert not report.rejected, report.rejected
    return grown_old(services, county, clock, "c1")


def grown_old(services: Services, county: County, clock: TestClock, name: str) -> int:
    class_id = class_row(services.database, county, name).id
    validate(services, class_id)
    with services.database.write() as connection:
        connection.execute(update(TrainingClass).values(ends_on="2026-03-31", assessment_on=None))
    clock.advance(days=900)
    return class_id


def count(database: Database, model: type) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(model)).scalar_one()


def logs(database: Database) -> list[SealedLog]:
    with database.read() as connection:
        ids = connection.execute(select(Session.id)).scalars().all()
        return sorted(event_log.sealed(connection, ids))


def bodies(services: Services, class_id: int) -> list[tuple[str, int, bytes]]:
    with services.database.read() as connection:
        judged = assess.evaluate_sittings(connection, class_id).judged
    return [(it.kind, it.hour, it.body) for it in judged]


def moved(services: Services, most: int | None = None) -> archive.Archived:
    return archive.perform(services, "test", months=12, most=most)


def test_archived_events_are_judged_verified_and_shown_as_before(
    services: Services, class_id: int
) -> None:
    validate(services, class_id)  # today: what depends on the day is concluded anew
    before, verdicts = logs(services.database), bodies(services, class_id)
    assert len(before) > 0

    done = moved(services)

    assert (done.sittings, done.kept, done.more) == (len(before), 0, False)
    assert count(services.database, EventLog) == 0
    assert logs(services.database) == before
    assert bodies(services, class_id) == verdicts
    assert archive.damaged(services) == []
    with services.database.read() as connection:
        assert event_log.altered(connection)[1] == []
        assert "events.archived" in connection.execute(select(AuditEntry.action)).scalars().all()
    assert moved(services).sittings == 0
    assert validate(services, class_id)["verdicts_stored"] == 0


def test_what_is_young_or_not_judged_since_stays(
    services: Services, class_id: int, clock: TestClock
) -> None:
    assert archive.perform(services, "test", months=36).sittings == 0
    with services.database.write() as connection:
        connection.execute(update(EventLog).values(sealed_ms=clock()))
    assert moved(services).sittings == 0


def test_it_goes_on_where_it_stopped(
    services: Services, class_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_AT_ONCE", 1)
    every = len(logs(services.database))
    first = moved(services, most=1)
    assert (first.sittings, first.more) == (1, every > 1)
    monkeypatch.setattr(services.blobs, "put", lambda *_: None)  # a store that keeps nothing
    if every > 1:
        with pytest.raises(NotReady):
            moved(services)
        monkeypatch.undo()
    assert first.sittings + moved(services).sittings == every
    assert len(logs(services.database)) == every


def test_what_changes_afterwards_comes_back(services: Services, class_id: int) -> None:
    moved(services)
    (sitting, *_) = logs(services.database)
    with services.database.write() as connection:
        event_log.unsettle(connection, [sitting.session_id])
    validate(services, class_id)
    with services.database.read() as connection:
        back = connection.execute(select(EventLog.session_id)).scalars().all()
    assert back == [sitting.session_id]
    assert count(services.database, ArchivedLog) == len(logs(services.database)) - 1


def test_nothing_is_judged_by_a_damaged_file(services: Services, class_id: int) -> None:
    moved(services)
    (file, *_) = archive.files(services)
    whole = services.blobs.get(file.object_key)
    services.blobs.put(file.object_key, whole[:-40] + bytes(40))
    assert archive.damaged(services) == [
        f"{file.object_key} of the object store is not what was put there"
    ]
    with pytest.raises(ArchiveDamaged), services.database.read() as connection:
        assess.evaluate_sittings(connection, class_id)
    services.blobs.delete(file.object_key)
    assert archive.damaged(services) == [f"{file.object_key} of the object store is gone"]
    with services.database.read() as connection:
        assert len(event_log.altered(connection)[1]) == file.held
    services.blobs.put(file.object_key, whole)
    assert archive.damaged(services) == []


def test_all_of_it_can_be_taken_back(services: Services, class_id: int) -> None:
    before = logs(services.database)
    moved(services)
    assert archive.take_back(services, "test", "1999-01") == 0
    assert archive.take_back(services, "test") == len(before)
    assert count(services.database, ArchivedLog) == 0
    assert logs(services.database) == before
    assert moved(services).sittings == len(before)  # into the same files


def test_an_erased_learner_stays_erased_and_a_backup_brings_the_archive(
    services: Services, county: County, clock: TestClock, tmp_path: Path
) -> None:
    take(services, county, perform("H01"), tmp_path)
    grown_old(services, county, clock, "class-demo")
    moved(services)
    with services.database.write() as connection:
        (learner,) = connection.execute(select(Learner.external_id).limit(1)).scalars()
        platform = county.huang.platform.id
        photos = retention.erase_learner(
            connection, platform, learner, reason="本人要求", actor="test", now_ms=services.clock()
        )
    assert photos > 0
    assert archive.damaged(services) == []  # events never held what an erasure destroys
    before = logs(services.database)
    if not services.database.sqlite:
        return
    made = backup.make(services, tmp_path / "backups")
    new = Settings(data_dir=tmp_path / "new", face_workers=0)
    restored = restore.restore(new, Path(made.folder))
    assert restored.whole
    other = Services.build(new)
    assert logs(other.database) == before
    other.stop()
