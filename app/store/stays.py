"""From which day to which day learners are in a class: columns of `enrolments`.

What they hold is what the recorded acts in force come to (`app.domain.review.enrolment_acts`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from app.store.row import fetch
from models import (
    AssessmentRecord,
    Enrolment,
    Learner,
    OfflineAttendance,
    Session,
    TrainingClass,
)

LEFT, MOVED, WITHDRAWN = "left", "moved", "withdrawn"


def in_class() -> ColumnElement[bool]:
    """Enrolments that no act has ended."""
    return Enrolment.ended_by.is_(None)


def ever_in_class() -> ColumnElement[bool]:
    """All but those whose move into the class was taken back."""
    return or_(Enrolment.ended_by.is_(None), Enrolment.ended_by != WITHDRAWN)


class StayRow(Protocol):
    """Days are `yyyy-mm-dd`, both included; `first_on` None: from the class's first day, `last_on`
    None: to its last."""

    id: int
    learner_id: int
    person_id: int
    first_on: str | None
    last_on: str | None
    ended_by: str | None
    moved_from: int | None


def of_class(connection: Connection, class_id: int) -> Sequence[StayRow]:
    """Of everybody who is or was in the class."""
    return fetch(
        connection,
        _stays().where(Enrolment.class_id == class_id, ever_in_class()).order_by(Enrolment.id),
        StayRow,
    )


def of_learner(connection: Connection, class_id: int, learner_id: int) -> StayRow | None:
    """Of one learner, also where the move into the class was taken back."""
    query = _stays().where(Enrolment.class_id == class_id, Enrolment.learner_id == learner_id)
    return next(iter(fetch(connection, query, StayRow)), None)


def change(connection: Connection, class_id: int, learner_id: int, **values: Any) -> None:
    connection.execute(
        update(Enrolment)
        .where(Enrolment.class_id == class_id, Enrolment.learner_id == learner_id)
        .values(**values)
    )


def revive(connection: Connection, row: dict[str, Any]) -> None:
    """Write an enrolment anew whose move was taken back; leave others alone."""
    connection.execute(
        update(Enrolment)
        .where(
            Enrolment.class_id == row["class_id"],
            Enrolment.learner_id == row["learner_id"],
            Enrolment.ended_by == WITHDRAWN,
        )
        .values(**row)
    )


def days_of_evidence(
    connection: Connection, class_id: int, learner_id: int
) -> tuple[list[int], list[str]]:
    """When a learner is on record in a class: instants in ms of the first and last sitting, and the
    days of attendance and assessments."""
    began = Session.opened_ms  # by this service's clock, or as a platform's log was received
    mine = (Session.class_id == class_id, Session.learner_id == learner_id)
    first, last = connection.execute(select(func.min(began), func.max(began)).where(*mine)).one()
    days: list[str] = []
    for record in (OfflineAttendance, AssessmentRecord):
        query = select(record.held_on).where(
            record.class_id == class_id, record.learner_id == learner_id
        )
        days += connection.scalars(query)
    return [it for it in (first, last) if it is not None], days


class Mover(Protocol):
    learner_id: int
    moved_from: int
    first_on: str


def movers(connection: Connection, class_id: int) -> Sequence[Mover]:
    """Who came into the class by a move, with the class they came from and their first day."""
    return fetch(
        connection,
        select(Enrolment.learner_id, Enrolment.moved_from, Enrolment.first_on)
        .where(Enrolment.class_id == class_id, Enrolment.moved_from.is_not(None), ever_in_class())
        .order_by(Enrolment.learner_id),
        Mover,
    )


class StayElsewhere(Protocol):
    learner_id: int
    person_id: int
    class_id: int
    external_id: str
    starts_on: str
    ends_on: str
    terms: dict[str, Any]
    first_on: str | None
    last_on: str | None


def elsewhere(
    connection: Connection, platform_id: int, class_id: int, person_ids: Collection[int]
) -> Sequence[StayElsewhere]:
    """The stays of these persons in the platform's other classes."""
    return fetch(
        connection,
        select(
            Enrolment.learner_id,
            Learner.person_id,
            Enrolment.class_id,
            TrainingClass.external_id,
            TrainingClass.starts_on,
            TrainingClass.ends_on,
            TrainingClass.terms,
            Enrolment.first_on,
            Enrolment.last_on,
        )
        .join(Learner, Learner.id == Enrolment.learner_id)
        .join(TrainingClass, TrainingClass.id == Enrolment.class_id)
        .where(
            TrainingClass.platform_id == platform_id,
            TrainingClass.id != class_id,
            Learner.person_id.in_(person_ids),
            ever_in_class(),
        )
        .order_by(TrainingClass.external_id),
        StayElsewhere,
    )


def _stays() -> Any:
    return select(
        Enrolment.id,
        Enrolment.learner_id,
        Learner.person_id,
        Enrolment.first_on,
        Enrolment.last_on,
        Enrolment.ended_by,
        Enrolment.moved_from,
    ).join(Learner, Learner.id == Enrolment.learner_id)
