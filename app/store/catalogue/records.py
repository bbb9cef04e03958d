"""Lists reported from outside the online lessons: read by key, written in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from app.store.upsert import upsert
from models import Base


def by_key(
    connection: Connection,
    model: type[Base],
    column: str,
    values: Iterable[int],
    key: Sequence[str],
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows whose `column` is one of `values`, by their unique key."""
    table: dict[tuple[Any, ...], dict[str, Any]] = {}
    wanted = sorted(set(values))
    for start in range(0, len(wanted), 500):
        chunk = wanted[start : start + 500]
        rows = connection.execute(select(model).where(getattr(model, column).in_(chunk)))
        for row in rows.mappings():
            table[tuple(row[name] for name in key)] = dict(row)
    return table


def write(
    connection: Connection, model: type[Base], rows: Sequence[dict[str, Any]], key: Sequence[str]
) -> None:
    if rows:
        upsert(connection, model, rows, key)
