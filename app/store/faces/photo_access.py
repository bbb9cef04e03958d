"""Who looked at which photo, when and why. Rows are only added."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Connection, insert, select

from app.store.row import fetch_one_or_none
from models import ArchivedPhoto, PhotoAccess, ReferencePhoto, Snapshot


def add(
    connection: Connection,
    *,
    at_ms: int,
    user_id: int,
    purpose: str,
    snapshot_id: int | None = None,
    reference_photo_id: int | None = None,
) -> int:
    statement = insert(PhotoAccess).values(
        at_ms=at_ms,
        user_id=user_id,
        purpose=purpose,
        snapshot_id=snapshot_id,
        reference_photo_id=reference_photo_id,
    )
    return connection.execute(statement.returning(PhotoAccess.id)).scalar_one()


class AccessRow(Protocol):
    id: int
    at_ms: int
    user_id: int
    snapshot_id: int | None
    reference_photo_id: int | None
    purpose: str


def granted(
    connection: Connection, access_id: int, user_id: int, since_ms: int
) -> AccessRow | None:
    """The access of that id, if it is this person's and not older than `since_ms`."""
    return fetch_one_or_none(
        connection,
        select(PhotoAccess).where(
            PhotoAccess.id == access_id,
            PhotoAccess.user_id == user_id,
            PhotoAccess.at_ms >= since_ms,
        ),
        AccessRow,
    )


def together(connection: Connection, access: AccessRow) -> tuple[dict[int, int], dict[int, int]]:
    """The accesses that were entered with this one, the first of them: snapshot → access, and
    learner → access to the enrolled photo."""
    rows = connection.execute(
        select(PhotoAccess.id, PhotoAccess.snapshot_id, ReferencePhoto.learner_id)
        .join(ReferencePhoto, ReferencePhoto.id == PhotoAccess.reference_photo_id, isouter=True)
        .where(
            PhotoAccess.id >= access.id,
            PhotoAccess.user_id == access.user_id,
            PhotoAccess.at_ms == access.at_ms,
            PhotoAccess.purpose == access.purpose,
        )
    ).all()
    return (
        {row.snapshot_id: row.id for row in rows if row.snapshot_id is not None},
        {row.learner_id: row.id for row in rows if row.learner_id is not None},
    )


def running(connection: Connection, session_id: int, user_id: int, since_ms: int) -> dict[int, int]:
    """This person's accesses to the session's photos since then: snapshot → its latest access."""
    rows = connection.execute(
        select(PhotoAccess.snapshot_id, PhotoAccess.id)
        .join(Snapshot, Snapshot.id == PhotoAccess.snapshot_id)
        .where(
            Snapshot.session_id == session_id,
            Snapshot.blob_key.is_not(None),
            PhotoAccess.user_id == user_id,
            PhotoAccess.at_ms >= since_ms,
        )
        .order_by(PhotoAccess.id)
    )
    return {row.snapshot_id: row.id for row in rows}


def looked_at(connection: Connection, user_id: int, session_ids: set[int | None]) -> set[int]:
    """Of which of these sessions this person has ever seen a photo."""
    stored, archived = (
        select(it.session_id)
        .join(PhotoAccess, PhotoAccess.snapshot_id == it.id)
        .where(it.session_id.in_(session_ids - {None}), PhotoAccess.user_id == user_id)
        for it in (Snapshot, ArchivedPhoto)
    )
    return set(connection.execute(stored.union(archived)).scalars())


class ReferenceObject(Protocol):
    id: int
    blob_key: str | None
    learner_id: int


def reference(connection: Connection, learner_id: int) -> ReferenceObject | None:
    """The learner's enrolled photo that is in use, or None."""
    return fetch_one_or_none(
        connection,
        select(ReferencePhoto.id, ReferencePhoto.blob_key, ReferencePhoto.learner_id)
        .where(
            ReferencePhoto.learner_id == learner_id,
            ReferencePhoto.retired_ms.is_(None),
            ReferencePhoto.blob_key.is_not(None),
            ReferencePhoto.status == "ready",
        )
        .order_by(ReferencePhoto.id.desc())
        .limit(1),
        ReferenceObject,
    )


def reference_by_id(connection: Connection, reference_photo_id: int) -> ReferenceObject | None:
    return fetch_one_or_none(
        connection,
        select(ReferencePhoto.id, ReferencePhoto.blob_key, ReferencePhoto.learner_id).where(
            ReferencePhoto.id == reference_photo_id
        ),
        ReferenceObject,
    )


def kept_keys(connection: Connection) -> set[str]:
    """The keys of all objects that rows name as still stored: of sittings, and enrolled."""
    taken = select(Snapshot.blob_key).where(
        Snapshot.blob_key.is_not(None), Snapshot.purged_ms.is_(None), Snapshot.removal_ms.is_(None)
    )
    enrolled = select(ReferencePhoto.blob_key).where(ReferencePhoto.blob_key.is_not(None))
    return {key for (key,) in connection.execute(taken.union(enrolled)) if key is not None}
