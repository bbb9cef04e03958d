"""Findings as a reader of the API asks for them, and appeals against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, func, insert, select

from app.store.review.finding_rows import NamedFinding
from app.store.row import fetch_one_or_none, typed, typed_or_none
from app.store.scope import AccessScope
from models import Appeal, Finding, Learner, Platform, Session, TrainingClass

GONE = "gone"


@dataclass(frozen=True, slots=True)
class FindingQuery:
    """What is asked for; None matches all. Findings that no longer stand come only when their
    status is asked for. `since_ms`: entered or changed from then on."""

    rule: str | None = None
    outcome: str | None = None
    status: str | None = None
    since_ms: int | None = None
    class_id: int | None = None
    learner: str | None = None
    session: str | None = None


def page(
    connection: Connection, scope: AccessScope, wanted: FindingQuery, after: int, size: int
) -> list[NamedFinding]:
    """Up to `size` findings with ids above `after`, in the order they were entered."""
    query = _findings(scope).where(Finding.id > after).order_by(Finding.id).limit(size)
    for column, value in (
        (Finding.rule, wanted.rule),
        (Finding.outcome, wanted.outcome),
        (Finding.status, wanted.status),
        (Finding.class_id, wanted.class_id),
        (Learner.external_id, wanted.learner),
        (Session.external_id, wanted.session),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.status is None:
        query = query.where(Finding.status != GONE)
    if wanted.since_ms is not None:
        query = query.where(Finding.updated_ms >= wanted.since_ms)
    return typed(connection.execute(query), NamedFinding)


def waiting_of_rule(connection: Connection, rule: str) -> int:
    """How many findings of a rule wait for a person, whatever class they are in."""
    waiting = Finding.status.in_(("open", "first_review"))
    query = select(func.count()).where(Finding.rule == rule, waiting)
    return int(connection.execute(query).scalar_one())


def of_class(connection: Connection, class_id: int, limit: int) -> list[NamedFinding]:
    """Findings of a class that stand or were decided, in the order of time."""
    query = _findings(AccessScope()).where(Finding.class_id == class_id, Finding.status != GONE)
    return typed(connection.execute(query.order_by(Finding.id).limit(limit)), NamedFinding)


def one(connection: Connection, scope: AccessScope, finding_id: int) -> NamedFinding | None:
    found = connection.execute(_findings(scope).where(Finding.id == finding_id)).one_or_none()
    return typed_or_none(found, NamedFinding)


class AppealRow(Protocol):
    id: int
    finding_id: int
    filed_by: str
    statement: str
    created_ms: int
    outcome: str | None
    reply: str | None
    replied_ms: int | None


def appeal(
    connection: Connection, finding_id: int, filed_by: str, statement: str
) -> AppealRow | None:
    """The same appeal, if it was filed before."""
    return fetch_one_or_none(
        connection,
        select(Appeal)
        .where(
            Appeal.finding_id == finding_id,
            Appeal.filed_by == filed_by,
            Appeal.statement == statement,
        )
        .limit(1),
        AppealRow,
    )


def insert_appeal(connection: Connection, **values: Any) -> int:
    statement = insert(Appeal).values(**values).returning(Appeal.id)
    return connection.execute(statement).scalar_one()


def _findings(scope: AccessScope) -> Any:
    """Findings of rules that act, with the names around them."""
    return (
        select(
            Finding,
            TrainingClass.external_id.label("klass"),
            TrainingClass.starts_on,
            TrainingClass.ends_on,
            Learner.external_id.label("learner"),
            Platform.slug.label("platform"),
        )
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .join(Platform, Platform.id == Finding.platform_id)
        .join(Learner, Learner.id == Finding.learner_id, isouter=True)
        .join(Session, Session.id == Finding.session_id, isouter=True)
        .where(scope.covers_class(), Finding.shadow.is_(False))
    )
