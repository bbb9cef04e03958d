"""Sealed face data of many accounts at once: for calibration and for the search for one face."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, select
from sqlalchemy.orm import aliased

from app.store.row import stream
from app.store.upsert import upsert
from detectors.trace import Check
from models import (
    Enrolment,
    FacePair,
    Learner,
    Session,
    Snapshot,
    TrainingClass,
)

_CHUNK = 200
# A mismatch may be another person and would pass for the account's own face.
_OWN = (int(Check.MATCH), int(Check.REVIEW))


def accounts(
    connection: Connection, *, class_id: int | None = None, institution: str | None = None
) -> list[tuple[int, int]]:
    """(learner, person) of the accounts that agreed to face processing: of a class, of all
    classes of an institution, or all there are; of sandbox classes only where one is named."""
    query = (
        select(Learner.id, Learner.person_id)
        .join(Enrolment, Enrolment.learner_id == Learner.id)
        .join(TrainingClass, TrainingClass.id == Enrolment.class_id)
        .where(Learner.face_consent.is_(True))
    )
    if class_id is None:
        query = query.where(TrainingClass.sandbox.is_(False))
    else:
        query = query.where(Enrolment.class_id == class_id)
    if institution is not None:
        query = query.where(TrainingClass.institution == institution)
    rows = connection.execute(query.distinct().order_by(Learner.id))
    return [(row.id, row.person_id) for row in rows]


def sealed_numbers(connection: Connection, learner_ids: Collection[int]) -> dict[int, bytes]:
    """The encrypted ID numbers of those that have one."""
    ids = sorted(learner_ids)
    found: dict[int, bytes] = {}
    for at in range(0, len(ids), _CHUNK):
        rows = connection.execute(
            select(Learner.id, Learner.id_number_encrypted).where(
                Learner.id.in_(ids[at : at + _CHUNK]), Learner.id_number_encrypted.is_not(None)
            )
        )
        found |= {row.id: row.id_number_encrypted for row in rows}
    return found


class EmbeddedPhoto(Protocol):
    learner_id: int
    session_id: int
    id: int
    control_id: int | None
    received_ms: int
    embedding_encrypted: bytes
    reading: dict[str, Any]


def pictures(connection: Connection, learner_ids: Collection[int]) -> Iterable[EmbeddedPhoto]:
    """(learner_id, session_id, id, control_id, received_ms, embedding_encrypted, reading) of the
    photos in which one good face was seen that may be the account's own, in order of receipt."""
    ids = sorted(learner_ids)
    for at in range(0, len(ids), _CHUNK):
        yield from stream(
            connection,
            select(
                Session.learner_id,
                Snapshot.session_id,
                Snapshot.id,
                Snapshot.control_id,
                Snapshot.received_ms,
                Snapshot.embedding_encrypted,
                Snapshot.reading,
            )
            .join(Session, Session.id == Snapshot.session_id)
            .where(
                Session.learner_id.in_(ids[at : at + _CHUNK]),
                Snapshot.embedding_encrypted.is_not(None),
                Snapshot.check.in_(_OWN),
            )
            .order_by(Session.learner_id, Snapshot.received_ms, Snapshot.id),
            EmbeddedPhoto,
        )


class KeptFacePhoto(Protocol):
    id: int
    session_id: int
    control_id: int | None
    received_ms: int
    blob_key: str


def kept_photos(connection: Connection, learner_id: int) -> list[list[KeptFacePhoto]]:
    """One account's photos that may show its own face and still lie in the store, by sitting, in
    order of receipt."""
    query = (
        select(
            Snapshot.id,
            Snapshot.session_id,
            Snapshot.control_id,
            Snapshot.received_ms,
            Snapshot.blob_key,
        )
        .join(Session, Session.id == Snapshot.session_id)
        .where(
            Session.learner_id == learner_id,
            Snapshot.check.in_(_OWN),
            Snapshot.purged_ms.is_(None),
            Snapshot.blob_key.is_not(None),
        )
        .order_by(Snapshot.received_ms, Snapshot.id)
    )
    sittings: dict[int, list[KeptFacePhoto]] = {}
    for row in stream(connection, query, KeptFacePhoto):
        sittings.setdefault(row.session_id, []).append(row)
    return list(sittings.values())


def put_pair(connection: Connection, learner_id: int, other_id: int, **values: Any) -> bool:
    """Note that two accounts look alike; False when that was known, then as measured now."""
    query = select(FacePair.id).where(
        FacePair.learner_id == learner_id, FacePair.other_id == other_id
    )
    known = connection.execute(query).first() is not None
    row = {"learner_id": learner_id, "other_id": other_id, **values}
    upsert(connection, FacePair, [row], ("learner_id", "other_id"))
    return not known


_ONE, _OTHER = aliased(Learner), aliased(Learner)


class FacePairRow(Protocol):
    id: int
    distance: float
    limit: float
    pictures: int
    person: int
    other_person: int


def pairs_of(connection: Connection, learner_ids: Collection[int]) -> Sequence[FacePairRow]:
    """Pairs that any of the accounts belongs to, with the persons' ids, the closest first."""
    ids = sorted(learner_ids)
    found: dict[int, FacePairRow] = {}
    for at in range(0, len(ids), _CHUNK):
        chunk = ids[at : at + _CHUNK]
        query = (
            select(FacePair, _ONE.person_id.label("person"), _OTHER.person_id.label("other_person"))
            .join(_ONE, _ONE.id == FacePair.learner_id)
            .join(_OTHER, _OTHER.id == FacePair.other_id)
            .where(FacePair.learner_id.in_(chunk) | FacePair.other_id.in_(chunk))
        )
        found |= {row.id: row for row in stream(connection, query, FacePairRow)}
    return sorted(found.values(), key=lambda row: (row.distance, row.id))
