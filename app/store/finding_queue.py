"""The findings queue: filtered, counted and paged within what one person may see.

Pages are cut by key, not by offset, so that the hundredth is as quick as the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from app.store.scope import Scope
from models import (
    Appeal,
    Assignment,
    Enrolment,
    Finding,
    Learner,
    Platform,
    Review,
    Session,
    TrainingClass,
    User,
)

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
    assigned_to: int | None = None  # 0: to nobody
    appealed: bool = False  # with an appeal that nobody has answered
    least_yuan: int = 0  # subsidy at stake, as far as the class tells it


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
            at_stake().label("yuan"),
            User.display_name.label("assignee"),
        )
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .join(Platform, Platform.id == Finding.platform_id)
        .join(Learner, Learner.id == Finding.learner_id, isouter=True)
        .join(Assignment, Assignment.finding_id == Finding.id, isouter=True)
        .join(User, User.id == Assignment.user_id, isouter=True)
        .where(*_conditions(scope, wanted))
        .limit(size)
    )
    return connection.execute(_ordered(query, wanted.order, after)).all()


def some(connection: Connection, scope: Scope, ids: Sequence[int]) -> Sequence[Any]:
    """The findings of these ids that are in scope, locked until the transaction ends."""
    return connection.execute(
        select(Finding, TrainingClass.county)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(Finding.id.in_(ids), scope.covers_class())
        .order_by(Finding.id)
        .with_for_update(of=Finding)
    ).all()


def at_stake() -> ColumnElement[int | None]:
    """The subsidy in yuan that hangs on a finding: of its learner, or of the whole class. NULL
    where the class does not tell what is paid."""
    each = TrainingClass.terms["subsidy_yuan"].as_integer()
    roster = (
        select(func.count())
        .where(Enrolment.class_id == TrainingClass.id)
        .correlate(TrainingClass)
        .scalar_subquery()
    )
    return case((Finding.learner_id.is_(None), each * roster), else_=each)


def counts(connection: Connection, scope: Scope, wanted: QueueFilter) -> Sequence[Any]:
    """Findings by (status, rule, outcome, fault): enough for the count beside every filter.

    Of `wanted`, only what narrows all of them alike is applied: everything but these four.
    """
    by = (Finding.status, Finding.rule, Finding.outcome, Finding.fault)
    narrowed = replace(wanted, status="", rule="", outcome="", fault="")
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
    given = aliased(Assignment)
    if wanted.assigned_to == 0:
        conditions.append(Finding.id.not_in(select(given.finding_id)))
    elif wanted.assigned_to is not None:
        theirs = select(given.finding_id).where(given.user_id == wanted.assigned_to)
        conditions.append(Finding.id.in_(theirs))
    if wanted.appealed:
        conditions.append(
            exists().where(Appeal.finding_id == Finding.id, Appeal.replied_ms.is_(None))
        )
    if wanted.least_yuan:
        conditions.append(at_stake() >= wanted.least_yuan)
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
