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
    """`amount_fen` for one learner. Empty `occupation`, `applicant` or `certificate_type`, no
    `level`: any. `state`: waiting, in_force or refused."""

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
    certificate_type: str
    state: str
    decided_by: str
    decided_ms: int | None
    replaces: int | None
    end_on: date | None
    end_by: str | None


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


def decide(
    connection: Connection, standard_id: int, state: str, decided_by: str, now_ms: int
) -> bool:
    """Whether it still waited for a decision."""
    query = update(SubsidyStandard).where(
        SubsidyStandard.id == standard_id, SubsidyStandard.state == "waiting"
    )
    values = {"state": state, "decided_by": decided_by, "decided_ms": now_ms}
    return connection.execute(query.values(**values)).rowcount == 1


def propose_end(connection: Connection, standard_id: int, end_on: date, end_by: str) -> None:
    query = update(SubsidyStandard).where(SubsidyStandard.id == standard_id)
    connection.execute(query.values(end_on=end_on.isoformat(), end_by=end_by))


def take_proposed_end(connection: Connection, standard_id: int, end_on: date) -> bool:
    """Whether there was that one, and nobody had decided on it."""
    query = update(SubsidyStandard).where(
        SubsidyStandard.id == standard_id, SubsidyStandard.end_on == end_on.isoformat()
    )
    return connection.execute(query.values(end_on=None, end_by=None)).rowcount == 1


def end(connection: Connection, standard_id: int, until_on: date) -> None:
    query = update(SubsidyStandard).where(SubsidyStandard.id == standard_id)
    connection.execute(query.values(until_on=until_on.isoformat()))
