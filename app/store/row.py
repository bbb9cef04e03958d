"""The type of a row that a query of several columns returns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

AnyRow = Row[*tuple[Any, ...]]
