"""Rows of `calendar_days`: holidays, and weekends that are worked on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
from sqlalchemy import Connection, delete, select

from app.store.row import typed
from app.store.upsert import upsert
from models import CalendarDay


class CalendarDayRow(msgspec.Struct, frozen=True):
    day: date
    works: bool
    name: str


def days(connection: Connection) -> list[CalendarDayRow]:
    """All days that were entered, in order."""
    return typed(connection.execute(select(CalendarDay).order_by(CalendarDay.day)), CalendarDayRow)


def put(connection: Connection, days: Sequence[date], works: bool, name: str) -> None:
    """Enter these days, instead of what was entered of them before."""
    rows = [{"day": it.isoformat(), "works": works, "name": name} for it in days]
    upsert(connection, CalendarDay, rows, ("day",))


def drop(connection: Connection, days: Sequence[date]) -> None:
    """Make these days ordinary ones again."""
    said = [it.isoformat() for it in days]
    connection.execute(delete(CalendarDay).where(CalendarDay.day.in_(said)))
