"""Failed logins of the last minutes, and requests with links that enrol, by what they are counted
for; shared by all services."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, or_, select, text

from models import LoginFailure


def hold(connection: Connection, keys: Collection[bytes]) -> None:
    """Have attempts under the same keys wait for each other, so that none is counted too late."""
    if connection.dialect.name == "postgresql":  # SQLite has but one writer anyway
        for key in sorted(keys):
            number = int.from_bytes(key[:8], "big", signed=True)
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": number})


def times(connection: Connection, key: bytes, after_ms: int) -> list[int]:
    """When attempts under the key failed after that, in order."""
    query = select(LoginFailure.at_ms).where(LoginFailure.key == key, LoginFailure.at_ms > after_ms)
    return list(connection.execute(query.order_by(LoginFailure.at_ms)).scalars())


def add(connection: Connection, keys: Collection[bytes], now_ms: int) -> None:
    connection.execute(insert(LoginFailure), [{"key": key, "at_ms": now_ms} for key in keys])


def drop(connection: Connection, key: bytes, at_ms: int | None = None) -> None:
    """Forget one failure under the key, made just then, or all."""
    ids = select(LoginFailure.id).where(LoginFailure.key == key)
    if at_ms is not None:
        ids = ids.where(LoginFailure.at_ms == at_ms).limit(1)
    found = connection.execute(ids).scalars().all()
    connection.execute(delete(LoginFailure).where(LoginFailure.id.in_(found)))


def prune(connection: Connection, before_ms: int, after_ms: int, key: bytes | None = None) -> None:
    """Forget what is over, and what a wrong clock put into the future: of one key, or of all."""
    at = LoginFailure.at_ms
    gone = delete(LoginFailure).where(or_(at <= before_ms, at > after_ms))
    connection.execute(gone if key is None else gone.where(LoginFailure.key == key))
