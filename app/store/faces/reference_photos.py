"""Rows of `reference_photos`: the faces that learners are compared with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from app.store import stays
from app.store.row import fetch, fetch_one_or_none
from models import Enrolment, Learner, ReferencePhoto

_CHUNK = 500  # of ids in one query


class ReferenceRow(Protocol):
    id: int
    learner_id: int
    sha256: bytes
    blob_key: str | None
    template_encrypted: bytes | None
    model: str | None
    quality: dict[str, Any]
    status: str
    created_ms: int
    retired_ms: int | None


def by_sha256(connection: Connection, learner_id: int, sha256: bytes) -> ReferenceRow | None:
    return fetch_one_or_none(
        connection,
        select(ReferencePhoto).where(
            ReferencePhoto.learner_id == learner_id, ReferencePhoto.sha256 == sha256
        ),
        ReferenceRow,
    )


def _in_use() -> ColumnElement[bool]:
    """What a learner is compared with; its template may have been deleted since."""
    return and_(ReferencePhoto.status == "ready", ReferencePhoto.retired_ms.is_(None))


class KeptReference(Protocol):
    id: int
    blob_key: str
    quality: dict[str, Any]


def kept(connection: Connection, learner_id: int) -> Sequence[KeptReference]:
    """Photos in use that still lie in the store, oldest first."""
    return fetch(
        connection,
        select(ReferencePhoto.id, ReferencePhoto.blob_key, ReferencePhoto.quality)
        .where(
            ReferencePhoto.learner_id == learner_id,
            _in_use(),
            ReferencePhoto.blob_key.is_not(None),
        )
        .order_by(ReferencePhoto.id),
        KeptReference,
    )


class ReadyReference(ReferenceRow, Protocol):
    template_encrypted: bytes


def ready(connection: Connection, learner_id: int) -> Sequence[ReadyReference]:
    """Photos that the learner is compared with, oldest first."""
    return fetch(
        connection,
        select(ReferencePhoto)
        .where(
            ReferencePhoto.learner_id == learner_id,
            _in_use(),
            ReferencePhoto.template_encrypted.is_not(None),
        )
        .order_by(ReferencePhoto.id),
        ReadyReference,
    )


def counts(connection: Connection, class_id: int, *, left_too: bool = False) -> dict[int, int]:
    """How many photos are enrolled for each learner who is in a class, or was, and agreed to it, in
    the order of the roster; also where the templates were deleted since."""
    there = stays.ever_in_class() if left_too else stays.in_class()
    kept = and_(ReferencePhoto.learner_id == Learner.id, _in_use())
    query = (
        select(Learner.id, func.count(ReferencePhoto.id))
        .join(Enrolment, Enrolment.learner_id == Learner.id)
        .join(ReferencePhoto, kept, isouter=True)
        .where(Enrolment.class_id == class_id, Learner.face_consent.is_(True), there)
        .group_by(Learner.id, Enrolment.id)
        .order_by(Enrolment.id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def in_use(connection: Connection, learner_ids: Collection[int]) -> dict[int, int]:
    """How many photos each of the learners is compared with, of those who agreed to it."""
    query = (
        select(Learner.id, func.count(ReferencePhoto.id))
        .join(
            ReferencePhoto, and_(ReferencePhoto.learner_id == Learner.id, _in_use()), isouter=True
        )
        .where(Learner.face_consent.is_(True))
        .group_by(Learner.id)
    )
    found: dict[int, int] = {}
    ids = sorted(learner_ids)
    for at in range(0, len(ids), _CHUNK):
        rows = connection.execute(query.where(Learner.id.in_(ids[at : at + _CHUNK])))
        found |= {row[0]: row[1] for row in rows}
    return found


def kept_since(connection: Connection, learner_id: int, since_ms: int) -> int:
    """How many photos were enrolled for the learner since then."""
    query = (
        select(func.count())
        .select_from(ReferencePhoto)
        .where(
            ReferencePhoto.learner_id == learner_id,
            ReferencePhoto.status == "ready",
            ReferencePhoto.created_ms >= since_ms,
        )
    )
    return int(connection.execute(query).scalar_one())


def pending(connection: Connection, limit: int) -> Sequence[ReferenceRow]:
    """Imported photos that no worker has read yet, oldest first."""
    return fetch(
        connection,
        select(ReferencePhoto)
        .where(ReferencePhoto.status == "pending")
        .order_by(ReferencePhoto.id)
        .limit(limit),
        ReferenceRow,
    )


def waits(connection: Connection, learner_id: int) -> bool:
    query = (
        select(func.count())
        .select_from(ReferencePhoto)
        .where(ReferencePhoto.learner_id == learner_id, ReferencePhoto.status == "pending")
    )
    return bool(connection.execute(query).scalar_one())


def insert_row(connection: Connection, **values: Any) -> int:
    result = connection.execute(insert(ReferencePhoto).values(**values))
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def renew(connection: Connection, photo_id: int, **values: Any) -> None:
    """Enrol a photo anew whose template was deleted when an assessment was over."""
    connection.execute(update(ReferencePhoto).where(ReferencePhoto.id == photo_id).values(**values))


def settle(connection: Connection, photo_id: int, **values: Any) -> bool:
    """Write what became of a photo that waited; False when somebody else did so before."""
    result = connection.execute(
        update(ReferencePhoto)
        .where(and_(ReferencePhoto.id == photo_id, ReferencePhoto.status == "pending"))
        .values(**values)
    )
    return result.rowcount == 1


def retire(connection: Connection, photo_id: int, now_ms: int) -> None:
    connection.execute(
        update(ReferencePhoto).where(ReferencePhoto.id == photo_id).values(retired_ms=now_ms)
    )


def replaced_ms(connection: Connection, learner_id: int) -> int:
    """When an enrolled photo of the learner was last taken out of use; 0 when none was."""
    query = select(func.max(ReferencePhoto.retired_ms)).where(
        ReferencePhoto.learner_id == learner_id, ReferencePhoto.status == "ready"
    )
    return int(connection.execute(query).scalar_one() or 0)
