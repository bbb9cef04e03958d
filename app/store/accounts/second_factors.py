"""Second factors: what people show beside their password."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, delete, insert, select, update

from app.store.row import fetch
from models import SecondFactor


class FactorRow(Protocol):
    id: int
    user_id: int
    kind: str
    name: str
    secret: bytes
    credential: bytes | None
    counter: int
    created_ms: int
    used_ms: int | None


def of_user(connection: Connection, user_id: int) -> Sequence[FactorRow]:
    """A user's factors in the order in which they came."""
    query = select(SecondFactor).where(SecondFactor.user_id == user_id).order_by(SecondFactor.id)
    return fetch(connection, query, FactorRow)


def add(connection: Connection, **columns: Any) -> int:
    statement = insert(SecondFactor).values(**columns, used_ms=None).returning(SecondFactor.id)
    return connection.execute(statement).scalar_one()


def take(connection: Connection, factor_id: int, counter: int, now_ms: int) -> bool:
    """Note that a factor was shown with this counter; False where one as high was taken before,
    also by another request at the same moment."""
    taken = connection.execute(
        update(SecondFactor)
        .where(SecondFactor.id == factor_id, SecondFactor.counter < counter)
        .values(counter=counter, used_ms=now_ms)
    )
    return taken.rowcount == 1


def touch(connection: Connection, factor_id: int, since_ms: int, now_ms: int) -> bool:
    """Note that a factor was shown; False where it was after that instant already, also by another
    request at the same moment."""
    unused = SecondFactor.used_ms.is_(None) | (SecondFactor.used_ms <= since_ms)
    touched = connection.execute(
        update(SecondFactor).where(SecondFactor.id == factor_id, unused).values(used_ms=now_ms)
    )
    return touched.rowcount == 1


def rename(connection: Connection, factor_id: int, name: str) -> None:
    connection.execute(update(SecondFactor).where(SecondFactor.id == factor_id).values(name=name))


def drop(connection: Connection, factor_id: int) -> None:
    connection.execute(delete(SecondFactor).where(SecondFactor.id == factor_id))


def drop_all(connection: Connection, user_id: int, kind: str = "") -> None:
    """Drop a user's factors of a kind, or all of them."""
    statement = delete(SecondFactor).where(SecondFactor.user_id == user_id)
    connection.execute(statement.where(SecondFactor.kind == kind) if kind else statement)
