"""Where sealed values and keyed hashes stand, so that they can be brought to another key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Integer, func, literal, select, true, update
from sqlalchemy.orm import InstrumentedAttribute

from app.store.row import fetch
from app.vault import NUMBER_HASH
from models import (
    CaseNote,
    IdentityCorrection,
    Learner,
    LearnerKey,
    LearnerLink,
    NoticeChoice,
    Person,
    SecondFactor,
    Session,
    SignOff,
    Webhook,
)


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column, the one that numbers its rows, and, for hashes, the one of their generation."""

    name: str
    row_id: InstrumentedAttribute[int]
    value: InstrumentedAttribute[Any]
    where: ColumnElement[bool]
    generation: InstrumentedAttribute[int] | None = None


def _place(row_id: Any, value: Any, where: Any = None, generation: Any = None) -> SealedColumn:
    name = f"{value.class_.__tablename__}.{value.key}"
    return SealedColumn(name, row_id, value, true() if where is None else where, generation)


PLACES: dict[str, tuple[SealedColumn, ...]] = {
    "learner-key": (
        _place(LearnerKey.learner_id, LearnerKey.wrapped),
        _place(LearnerKey.learner_id, LearnerKey.other),
    ),
    "id-number": (
        _place(Learner.id, Learner.id_number_encrypted),
        _place(IdentityCorrection.act_id, IdentityCorrection.id_number_encrypted),
        _place(IdentityCorrection.act_id, IdentityCorrection.former_encrypted),
    ),
    NUMBER_HASH: (
        _place(Person.id, Person.id_hash, None, Person.hash_generation),
        _place(
            IdentityCorrection.act_id,
            IdentityCorrection.id_hash,
            None,
            IdentityCorrection.hash_generation,
        ),
    ),
    "session-seed": (_place(Session.id, Session.seed_encrypted),),
    "signed-lists": (_place(SignOff.id, SignOff.lists),),
    "totp-seed": (_place(SecondFactor.id, SecondFactor.secret, SecondFactor.kind == "totp"),),
    "notice-ways": (_place(NoticeChoice.user_id, NoticeChoice.ways_encrypted),),
    "webhook-secret": (
        _place(Webhook.id, Webhook.secret_encrypted),
        _place(Webhook.id, Webhook.former_encrypted, Webhook.former_encrypted.is_not(None)),
    ),
}
# Sealed objects of the store, by the column that names them.
OBJECTS = {"case-file": _place(CaseNote.id, CaseNote.blob_key)}
WITH_PARTS = frozenset(OBJECTS)  # purposes whose first key is another for each part


class SealedRow(Protocol):
    id: int
    value: Any
    generation: int | None


def rows(
    connection: Connection, place: SealedColumn, after: int | None, limit: int
) -> Sequence[SealedRow]:
    """The next rows that hold something, by their number."""
    generation: Any = literal(None, Integer) if place.generation is None else place.generation
    query = select(
        place.row_id.label("id"), place.value.label("value"), generation.label("generation")
    ).where(place.value.is_not(None), place.where)
    if after is not None:
        query = query.where(place.row_id > after)
    return fetch(connection, query.order_by(place.row_id).limit(limit), SealedRow)


def replace(
    connection: Connection,
    place: SealedColumn,
    row: SealedRow,
    value: bytes,
    generation: int | None = None,
) -> bool:
    """Put another value in the place of the row's; False where somebody else changed it first."""
    values: dict[Any, Any] = {place.value: value}
    if place.generation is not None:
        values[place.generation] = generation
    changed = connection.execute(
        update(place.value.class_)
        .where(place.row_id == row.id, place.value == row.value)
        .values(values)
        .execution_options(synchronize_session=False)
    )
    return changed.rowcount == 1


def links_before(connection: Connection, since_ms: int, now_ms: int) -> int:
    """Learners' links that were given before and still open a page."""
    return connection.execute(
        select(func.count()).where(
            LearnerLink.created_ms < since_ms,
            LearnerLink.expires_ms > now_ms,
            LearnerLink.revoked_ms.is_(None),
        )
    ).scalar_one()


def codes_before(connection: Connection, since_ms: int) -> int:
    """Recovery codes that were made before and not used yet."""
    return connection.execute(
        select(func.count()).where(
            SecondFactor.kind == "recovery", SecondFactor.created_ms < since_ms
        )
    ).scalar_one()
