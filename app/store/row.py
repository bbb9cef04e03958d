"""What queries return: rows with named, typed attributes.

A query of several columns names its row by a protocol that stands beside it. The rows stay what the
driver gave; that they have these attributes is checked by their names when they are fetched, and by
their types in the tests. Where a document has to be decoded, the row is a struct (`typed`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

import msgspec
from sqlalchemy import Connection, Executable, Result, Row

AnyRow = Row[*tuple[Any, ...]]
Kind = TypeVar("Kind", bound=msgspec.Struct)
Named = TypeVar("Named")


def fetch(connection: Connection, query: Executable, kind: type[Named]) -> Sequence[Named]:
    """The rows of a query. Raises TypeError when a column is missing that `kind` has."""
    return cast(Sequence[Named], _run(connection, query, kind).all())


def stream(connection: Connection, query: Executable, kind: type[Named]) -> Iterator[Named]:
    """As `fetch`, one row after the other."""
    return cast(Iterator[Named], iter(_run(connection, query, kind)))


def fetch_one(connection: Connection, query: Executable, kind: type[Named]) -> Named:
    """The one row of a query. Raises NoResultFound; otherwise as `fetch`."""
    return cast(Named, _run(connection, query, kind).one())


def fetch_one_or_none(connection: Connection, query: Executable, kind: type[Named]) -> Named | None:
    return cast(Named | None, _run(connection, query, kind).one_or_none())


def _run(connection: Connection, query: Executable, kind: Any) -> Result[*tuple[Any, ...]]:
    result = connection.execute(query)
    missing = _fields(kind).difference(result.keys())
    if missing:
        raise TypeError(f"a query of {kind.__name__} lacks {', '.join(sorted(missing))}")
    return result


@cache
def _fields(kind: Any) -> frozenset[str]:
    return frozenset(get_type_hints(kind))


def typed(rows: Iterable[AnyRow], kind: type[Kind]) -> list[Kind]:
    """Rows as structs with fields by the names of the columns, documents decoded."""
    return [msgspec.convert(dict(zip(_names(row._fields), row, strict=True)), kind) for row in rows]


@cache
def _names(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Plain strings: SQLAlchemy names a column that is a word of SQL by a kind of its own."""
    return tuple(str(it) for it in fields)


def typed_or_none(row: AnyRow | None, kind: type[Kind]) -> Kind | None:
    return None if row is None else msgspec.convert(row._mapping, kind)
