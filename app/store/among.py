"""Rows by many ids: bound as one value, where an IN list would be one for each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import ARRAY, ColumnElement, Connection, Text, any_, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute


def among(
    connection: Connection,
    column: ColumnElement[Any] | InstrumentedAttribute[Any],
    values: Collection[Any],
) -> ColumnElement[bool]:
    """Whether a column is one of the values, however many they are."""
    listed = list(values)
    if connection.dialect.name == "sqlite":
        told = literal(msgspec.json.encode(listed).decode(), Text)
        return column.in_(select(func.json_each(told).table_valued("value").c.value))
    return column == any_(literal(listed, ARRAY(column.type)))
