"""What was backed up comes back whole on an empty machine, under the right key, and only there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import delete, func, insert, make_url, select, update

from app.db import Database
from app.domain.accounts import keyring
from app.domain.faces import retention
from app.domain.review import case_files
from app.domain.review.case_files import CaseFile
from app.errors import BadInput, Conflict, NotReady
from app.jobs import audit_watch, backup, database_copy, erasures, key_exchange, photo_keys, restore
from app.outages import DatabaseAway
from app.security import unseal
from app.services import Services, open_services
from app.settings import Settings
from app.simulation.scenarios import perform
from app.store import schema
from app.store.faces import face_keys
from app.store.faces.blobs import Blobs
from models import (
    AuditEntry,
    CaseNote,
    EventLog,
    Learner,
    LearnerKey,
    ReviewCase,
    Session,
    Snapshot,
    Verdict,
)
from tests.full_disk import nothing_grows_beyond
from tests.machine import POSTGRESQL, lacks
from tests.people import County, TestClock
from tests.postgres import Postgres
from tests.verdicts import class_row, take, validate
from tests.waiting import eventually


@pytest.fixture
def studied(services: Services, county: County, tmp_path: Path) -> Services:
    """A service with a judged class, its photos and an enrolled learner's key."""
    take(services, county, perform("H01"), tmp_path)
    validate(services, class_row(services.database, county, "class-demo").id)
    return services


@pytest.fixture
def empty_machine(settings: Settings, backend: str, tmp_path: Path) -> Iterator[Settings]:
    """The settings of a new machine: the same key, nothing else."""
    data = tmp_path / "new-machine"
    if backend == "sqlite":
        yield Settings(data_dir=data, face_workers=0)
        return
    if shutil.which("pg_dump") is None:
        lacks(POSTGRESQL)
    url = make_url(settings.database_url)
    name = f"{url.database}_restored"
    server = url.set(drivername="postgresql", database="postgres").render_as_string(False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        there = url.set(database=name).render_as_string(False)
        yield Settings(data_dir=data, database_url=there, face_workers=0)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def rows(url: str) -> dict[str, list[object]]:
    """What a restored database must hold like the one that was backed up."""
    database = Database(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with database.read() as connection:
        found: dict[str, list[object]] = {
            "verdicts": [
                *connection.execute(select(Verdict.id, Verdict.body).order_by(Verdict.id))
            ],
            "logs": [*connection.execute(select(EventLog.session_id, EventLog.events))],
            "audit": [*connection.execute(select(AuditEntry.id, AuditEntry.chain))],
            "photos": [*connection.execute(select(Snapshot.id, Snapshot.blob_key))],
        }
    database.close()
    return found


def erase(services: Services, county: County) -> None:
    with services.database.write() as connection:
        retention.erase_learner(
            connection,
            county.huang.platform.id,
            connection.execute(select(Learner.external_id)).scalars().first() or "",
            reason="本人要求",
            actor="test",
            now_ms=services.clock(),
        )
    erasures.hold_together(services)


@pytest.mark.both_databases
def test_a_backup_comes_back_whole_on_an_empty_machine(
    studied: Services, empty_machine: Settings, tmp_path: Path
) -> None:
    was = rows(studied.settings.database_url)
    made = backup.make(studied, tmp_path / "backups")
    assert made.photos > 0
    done = restore.restore(empty_machine, Path(made.folder))
    assert done.whole
    assert (done.photos, done.photos_missing) == (made.photos, 0)
    assert was["verdicts"] and was["logs"] and was["audit"] and was["photos"]
    assert rows(empty_machine.resolved_database_url) == was
    again = Services.build(empty_machine)
    assert again.blobs.e_tags("").keys() == studied.blobs.e_tags("").keys()
    again.stop()


@pytest.mark.both_databases
def test_who_was_erased_since_the_backup_stays_erased(
    studied: Services, county: County, empty_machine: Settings, tmp_path: Path
) -> None:
    with studied.database.write() as connection:
        learner_id = connection.execute(select(Learner.id)).scalars().first()
        _, wrapped = studied.vault.new_learner_key()
        connection.execute(
            update(LearnerKey).where(LearnerKey.learner_id == learner_id).values(wrapped=wrapped)
        )
    made = backup.make(studied, tmp_path / "backups")
    erase(studied, county)
    kept = shutil.copy(erasures.file_of(studied), tmp_path / "kept-elsewhere.ndjson")
    done = restore.restore(empty_machine, Path(made.folder), lists=[Path(kept)])
    assert done.erased_again == 1
    restored = Services.build(empty_machine)
    with restored.database.read() as connection:
        destroyed = select(LearnerKey.wrapped).where(LearnerKey.destroyed_ms.is_not(None))
        assert connection.execute(destroyed).scalars().all() == [None]
    restored.stop()


def test_what_a_restore_answers_is_json_alone(
    studied: Services, county: County, tmp_path: Path
) -> None:
    """What it had to log along the way, as an erasure that was repeated, stood before it."""
    made = backup.make(studied, tmp_path / "backups")
    erase(studied, county)
    command = [sys.executable, "-m", "app.cli.main", "restore", made.folder, "--json"]
    command += ["--erasures", str(erasures.file_of(studied))]
    done = subprocess.run(
        command,
        env={**os.environ, "ZHENXUE_DATA_DIR": str(tmp_path / "new"), "ZHENXUE_DATABASE_URL": ""},
        capture_output=True,
        check=False,
    )
    assert b"an erasure was repeated" in done.stderr
    assert json.loads(done.stdout)["erased_again"] == 1


@pytest.mark.both_databases
@pytest.mark.parametrize("before", ["put", "upgrade"])
def test_a_restore_that_was_cut_off_starts_nothing_and_is_gone_on_with(
    studied: Services,
    county: County,
    empty_machine: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: str,
) -> None:
    was = rows(studied.settings.database_url)
    made = backup.make(studied, tmp_path / "backups")
    erase(studied, county)
    kept = Path(shutil.copy(erasures.file_of(studied), tmp_path / "kept-elsewhere.ndjson"))

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    where = {"put": database_copy, "upgrade": schema}[before]
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(where, before, cut_off)
        with pytest.raises(KeyboardInterrupt):
            restore.restore(empty_machine, Path(made.folder), lists=[kept])
    assert (empty_machine.data_dir / erasures.FILE).read_bytes() == kept.read_bytes()
    with pytest.raises(NotReady, match="zhenxue restore"), open_services(empty_machine):
        pass
    done = restore.restore(empty_machine, Path(made.folder), lists=[kept])
    assert done.photos_missing == 0 and not done.evidence_altered
    assert rows(empty_machine.resolved_database_url)["verdicts"] == was["verdicts"]
    with open_services(empty_machine):
        pass
    with pytest.raises(Conflict, match="empty"):
        restore.restore(empty_machine, Path(made.folder))


def test_another_master_key_restores_nothing(
    studied: Services, empty_machine: Settings, tmp_path: Path
) -> None:
    made = backup.make(studied, tmp_path / "backups")
    other = Settings(data_dir=empty_machine.data_dir, master_key=SecretStr("another" * 8))
    with pytest.raises(BadInput, match="another master key"):
        restore.restore(other, Path(made.folder))
    assert not (empty_machine.data_dir / "zhenxue.sqlite").exists()


def test_nothing_that_is_there_is_overwritten(
    studied: Services, settings: Settings, tmp_path: Path
) -> None:
    made = backup.make(studied, tmp_path / "backups")
    with pytest.raises(Conflict, match="not empty"):
        restore.restore(settings, Path(made.folder))
    elsewhere = Settings(
        data_dir=settings.data_dir,
        database_url=settings.database_url,
        blob_url=(tmp_path / "photos").as_uri(),
    )
    with pytest.raises(Conflict, match="a database already"):
        restore.restore(elsewhere, Path(made.folder))


@pytest.mark.parametrize("part", ["database.sqlite", "photos.ndjson", "manifest.json", "photos"])
def test_an_altered_backup_is_refused(
    studied: Services, empty_machine: Settings, tmp_path: Path, part: str
) -> None:
    folder = Path(backup.make(studied, tmp_path / "backups").folder)
    path = folder / part
    if path.is_dir():
        path = next(it for it in path.rglob("*") if it.is_file())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadInput):
        restore.restore(empty_machine, folder)
    assert not (empty_machine.data_dir / "blobs").exists()
    assert not (empty_machine.data_dir / "zhenxue.sqlite").exists()


def test_evidence_that_was_altered_before_the_backup_is_named(
    studied: Services, empty_machine: Settings, tmp_path: Path
) -> None:
    with studied.database.write() as connection:
        session_id, external = connection.execute(select(Session.id, Session.external_id)).first()
        events = select(EventLog.events).where(EventLog.session_id == session_id)
        data = bytearray(connection.execute(events).scalar_one())
        data[0] ^= 1
        log = update(EventLog).where(EventLog.session_id == session_id)
        connection.execute(log.values(events=bytes(data)))
    made = backup.make(studied, tmp_path / "backups")
    done = restore.restore(empty_machine, Path(made.folder))
    assert done.evidence_altered == [external]
    assert not done.whole
    data[0] ^= 1
    with studied.database.write() as connection:  # as every test leaves its evidence
        connection.execute(log.values(events=bytes(data)))


def test_the_audit_log_of_a_restored_database_is_held_against_the_head_of_the_backup(
    studied: Services, empty_machine: Settings, tmp_path: Path
) -> None:
    made = Path(backup.make(studied, tmp_path / "backups").folder)
    restore.restore(empty_machine, made)
    restored = Services.build(empty_machine)
    assert audit_watch.verify(restored) == []
    with sqlite3.connect(empty_machine.data_dir / "zhenxue.sqlite") as connection:
        connection.execute(
            "DELETE FROM audit_entries WHERE id = (SELECT MAX(id) FROM audit_entries)"
        )
    assert len(audit_watch.verify(restored)) == 1
    restored.stop()


def test_a_broken_audit_log_keeps_nobody_from_a_backup_and_is_told_where_it_is_restored(
    studied: Services, empty_machine: Settings, tmp_path: Path
) -> None:
    """None was made from then on, until somebody had found out what was wrong."""
    written = audit_watch.write_head(studied)
    assert written is not None
    with studied.database.write() as connection:
        last = connection.execute(select(func.max(AuditEntry.id))).scalar_one()
        connection.execute(delete(AuditEntry).where(AuditEntry.id == last))
    made = backup.make(studied, tmp_path / "backups")
    assert made.audit_broken
    done = restore.restore(empty_machine, Path(made.folder))
    assert done.photos and done.audit_problems


@pytest.mark.both_databases
def test_photos_and_files_open_from_a_backup_during_which_all_keys_were_exchanged(
    studied: Services,
    clock: TestClock,
    empty_machine: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its database knew the former keys alone, and what was copied afterwards lay under others."""
    blob_key = case_files.put(studied.vault, studied.blobs, 1, CaseFile("a.pdf", "", b"%PDF"))
    with studied.database.write() as connection:
        learner = connection.execute(select(Session.learner_id)).scalars().first()
        case = {"id": 1, "key": "1", "kind": "class", "opened_ms": 0, "due_on": "2026-03-01"}
        connection.execute(insert(ReviewCase).values(case))
        note = {"written_by": "zhao", "body": "", "blob_key": blob_key, "created_ms": 0}
        connection.execute(insert(CaseNote).values(case_id=1, **note))
    clock.now_ms += 60_000
    listed = Blobs.e_tags

    def meanwhile(blobs: Blobs, prefix: str) -> dict[str, str]:
        monkeypatch.setattr(Blobs, "e_tags", listed)
        exchange(studied, clock)
        return listed(blobs, prefix)

    monkeypatch.setattr(Blobs, "e_tags", meanwhile)
    made = backup.make(studied, tmp_path / "backups")
    assert restore.restore(empty_machine, Path(made.folder)).whole
    assert opened(empty_machine, clock, learner, blob_key) > 0
    exchange(studied, clock, go_on=True)
    assert opened(studied.settings, clock, learner, blob_key) > 0
    with studied.database.read() as connection:
        assert face_keys.with_two(connection) == 0, "it goes on once the backup is made"


def exchange(services: Services, clock: TestClock, *, go_on: bool = False) -> None:
    """All keys and photos, as far as it comes, by a process of its own."""
    with open_services(services.settings, clock) as other:
        if not go_on:
            key_exchange.exchange(other, keyring.ALL, "test")
            photo_keys.begin(other, "test")
        for _ in range(3):
            key_exchange.resume(other, "test")
            photo_keys.go_on(other, "test")
            clock.now_ms += keyring.GRACE_MS


def opened(settings: Settings, clock: TestClock, learner: int | None, blob_key: str) -> int:
    """How many photos of the learner open there, all of them and the file."""
    with open_services(settings, clock) as services:
        assert case_files.opened(services.vault, services.blobs, blob_key) == b"%PDF"
        with services.database.read() as connection:
            key = face_keys.key(connection, services.vault, learner or 0)
        assert key is not None
        names = [*services.blobs.e_tags(f"learners/{learner}/")]
        for name in names:
            unseal(key, services.blobs.get(name), name.encode())
        return len(names)


def test_photos_of_the_backup_before_are_linked_and_surplus_backups_removed(
    studied: Services, clock: TestClock, empty_machine: Settings, tmp_path: Path
) -> None:
    first = backup.make(studied, tmp_path / "backups")
    clock.now_ms += 60_000
    second = backup.make(studied, tmp_path / "backups", keep=1)
    assert (first.linked, second.linked) == (0, first.photos)
    assert second.removed == [Path(first.folder).name]
    assert restore.restore(empty_machine, Path(second.folder)).whole


def test_backups_of_a_clock_that_was_ahead_do_not_outlast_the_right_ones(
    studied: Services, clock: TestClock, tmp_path: Path
) -> None:
    """Each night removed the backup of the night before, and kept those of that clock for years."""
    into, removed = tmp_path / "backups", []
    for days in (400, -399, 1, 1):
        clock.now_ms += days * 86_400_000
        made = backup.make(studied, into, keep=2)
        removed.append([it[:4] for it in made.removed])
    assert removed == [[], [], ["2027"], ["2026"]]
    assert len(backup.finished(into, "9")) == 2


def test_a_backup_that_is_told_to_end_leaves_neither_files_nor_pg_dump_behind(
    postgres: Postgres, tmp_path: Path
) -> None:
    """pg_dump ran on for as long as it took, and held a snapshot of the database."""
    programs, number, into = tmp_path / "programs", tmp_path / "number", tmp_path / "backups"
    programs.mkdir()
    stub = programs / "pg_dump"
    stub.write_text(f"#!/bin/sh\necho $$ > {number}\nexec sleep 60\n")
    stub.chmod(0o700)
    told = {"PATH": f"{programs}:{os.environ['PATH']}", "ZHENXUE_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "app.cli.main", "backup", str(into)]
    with postgres.emptied() as url:
        environment = os.environ | told | {"ZHENXUE_DATABASE_URL": url}
        with subprocess.Popen(command, env=environment) as process:
            assert eventually(lambda: number.exists() and bool(number.read_text()), 60)
            process.terminate()
            assert process.wait(30) == 128 + signal.SIGTERM
    assert [it.name for it in into.iterdir()] == [".lock"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


def test_a_backup_whose_lock_was_lost_is_none(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may have encrypted photos anew meanwhile."""
    alone = Database.alone

    @contextmanager
    def cut(database: Database, name: str) -> Iterator[bool]:
        with alone(database, name) as mine:
            yield mine
        raise DatabaseAway("database", "the connection was ended")

    monkeypatch.setattr(Database, "alone", cut)
    with pytest.raises(DatabaseAway):
        backup.make(services, tmp_path / "backups")
    assert [it.name for it in (tmp_path / "backups").iterdir()] == [".lock"]


def test_what_a_killed_backup_left_is_no_backup(studied: Services, tmp_path: Path) -> None:
    left = tmp_path / "backups" / "2026-03-01T00-00-00.part"
    left.mkdir(parents=True)
    made = backup.make(studied, tmp_path / "backups")
    assert backup.finished(tmp_path / "backups", "9") == [Path(made.folder)]
    assert not left.exists()


def test_a_backup_is_not_swept_away_by_another_that_begins_meanwhile(
    studied: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken for a killed one's: its database went, and it was signed without."""
    into, listed = tmp_path / "backups", Blobs.e_tags

    def meanwhile(blobs: Blobs, prefix: str) -> dict[str, str]:
        with pytest.raises(NotReady, match="another backup is being made"):
            backup.make(studied, into)
        return listed(blobs, prefix)

    monkeypatch.setattr(Blobs, "e_tags", meanwhile)
    made = Path(backup.make(studied, into).folder)
    assert backup.read(made, studied.vault).database.size
    assert backup.finished(into, "9") == [made]


def test_a_backup_that_finds_no_room_leaves_nothing_on_the_disk(
    studied: Services, tmp_path: Path
) -> None:
    with nothing_grows_beyond(20_000), pytest.raises(NotReady, match="the backup was not made"):
        backup.make(studied, tmp_path / "backups")
    assert [it.name for it in (tmp_path / "backups").iterdir()] == [".lock"]


def test_a_backup_that_is_not_there_is_not_on_record(studied: Services, tmp_path: Path) -> None:
    """The status page tells people when the last one was made."""
    backup.make(studied, tmp_path / "backups")
    with pytest.raises(NotReady, match="the backup was not made"):
        backup.make(studied, tmp_path / "backups")  # of the same second: the clock was set back
    with studied.database.read() as connection:
        made = select(AuditEntry.id).where(AuditEntry.action == backup.MADE)
        assert len(connection.execute(made).all()) == 1


def test_a_folder_that_cannot_be_written_is_told(studied: Services, tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("a file")
    with pytest.raises(NotReady, match="the backup was not made"):
        backup.make(studied, tmp_path / "backups")


def test_a_backup_is_its_owner_s_only(studied: Services, tmp_path: Path) -> None:
    folder = Path(backup.make(studied, tmp_path / "backups").folder)
    assert folder.stat().st_mode & 0o077 == 0
