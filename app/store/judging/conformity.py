"""What a class's ledger and verdicts say about the controls that were at work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, and_, case, func, select, true

from app.store.bodies import ClassVerdict, class_verdict
from app.store.catalogue.catalogue import ClassRow
from app.store.current_verdicts import current_ids
from app.store.events import ledgers
from app.store.row import fetch, stream
from app.store.scope import AccessScope
from detectors.trace import Check, ControlFlag
from models import (
    Course,
    CourseVersion,
    Finding,
    Learner,
    Lesson,
    Session,
    TrainingClass,
    Verdict,
)

_COMPARED = (Check.MATCH, Check.REVIEW, Check.MISMATCH, Check.SPOOF)


class ClassSitting(Protocol):
    id: int
    state: str
    provenance: str
    opened_ms: int
    closed_ms: int | None
    last_recv_ms: int
    event_count: int
    face_consent: bool


def sittings(connection: Connection, class_id: int) -> Sequence[ClassSitting]:
    """Sittings of the class in the order they began."""
    return fetch(
        connection,
        select(
            Session.id,
            Session.state,
            Session.provenance,
            Session.opened_ms,
            Session.closed_ms,
            Session.last_recv_ms,
            Session.event_count,
            Learner.face_consent,
        )
        .join(Learner, Learner.id == Session.learner_id)
        .where(Session.class_id == class_id)
        .order_by(Session.opened_ms, Session.external_id),
        ClassSitting,
    )


class SittingVerdict(Protocol):
    subject_id: int
    outcome: str
    body: bytes


def session_verdicts(connection: Connection, class_id: int) -> dict[int, SittingVerdict]:
    """(outcome, body) of the current verdict on each judged sitting."""
    current = current_ids(Verdict.class_id == class_id, Verdict.subject_kind == "session")
    query = (
        select(Verdict.subject_id, Verdict.outcome, Verdict.body)
        .where(Verdict.id.in_(current))
        .execution_options(zhenxue_binary=True)
    )
    return {row.subject_id: row for row in stream(connection, query, SittingVerdict)}


def hour_bodies(connection: Connection, class_id: int) -> Sequence[bytes]:
    """Bodies of the current class-hour verdicts."""
    current = current_ids(Verdict.class_id == class_id, Verdict.subject_kind == "class_hour")
    query = select(Verdict.body).where(Verdict.id.in_(current))
    return connection.execute(query.execution_options(zhenxue_binary=True)).scalars().all()


class LedgerCount(Protocol):
    session_id: int
    kind: str
    issued: int
    shown: int
    answered: int
    expired: int
    unannounced: int


def ledger(connection: Connection, class_id: int) -> Sequence[LedgerCount]:
    """By sitting and kind of control: how many were issued, shown, answered, expired; and how many
    the client answered without anybody having issued them."""
    control = ledgers.opened(connection, Session.class_id == class_id).controls
    unknown = control.flags.op("&")(int(ControlFlag.UNKNOWN)) != 0

    def known(happened: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((and_(~unknown, happened), 1), else_=0))

    return fetch(
        connection,
        select(
            control.session_id,
            control.kind,
            known(true()).label("issued"),
            known(control.shown_ms.is_not(None)).label("shown"),
            known(control.answered_ms.is_not(None)).label("answered"),
            known(control.expired_ms.is_not(None)).label("expired"),
            func.sum(case((unknown, 1), else_=0)).label("unannounced"),
        )
        .join(Session, Session.id == control.session_id)
        .where(Session.class_id == class_id)
        .group_by(control.session_id, control.kind),
        LedgerCount,
    )


class PhotoCount(Protocol):
    session_id: int
    photos: int
    kept: int
    random: int
    lost: int
    compared: int
    passed: int
    live: int


def photos(connection: Connection, class_id: int) -> Sequence[PhotoCount]:
    """By sitting: how many photos came, are kept, were taken at a drawn time, are lost or altered,
    were compared, and belong to a burst that turned the head as asked."""
    opened = ledgers.opened(connection, Session.class_id == class_id)
    control, photo = opened
    live = photo.reading["liveness"]["outcome"].as_string() == "live"
    kept = and_(photo.blob_key.is_not(None), photo.purged_ms.is_(None))
    random = and_(kept, control.random_time.is_(True), photo.late.is_(False))
    return fetch(
        connection,
        select(
            photo.session_id,
            func.count().label("photos"),
            func.sum(case((kept, 1), else_=0)).label("kept"),
            func.sum(case((random, 1), else_=0)).label("random"),
            func.sum(case((photo.purged_ms.is_not(None), 1), else_=0)).label("lost"),
            func.sum(case((photo.check.in_(_COMPARED), 1), else_=0)).label("compared"),
            func.sum(case((photo.check == Check.MATCH, 1), else_=0)).label("passed"),
            func.sum(case((live, 1), else_=0)).label("live"),
        )
        .join(Session, Session.id == photo.session_id)
        .join(control, opened.of_photo, isouter=True)
        .where(Session.class_id == class_id)
        .group_by(photo.session_id),
        PhotoCount,
    )


class CourseOutline(Protocol):
    external_id: str
    course_kind: str | None
    sequential_lock: bool
    lessons: int


def courses(connection: Connection, version_ids: Sequence[int]) -> Sequence[CourseOutline]:
    """The frozen courses of a class: how each is taught, and of how many lessons."""
    return fetch(
        connection,
        select(
            Course.external_id,
            CourseVersion.course_kind,
            CourseVersion.sequential_lock,
            func.count(Lesson.id).label("lessons"),
        )
        .join(Course, Course.id == CourseVersion.course_id)
        .join(Lesson, Lesson.course_version_id == CourseVersion.id, isouter=True)
        .where(CourseVersion.id.in_(version_ids))
        .group_by(
            Course.external_id,
            CourseVersion.id,
            CourseVersion.course_kind,
            CourseVersion.sequential_lock,
        )
        .order_by(Course.external_id, CourseVersion.id),
        CourseOutline,
    )


class FaultCount(Protocol):
    rule: str
    outcome: str
    fault: str
    times: int


def faults(connection: Connection, class_id: int) -> Sequence[FaultCount]:
    """How many standing findings on learners there are, by rule, outcome and fault."""
    by = (Finding.rule, Finding.outcome, Finding.fault)
    return fetch(
        connection,
        select(*by, func.count().label("times"))
        .where(
            Finding.class_id == class_id,
            Finding.learner_id.is_not(None),
            Finding.shadow.is_(False),
            Finding.status.in_(("open", "first_review", "upheld")),
        )
        .group_by(*by)
        .order_by(*by),
        FaultCount,
    )


def classes_of_platform(
    connection: Connection, scope: AccessScope, platform_id: int, after: int, size: int
) -> Sequence[ClassRow]:
    """The platform's classes within the scope, in the order they were opened."""
    return fetch(
        connection,
        select(TrainingClass)
        .where(
            TrainingClass.platform_id == platform_id,
            TrainingClass.id > after,
            scope.covers_class(),
        )
        .order_by(TrainingClass.id)
        .limit(size),
        ClassRow,
    )


def class_bodies(
    connection: Connection,
    scope: AccessScope,
    platform_id: int,
    since: date,
    before: date | None = None,
) -> list[tuple[str, ClassVerdict]]:
    """(day of opening, current verdict) of the platform's judged classes within the
    scope that opened since that day and, where one is given, before the other."""
    ended = true() if before is None else TrainingClass.starts_on < before.isoformat()
    latest = (
        select(func.max(Verdict.id))
        .where(Verdict.subject_kind == "class", Verdict.subject_id == TrainingClass.id)
        .correlate(TrainingClass)
        .scalar_subquery()
    )
    query = (
        select(TrainingClass.starts_on, Verdict.body)
        .join(Verdict, Verdict.id == latest)
        .where(
            TrainingClass.platform_id == platform_id,
            TrainingClass.starts_on >= since.isoformat(),
            ended,
            scope.counts_class(),
        )
        .order_by(TrainingClass.starts_on, TrainingClass.id)
    )
    return [(row.starts_on, class_verdict(row.body)) for row in connection.execute(query)]
