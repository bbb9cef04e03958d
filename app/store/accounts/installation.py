"""What an installation keeps of itself, by name."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from app.store.upsert import insert_new
from models import InstallationFact, LearnerKey


def fact(connection: Connection, name: str) -> bytes | None:
    query = select(InstallationFact.value).where(InstallationFact.name == name)
    return connection.execute(query).scalar_one_or_none()


def begin(connection: Connection, name: str, value: bytes, now_ms: int) -> bool:
    """Set a fact unless it is known, or another service is setting it just now; whether this set
    it."""
    row = {"name": name, "value": value, "set_ms": now_ms}
    insert_new(connection, InstallationFact, [row], ("name",))
    return fact(connection, name) == value


def keep(connection: Connection, name: str, value: bytes, now_ms: int) -> None:
    """Set a fact, in the place of what was known before."""
    connection.execute(delete(InstallationFact).where(InstallationFact.name == name))
    connection.execute(insert(InstallationFact).values(name=name, value=value, set_ms=now_ms))


def any_wrapped_key(connection: Connection) -> bytes | None:
    """A learner's key as the master key wrapped it, if there is one."""
    query = select(LearnerKey.wrapped).where(LearnerKey.wrapped.is_not(None))
    return connection.execute(query.order_by(LearnerKey.learner_id.desc()).limit(1)).scalar()


def drop(connection: Connection, name: str) -> None:
    connection.execute(delete(InstallationFact).where(InstallationFact.name == name))
