"""What is known of one person over all classes, years and platforms, within a scope."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, select

from app.store import stays
from app.store.row import fetch
from app.store.scope import AccessScope
from models import AssessmentRecord, Enrolment, HistoryRecord, Learner, Platform, TrainingClass


class EnrolledTraining(Protocol):
    """An enrolment of the person with its class."""

    enrolment_id: int
    learner_id: int
    learner: str
    name: str
    id_last4: str | None
    class_id: int
    klass: str
    official_class_no: str | None
    occupation: str
    institution: str
    county: str
    terms: dict[str, Any]
    starts_on: str
    ends_on: str
    last_on: str | None
    pack_id: str
    pack_version: str
    platform_id: int
    platform: str


def trainings(
    connection: Connection, scope: AccessScope, person_id: int
) -> Sequence[EnrolledTraining]:
    """Newest class first."""
    query = (
        select(
            Enrolment.id.label("enrolment_id"),
            Learner.id.label("learner_id"),
            Learner.external_id.label("learner"),
            Learner.name,
            Learner.id_last4,
            TrainingClass.id.label("class_id"),
            TrainingClass.external_id.label("klass"),
            TrainingClass.official_class_no,
            TrainingClass.occupation,
            TrainingClass.institution,
            TrainingClass.county,
            TrainingClass.terms,
            TrainingClass.starts_on,
            TrainingClass.ends_on,
            Enrolment.last_on,
            TrainingClass.pack_id,
            TrainingClass.pack_version,
            Platform.id.label("platform_id"),
            Platform.name.label("platform"),
        )
        .join(Learner, Learner.id == Enrolment.learner_id)
        .join(TrainingClass, TrainingClass.id == Enrolment.class_id)
        .join(Platform, Platform.id == TrainingClass.platform_id)
        .where(Learner.person_id == person_id, scope.covers_class(), stays.ever_in_class())
        .order_by(TrainingClass.starts_on.desc(), TrainingClass.id.desc())
    )
    return fetch(connection, query, EnrolledTraining)


class AssessedRow(Protocol):
    class_id: int
    held_on: str
    passed: bool | None
    body: dict[str, Any]


def assessments(connection: Connection, learner_ids: Collection[int]) -> Sequence[AssessedRow]:
    """Assessments of these accounts, oldest first."""
    query = select(AssessmentRecord).where(AssessmentRecord.learner_id.in_(learner_ids))
    return fetch(connection, query.order_by(AssessmentRecord.held_on), AssessedRow)


class EarlierRow(Protocol):
    occupation: str
    level: str | None
    started_on: str
    assessed_on: str | None
    subsidised: bool
    body: dict[str, Any]
    platform: str


def earlier(
    connection: Connection, person_id: int, platform_ids: Collection[int]
) -> Sequence[EarlierRow]:
    """Trainings that these platforms reported from a register, newest first."""
    query = (
        select(HistoryRecord, Platform.name.label("platform"))
        .join(Platform, Platform.id == HistoryRecord.platform_id)
        .where(HistoryRecord.person_id == person_id, HistoryRecord.platform_id.in_(platform_ids))
        .order_by(HistoryRecord.started_on.desc(), HistoryRecord.id)
    )
    return fetch(connection, query, EarlierRow)
