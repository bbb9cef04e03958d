"""What is read around one class: its plan, its learners, and what was concluded on each hour."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from sqlalchemy import Connection, Select, func, or_, select, update

from app.store import stays
from app.store.bodies import KINDS, EnrolmentVerdict, HourVerdict, Kind, StoredVerdict, stored
from app.store.catalogue.catalogue import ClassRow
from app.store.current_verdicts import current_ids
from app.store.review.finding_queue import GONE, TO_DO
from app.store.review.finding_rows import FindingRow
from app.store.row import fetch, fetch_one_or_none, typed
from app.store.scope import AccessScope
from models import (
    ClassHour,
    Enrolment,
    Finding,
    Learner,
    Lesson,
    Platform,
    Session,
    TrainingClass,
    Verdict,
)


class ListedClass(ClassRow, Protocol):
    platform_name: str
    learners: int
    waiting: int
    outcome: str | None


def page(
    connection: Connection, scope: AccessScope, text: str, before: int | None, size: int
) -> Sequence[ListedClass]:
    """Classes current first with how many learners and open findings each has."""
    learners = (
        select(func.count())
        .where(Enrolment.class_id == TrainingClass.id, stays.in_class())
        .scalar_subquery()
        .label("learners")
    )
    waiting = (
        select(func.count())
        .where(
            Finding.class_id == TrainingClass.id,
            Finding.status.in_(TO_DO),
            Finding.shadow.is_(False),
        )
        .scalar_subquery()
        .label("waiting")
    )
    verdict = _concluded("class", TrainingClass.id).label("outcome")
    query = (
        select(TrainingClass, Platform.name.label("platform_name"), learners, waiting, verdict)
        .join(Platform, Platform.id == TrainingClass.platform_id)
        .where(scope.covers_class())
        .order_by(TrainingClass.id.desc())
        .limit(size)
    )
    if before is not None:
        query = query.where(TrainingClass.id < before)
    if text:
        query = query.where(
            or_(
                TrainingClass.external_id.contains(text, autoescape=True),
                TrainingClass.official_class_no.contains(text, autoescape=True),
                TrainingClass.institution.contains(text, autoescape=True),
                TrainingClass.occupation.contains(text, autoescape=True),
            )
        )
    return fetch(connection, query, ListedClass)


def _concluded(kind: str, subject_id: Any) -> Any:
    """The latest outcome of a class or enrolment of the query around it."""
    return (
        select(Verdict.outcome)
        .where(Verdict.subject_kind == kind, Verdict.subject_id == subject_id, Verdict.hour == 0)
        .order_by(Verdict.id.desc())
        .limit(1)
        .scalar_subquery()
    )


class ClassCase(ClassRow, Protocol):
    institution: str
    assessment_on: str | None
    platform_name: str
    platform: str


def klass(connection: Connection, class_id: int, scope: AccessScope) -> ClassCase | None:
    """The class with its platform's name, or None when there is none within the scope."""
    return fetch_one_or_none(
        connection,
        select(TrainingClass, Platform.name.label("platform_name"), Platform.slug.label("platform"))
        .join(Platform, Platform.id == TrainingClass.platform_id)
        .where(TrainingClass.id == class_id, scope.covers_class()),
        ClassCase,
    )


@dataclass(frozen=True, slots=True)
class NamedClass:
    """A class's row id and what it teaches."""

    id: int
    occupation: str
    sandbox: bool = False


def ids_of(
    connection: Connection, scope: AccessScope, external_ids: Sequence[str], slug: str
) -> dict[str, NamedClass]:
    """A platform's classes by the platform's own ids."""
    rows = connection.execute(
        select(
            TrainingClass.external_id,
            TrainingClass.id,
            TrainingClass.occupation,
            TrainingClass.sandbox,
        )
        .join(Platform, Platform.id == TrainingClass.platform_id)
        .where(
            Platform.slug == slug,
            TrainingClass.external_id.in_(external_ids),
            scope.covers_class(),
        )
    )
    return {
        row.external_id: NamedClass(row.id, row.occupation, sandbox=row.sandbox) for row in rows
    }


class PlanHour(Protocol):
    number: int
    media_ms: int
    pieces: list[Any]


def opening_after(connection: Connection, county: str, day: date) -> list[int]:
    """The county's classes that begin after that day."""
    query = select(TrainingClass.id).where(
        TrainingClass.county == county, TrainingClass.starts_on > day.isoformat()
    )
    return list(connection.scalars(query.order_by(TrainingClass.id)))


def hours(connection: Connection, class_id: int) -> Sequence[PlanHour]:
    """The frozen plan: (number, media_ms, pieces) in order."""
    return fetch(
        connection,
        select(ClassHour.number, ClassHour.media_ms, ClassHour.pieces)
        .where(ClassHour.class_id == class_id)
        .order_by(ClassHour.number),
        PlanHour,
    )


class PlanLesson(Protocol):
    id: int
    external_id: str
    title: str


def lessons(connection: Connection, class_id: int) -> Sequence[PlanLesson]:
    """The lessons that the plan names, in its order."""
    named = [piece["lesson_id"] for it in hours(connection, class_id) for piece in it.pieces]
    rows = fetch(
        connection,
        select(Lesson.id, Lesson.external_id, Lesson.title).where(Lesson.id.in_(named)),
        PlanLesson,
    )
    return sorted(rows, key=lambda it: named.index(it.id))


class RosterRow(Protocol):
    enrolment_id: int
    category: str | None
    employer: str | None
    first_on: str | None
    last_on: str | None
    ended_by: str | None
    away: list[Any] | None
    id: int
    person_id: int
    external_id: str
    name: str
    id_last4: str | None
    real_name_verified: bool | None
    face_consent: bool


def roster(
    connection: Connection, class_id: int, learner_id: int | None = None
) -> Sequence[RosterRow]:
    """Who is or was in the class, in the order of enrolment; one of them where one is named."""
    query = (
        select(
            Enrolment.id.label("enrolment_id"),
            Enrolment.category,
            Enrolment.employer,
            Enrolment.first_on,
            Enrolment.last_on,
            Enrolment.ended_by,
            Enrolment.away,
            Learner.id,
            Learner.person_id,
            Learner.external_id,
            Learner.name,
            Learner.id_last4,
            Learner.real_name_verified,
            Learner.face_consent,
        )
        .join(Learner, Learner.id == Enrolment.learner_id)
        .where(Enrolment.class_id == class_id, stays.ever_in_class())
        .order_by(Enrolment.id)
    )
    if learner_id is not None:
        query = query.where(Enrolment.learner_id == learner_id)
    return fetch(connection, query, RosterRow)


class ClassElsewhere(Protocol):
    id: int
    external_id: str
    occupation: str
    starts_on: str
    ends_on: str
    platform_name: str
    learner_id: int
    outcome: str | None


def other_classes(
    connection: Connection, learner_id: int, class_id: int, scope: AccessScope
) -> Sequence[ClassElsewhere]:
    """Other classes in scope that the same person is or was in, on whatever platform, current
    first, each with the person's account there and the latest conclusion on them."""
    person = select(Learner.person_id).where(Learner.id == learner_id).scalar_subquery()
    concluded = _concluded("enrolment", Enrolment.id)
    return fetch(
        connection,
        select(
            TrainingClass.id,
            TrainingClass.external_id,
            TrainingClass.occupation,
            TrainingClass.starts_on,
            TrainingClass.ends_on,
            Platform.name.label("platform_name"),
            Learner.id.label("learner_id"),
            concluded.label("outcome"),
        )
        .join(Enrolment, Enrolment.class_id == TrainingClass.id)
        .join(Learner, Learner.id == Enrolment.learner_id)
        .join(Platform, Platform.id == TrainingClass.platform_id)
        .where(
            Learner.person_id == person,
            TrainingClass.id != class_id,
            scope.covers_class(),
            stays.ever_in_class(),
        )
        .order_by(TrainingClass.id.desc()),
        ClassElsewhere,
    )


def latest(
    connection: Connection,
    class_id: int,
    kind: type[Kind],
    pack: str,
    subject_id: int | None = None,
) -> list[StoredVerdict[Kind]]:
    """The current verdicts of one kind under one pack."""
    current = _current_ids(class_id, KINDS[kind], pack)
    if subject_id is not None:
        current = current.where(Verdict.subject_id == subject_id)
    return stored(connection.execute(select(Verdict).where(Verdict.id.in_(current))), kind)


def enrolment_outcomes(connection: Connection, class_id: int, pack: str) -> dict[int, str]:
    """The current outcome of every enrolment under one pack."""
    query = select(Verdict.subject_id, Verdict.outcome).where(
        Verdict.id.in_(_current_ids(class_id, KINDS[EnrolmentVerdict], pack))
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _current_ids(class_id: int, kind: str, pack: str) -> Select[int]:
    return current_ids(
        Verdict.class_id == class_id, Verdict.subject_kind == kind, Verdict.pack == pack
    )


class HourMark(Protocol):
    subject_id: int
    hour: int
    outcome: str
    body: bytes


def hour_marks(connection: Connection, class_id: int, pack: str) -> Sequence[HourMark]:
    """The current verdict on every class-hour of every learner: (enrolment id, number, outcome,
    body). Lean, for there are thousands."""
    current = _current_ids(class_id, KINDS[HourVerdict], pack)
    return fetch(
        connection,
        select(Verdict.subject_id, Verdict.hour, Verdict.outcome, Verdict.body).where(
            Verdict.id.in_(current)
        ),
        HourMark,
    )


def waiting_by_learner(connection: Connection, class_id: int) -> dict[int | None, int]:
    """Open findings of each learner of the class; None: of the class itself."""
    rows = connection.execute(
        select(Finding.learner_id, func.count())
        .where(
            Finding.class_id == class_id,
            Finding.status.in_(TO_DO),
            Finding.shadow.is_(False),
        )
        .group_by(Finding.learner_id)
    )
    return {row[0]: row[1] for row in rows}


def open_rules(connection: Connection, class_id: int) -> dict[str, int]:
    """Findings on sittings of the class that stand, by rule."""
    rows = connection.execute(
        select(Finding.rule, func.count())
        .where(
            Finding.class_id == class_id,
            Finding.session_id.is_not(None),
            Finding.status.not_in((GONE, "overturned")),
            Finding.shadow.is_(False),
        )
        .group_by(Finding.rule)
    )
    return {row[0]: row[1] for row in rows}


def findings(
    connection: Connection, class_id: int, learner_id: int | None, limit: int
) -> list[FindingRow]:
    """Findings on one learner of the class, or those on the class itself; current first."""
    query = (
        select(Finding)
        .where(Finding.class_id == class_id, Finding.shadow.is_(False), Finding.status != GONE)
        .order_by(Finding.id.desc())
        .limit(limit)
    )
    if learner_id is None:
        query = query.where(Finding.learner_id.is_(None))
    else:
        query = query.where(Finding.learner_id == learner_id)
    return typed(connection.execute(query), FindingRow)


def findings_on(connection: Connection, session_ids: Collection[int]) -> list[FindingRow]:
    """What stands or was decided on these sittings, in the order of time."""
    rows = connection.execute(
        select(Finding)
        .where(
            Finding.session_id.in_(session_ids),
            Finding.shadow.is_(False),
            Finding.status != GONE,
        )
        .order_by(Finding.start_ms, Finding.id)
    )
    return typed(rows, FindingRow)


class SittingOfLearner(Protocol):
    id: int
    external_id: str
    opened_ms: int
    closed_ms: int | None
    last_recv_ms: int
    state: str
    provenance: str
    lesson_title: str
    lesson_position: int


def sittings(
    connection: Connection,
    class_id: int,
    learner_id: int,
    limit: int,
    lesson_ids: Collection[int] | None = None,
) -> Sequence[SittingOfLearner]:
    """The learner's sittings in the class, or those of some lessons, current first."""
    query = (
        select(
            Session.id,
            Session.external_id,
            Session.opened_ms,
            Session.closed_ms,
            Session.last_recv_ms,
            Session.state,
            Session.provenance,
            Lesson.title.label("lesson_title"),
            Lesson.position.label("lesson_position"),
        )
        .join(Lesson, Lesson.id == Session.lesson_id)
        .where(Session.learner_id == learner_id, Session.class_id == class_id)
        .order_by(Session.opened_ms.desc())
        .limit(limit)
    )
    if lesson_ids is not None:
        query = query.where(Session.lesson_id.in_(lesson_ids))
    return fetch(connection, query, SittingOfLearner)


def set_scale(connection: Connection, class_id: int, scale: str, user_id: int, now_ms: int) -> None:
    connection.execute(
        update(TrainingClass)
        .where(TrainingClass.id == class_id)
        .values(scale_chosen=scale, scale_chosen_by=user_id, scale_chosen_ms=now_ms)
    )


def open_now(connection: Connection, class_id: int) -> int:
    """How many sittings of the class are going on."""
    return (
        connection.scalar(
            select(func.count()).where(Session.class_id == class_id, Session.state == "open")
        )
        or 0
    )
