"""Counts for the overview, within what one person may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, func, select

from app.clock import DAY_MS
from app.store.review.finding_queue import GONE, TO_DO
from app.store.row import fetch
from app.store.scope import AccessScope
from models import Finding, Platform, Session, TrainingClass

SHANGHAI_MS = 8 * 3_600_000  # no summer time: a day there is a whole division


class DayCount(Protocol):
    day: int
    outcome: str
    count: int


def by_day(connection: Connection, scope: AccessScope, since_ms: int) -> Sequence[DayCount]:
    """(day, outcome, count) of the findings made since then; day counts from 1970 in Shanghai."""
    day = ((Finding.created_ms + SHANGHAI_MS) // DAY_MS).label("day")
    return fetch(
        connection,
        select(day, Finding.outcome, func.count().label("count"))
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(scope.counts_class(), *_standing(since_ms))
        .group_by(day, Finding.outcome),
        DayCount,
    )


class PlatformCount(Protocol):
    id: int
    name: str
    outcome: str
    count: int


def by_platform(
    connection: Connection, scope: AccessScope, since_ms: int
) -> Sequence[PlatformCount]:
    """(platform, outcome, count) of the findings made since then."""
    return fetch(
        connection,
        select(Platform.id, Platform.name, Finding.outcome, func.count().label("count"))
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .join(Platform, Platform.id == Finding.platform_id)
        .where(scope.counts_class(), *_standing(since_ms))
        .group_by(Platform.id, Platform.name, Finding.outcome),
        PlatformCount,
    )


class RuleCount(Protocol):
    rule: str
    outcome: str
    count: int


def by_rule(connection: Connection, scope: AccessScope, since_ms: int) -> Sequence[RuleCount]:
    """(rule, outcome, count) of the findings made since then."""
    return fetch(
        connection,
        select(Finding.rule, Finding.outcome, func.count().label("count"))
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(scope.counts_class(), *_standing(since_ms))
        .group_by(Finding.rule, Finding.outcome),
        RuleCount,
    )


class WaitingCount(Protocol):
    days: int
    status: str
    count: int
    oldest_ms: int


def waiting(connection: Connection, scope: AccessScope, now_ms: int) -> Sequence[WaitingCount]:
    """(days, status, count, oldest_ms) of what waits for a person, by whole days waited."""
    days = ((now_ms - Finding.created_ms) // DAY_MS).label("days")
    return fetch(
        connection,
        select(
            days,
            Finding.status,
            func.count().label("count"),
            func.min(Finding.created_ms).label("oldest_ms"),
        )
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(scope.counts_class(), Finding.shadow.is_(False), Finding.status.in_(TO_DO))
        .group_by(days, Finding.status),
        WaitingCount,
    )


def _standing(since_ms: int) -> list[ColumnElement[bool]]:
    return [
        Finding.shadow.is_(False),
        Finding.status != GONE,
        Finding.created_ms >= since_ms,
    ]


def open_sessions(connection: Connection, scope: AccessScope) -> int:
    """Sittings that are going on."""
    query = (
        select(func.count())
        .select_from(Session)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .where(Session.state == "open", scope.counts_class())
    )
    return connection.scalar(query) or 0


def classes(connection: Connection, scope: AccessScope) -> int:
    query = select(func.count()).select_from(TrainingClass).where(scope.counts_class())
    return connection.scalar(query) or 0


class ComingAssessment(Protocol):
    id: int
    external_id: str
    occupation: str
    institution: str
    assessment_on: str
    waiting: int


def next_assessments(
    connection: Connection, scope: AccessScope, from_day: str, limit: int
) -> Sequence[ComingAssessment]:
    """Classes whose assessment comes next, with what still waits in them."""
    waiting = (
        select(func.count())
        .where(
            Finding.class_id == TrainingClass.id,
            Finding.status.in_(TO_DO),
            Finding.shadow.is_(False),
        )
        .scalar_subquery()
        .label("waiting")
    )
    return fetch(
        connection,
        select(
            TrainingClass.id,
            TrainingClass.external_id,
            TrainingClass.occupation,
            TrainingClass.institution,
            TrainingClass.assessment_on,
            waiting,
        )
        .where(scope.counts_class(), TrainingClass.assessment_on >= from_day)
        .order_by(TrainingClass.assessment_on, TrainingClass.id)
        .limit(limit),
        ComingAssessment,
    )
