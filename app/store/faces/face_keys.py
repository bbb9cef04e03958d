"""Each learner's own key for face data: made when first needed, gone for good once destroyed.

In an exchange a second key stands beside it (app/domain/faces/photo_keys.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, bindparam, func, literal, or_, select, update

from app.security import LearnersKey
from app.store.row import fetch
from app.store.upsert import insert_new
from app.vault import Vault
from models import LearnerKey, ReferencePhoto, Session, Snapshot

_TURNED = LearnerKey.turned_ms >= LearnerKey.other_ms


class KeyDestroyed(Exception):
    """The learner's face data was erased; nothing can be added or read."""


class SealedFace(Protocol):
    """A template or an embedding; `session_id` is 0 for a template."""

    kind: str
    id: int
    value: bytes
    session_id: int


def key(connection: Connection, vault: Vault, learner_id: int) -> LearnersKey | None:
    """The learner's key, or None when none was made yet. Raises KeyDestroyed."""
    return _opened(connection, vault, select(LearnerKey).where(LearnerKey.learner_id == learner_id))


def _opened(connection: Connection, vault: Vault, query: Any) -> LearnersKey | None:
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.wrapped is None:
        raise KeyDestroyed(row.learner_id)
    other = None if row.other is None else vault.unwrap_learner_key(row.other)
    return LearnersKey.of(vault.unwrap_learner_key(row.wrapped), other)


def ensure_key(connection: Connection, vault: Vault, learner_id: int, now_ms: int) -> bytes:
    """The learner's key, made now when there is none. Raises KeyDestroyed."""
    known = key(connection, vault, learner_id)
    if known is not None:
        return known
    _, wrapped = vault.new_learner_key()
    row = {
        "learner_id": learner_id,
        "wrapped": wrapped,
        "created_ms": now_ms,
        "destroyed_ms": None,
    }
    insert_new(connection, LearnerKey, [row], ("learner_id",))
    made = key(connection, vault, learner_id)
    assert made is not None
    return made


# ------------------------------------------------------------------------------- two at a time


def older_than(connection: Connection, since_ms: int, limit: int) -> Sequence[int]:
    """Learners with one key, made before then."""
    made_ms = func.coalesce(LearnerKey.turned_ms, LearnerKey.created_ms)
    query = select(LearnerKey.learner_id).where(
        LearnerKey.wrapped.is_not(None), LearnerKey.other.is_(None), made_ms < since_ms
    )
    return connection.execute(query.order_by(LearnerKey.learner_id).limit(limit)).scalars().all()


def put_beside(connection: Connection, wrapped: Sequence[tuple[int, bytes]], now_ms: int) -> None:
    """Second keys for learners that have one."""
    if wrapped:
        connection.execute(
            update(LearnerKey)
            .where(LearnerKey.learner_id == bindparam("learner"), LearnerKey.wrapped.is_not(None))
            .values(other=bindparam("second"), other_ms=now_ms)
            .execution_options(synchronize_session=False),
            [{"learner": learner_id, "second": second} for learner_id, second in wrapped],
        )


def under_way_since(connection: Connection) -> int | None:
    return connection.execute(
        select(func.min(LearnerKey.other_ms)).where(LearnerKey.other.is_not(None))
    ).scalar()


def with_two(connection: Connection) -> int:
    return connection.execute(
        select(func.count()).where(LearnerKey.other.is_not(None))
    ).scalar_one()


def turn(connection: Connection, known_since_ms: int, now_ms: int) -> int:
    """Have the second keys take the first place that everybody knows by now; how many."""
    changed = connection.execute(
        update(LearnerKey)
        .where(
            LearnerKey.other.is_not(None),
            LearnerKey.wrapped.is_not(None),
            LearnerKey.other_ms <= known_since_ms,
            or_(LearnerKey.turned_ms.is_(None), ~_TURNED),
        )
        .values(wrapped=LearnerKey.other, other=LearnerKey.wrapped, turned_ms=now_ms)
        .execution_options(synchronize_session=False)
    )
    return changed.rowcount


def due(connection: Connection, turned_by_ms: int) -> Sequence[int]:
    """Learners whose former key nobody stores by any more."""
    query = select(LearnerKey.learner_id).where(
        LearnerKey.other.is_not(None), _TURNED, LearnerKey.turned_ms <= turned_by_ms
    )
    return connection.execute(query.order_by(LearnerKey.learner_id)).scalars().all()


def locked(connection: Connection, vault: Vault, learner_id: int) -> LearnersKey:
    """The learner's keys, for nobody else to change. Raises KeyDestroyed."""
    query = select(LearnerKey).where(LearnerKey.learner_id == learner_id).with_for_update()
    found = _opened(connection, vault, query)
    assert found is not None
    return found


def drop_other(connection: Connection, learner_id: int) -> None:
    connection.execute(
        update(LearnerKey)
        .where(LearnerKey.learner_id == learner_id)
        .values(other=None, other_ms=None)
    )


def sealed_faces(connection: Connection, learner_id: int) -> Sequence[SealedFace]:
    """Templates and embeddings under the learner's key."""
    templates = select(
        literal("template").label("kind"),
        ReferencePhoto.id.label("id"),
        ReferencePhoto.template_encrypted.label("value"),
        literal(0).label("session_id"),
    ).where(ReferencePhoto.learner_id == learner_id, ReferencePhoto.template_encrypted.is_not(None))
    embeddings = (
        select(
            literal("embedding").label("kind"),
            Snapshot.id.label("id"),
            Snapshot.embedding_encrypted.label("value"),
            Snapshot.session_id.label("session_id"),
        )
        .join(Session, Session.id == Snapshot.session_id)
        .where(Session.learner_id == learner_id, Snapshot.embedding_encrypted.is_not(None))
    )
    return [
        *fetch(connection, templates, SealedFace),
        *fetch(connection, embeddings, SealedFace),
    ]


def replace_face(connection: Connection, row: SealedFace, value: bytes) -> None:
    """Put the value in the place of the row's, unless somebody changed it meanwhile."""
    template = row.kind == "template"
    table: Any = ReferencePhoto if template else Snapshot
    column = table.template_encrypted if template else table.embedding_encrypted
    connection.execute(
        update(table).where(table.id == row.id, column == row.value).values({column: value})
    )
