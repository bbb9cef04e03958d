"""What the lists of a class are made of: its people, plan, ledger, photos, reviews and records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import msgspec
from sqlalchemy import Connection, distinct, func, select

from app.store import stays
from app.store.catalogue.catalogue import ClassRow
from app.store.controls.controls import ControlRow
from app.store.events import ledgers
from app.store.review.finding_rows import FindingRow
from app.store.review.findings import AppealRow
from app.store.review.reviews import ReviewRow
from app.store.row import fetch, fetch_one, typed
from models import (
    Appeal,
    AssessmentRecord,
    ClassHour,
    Course,
    CourseVersion,
    Enrolment,
    Finding,
    Learner,
    LearnerKey,
    Lesson,
    Platform,
    ReferencePhoto,
    Review,
    Session,
    Snapshot,
    TrainingClass,
    User,
)


class ReportedClass(ClassRow, Protocol):
    slug: str
    platform_name: str


def klass(connection: Connection, class_id: int) -> ReportedClass:
    """The class with its platform's slug and name."""
    return fetch_one(
        connection,
        select(TrainingClass, Platform.slug, Platform.name.label("platform_name"))
        .join(Platform, Platform.id == TrainingClass.platform_id)
        .where(TrainingClass.id == class_id),
        ReportedClass,
    )


class MemberRow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is enrolled; the key is that of their face data, where there ever was one."""

    enrolment_id: int
    employer: str | None
    category: str | None
    first_on: str | None
    last_on: str | None
    ended_by: str | None
    away: list[Any] | None
    id: int
    external_id: str
    name: str
    id_last4: str | None
    real_name_verified: bool | None
    face_consent: bool
    consent_ms: int | None
    consent_document: str | None
    key_made_ms: int | None
    key_destroyed_ms: int | None


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """A class-hour of the plan with its course; `pieces` as the plan froze them."""

    number: int
    media_ms: int
    pieces: list[Any]
    course: str
    course_id: str


def members(connection: Connection, class_id: int) -> list[MemberRow]:
    """Who is or was in the class, by the platform's ids."""
    rows = connection.execute(
        select(
            Enrolment.id.label("enrolment_id"),
            Enrolment.employer,
            Enrolment.category,
            Enrolment.first_on,
            Enrolment.last_on,
            Enrolment.ended_by,
            Enrolment.away,
            Learner.id,
            Learner.external_id,
            Learner.name,
            Learner.id_last4,
            Learner.real_name_verified,
            Learner.face_consent,
            Learner.consent_ms,
            Learner.consent_document,
            LearnerKey.created_ms.label("key_made_ms"),
            LearnerKey.destroyed_ms.label("key_destroyed_ms"),
        )
        .join(Learner, Learner.id == Enrolment.learner_id)
        .join(LearnerKey, LearnerKey.learner_id == Learner.id, isouter=True)
        .where(Enrolment.class_id == class_id, stays.ever_in_class())
        .order_by(Learner.external_id)
    )
    return typed(rows, MemberRow)


class KeptOnDay(NamedTuple):
    """What was kept of a class's sittings on one day."""

    learners: int
    sittings: int
    photos: int


def kept_on(connection: Connection, class_id: int, from_ms: int, until_ms: int) -> KeptOnDay:
    """Sittings that began from one instant to another, and photos of theirs that are kept."""
    mine = Session.class_id == class_id
    opened = Session.opened_ms.between(from_ms, until_ms - 1)
    learners, sittings = connection.execute(
        select(func.count(distinct(Session.learner_id)), func.count()).where(mine, opened)
    ).one()
    photos = connection.scalar(
        select(func.count())
        .select_from(Snapshot)
        .join(Session, Session.id == Snapshot.session_id)
        .where(mine, opened, Snapshot.blob_key.is_not(None), Snapshot.removed_ms.is_(None))
    )
    return KeptOnDay(learners, sittings, photos or 0)


def hours(connection: Connection, class_id: int) -> list[PlanRow]:
    """The class-hour plan with the title of each one's course."""
    rows = connection.execute(
        select(
            ClassHour.number,
            ClassHour.media_ms,
            ClassHour.pieces,
            CourseVersion.title.label("course"),
            Course.external_id.label("course_id"),
        )
        .join(CourseVersion, CourseVersion.id == ClassHour.course_version_id)
        .join(Course, Course.id == CourseVersion.course_id)
        .where(ClassHour.class_id == class_id)
        .order_by(ClassHour.number)
    )
    return typed(rows, PlanRow)


def findings(connection: Connection, class_id: int) -> list[FindingRow]:
    """Findings of acting rules that stand or were decided, in the order they were entered."""
    rows = connection.execute(
        select(Finding)
        .where(Finding.class_id == class_id, Finding.shadow.is_(False), Finding.status != "gone")
        .order_by(Finding.id)
    )
    return typed(rows, FindingRow)


def reviews(connection: Connection, class_id: int) -> Sequence[ReviewRow]:
    """Reviews of the class's findings that count, with their reviewers' names, oldest first."""
    return fetch(
        connection,
        select(Review, User.display_name.label("reviewer"))
        .join(Finding, Finding.id == Review.finding_id)
        .join(User, User.id == Review.reviewer_id)
        .where(Finding.class_id == class_id, Review.superseded_ms.is_(None))
        .order_by(Review.id),
        ReviewRow,
    )


def appeals(connection: Connection, class_id: int) -> Sequence[AppealRow]:
    return fetch(
        connection,
        select(Appeal)
        .join(Finding, Finding.id == Appeal.finding_id)
        .where(Finding.class_id == class_id)
        .order_by(Appeal.id),
        AppealRow,
    )


class ReportedControl(ControlRow, Protocol):
    session: str
    learner_id: int
    lesson: str


def controls(connection: Connection, class_id: int, kind: str) -> Sequence[ReportedControl]:
    """The ledger's lines of one kind, in the order of issue."""
    control = ledgers.opened(connection, Session.class_id == class_id).controls
    return fetch(
        connection,
        select(
            control,
            Session.external_id.label("session"),
            Session.learner_id,
            Lesson.title.label("lesson"),
        )
        .join(Session, Session.id == control.session_id)
        .join(Lesson, Lesson.id == Session.lesson_id)
        .where(Session.class_id == class_id, control.kind == kind)
        .order_by(Session.learner_id, control.issued_ms, control.id),
        ReportedControl,
    )


class ReportedPhoto(Protocol):
    id: int
    external_id: str
    purpose: str
    taken_at_ms: int | None
    received_ms: int
    sha256: bytes
    media_type: str
    size: int
    blob_key: str | None
    purged_ms: int | None
    removal_ms: int | None
    check: int
    score: float | None
    limit: float | None
    checked_ms: int | None
    session: str
    learner_id: int
    challenge_id: str | None
    random_time: bool | None


def photos(connection: Connection, class_id: int) -> Sequence[ReportedPhoto]:
    """Photos of the class's sittings, without a single pixel."""
    opened = ledgers.opened(connection, Session.class_id == class_id)
    control, photo = opened
    return fetch(
        connection,
        select(
            photo.id,
            photo.external_id,
            photo.purpose,
            photo.taken_at_ms,
            photo.received_ms,
            photo.sha256,
            photo.media_type,
            photo.size,
            photo.blob_key,
            photo.purged_ms,
            photo.removal_ms,
            photo.check,
            photo.score,
            photo.limit,
            photo.checked_ms,
            Session.external_id.label("session"),
            Session.learner_id,
            control.challenge_id,
            control.random_time,
        )
        .join(Session, Session.id == photo.session_id)
        .join(control, opened.of_photo, isouter=True)
        .where(Session.class_id == class_id)
        .order_by(Session.learner_id, photo.received_ms, photo.id),
        ReportedPhoto,
    )


class HeldReference(Protocol):
    learner_id: int
    sha256: bytes
    model: str | None
    status: str
    created_ms: int
    retired_ms: int | None
    has_photo: bool
    has_template: bool


def reference_photos(connection: Connection, class_id: int) -> Sequence[HeldReference]:
    """Enrolled photos of the class's learners: what is still held of each."""
    return fetch(
        connection,
        select(
            ReferencePhoto.learner_id,
            ReferencePhoto.sha256,
            ReferencePhoto.model,
            ReferencePhoto.status,
            ReferencePhoto.created_ms,
            ReferencePhoto.retired_ms,
            ReferencePhoto.blob_key.is_not(None).label("has_photo"),
            ReferencePhoto.template_encrypted.is_not(None).label("has_template"),
        )
        .join(Enrolment, Enrolment.learner_id == ReferencePhoto.learner_id)
        .where(Enrolment.class_id == class_id)
        .order_by(ReferencePhoto.learner_id, ReferencePhoto.id),
        HeldReference,
    )


class ReportedSitting(Protocol):
    id: int
    external_id: str
    learner_id: int
    opened_ms: int
    closed_ms: int | None


def sessions(connection: Connection, class_id: int) -> Sequence[ReportedSitting]:
    """When the class's sittings began and ended, and whose they were."""
    return fetch(
        connection,
        select(
            Session.id,
            Session.external_id,
            Session.learner_id,
            Session.opened_ms,
            Session.closed_ms,
        )
        .where(Session.class_id == class_id)
        .order_by(Session.opened_ms, Session.id),
        ReportedSitting,
    )


class AssessmentRow(Protocol):
    learner_id: int
    held_on: str
    passed: bool | None
    body: dict[str, Any]


def assessments(connection: Connection, class_id: int) -> Sequence[AssessmentRow]:
    return fetch(
        connection,
        select(AssessmentRecord)
        .where(AssessmentRecord.class_id == class_id)
        .order_by(AssessmentRecord.learner_id, AssessmentRecord.held_on),
        AssessmentRow,
    )
