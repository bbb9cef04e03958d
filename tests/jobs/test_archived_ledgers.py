"""Controls and photos' rows of old months leave the database and are read as before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, insert, select, update

from app.domain.faces import retention
from app.jobs import archive
from app.reports import container, package
from app.reports.exports import ExportOptions
from app.services import Services
from app.store.accounts import audit_subjects
from app.store.catalogue import catalogue
from app.store.events import event_log
from app.store.events.archive import ArchiveDamaged
from app.store.exchange import report_rows
from app.store.faces import photo_access, snapshots
from app.store.scope import EVERYTHING
from models import (
    ArchivedLedger,
    ArchivedPhoto,
    Control,
    Finding,
    Learner,
    LegalHold,
    PhotoAccess,
    Session,
    Snapshot,
    User,
)
from tests.old_classes import count, grown_old, judged, moved, purged, rows, seen
from tests.people import HUANGCHUAN, County, TestClock
from tests.verdicts import class_row, sign_in, validate

pytestmark = pytest.mark.both_databases
OPTIONS = ExportOptions("test", named=True)


@pytest.fixture
def class_id(services: Services, county: County, clock: TestClock, tmp_path: Path) -> int:
    """A class of years ago, judged, whose photos were removed when their term was over."""
    class_id = judged(services, county, tmp_path)
    grown_old(services, clock)
    purged(services)
    validate(services, class_id)
    return class_id


def packed(services: Services, class_id: int) -> dict[str, bytes]:
    """The evidence in an audit package, and the lists beside it but for when they were made."""
    with services.database.read() as connection:
        klass = catalogue.class_by_id(connection, class_id)
    members = container.unpack(package.export(services, klass, OPTIONS, EVERYTHING).file.data)
    return {name: data for name, data in members.items() if name.startswith("evidence/")}


def pages(client: TestClient, services: Services, headers: dict[str, str]) -> dict[str, str]:
    """What an auditor is shown of sittings and photos."""
    with services.database.read() as connection:
        sittings = connection.execute(select(Session.id)).scalars().all()
        photos = [it.id for each in sittings for it in snapshots.rows(connection, each)]
    paths = [f"/console/sessions/{it}" for it in sittings]
    paths += [f"/console/photos/{it}" for it in photos[:3]]
    found = {it: client.get(it, headers=headers) for it in paths}
    assert {it.status_code for it in found.values()} == {200}
    return {path: it.text for path, it in found.items()}


def test_what_left_is_read_listed_packed_and_judged_as_before(
    services: Services, class_id: int
) -> None:
    before, package_before = seen(services, class_id), packed(services, class_id)
    assert before["photos"] and before["controls popup"] and before["compared"]

    done = moved(services)

    assert (done.ledgers, done.kept) == (count(services.database, Session), 0)
    assert count(services.database, Control) == count(services.database, Snapshot) == 0
    assert count(services.database, ArchivedPhoto) == len(before["photos"])
    assert seen(services, class_id) == before
    assert packed(services, class_id) == package_before
    assert archive.damaged(services) == []
    assert validate(services, class_id)["verdicts_stored"] == 0
    assert moved(services).ledgers == 0


def test_pages_of_an_old_sitting_look_as_before(
    services: Services, class_id: int, client: TestClient
) -> None:
    zhao = sign_in(services, "zhao", HUANGCHUAN, "auditor")
    before = pages(client, services, zhao)
    moved(services)
    assert count(services.database, Snapshot) == 0
    assert pages(client, services, zhao) == before


def ledger(services: Services) -> list[Any]:
    with services.database.read() as connection:
        return [rows(connection.execute(select(it).order_by(it.id))) for it in (Control, Snapshot)]


def test_what_comes_back_is_what_left(services: Services, class_id: int) -> None:
    before = ledger(services)
    moved(services)
    assert archive.take_back(services, "test") == count(services.database, Session)
    assert ledger(services) == before
    assert count(services.database, ArchivedLedger) == count(services.database, ArchivedPhoto) == 0
    assert moved(services).ledgers == count(services.database, Session)  # into the same files


def test_who_changes_an_old_sitting_finds_its_ledger_in_its_tables(
    services: Services, class_id: int
) -> None:
    before = seen(services, class_id)
    moved(services)
    with services.database.write() as connection:
        (one, *_) = connection.execute(select(Session.id).order_by(Session.id)).scalars()
        event_log.unsettle(connection, [one])
        back = connection.execute(select(Snapshot.session_id).distinct()).scalars().all()
    assert back == [one]
    assert seen(services, class_id) == before
    assert validate(services, class_id)["verdicts_stored"] == 0


def hold(services: Services, county: County) -> None:
    row: dict[str, Any] = {"class_id": class_row(services.database, county, "class-demo").id}
    row |= {"reason": "行政复议", "placed_by": "test", "placed_ms": services.clock()}
    with services.database.write() as connection:
        connection.execute(insert(LegalHold).values(row))


def finding(services: Services, county: County) -> None:
    values: dict[str, Any] = {"status": "open", "outcome": "review", "shadow": False}
    values["evidence"] = "S"
    with services.database.write() as connection:
        one = select(func.min(Finding.id)).scalar_subquery()
        assert connection.execute(update(Finding).where(Finding.id == one).values(values)).rowcount


def waiting(services: Services, county: County) -> None:
    with services.database.write() as connection:
        one = select(func.max(Snapshot.id)).scalar_subquery()
        connection.execute(update(Snapshot).where(Snapshot.id == one).values(status="read"))


def template(services: Services, county: County) -> None:
    with services.database.write() as connection:
        one = select(func.max(Snapshot.id)).scalar_subquery()
        sealed = update(Snapshot).where(Snapshot.id == one).values(embedding_encrypted=b"face")
        connection.execute(sealed)


@pytest.mark.parametrize("keep", [hold, finding, waiting, template])
def test_nothing_goes_that_has_a_term_or_is_waited_for(
    services: Services, county: County, class_id: int, keep: Callable[[Services, County], None]
) -> None:
    keep(services, county)
    before = count(services.database, Snapshot)
    assert moved(services).ledgers == 0
    assert count(services.database, Snapshot) == before


def test_photos_whose_term_is_not_over_stay(
    services: Services, county: County, clock: TestClock, tmp_path: Path
) -> None:
    judged(services, county, tmp_path)
    grown_old(services, clock)
    done = moved(services)
    assert (done.sittings > 0, done.ledgers) == (True, 0)


def test_an_erased_learner_is_in_no_file(
    services: Services, county: County, clock: TestClock, tmp_path: Path
) -> None:
    judged(services, county, tmp_path)
    with services.database.write() as connection:
        template_of_all = update(Snapshot).values(embedding_encrypted=b"the face of Lin")
        connection.execute(template_of_all)
        (learner,) = connection.execute(select(Learner.external_id).limit(1)).scalars()
        retention.erase_learner(
            connection, county.huang.platform.id, learner, reason="本人要求", actor="test",
            now_ms=services.clock(),
        )  # fmt: skip
    grown_old(services, clock)
    assert moved(services).ledgers == 0  # the bytes may still lie in the store
    purged(services)
    assert moved(services).ledgers > 0
    assert all(
        b"the face of Lin" not in services.blobs.get(it.object_key)
        for it in archive.files(services)
    )


def test_a_photo_that_repeats_an_archived_one_is_found_out(
    services: Services, class_id: int
) -> None:
    with services.database.read() as connection:
        first = connection.execute(select(Snapshot).order_by(Snapshot.id)).first()
    moved(services)
    assert first is not None
    with services.database.write() as connection:
        session = connection.execute(select(Session).where(Session.id == first.session_id)).one()
        young = session._asdict() | {"id": None, "external_id": "young"}
        young_id = connection.execute(
            insert(Session)
            .values({k: v for k, v in young.items() if v is not None})
            .returning(Session.id)
        ).scalar_one()
        photo = first._asdict() | {"session_id": young_id, "control_id": None, "purpose": "random"}
        photo["received_ms"] += 1
        photo.pop("id")
        connection.execute(insert(Snapshot).values(photo))
        (row,) = snapshots.rows(connection, young_id)
        assert row.seen_before
        known = {it.session_id for it in snapshots.hashes_around(connection, young_id)}
        assert first.phash is None or first.session_id in known
        connection.rollback()


def test_who_looked_at_a_photo_stays_known(services: Services, class_id: int) -> None:
    headers = sign_in(services, "zhao", HUANGCHUAN, "auditor")
    assert headers
    with services.database.write() as connection:
        user = connection.execute(select(User.id)).scalars().first()
        photo = connection.execute(select(Snapshot.id, Snapshot.session_id)).first()
        assert user is not None and photo is not None
        photo_access.add(connection, at_ms=1, user_id=user, purpose="review", snapshot_id=photo.id)
        named = audit_subjects.named(connection, [f"snapshot:{photo.id}"])
    moved(services)
    with services.database.read() as connection:
        assert photo_access.looked_at(connection, user, {photo.session_id}) == {photo.session_id}
        assert audit_subjects.named(connection, [f"snapshot:{photo.id}"]) == named != {}
    assert count(services.database, PhotoAccess) == 1


def test_a_damaged_file_is_told_and_nothing_is_listed_without_it(
    services: Services, class_id: int
) -> None:
    moved(services)
    (file, *_) = (it for it in archive.files(services) if it.kind == "controls")
    whole = services.blobs.get(file.object_key)
    services.blobs.delete(file.object_key)
    assert archive.damaged(services) == [f"{file.object_key} of the object store is gone"]
    with pytest.raises(ArchiveDamaged), services.database.read() as connection:
        report_rows.controls(connection, class_id, "popup")
    services.blobs.put(file.object_key, whole)
    assert archive.damaged(services) == []
