"""Findings under review, and what people decided about them. Reviews are only ever added."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, String, insert, literal, select, update
from sqlalchemy import cast as cast_sql

from app.store.review.finding_rows import FindingRow
from app.store.review.findings import AppealRow
from app.store.row import fetch, fetch_one_or_none, typed_or_none
from app.store.scope import AccessScope
from models import (
    Appeal,
    Enrolment,
    Finding,
    Learner,
    LearnerLink,
    Review,
    TrainingClass,
    User,
)


class ReviewRow(Protocol):
    """One review, with its reviewer's name."""

    id: int
    finding_id: int
    reviewer_id: int
    reviewer: str
    stage: str
    decision: str
    reason: str
    created_ms: int


def finding(
    connection: Connection, finding_id: int, scope: AccessScope, *, lock: bool = False
) -> FindingRow | None:
    """The finding, if it is within the scope; `lock` holds it until the transaction ends."""
    query = (
        select(Finding)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(Finding.id == finding_id, scope.covers_class())
    )
    if lock:
        query = query.with_for_update(of=Finding)
    return typed_or_none(connection.execute(query).one_or_none(), FindingRow)


def with_status(
    connection: Connection, finding_ids: Collection[int], statuses: Collection[str]
) -> set[int]:
    """Those of the findings that stand there now."""
    return set(
        connection.scalars(
            select(Finding.id).where(
                Finding.id.in_(list(finding_ids)), Finding.status.in_(list(statuses))
            )
        )
    )


def of_findings(connection: Connection, finding_ids: Iterable[int]) -> Sequence[ReviewRow]:
    """Reviews of the findings that still count, with their reviewers' names, oldest first."""
    rows = (
        select(Review, User.display_name.label("reviewer"))
        .join(User, User.id == Review.reviewer_id)
        .where(Review.finding_id.in_(list(finding_ids)), Review.superseded_ms.is_(None))
        .order_by(Review.id)
    )
    return fetch(connection, rows, ReviewRow)


class MadeDecision(Protocol):
    """A decision, and when it ceased to count."""

    finding_id: int
    reviewer_id: int
    created_ms: int
    superseded_ms: int | None


def ever_decided(connection: Connection, finding_ids: Iterable[int]) -> Sequence[MadeDecision]:
    """Every decision on the findings, those that were taken back or corrected too."""
    query = select(
        Review.finding_id, Review.reviewer_id, Review.created_ms, Review.superseded_ms
    ).where(Review.finding_id.in_(list(finding_ids)), Review.decision.in_(("uphold", "overturn")))
    return fetch(connection, query.order_by(Review.id), MadeDecision)


class ReviewOfCase(ReviewRow, Protocol):
    """A review with the finding's standing, and when it ceased to count."""

    status: str
    superseded_ms: int | None


def of_case(connection: Connection, scope: AccessScope, case_id: int) -> Sequence[ReviewOfCase]:
    """Every review of a case's findings, those that count no more too, oldest first."""
    query = (
        select(Review, User.display_name.label("reviewer"), Finding.status)
        .join(User, User.id == Review.reviewer_id)
        .join(Finding, Finding.id == Review.finding_id)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(Finding.case_id == case_id, scope.covers_class())
        .order_by(Review.id)
    )
    return fetch(connection, query, ReviewOfCase)


class OwnReview(Protocol):
    id: int
    finding_id: int
    created_ms: int


def of_case_by(
    connection: Connection, case_id: int, user_id: int, since_ms: int
) -> Sequence[OwnReview]:
    """What a person decided in a case since then and what still counts."""
    query = (
        select(Review.id, Review.finding_id, Review.created_ms)
        .join(Finding, Finding.id == Review.finding_id)
        .where(
            Finding.case_id == case_id,
            Review.reviewer_id == user_id,
            Review.created_ms >= since_ms,
            Review.superseded_ms.is_(None),
            Review.decision.in_(("uphold", "overturn", "need_more")),
        )
    )
    return fetch(connection, query, OwnReview)


def supersede(connection: Connection, review_ids: Collection[int], now_ms: int) -> list[int]:
    """Let reviews count no more; their findings, in order."""
    found: set[int] = set()
    ids = list(review_ids)
    for start in range(0, len(ids), 500):
        chosen = Review.id.in_(ids[start : start + 500])
        connection.execute(update(Review).where(chosen).values(superseded_ms=now_ms))
        found.update(connection.scalars(select(Review.finding_id).where(chosen)))
    return sorted(found)


class AppealWithFiler(AppealRow, Protocol):
    """An appeal with the learner whose own page filed it, if one did."""

    filer: str | None
    filer_id: int | None


def appeals_of(connection: Connection, finding_ids: Iterable[int]) -> Sequence[AppealWithFiler]:
    """Appeals against the findings, oldest first; `filer` is the learner whose own page filed it,
    `filer_id` their account."""
    link = literal("learner-link:").concat(cast_sql(LearnerLink.id, String))
    return fetch(
        connection,
        select(Appeal, Learner.name.label("filer"), Learner.id.label("filer_id"))
        .join(LearnerLink, link == Appeal.filed_by, isouter=True)
        .join(Enrolment, Enrolment.id == LearnerLink.enrolment_id, isouter=True)
        .join(Learner, Learner.id == Enrolment.learner_id, isouter=True)
        .where(Appeal.finding_id.in_(list(finding_ids)))
        .order_by(Appeal.id),
        AppealWithFiler,
    )


def appeal(connection: Connection, appeal_id: int) -> AppealRow | None:
    return fetch_one_or_none(connection, select(Appeal).where(Appeal.id == appeal_id), AppealRow)


def answer(connection: Connection, appeal_id: int, **values: Any) -> None:
    connection.execute(update(Appeal).where(Appeal.id == appeal_id).values(**values))


def insert_review(
    connection: Connection,
    *,
    finding_id: int,
    reviewer_id: int,
    stage: str,
    decision: str,
    reason: str,
    created_ms: int,
) -> int:
    statement = insert(Review).values(
        finding_id=finding_id,
        reviewer_id=reviewer_id,
        stage=stage,
        decision=decision,
        reason=reason,
        created_ms=created_ms,
    )
    return connection.execute(statement.returning(Review.id)).scalar_one()


def set_status(connection: Connection, finding_id: int, status: str, now_ms: int) -> None:
    connection.execute(
        update(Finding).where(Finding.id == finding_id).values(status=status, updated_ms=now_ms)
    )
