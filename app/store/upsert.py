"""Insert or update in one statement, the same on both databases, however many write at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from models import Base


def insert_new(
    connection: Connection, model: type[Base], rows: Sequence[dict[str, Any]], key: Sequence[str]
) -> None:
    """Insert the rows whose unique `key` is not there yet; leave the others alone. All rows name
    the same columns."""
    if rows:
        statement = _insert(connection)(model.__table__)
        connection.execute(statement.on_conflict_do_nothing(index_elements=list(key)), rows)


def upsert(
    connection: Connection, model: type[Base], rows: Sequence[dict[str, Any]], key: Sequence[str]
) -> None:
    """Insert the rows, or replace what is not part of the unique `key`. All rows name the same
    columns."""
    if rows:
        statement = _insert(connection)(model.__table__)
        replaced = {name: statement.excluded[name] for name in rows[0] if name not in key}
        connection.execute(
            statement.on_conflict_do_update(index_elements=list(key), set_=replaced), rows
        )


def _insert(connection: Connection) -> Any:
    return sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
