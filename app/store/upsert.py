"""Insert or update in one statement, the same on both databases, however many write at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from models import Base

_ROWS_A_STATEMENT = 500  # SQLite allows 32766 parameters


def insert_new(
    connection: Connection, model: type[Base], rows: Sequence[dict[str, Any]], key: Sequence[str]
) -> None:
    """Insert the rows whose unique `key` is not there yet; leave the others alone."""
    insert = _insert(connection)
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        chunk = rows[start : start + _ROWS_A_STATEMENT]
        connection.execute(
            insert(model).values(chunk).on_conflict_do_nothing(index_elements=list(key))
        )


def upsert(
    connection: Connection, model: type[Base], rows: Sequence[dict[str, Any]], key: Sequence[str]
) -> None:
    """Insert the rows, or replace what is not part of the unique `key`."""
    insert = _insert(connection)
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        statement = insert(model).values(rows[start : start + _ROWS_A_STATEMENT])
        replaced = {name: statement.excluded[name] for name in rows[0] if name not in key}
        connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=replaced))


def _insert(connection: Connection) -> Any:
    return sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
