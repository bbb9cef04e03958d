"""Photographs by how they look: the code of every photo of the installation, band by band in
indexes, and the photos that lack one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, Integer, bindparam, delete, func, or_, select, union_all

from app.store.row import fetch
from app.store.upsert import upsert
from models import (
    Enrolment,
    PhotoCode,
    PhotoCodeDue,
    ReferencePhoto,
    Session,
    Snapshot,
    TrainingClass,
)

MOST_OF_A_BAND = 2_000  # photos, the newest, so that one look-up costs no more than so much
_BANDS = (
    PhotoCode.band_0,
    PhotoCode.band_1,
    PhotoCode.band_2,
    PhotoCode.band_3,
    PhotoCode.band_4,
    PhotoCode.band_5,
)


def put_snapshot(
    connection: Connection, snapshot_id: int, codes: bytes, bands: Sequence[int]
) -> None:
    """Have a photo of a sitting found, unless it is removed already, or of a sandbox class."""
    kept = (
        select(Snapshot.id)
        .join(Session, Session.id == Snapshot.session_id)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .where(Snapshot.id == snapshot_id, TrainingClass.sandbox.is_(False))
        .where(Snapshot.removal_ms.is_(None), Snapshot.blob_key.is_not(None))
    )
    if connection.execute(kept).first() is not None:
        row = {"snapshot_id": snapshot_id, "codes": codes} | _columns(bands)
        upsert(connection, PhotoCode, [row], ("snapshot_id",))


def put_reference(
    connection: Connection, photo_id: int, codes: bytes, bands: Sequence[int]
) -> None:
    """Have an enrolled photo found, unless its learner is of a sandbox class."""
    tries = (
        select(Enrolment.id)
        .join(TrainingClass, TrainingClass.id == Enrolment.class_id)
        .join(ReferencePhoto, ReferencePhoto.learner_id == Enrolment.learner_id)
        .where(ReferencePhoto.id == photo_id, TrainingClass.sandbox.is_(True))
    )
    if connection.execute(tries.limit(1)).first() is None:
        row = {"reference_photo_id": photo_id, "codes": codes} | _columns(bands)
        upsert(connection, PhotoCode, [row], ("reference_photo_id",))


def _columns(bands: Sequence[int]) -> dict[str, Any]:
    return {column.key: value for column, value in zip(_BANDS, bands, strict=True)}


def of_snapshots(connection: Connection, ids: Collection[int]) -> dict[int, bytes]:
    """The codes of photos of sittings, as far as they have any."""
    query = select(PhotoCode.snapshot_id, PhotoCode.codes)
    found = connection.execute(query.where(PhotoCode.snapshot_id.in_(ids)))
    return {row.snapshot_id: bytes(row.codes) for row in found}


class CodeRow(Protocol):
    snapshot_id: int | None
    reference_photo_id: int | None
    codes: bytes


def in_bands(connection: Connection, around: Sequence[Collection[int]]) -> Sequence[CodeRow]:
    """The codes that have one of these values in a band, oldest first."""
    told = {f"of_{number}": list(values) for number, values in enumerate(around)}
    return fetch(connection, _IN_BANDS.params(told), CodeRow)


def _in_bands() -> Any:
    newest = [
        select(PhotoCode.id)
        .where(band.in_(bindparam(f"of_{number}", type_=Integer(), expanding=True)))
        .order_by(PhotoCode.id.desc())
        .limit(MOST_OF_A_BAND)
        .subquery()
        for number, band in enumerate(_BANDS)
    ]
    ids = union_all(*(select(it.c.id) for it in newest))
    return (
        select(PhotoCode.snapshot_id, PhotoCode.reference_photo_id, PhotoCode.codes)
        .where(PhotoCode.id.in_(ids))
        .order_by(PhotoCode.id)
    )


_IN_BANDS = _in_bands()


class FoundSnapshot(Protocol):
    id: int
    session_id: int
    learner_id: int
    class_id: int
    sha256: bytes
    blob_key: str | None
    received_ms: int
    reading: dict[str, Any] | None


class FoundReference(Protocol):
    id: int
    learner_id: int
    sha256: bytes
    blob_key: str | None
    created_ms: int
    quality: dict[str, Any]


def snapshots_found(connection: Connection, ids: Collection[int]) -> Sequence[FoundSnapshot]:
    query = select(
        Snapshot.id,
        Snapshot.session_id,
        Session.learner_id,
        Session.class_id,
        Snapshot.sha256,
        Snapshot.blob_key,
        Snapshot.received_ms,
        Snapshot.reading,
    ).join(Session, Session.id == Snapshot.session_id)
    return fetch(connection, query.where(Snapshot.id.in_(ids)), FoundSnapshot)


def references_found(connection: Connection, ids: Collection[int]) -> Sequence[FoundReference]:
    query = select(
        ReferencePhoto.id,
        ReferencePhoto.learner_id,
        ReferencePhoto.sha256,
        ReferencePhoto.blob_key,
        ReferencePhoto.created_ms,
        ReferencePhoto.quality,
    )
    return fetch(connection, query.where(ReferencePhoto.id.in_(ids)), FoundReference)


# ------------------------------------------------------------------------------------ going away


def drop_snapshots(connection: Connection, ids: Collection[int]) -> None:
    """Their bytes are gone: nothing can be proved to be them."""
    for model in (PhotoCode, PhotoCodeDue):
        connection.execute(delete(model).where(model.snapshot_id.in_(ids)))


def drop_reference(connection: Connection, photo_id: int) -> None:
    for model in (PhotoCode, PhotoCodeDue):
        connection.execute(delete(model).where(model.reference_photo_id == photo_id))


def drop_learner(connection: Connection, learner_id: int) -> None:
    """Of an erased learner no photo is found any more."""
    taken = (
        select(Snapshot.id)
        .join(Session, Session.id == Snapshot.session_id)
        .where(Session.learner_id == learner_id)
    )
    enrolled = select(ReferencePhoto.id).where(ReferencePhoto.learner_id == learner_id)
    for model in (PhotoCode, PhotoCodeDue):
        mine = or_(model.snapshot_id.in_(taken), model.reference_photo_id.in_(enrolled))
        connection.execute(delete(model).where(mine))


# ------------------------------------------------------------------- photos from before the codes


class PhotoDue(Protocol):
    id: int
    snapshot_id: int | None
    reference_photo_id: int | None
    learner_id: int
    blob_key: str | None


def any_due(connection: Connection) -> bool:
    return connection.execute(select(PhotoCodeDue.id).limit(1)).first() is not None


def due(connection: Connection, limit: int) -> Sequence[PhotoDue]:
    """The newest photos that lack a code."""
    query = (
        select(
            PhotoCodeDue.id,
            PhotoCodeDue.snapshot_id,
            PhotoCodeDue.reference_photo_id,
            func.coalesce(Session.learner_id, ReferencePhoto.learner_id).label("learner_id"),
            func.coalesce(Snapshot.blob_key, ReferencePhoto.blob_key).label("blob_key"),
        )
        .outerjoin(Snapshot, Snapshot.id == PhotoCodeDue.snapshot_id)
        .outerjoin(Session, Session.id == Snapshot.session_id)
        .outerjoin(ReferencePhoto, ReferencePhoto.id == PhotoCodeDue.reference_photo_id)
        .order_by(PhotoCodeDue.id.desc())
        .limit(limit)
    )
    return fetch(connection, query, PhotoDue)


def settle_due(connection: Connection, ids: Collection[int]) -> set[int]:
    """Take these off the list: those that were on it still. The others went away meanwhile."""
    gone = delete(PhotoCodeDue).where(PhotoCodeDue.id.in_(ids)).returning(PhotoCodeDue.id)
    return set(connection.execute(gone).scalars())
