"""The findings queue: filtered, counted and paged within what one person may see.

Pages are cut by key, not by offset, so that the hundredth is as quick as the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from app.store.scope import Scope
from models import Finding, Learner, Platform, Review, Session, TrainingClass

TO_DO = ("open", "first_review")
GONE = "gone"  # a later evaluation no longer came to it; kept, and shown to nobody as standing
_GRAVITY = {"violation": 0, "review": 1, "not_proven": 2}
_LEAST = 3


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What is asked for. Empty strings and None match all that stands; `status` "todo"
    is what waits."""

    status: str = "todo"
    rule: str = ""
    outcome: str = ""
    fault: str = ""
    class_id: int | None = None
    platform_id: int | None = None
    created_before_ms: int | None = None
    text: str = ""
    order: str = "grave"  # grave | old | new


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of the page before: its gravity and its id."""

    gravity: int
    id: int


def page(
    connection: Connection, scope: Scope, wanted: QueueFilter, after: Cursor | None, size: int
) -> Sequence[Any]:
    """Up to `size` findings after the cursor, with the names that a row shows."""
    query = (
        select(
            Finding.id,
            Finding.rule,
            Finding.reason,
            Finding.outcome,
            Finding.fault,
            Finding.evidence,
            Finding.status,
            Finding.needs_two_reviewers,
            Finding.hour,
            Finding.session_id,
            Finding.start_ms,
            Finding.created_ms,
            Finding.body,
            gravity().label("gravity"),
            Finding.class_id,
            TrainingClass.external_id.label("class_name"),
            TrainingClass.occupation,
            TrainingClass.institution,
            Platform.name.label("platform_name"),
            Finding.learner_id,
            Learner.name.label("learner_name"),
        )
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .join(Platform, Platform.id == Finding.platform_id)
        .join(Learner, Learner.id == Finding.learner_id, isouter=True)
        .where(*_conditions(scope, wanted))
        .limit(size)
    )
    return connection.execute(_ordered(query, wanted.order, after)).all()


def counts(connection: Connection, scope: Scope, wanted: QueueFilter) -> Sequence[Any]:
    """Findings by (status, rule, outcome, fault): enough for the count beside every filter.

    Of `wanted`, only what narrows all of them alike is applied: class, platform, age and text.
    """
    by = (Finding.status, Finding.rule, Finding.outcome, Finding.fault)
    narrowed = QueueFilter(
        status="",
        class_id=wanted.class_id,
        platform_id=wanted.platform_id,
        created_before_ms=wanted.created_before_ms,
        text=wanted.text,
    )
    query = (
        select(*by, func.count().label("count"))
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(*_conditions(scope, narrowed))
        .group_by(*by)
    )
    if wanted.text:
        query = query.join(Learner, Learner.id == Finding.learner_id, isouter=True)
    return connection.execute(query).all()


def first_decided_by(connection: Connection, user_id: int, finding_ids: Sequence[int]) -> set[int]:
    """Those of the findings that this person has already decided."""
    return set(
        connection.scalars(
            select(Review.finding_id).where(
                Review.finding_id.in_(finding_ids),
                Review.reviewer_id == user_id,
                Review.decision != "need_more",
            )
        )
    )


def classes(connection: Connection, scope: Scope, limit: int) -> Sequence[Any]:
    """The newest classes in scope, for the filter's list."""
    return connection.execute(
        select(TrainingClass.id, TrainingClass.external_id, TrainingClass.occupation)
        .where(scope.covers_class())
        .order_by(TrainingClass.id.desc())
        .limit(limit)
    ).all()


def platforms(connection: Connection, scope: Scope) -> Sequence[Any]:
    """The platforms that have a class in scope."""
    return connection.execute(
        select(Platform.id, Platform.name)
        .where(Platform.id.in_(select(TrainingClass.platform_id).where(scope.covers_class())))
        .order_by(Platform.name)
    ).all()


def gravity() -> ColumnElement[int]:
    """0 for the gravest outcome; people's time goes there first."""
    return case(_GRAVITY, value=Finding.outcome, else_=_LEAST)


def _conditions(scope: Scope, wanted: QueueFilter) -> list[ColumnElement[bool]]:
    conditions = [scope.covers_class(), Finding.shadow.is_(False)]
    if wanted.status == "todo":
        conditions.append(Finding.status.in_(TO_DO))
    elif not wanted.status:
        conditions.append(Finding.status != GONE)
    else:
        conditions.append(Finding.status == wanted.status)
    for column, value in (
        (Finding.rule, wanted.rule),
        (Finding.outcome, wanted.outcome),
        (Finding.fault, wanted.fault),
    ):
        if value:
            conditions.append(column == value)
    if wanted.class_id is not None:
        conditions.append(Finding.class_id == wanted.class_id)
    if wanted.platform_id is not None:
        conditions.append(Finding.platform_id == wanted.platform_id)
    if wanted.created_before_ms is not None:
        conditions.append(Finding.created_ms <= wanted.created_before_ms)
    if wanted.text:
        conditions.append(_mentions(wanted.text))
    return conditions


def _mentions(text: str) -> ColumnElement[bool]:
    """Learner's name, the class's number or name, or the platform's id of the sitting."""
    return or_(
        Learner.name.contains(text, autoescape=True),
        TrainingClass.external_id.contains(text, autoescape=True),
        TrainingClass.official_class_no.contains(text, autoescape=True),
        Finding.session_id.in_(select(Session.id).where(Session.external_id == text)),
    )


def _ordered(query: Any, order: str, after: Cursor | None) -> Any:
    if order == "new":
        query = query.order_by(Finding.id.desc())
        return query if after is None else query.where(Finding.id < after.id)
    if order == "old":
        query = query.order_by(Finding.id)
        return query if after is None else query.where(Finding.id > after.id)
    query = query.order_by(gravity(), Finding.id)
    if after is None:
        return query
    return query.where(
        or_(
            gravity() > after.gravity,
            and_(gravity() == after.gravity, Finding.id > after.id),
        )
    )
