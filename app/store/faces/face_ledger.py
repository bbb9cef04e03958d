"""What face data is held of whom: consent, photos, templates, destroyed keys, and who looked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, ScalarSelect, case, func, or_, select

from app.store.row import fetch, fetch_one
from app.store.scope import AccessScope
from models import (
    ArchivedPhoto,
    Enrolment,
    Learner,
    LearnerKey,
    PhotoAccess,
    Platform,
    ReferencePhoto,
    Session,
    Snapshot,
    TrainingClass,
    User,
)


def _in_scope(scope: AccessScope) -> Any:
    """Ids of learners who are in a class that the scope covers."""
    return (
        select(Enrolment.learner_id)
        .join(TrainingClass, TrainingClass.id == Enrolment.class_id)
        .where(scope.covers_class())
    )


class LedgerLearner(Protocol):
    id: int
    external_id: str
    name: str
    face_consent: bool
    consent_ms: int | None
    consent_document: str | None
    platform_name: str
    key_ms: int | None
    destroyed_ms: int | None
    references: int
    templates: int
    snapshots: int
    looks: int


def page(
    connection: Connection, scope: AccessScope, text: str, after: int, size: int
) -> Sequence[LedgerLearner]:
    """Learners by id, each with what is held and how often it was looked at."""
    query = (
        select(
            Learner.id,
            Learner.external_id,
            Learner.name,
            Learner.face_consent,
            Learner.consent_ms,
            Learner.consent_document,
            Platform.name.label("platform_name"),
            LearnerKey.created_ms.label("key_ms"),
            LearnerKey.destroyed_ms,
            _enrolled(ReferencePhoto.blob_key).label("references"),
            _enrolled(ReferencePhoto.template_encrypted).label("templates"),
            _held().label("snapshots"),
            _looks().label("looks"),
        )
        .join(Platform, Platform.id == Learner.platform_id)
        .join(LearnerKey, LearnerKey.learner_id == Learner.id, isouter=True)
        .where(Learner.id.in_(_in_scope(scope)), Learner.id > after)
        .order_by(Learner.id)
        .limit(size)
    )
    if text:
        query = query.where(
            or_(
                Learner.name.contains(text, autoescape=True),
                Learner.external_id.contains(text, autoescape=True),
            )
        )
    return fetch(connection, query, LedgerLearner)


class LedgerTotals(Protocol):
    learners: int
    agreed: int | None  # None: of no learner at all
    destroyed: int | None
    persons: int


def _held() -> ScalarSelect[int]:
    """Photos of the learner of the row that are held."""
    return (
        select(func.count())
        .select_from(Snapshot)
        .join(Session, Session.id == Snapshot.session_id)
        .where(
            Session.learner_id == Learner.id,
            Snapshot.blob_key.is_not(None),
            Snapshot.purged_ms.is_(None),
            Snapshot.removal_ms.is_(None),
        )
        .scalar_subquery()
    )


def _looks() -> ScalarSelect[int]:
    """How often photos of the learner of the row were looked at."""
    mine = (
        select(it.id)
        .join(Session, Session.id == it.session_id)
        .where(Session.learner_id == Learner.id)
        for it in (Snapshot, ArchivedPhoto)
    )
    return (
        select(func.count())
        .select_from(PhotoAccess)
        .where(
            or_(
                *(PhotoAccess.snapshot_id.in_(it) for it in mine),
                PhotoAccess.reference_photo_id.in_(
                    select(ReferencePhoto.id).where(ReferencePhoto.learner_id == Learner.id)
                ),
            )
        )
        .scalar_subquery()
    )


def _enrolled(column: Any) -> ScalarSelect[int]:
    """Enrolled photos of the learner of the row in which the column is filled."""
    return (
        select(func.count())
        .where(ReferencePhoto.learner_id == Learner.id, column.is_not(None))
        .scalar_subquery()
    )


def totals(connection: Connection, scope: AccessScope) -> LedgerTotals:
    """How many learners agreed, refused, and had their key destroyed; and of how many different
    persons face data is held now, which is what the filing duty counts."""
    alive = LearnerKey.wrapped.is_not(None)
    return fetch_one(
        connection,
        select(
            func.count().label("learners"),
            func.sum(case((Learner.face_consent, 1), else_=0)).label("agreed"),
            func.sum(case((LearnerKey.destroyed_ms.is_not(None), 1), else_=0)).label("destroyed"),
            func.count(func.distinct(case((alive, Learner.person_id)))).label("persons"),
        )
        .select_from(Learner)
        .join(LearnerKey, LearnerKey.learner_id == Learner.id, isouter=True)
        .where(Learner.id.in_(_in_scope(scope))),
        LedgerTotals,
    )


def looks(connection: Connection, scope: AccessScope, limit: int) -> Sequence[Any]:
    """The latest looks at photos of learners in scope: who, when, whose, why."""
    sitting = func.coalesce(Snapshot.session_id, ArchivedPhoto.session_id)
    owner = func.coalesce(Session.learner_id, ReferencePhoto.learner_id)
    return connection.execute(
        select(
            PhotoAccess.id,
            PhotoAccess.at_ms,
            PhotoAccess.purpose,
            PhotoAccess.reference_photo_id,
            User.display_name.label("who"),
            Learner.name.label("learner_name"),
        )
        .join(User, User.id == PhotoAccess.user_id)
        .join(Snapshot, Snapshot.id == PhotoAccess.snapshot_id, isouter=True)
        .join(ArchivedPhoto, ArchivedPhoto.id == PhotoAccess.snapshot_id, isouter=True)
        .join(Session, Session.id == sitting, isouter=True)
        .join(ReferencePhoto, ReferencePhoto.id == PhotoAccess.reference_photo_id, isouter=True)
        .join(Learner, Learner.id == owner)
        .where(Learner.id.in_(_in_scope(scope)))
        .order_by(PhotoAccess.id.desc())
        .limit(limit)
    ).all()
