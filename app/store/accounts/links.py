"""Rows of `learner_links`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection, func, insert, select, update

from app.store.row import fetch, fetch_one_or_none
from models import Appeal, Enrolment, Learner, LearnerLink, TrainingClass


def add(
    connection: Connection, enrolment_id: int, issued_by: str, now_ms: int, expires_ms: int
) -> int:
    query = insert(LearnerLink).values(
        enrolment_id=enrolment_id, issued_by=issued_by, created_ms=now_ms, expires_ms=expires_ms
    )
    return int(connection.execute(query.returning(LearnerLink.id)).scalar_one())


class LinkRow(Protocol):
    """A learner's link with whom it is for."""

    id: int
    enrolment_id: int
    issued_by: str
    expires_ms: int

    learner_id: int
    learner_name: str


class LinkCase(LinkRow, Protocol):
    class_id: int
    platform_id: int


def one(connection: Connection, link_id: int) -> LinkCase | None:
    """The link with whom and what it shows."""
    return fetch_one_or_none(
        connection,
        select(
            LearnerLink,
            Enrolment.learner_id,
            Enrolment.class_id,
            Learner.name.label("learner_name"),
            TrainingClass.platform_id,
        )
        .join(Enrolment, Enrolment.id == LearnerLink.enrolment_id)
        .join(Learner, Learner.id == Enrolment.learner_id)
        .join(TrainingClass, TrainingClass.id == Enrolment.class_id)
        .where(LearnerLink.id == link_id),
        LinkCase,
    )


def of_class(
    connection: Connection, class_id: int, before: int | None, size: int
) -> Sequence[LinkRow]:
    """The class's links with whom each is for, newest first."""
    query = (
        select(LearnerLink, Enrolment.learner_id, Learner.name.label("learner_name"))
        .join(Enrolment, Enrolment.id == LearnerLink.enrolment_id)
        .join(Learner, Learner.id == Enrolment.learner_id)
        .where(Enrolment.class_id == class_id)
        .order_by(LearnerLink.id.desc())
        .limit(size)
    )
    return fetch(
        connection, query if before is None else query.where(LearnerLink.id < before), LinkRow
    )


def revoke_one(connection: Connection, link_id: int, now_ms: int) -> bool:
    """End one link; False when it had been ended before."""
    result = connection.execute(
        update(LearnerLink)
        .where(LearnerLink.id == link_id, LearnerLink.revoked_ms.is_(None))
        .values(revoked_ms=now_ms)
    )
    return bool(result.rowcount)


def opened(connection: Connection, link_id: int, now_ms: int) -> None:
    connection.execute(
        update(LearnerLink).where(LearnerLink.id == link_id).values(opened_ms=now_ms)
    )


def revoke(connection: Connection, enrolment_id: int, now_ms: int) -> int:
    """End every link of an enrolment; how many were open."""
    result = connection.execute(
        update(LearnerLink)
        .where(LearnerLink.enrolment_id == enrolment_id, LearnerLink.revoked_ms.is_(None))
        .values(revoked_ms=now_ms)
    )
    return int(result.rowcount)


def appeals_since(connection: Connection, filed_by: str, since_ms: int) -> int:
    query = (
        select(func.count())
        .select_from(Appeal)
        .where(Appeal.filed_by == filed_by, Appeal.created_ms > since_ms)
    )
    return int(connection.execute(query).scalar_one())
