"""Photos that were deleted or altered count no more in the next list, with no night between."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select, update

from app.domain import runs
from app.domain.judging import conformity
from app.domain.policy import packs
from app.jobs import class_run
from app.reports import exports
from app.reports.exports import ExportOptions
from app.services import Services
from app.store.catalogue.catalogue import ClassRow
from app.store.faces.blobs import Blobs, StoreAway
from models import Learner, Session, Snapshot
from tests.verdicts import bodies, validate

WISH = ExportOptions("user:zhao", named=True)
ACCEPTED = "learner-01"


def photos(services: Services) -> list[Any]:
    """Of the honest learner's first sitting."""
    with services.database.read() as connection:
        rows = connection.execute(
            select(Snapshot, Session.lesson_id)
            .join(Session, Session.id == Snapshot.session_id)
            .join(Learner, Learner.id == Session.learner_id)
            .where(Learner.external_id == ACCEPTED)
            .order_by(Session.opened_ms, Snapshot.id)
        ).all()
    return [row for row in rows if row.session_id == rows[0].session_id]


def hour(services: Services) -> dict[str, Any]:
    """The verdict on that sitting's class-hour."""
    found: list[dict[str, Any]] = [
        json.loads(body)
        for kind, number, body in bodies(services.database)
        if (kind, number) == ("class_hour", 1)
    ]
    return [it for it in found if it["subject"]["learner_id"] == ACCEPTED][-1]


def listed(services: Services, klass: ClassRow) -> str:
    """学时明细, one of the lists that are signed: the row of that class-hour."""
    file = exports.export(services, klass, "hours-detail", "csv", WISH)
    return "\n".join(line for line in file.data.decode("utf-8-sig").splitlines() if "林一" in line)


def alter(services: Services, photo: Any) -> None:
    """Other bytes of the same length under the same name."""
    data = bytearray(services.blobs.get(photo.blob_key))
    data[-1] ^= 1
    services.blobs.put(photo.blob_key, bytes(data))


@pytest.mark.parametrize("how", ["deleted", "altered"])
def test_the_next_list_and_the_next_run_know_what_is_gone(
    services: Services, klass: ClassRow, how: str
) -> None:
    before = listed(services, klass)
    assert hour(services)["outcome"] == "valid"
    kept = {photo.blob_key: services.blobs.get(photo.blob_key) for photo in photos(services)}
    for photo in photos(services):
        services.blobs.delete(photo.blob_key) if how == "deleted" else alter(services, photo)
    assert listed(services, klass) != before
    told = hour(services)
    assert told["outcome"] == "not_proven"
    assert {it["fault"] for it in told["findings"]} == {"environment"}
    assert {it["reason"] for it in told["findings"]} == {"photo_lost", "hour_photos_lost"}
    with services.database.read() as connection:
        pack = packs.load(klass.pack_id, klass.pack_version)
        found = conformity.of_class(connection, klass, pack)
    (record,) = [it for it in found.body.controls if it.rule == "photo_retention"]
    assert record.observed.lost == len(kept)
    for key, data in kept.items():  # out of a backup
        services.blobs.put(key, data)
    validate(services, klass.id)
    assert hour(services)["outcome"] == "valid"


def test_a_run_that_is_asked_for_looks_at_what_is_stored_then(
    services: Services, klass: ClassRow
) -> None:
    for photo in photos(services):
        services.blobs.delete(photo.blob_key)
    with services.database.write() as connection:
        run_id = runs.begin(connection, klass.id, "test", services.clock())
    summary = class_run.perform(services, run_id)
    assert summary["photos"]["lost"] == len(photos(services))
    assert hour(services)["outcome"] == "not_proven"


def test_what_the_store_describes_as_before_is_not_read_again(
    services: Services, klass: ClassRow
) -> None:
    first = services.kept_photos.recheck(klass.id).counts
    second = services.kept_photos.recheck(klass.id).counts
    assert first["checked"] == second["checked"] > 0
    assert (second["read"], second["lost"]) == (0, 0)
    alter(services, photos(services)[0])
    third = services.kept_photos.recheck(klass.id).counts
    assert (third["read"], third["lost"]) == (1, 1)
    assert services.kept_photos.recheck(klass.id, whole=True).counts["read"] == third["checked"]


def test_a_photo_that_was_removed_by_order_is_no_loss(services: Services, klass: ClassRow) -> None:
    mine = photos(services)
    with services.database.write() as connection:
        ids = [photo.id for photo in mine]
        connection.execute(update(Snapshot).where(Snapshot.id.in_(ids)).values(removal_ms=1))
    for photo in mine:
        services.blobs.delete(photo.blob_key)
    assert services.kept_photos.recheck(klass.id).counts["lost"] == 0
    listed(services, klass)
    assert hour(services)["outcome"] == "valid"


def test_a_store_that_does_not_answer_leaves_things_as_they_are_known(
    services: Services, klass: ClassRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: Blobs, prefix: str) -> dict[str, str]:
        raise StoreAway("photo_store", "the photo store does not answer", retry_after_s=15)

    monkeypatch.setattr(Blobs, "e_tags", away)
    counts = services.kept_photos.recheck(klass.id).counts
    assert counts["unchecked"] > 0 and counts["lost"] == 0
    assert "林一" in listed(services, klass)
    with pytest.raises(StoreAway):
        services.kept_photos.recheck(klass.id, whole=True)
