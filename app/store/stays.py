"""On which days learners are in a class: columns of `enrolments`.

They are in it from a first day to a last one, except when they were away. What the columns hold is
what the recorded acts in force come to (`app.domain.review.enrolment_acts`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple, Protocol, Self

import msgspec
from sqlalchemy import ColumnElement, Connection, String, and_, cast, func, or_, select, update

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


class Away(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody who left (`ended_by`: how) and came back was not in the class, both days
    included. `in_class`: the class that they moved back from."""

    from_on: date
    to_on: date
    ended_by: str
    in_class: int | None = None

    @classmethod
    def all(cls, told: Sequence[Mapping[str, Any]] | None) -> list[Self]:
        """As a row holds them, oldest first."""
        return [msgspec.convert(it, cls) for it in told or ()]

    def __bool__(self) -> bool:
        """Whether there was such a day: who moved away and never came there was not away."""
        return self.from_on <= self.to_on

    def covers(self, day: date) -> bool:
        return self.from_on <= day <= self.to_on

    @property
    def last_on(self) -> date:
        """The last day in the class before."""
        return self.from_on - timedelta(days=1)

    @property
    def back_on(self) -> date:
        return self.to_on + timedelta(days=1)


def as_rows(aways: Sequence[Away]) -> list[dict[str, Any]] | None:
    rows: list[dict[str, Any]] = msgspec.to_builtins(aways)
    return rows or None


def on_roster(connection: Connection, on: str) -> ColumnElement[bool]:
    """Enrolments that are in the class on a day (`yyyy-mm-dd`)."""
    day = date.fromisoformat(on)
    rows = connection.execute(select(Enrolment.id, Enrolment.away).where(_was_away()))
    away = [row.id for row in rows if any(it.covers(day) for it in Away.all(row.away))]
    return and_(
        ever_in_class(),
        func.coalesce(Enrolment.first_on, on) <= on,
        func.coalesce(Enrolment.last_on, on) >= on,
        Enrolment.id.not_in(away),
    )


def aways(connection: Connection, class_ids: Collection[int]) -> dict[tuple[int, int], list[Away]]:
    """When learners were away, by class and learner, of those who came back."""
    query = select(Enrolment.class_id, Enrolment.learner_id, Enrolment.away)
    rows = connection.execute(query.where(Enrolment.class_id.in_(class_ids), _was_away()))
    return {(row.class_id, row.learner_id): Away.all(row.away) for row in rows}


def _was_away() -> ColumnElement[bool]:
    return and_(Enrolment.away.is_not(None), cast(Enrolment.away, String) != "null")


class ClassStay(Protocol):
    """Days are `yyyy-mm-dd`, both included; `first_on` None: from the class's first day, `last_on`
    None: to its last. `away` is read by `Away.all`."""

    first_on: str | None
    last_on: str | None
    ended_by: str | None
    away: list[Any] | None


class StayRow(ClassStay, Protocol):
    id: int
    learner_id: int
    person_id: int
    moved_from: int | None


def present(stay: ClassStay, on: date) -> bool:
    """Whether the learner is in the class on that day."""
    return (stay.first_on or "") <= on.isoformat() and gone(stay, on) is None


def gone(stay: ClassStay, on: date) -> tuple[date, str] | None:
    """The last day and how it ended, of who is not in the class any more, or not now."""
    away = next((it for it in Away.all(stay.away) if it.covers(on)), None)
    if away is not None:
        return away.last_on, away.ended_by
    if stay.last_on is None or on.isoformat() <= stay.last_on:
        return None
    return date.fromisoformat(stay.last_on), stay.ended_by or LEFT


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


class Mover(NamedTuple):
    learner_id: int
    moved_from: int
    first_on: date


def movers(connection: Connection, class_id: int, learner_id: int | None = None) -> Sequence[Mover]:
    """Who came, or came back, into the class by a move, with the class they came from and their
    first day after it."""
    query = (
        select(Enrolment.learner_id, Enrolment.moved_from, Enrolment.first_on, Enrolment.away)
        .where(
            Enrolment.class_id == class_id,
            or_(Enrolment.moved_from.is_not(None), _was_away()),
            ever_in_class(),
        )
        .order_by(Enrolment.learner_id)
    )
    if learner_id is not None:
        query = query.where(Enrolment.learner_id == learner_id)
    return [it for row in connection.execute(query) for it in moves(row)]


def moves(stay: Any) -> list[Mover]:
    """The moves by which one learner came, or came back, into the class; `stay` is a StayRow."""
    back = [
        Mover(stay.learner_id, it.in_class, it.back_on)
        for it in Away.all(stay.away)
        if it.in_class is not None
    ]
    if stay.moved_from is None:
        return back
    return [Mover(stay.learner_id, stay.moved_from, date.fromisoformat(stay.first_on)), *back]


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
    away: list[Any] | None


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
            Enrolment.away,
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
        Enrolment.away,
    ).join(Learner, Learner.id == Enrolment.learner_id)
