"""What a county's standing over a stretch of time is counted from, within what one may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, distinct, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.store.review.finding_queue import GONE, at_stake
from app.store.row import fetch
from app.store.scope import AccessScope
from models import Finding, Platform, Review, Session, TrainingClass, User

_COUNTED = (Finding.shadow.is_(False), Finding.status != GONE)


class FindingInCounty(Protocol):
    """`yuan` is what hangs on it, as far as its class tells what is paid."""

    class_id: int
    learner_id: int | None
    institution: str
    platform: str
    status: str
    created_ms: int
    yuan: int | None


def findings(
    connection: Connection, scope: AccessScope, from_ms: int, to_ms: int
) -> Sequence[FindingInCounty]:
    """What was found from one moment up to another."""
    query = (
        select(
            Finding.class_id,
            Finding.learner_id,
            TrainingClass.institution,
            Platform.name.label("platform"),
            Finding.status,
            Finding.created_ms,
            at_stake().label("yuan"),
        )
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .join(Platform, Platform.id == Finding.platform_id)
        .where(scope.covers_class(), *_COUNTED, *_within(Finding.created_ms, from_ms, to_ms))
    )
    return fetch(connection, query, FindingInCounty)


class Studied(Protocol):
    institution: str
    platform: str
    learners: int


def studied(
    connection: Connection, scope: AccessScope, from_ms: int, to_ms: int
) -> Sequence[Studied]:
    """How many learners opened sittings, by institution and platform."""
    query = (
        select(
            TrainingClass.institution,
            Platform.name.label("platform"),
            func.count(distinct(Session.learner_id)).label("learners"),
        )
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .join(Platform, Platform.id == Session.platform_id)
        .where(scope.covers_class(), *_within(Session.opened_ms, from_ms, to_ms))
        .group_by(TrainingClass.institution, Platform.name)
    )
    return fetch(connection, query, Studied)


class ReviewMade(Protocol):
    reviewer: str
    finding_id: int
    stage: str
    decision: str
    created_ms: int
    found_ms: int


def reviews(
    connection: Connection, scope: AccessScope, from_ms: int, to_ms: int
) -> Sequence[ReviewMade]:
    """Decisions that people took, with when their finding was made."""
    query = (
        select(
            User.display_name.label("reviewer"),
            Review.finding_id,
            Review.stage,
            Review.decision,
            Review.created_ms,
            Finding.created_ms.label("found_ms"),
        )
        .join(User, User.id == Review.reviewer_id)
        .join(Finding, Finding.id == Review.finding_id)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(scope.covers_class(), *_within(Review.created_ms, from_ms, to_ms))
        .order_by(Review.id)
    )
    return fetch(connection, query, ReviewMade)


class AssessedFinding(Protocol):
    class_id: int
    external_id: str
    occupation: str
    institution: str
    assessment_on: str
    status: str
    settled_ms: int


def of_assessed(
    connection: Connection, scope: AccessScope, from_day: str, to_day: str
) -> Sequence[AssessedFinding]:
    """Findings of classes that are assessed in these days; `settled_ms` is when somebody last
    decided on one, else when it last changed."""
    decided = select(func.max(Review.created_ms)).where(Review.finding_id == Finding.id)
    query = (
        select(
            TrainingClass.id.label("class_id"),
            TrainingClass.external_id,
            TrainingClass.occupation,
            TrainingClass.institution,
            TrainingClass.assessment_on,
            Finding.status,
            func.coalesce(decided.correlate(Finding).scalar_subquery(), Finding.updated_ms).label(
                "settled_ms"
            ),
        )
        .join(Finding, Finding.class_id == TrainingClass.id)
        .where(
            scope.covers_class(),
            *_COUNTED,
            TrainingClass.assessment_on >= from_day,
            TrainingClass.assessment_on <= to_day,
        )
        .order_by(TrainingClass.assessment_on, TrainingClass.id)
    )
    return fetch(connection, query, AssessedFinding)


def _within(
    moment: InstrumentedAttribute[int], from_ms: int, to_ms: int
) -> list[ColumnElement[bool]]:
    return [moment >= from_ms, moment < to_ms]
