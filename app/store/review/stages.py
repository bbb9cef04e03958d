"""Rows of what people did about the steps of classes; only added to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select

from app.store.row import typed
from app.store.scope import AccessScope
from models import StageEvent, TrainingClass

_LAST = "payment"


class StageEventRow(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    class_id: int
    step: str
    deed: str
    body: dict[str, Any]
    remark: str
    done_by: str
    done_ms: int


class StagedClass(msgspec.Struct, frozen=True, kw_only=True):
    """A class whose steps are being recorded."""

    id: int
    external_id: str
    occupation: str
    institution: str
    starts_on: date
    assessment_on: date | None
    pack_id: str
    pack_version: str


def add(connection: Connection, **values: Any) -> int:
    query = insert(StageEvent).values(**values).returning(StageEvent.id)
    return int(connection.execute(query).scalar_one())


def of_class(connection: Connection, class_id: int) -> list[StageEventRow]:
    """What was done about the class, oldest first."""
    query = select(StageEvent).where(StageEvent.class_id == class_id).order_by(StageEvent.id)
    return typed(connection.execute(query), StageEventRow)


def days_of(connection: Connection, class_id: int) -> StagedClass:
    """The class with the days that its clocks are counted from."""
    query = select(*_CLASS).where(TrainingClass.id == class_id)
    return msgspec.convert(connection.execute(query).one()._mapping, StagedClass)


def under_way(
    connection: Connection, scope: AccessScope
) -> tuple[list[StagedClass], Sequence[StageEventRow]]:
    """Classes in scope whose steps are being recorded, not paid for yet, and their events."""
    last = select(func.max(StageEvent.id)).group_by(StageEvent.class_id)
    paid = (StageEvent.step == _LAST) & (StageEvent.deed == "second")
    unpaid = select(StageEvent.class_id).where(StageEvent.id.in_(last), ~paid)
    mine = scope.covers_class() & TrainingClass.id.in_(unpaid)
    events = (
        select(StageEvent)
        .join(TrainingClass, TrainingClass.id == StageEvent.class_id)
        .where(mine)
        .order_by(StageEvent.id)
    )
    classes = connection.execute(select(*_CLASS).where(mine).order_by(TrainingClass.id))
    return typed(classes, StagedClass), typed(connection.execute(events), StageEventRow)


def not_begun(connection: Connection, scope: AccessScope, today: date) -> list[StagedClass]:
    """Classes in scope that are not over and of which no step is recorded."""
    begun = select(StageEvent.class_id)
    mine = scope.covers_class() & (TrainingClass.ends_on >= today.isoformat())
    query = select(*_CLASS).where(mine, TrainingClass.id.not_in(begun)).order_by(TrainingClass.id)
    return typed(connection.execute(query), StagedClass)


_CLASS = (
    TrainingClass.id,
    TrainingClass.external_id,
    TrainingClass.occupation,
    TrainingClass.institution,
    TrainingClass.starts_on,
    TrainingClass.assessment_on,
    TrainingClass.pack_id,
    TrainingClass.pack_version,
)
