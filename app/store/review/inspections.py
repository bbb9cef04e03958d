"""Rows of remote inspections, and who is on line in a class. Rows are only added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, insert, select

from app.store import stays
from app.store.row import fetch, fetch_one_or_none
from app.store.scope import AccessScope
from models import (
    Enrolment,
    Inspection,
    InspectionCheck,
    InspectionNote,
    Learner,
    Lesson,
    Session,
    User,
)
from models import TrainingClass as Klass

_CHECKS = (
    select(InspectionCheck, User.display_name.label("who"))
    .join(User, User.id == InspectionCheck.checked_by)
    .order_by(InspectionCheck.id)
)


class OnlineSitting(Protocol):
    id: int
    external_id: str
    opened_ms: int
    last_recv_ms: int
    device_id: str
    learner_id: int
    learner: str
    learner_name: str
    lesson_title: str


def online(connection: Connection, class_id: int, heard_since_ms: int) -> Sequence[OnlineSitting]:
    """Open sittings of the class that were heard of since, with who and what, by learner."""
    return fetch(
        connection,
        select(
            Session.id,
            Session.external_id,
            Session.opened_ms,
            Session.last_recv_ms,
            Session.device_id,
            Session.learner_id,
            Learner.external_id.label("learner"),
            Learner.name.label("learner_name"),
            Lesson.title.label("lesson_title"),
        )
        .join(Learner, Learner.id == Session.learner_id)
        .join(Lesson, Lesson.id == Session.lesson_id)
        .where(
            Session.class_id == class_id,
            Session.state == "open",
            Session.last_recv_ms >= heard_since_ms,
        )
        .order_by(Learner.external_id, Session.id),
        OnlineSitting,
    )


def members(
    connection: Connection, class_id: int, on: str | None = None
) -> dict[str, tuple[int, str]]:
    """Row id and name of who is or was in the class by the platform's ids, or of who was in it on
    a day (`yyyy-mm-dd`)."""
    query = (
        select(Learner.external_id, Learner.id, Learner.name)
        .join(Enrolment, Enrolment.learner_id == Learner.id)
        .where(Enrolment.class_id == class_id)
    )
    there = stays.ever_in_class() if on is None else stays.on_roster(connection, on)
    rows = connection.execute(query.where(there))
    return {row.external_id: (row.id, row.name) for row in rows}


def add(connection: Connection, **values: Any) -> int:
    query = insert(Inspection).values(**values).returning(Inspection.id)
    return int(connection.execute(query).scalar_one())


class InspectionRow(Protocol):
    id: int
    frame_kind: str
    frame: list[Any]
    seed: str
    drawn: list[Any]
    online: list[Any]
    drawn_ms: int
    who: str


def of_class(connection: Connection, class_id: int) -> Sequence[InspectionRow]:
    """The class's inspections with who drew them, newest first."""
    return fetch(
        connection,
        select(Inspection, User.display_name.label("who"))
        .join(User, User.id == Inspection.drawn_by)
        .where(Inspection.class_id == class_id)
        .order_by(Inspection.id.desc()),
        InspectionRow,
    )


class InspectionCheckRow(Protocol):
    inspection_id: int
    learner: str
    result: str
    remark: str
    checked_ms: int
    who: str


def checks_of_class(connection: Connection, class_id: int) -> Sequence[InspectionCheckRow]:
    """What was found at all inspections of the class, oldest first."""
    of_class = Inspection.class_id == class_id
    query = _CHECKS.join(Inspection, Inspection.id == InspectionCheck.inspection_id)
    return fetch(connection, query.where(of_class), InspectionCheckRow)


class InspectionNoteRow(Protocol):
    inspection_id: int
    body: dict[str, Any]
    noted_ms: int
    who: str


def add_note(connection: Connection, **values: Any) -> None:
    connection.execute(insert(InspectionNote).values(**values))


def notes_of_class(connection: Connection, class_id: int) -> dict[int, InspectionNoteRow]:
    """What counts of each inspection of the class as a whole: its last note."""
    query = (
        select(InspectionNote, User.display_name.label("who"))
        .join(User, User.id == InspectionNote.noted_by)
        .join(Inspection, Inspection.id == InspectionNote.inspection_id)
        .where(Inspection.class_id == class_id)
        .order_by(InspectionNote.id)
    )
    return {it.inspection_id: it for it in fetch(connection, query, InspectionNoteRow)}


class NamedInspection(InspectionRow, Protocol):
    """An inspection with what its class is called."""

    class_name: str
    institution: str
    occupation: str


def one(connection: Connection, inspection_id: int, scope: AccessScope) -> NamedInspection | None:
    return fetch_one_or_none(
        connection,
        select(
            Inspection,
            User.display_name.label("who"),
            Klass.external_id.label("class_name"),
            Klass.institution,
            Klass.occupation,
        )
        .join(User, User.id == Inspection.drawn_by)
        .join(Klass, Klass.id == Inspection.class_id)
        .where(Inspection.id == inspection_id, scope.covers_class()),
        NamedInspection,
    )


def add_check(connection: Connection, **values: Any) -> None:
    connection.execute(insert(InspectionCheck).values(**values))


def checks(connection: Connection, inspection_id: int) -> Sequence[InspectionCheckRow]:
    """What was found, oldest first."""
    query = _CHECKS.where(InspectionCheck.inspection_id == inspection_id)
    return fetch(connection, query, InspectionCheckRow)
