"""Sittings as statements find them: by name, or by learner and lesson."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, Select, select

from app.store import stays
from app.store.row import fetch, fetch_one_or_none
from models import Enrolment, Learner, Lesson, Platform, Session, TrainingClass


class PlacedSitting(Protocol):
    """A sitting with the platform's own ids of its learner and lesson."""

    id: int
    external_id: str
    class_id: int
    person_id: int
    state: str
    provenance: str
    device_id: str
    opened_ms: int
    closed_ms: int | None
    learner: str
    lesson: str
    ahead_ms: int  # of the clock of its class


class ClassWithLesson(stays.ClassStay, Protocol):
    """With the learner's stay in it."""

    external_id: str
    starts_on: str
    ends_on: str
    course_version_ids: list[int]
    ahead_ms: int


def named(
    connection: Connection, platform_id: int, names: Collection[str]
) -> Sequence[PlacedSitting]:
    query = _placed().where(Session.platform_id == platform_id, Session.external_id.in_(names))
    return fetch(connection, query, PlacedSitting)


def latest(
    connection: Connection, learner_id: int, klass: str, lesson: str
) -> PlacedSitting | None:
    """The learner's newest live sitting of a lesson."""
    query = (
        _placed()
        .where(
            Session.learner_id == learner_id,
            Session.provenance == "live",
            TrainingClass.external_id == klass,
            Lesson.external_id == lesson,
        )
        .order_by(Session.opened_ms.desc(), Session.id.desc())
        .limit(1)
    )
    return fetch_one_or_none(connection, query, PlacedSitting)


def lesson_of_class(connection: Connection, class_id: int, lesson: str) -> bool:
    """Whether the class has a lesson of that id."""
    versions = select(TrainingClass.course_version_ids).where(TrainingClass.id == class_id)
    return _has(connection, connection.execute(versions).scalar_one(), lesson)


def classes_with(connection: Connection, learner_id: int, lesson: str) -> Sequence[ClassWithLesson]:
    """The classes in which the learner is or was, and whose courses have that lesson."""
    klass = TrainingClass
    query = (
        select(
            klass.external_id,
            klass.starts_on,
            klass.ends_on,
            klass.course_version_ids,
            klass.ahead_ms,
            Enrolment.first_on,
            Enrolment.last_on,
            Enrolment.ended_by,
            Enrolment.away,
        )
        .join(Enrolment, Enrolment.class_id == klass.id)
        .where(Enrolment.learner_id == learner_id, stays.ever_in_class())
        .order_by(klass.id)
    )
    found = fetch(connection, query, ClassWithLesson)
    return [it for it in found if _has(connection, it.course_version_ids, lesson)]


def _has(connection: Connection, course_version_ids: Collection[int], lesson: str) -> bool:
    query = select(Lesson.id).where(
        Lesson.course_version_id.in_(course_version_ids), Lesson.external_id == lesson
    )
    return connection.execute(query.limit(1)).first() is not None


def _placed() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Session.id,
            Session.external_id,
            Session.class_id,
            Session.person_id,
            Session.state,
            Session.provenance,
            Session.device_id,
            Session.opened_ms,
            Session.closed_ms,
            Learner.external_id.label("learner"),
            Lesson.external_id.label("lesson"),
            TrainingClass.ahead_ms,
        )
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .join(Learner, Learner.id == Session.learner_id)
        .join(Lesson, Lesson.id == Session.lesson_id)
    )


def mapping(connection: Connection, platform_id: int) -> dict[str, Any] | None:
    """How the platform's statements find their sittings, as it was said."""
    query = select(Platform.statement_mapping).where(Platform.id == platform_id)
    found: dict[str, Any] | None = connection.execute(query).scalar_one()
    return found
