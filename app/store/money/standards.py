"""Rows of `subsidy_standards`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from app.store.row import typed
from models import SubsidyStandard


class StandardRow(msgspec.Struct, frozen=True, kw_only=True):
    """`amount_fen` for one learner. Empty `occupation` or `applicant`, no `level`: any."""

    id: int
    county: str
    occupation: str
    level: int | None
    applicant: str
    amount_fen: int
    advance_percent: int
    document: str
    dated: date
    from_on: date
    until_on: date | None
    entered_by: str
    entered_ms: int


def of_counties(connection: Connection, counties: Sequence[str] | None) -> list[StandardRow]:
    """Standards of these counties (None: of all), the latest first."""
    query = select(SubsidyStandard).order_by(
        SubsidyStandard.county, SubsidyStandard.from_on.desc(), SubsidyStandard.id.desc()
    )
    if counties is not None:
        query = query.where(SubsidyStandard.county.in_(counties))
    return typed(connection.execute(query), StandardRow)


def add(connection: Connection, **values: Any) -> int:
    query = insert(SubsidyStandard).values(**values).returning(SubsidyStandard.id)
    return int(connection.execute(query).scalar_one())


def end(connection: Connection, standard_id: int, until_on: date) -> None:
    query = update(SubsidyStandard).where(SubsidyStandard.id == standard_id)
    connection.execute(query.values(until_on=until_on.isoformat()))
