"""Each learner's own key for face data: made when first needed, gone for good once destroyed."""

from __future__ import annotations

from sqlalchemy import Connection, select

from app.store.upsert import insert_new
from app.vault import Vault
from models import LearnerKey


class KeyDestroyed(Exception):
    """The learner's face data was erased; nothing can be added or read."""


def key(connection: Connection, vault: Vault, learner_id: int) -> bytes | None:
    """The learner's key, or None when none was made yet. Raises KeyDestroyed."""
    row = connection.execute(
        select(LearnerKey).where(LearnerKey.learner_id == learner_id)
    ).one_or_none()
    if row is None:
        return None
    if row.wrapped is None:
        raise KeyDestroyed(learner_id)
    return vault.unwrap_learner_key(row.wrapped)


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
