"""Rows hold what their protocols say: for as long as tests run, every query is held to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any, get_type_hints

import msgspec
from sqlalchemy import Connection, Executable, Result

from app.store import row

_MOST = 3  # rows of one query that are looked at


@contextmanager
def held_to_their_types() -> Iterator[None]:
    """Raises AssertionError in the query whose rows hold something else."""
    plain = row._run

    def run(connection: Connection, query: Executable, kind: Any) -> Result[*tuple[Any, ...]]:
        frozen = plain(connection, query, kind).freeze()
        for found in islice(frozen(), _MOST):
            for name, hint in _hints(kind).items():
                _hold(kind, name, hint, getattr(found, name))
        return frozen()

    row._run = run
    try:
        yield
    finally:
        row._run = plain


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _hold(kind: Any, name: str, hint: Any, value: Any) -> None:
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        raise AssertionError(f"{kind.__name__}.{name} is {value!r}: {error}") from error
