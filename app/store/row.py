"""Rows that queries of several columns return, and rows as structs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Row

AnyRow = Row[*tuple[Any, ...]]
Kind = TypeVar("Kind", bound=msgspec.Struct)


def typed(rows: Iterable[AnyRow], kind: type[Kind]) -> list[Kind]:
    """Rows as structs with fields by the names of the columns, documents decoded."""
    return [msgspec.convert(row._mapping, kind) for row in rows]


def typed_or_none(row: AnyRow | None, kind: type[Kind]) -> Kind | None:
    return None if row is None else msgspec.convert(row._mapping, kind)
