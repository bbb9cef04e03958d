"""Who was erased stays erased, whatever backup is restored."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import insert, select, update

from app.domain.faces import retention
from app.errors import BadInput
from app.jobs import erasures
from app.services import Services
from models import Learner, LearnerKey
from tests.evidence import catalogue, ndjson
from tests.full_disk import nothing_grows_beyond
from tests.people import County

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def lin(services: Services, county: County, tmp_path: Path) -> bytes:
    """Lin's wrapped key."""
    path = tmp_path / "county.ndjson"
    path.write_bytes(ndjson(catalogue()))
    assert not services.imports.take_file(county.huang.platform.id, path, actor="test").rejected
    _, wrapped = services.vault.new_learner_key()
    with services.database.write() as connection:
        learner_id = connection.execute(
            select(Learner.id).where(Learner.external_id == "lin")
        ).scalar_one()
        row = {"learner_id": learner_id, "wrapped": wrapped, "created_ms": 0}
        connection.execute(insert(LearnerKey).values(**row))
    return wrapped


def erase(services: Services, county: County) -> None:
    destroy_key(services, county)
    assert erasures.hold_together(services) == 0


def destroy_key(services: Services, county: County) -> None:
    with services.database.write() as connection:
        retention.erase_learner(
            connection,
            county.huang.platform.id,
            "lin",
            reason="本人要求",
            actor="test",
            now_ms=services.clock(),
        )


def restored(services: Services, wrapped: bytes) -> None:
    """The database is one of before the erasure."""
    with services.database.write() as connection:
        connection.execute(update(LearnerKey).values(wrapped=wrapped, destroyed_ms=None))


def key(services: Services) -> bytes | None:
    with services.database.read() as connection:
        return connection.execute(select(LearnerKey.wrapped)).scalar_one()


@pytest.mark.both_databases
def test_a_restored_backup_does_not_bring_an_erased_learner_back(
    services: Services, county: County, lin: bytes
) -> None:
    erase(services, county)
    assert key(services) is None
    restored(services, lin)
    assert erasures.hold_together(services) == 1
    assert key(services) is None
    assert erasures.hold_together(services) == 0


def test_the_list_names_nobody_and_is_its_owner_s(
    services: Services, county: County, lin: bytes
) -> None:
    erase(services, county)
    file = erasures.file_of(services)
    assert msgspec.json.decode(file.read_bytes()) == {"platform": "huang-edu", "learner": "lin"}
    assert file.stat().st_mode & 0o077 == 0


def test_a_list_that_was_kept_elsewhere_serves_where_the_folder_s_own_was_rolled_back(
    services: Services, county: County, lin: bytes, tmp_path: Path
) -> None:
    erase(services, county)
    file = erasures.file_of(services)
    kept = shutil.copy(file, tmp_path / "kept")
    file.unlink()
    restored(services, lin)
    assert erasures.hold_together(services) == 0
    shutil.copy(kept, file)
    assert erasures.hold_together(services) == 1


def test_a_legal_hold_is_respected(services: Services, county: County, lin: bytes) -> None:
    erase(services, county)
    restored(services, lin)
    with services.database.write() as connection:
        retention.place_hold(
            connection,
            county.huang.platform.id,
            class_id=None,
            learner_id="lin",
            reason="行政复议",
            actor="test",
            now_ms=services.clock(),
        )
    assert erasures.hold_together(services) == 0
    assert key(services) == lin


def test_a_damaged_list_is_not_taken_for_an_empty_one(services: Services) -> None:
    erasures.file_of(services).write_bytes(b"{")
    with pytest.raises(BadInput, match=r"erasures\.ndjson is no list"):
        erasures.hold_together(services)


def test_a_disk_that_was_full_leaves_a_list_that_is_read(
    services: Services, county: County, lin: bytes
) -> None:
    destroy_key(services, county)
    with nothing_grows_beyond(20), pytest.raises(OSError):
        erasures.hold_together(services)
    assert erasures.hold_together(services) == 0
    assert erasures.file_of(services).read_bytes().count(b"lin") == 1
