"""Rows of what was paid for learners, and of what was done to get it back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, Integer, cast, func, insert, select, update

from app.store import stays
from app.store.row import fetch, typed
from app.store.scope import AccessScope
from models import (
    AssessmentRecord,
    Enrolment,
    Learner,
    Person,
    RecoveryEvent,
    StageEvent,
    SubsidyPayment,
    TrainingClass,
)


class PaymentRow(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    class_id: int
    learner_id: int
    event_id: int
    held: str | None
    amount_fen: int
    paid_on: date


class RecoveryRow(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    payment_id: int
    deed: str
    amount_fen: int
    happened_on: date
    document: str
    remark: str
    done_by: str
    done_ms: int


class CandidateRow(Protocol):
    """A learner of a class, and what the assessments came to: passed 1, failed 0, none unknown.
    `passed_on` is the first day (`yyyy-mm-dd`) on which it was passed."""

    id: int
    enrolment_id: int
    external_id: str
    name: str
    id_last4: str | None
    employer: str | None
    person_id: int
    passed: int | None
    passed_on: str | None


def lock_people(connection: Connection, learners: Collection[CandidateRow]) -> None:
    """Hold the people behind these learners until the transaction ends: of two classes that pay
    them at once, the second sees what the first paid."""
    people = {it.person_id for it in learners}
    query = select(Person.id).where(Person.id.in_(people)).order_by(Person.id)
    connection.execute(query.with_for_update(key_share=True)).all()


def candidates(connection: Connection, class_id: int) -> Sequence[CandidateRow]:
    """Who is in the class now, and who was paid for it whether they are or not."""
    paid = select(SubsidyPayment.learner_id).where(SubsidyPayment.class_id == class_id)
    passed = (
        select(
            AssessmentRecord.learner_id,
            func.max(cast(AssessmentRecord.passed, Integer)).label("passed"),
            func.min(AssessmentRecord.held_on)
            .filter(AssessmentRecord.passed.is_(True))
            .label("passed_on"),
        )
        .where(AssessmentRecord.class_id == class_id)
        .group_by(AssessmentRecord.learner_id)
        .subquery()
    )
    return fetch(
        connection,
        select(
            Learner.id,
            Enrolment.id.label("enrolment_id"),
            Learner.external_id,
            Learner.name,
            Learner.id_last4,
            Enrolment.employer,
            Learner.person_id,
            passed.c.passed,
            passed.c.passed_on,
        )
        .join(Enrolment, Enrolment.learner_id == Learner.id)
        .join(passed, passed.c.learner_id == Learner.id, isouter=True)
        .where(Enrolment.class_id == class_id, stays.in_class() | Learner.id.in_(paid))
        .order_by(Learner.external_id),
        CandidateRow,
    )


def of_class(connection: Connection, class_id: int) -> list[PaymentRow]:
    query = select(SubsidyPayment).where(SubsidyPayment.class_id == class_id)
    return typed(connection.execute(query.order_by(SubsidyPayment.id)), PaymentRow)


class HeldRow(Protocol):
    """A payment that was not all given back: of whom now, in which class, opened when."""

    held: str
    person_id: int
    class_id: int
    external_id: str
    starts_on: str


def held(
    connection: Connection, keys: Collection[str], people: Collection[int]
) -> Sequence[HeldRow]:
    """What stands under these keys, or was paid for accounts of these people."""
    return fetch(
        connection,
        select(
            SubsidyPayment.held,
            Learner.person_id,
            SubsidyPayment.class_id,
            TrainingClass.external_id,
            TrainingClass.starts_on,
        )
        .join(TrainingClass, TrainingClass.id == SubsidyPayment.class_id)
        .join(Learner, Learner.id == SubsidyPayment.learner_id)
        .where(
            SubsidyPayment.held.is_not(None),
            SubsidyPayment.held.in_(list(keys)) | Learner.person_id.in_(list(people)),
        )
        .order_by(SubsidyPayment.id),
        HeldRow,
    )


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(SubsidyPayment), rows)


def give_up(connection: Connection, payment_id: int) -> None:
    """The person may be paid for the same again: all of it came back."""
    query = update(SubsidyPayment).where(SubsidyPayment.id == payment_id)
    connection.execute(query.values(held=None))


def recoveries(connection: Connection, class_id: int) -> list[RecoveryRow]:
    """What was done to get payments of the class back, oldest first."""
    query = (
        select(RecoveryEvent)
        .join(SubsidyPayment, SubsidyPayment.id == RecoveryEvent.payment_id)
        .where(SubsidyPayment.class_id == class_id)
        .order_by(RecoveryEvent.id)
    )
    return typed(connection.execute(query), RecoveryRow)


def add_recovery(connection: Connection, **values: Any) -> int:
    query = insert(RecoveryEvent).values(**values).returning(RecoveryEvent.id)
    return int(connection.execute(query).scalar_one())


class PaidClassRow(Protocol):
    """What was paid for a class in one year, and what of it came back."""

    id: int
    county: str
    institution: str
    occupation: str
    year: str
    people: int
    paid_fen: int
    returned_fen: int


def paid_classes(connection: Connection, scope: AccessScope) -> Sequence[PaidClassRow]:
    came_back = (
        select(RecoveryEvent.payment_id, func.sum(RecoveryEvent.amount_fen).label("fen"))
        .where(RecoveryEvent.deed == "returned")
        .group_by(RecoveryEvent.payment_id)
        .subquery()
    )
    year = func.substr(SubsidyPayment.paid_on, 1, 4)
    return fetch(
        connection,
        select(
            TrainingClass.id,
            TrainingClass.county,
            TrainingClass.institution,
            TrainingClass.occupation,
            year.label("year"),
            func.count().label("people"),
            func.sum(SubsidyPayment.amount_fen).label("paid_fen"),
            func.coalesce(func.sum(came_back.c.fen), 0).label("returned_fen"),
        )
        .select_from(SubsidyPayment)
        .join(TrainingClass, TrainingClass.id == SubsidyPayment.class_id)
        .join(came_back, came_back.c.payment_id == SubsidyPayment.id, isouter=True)
        .where(scope.covers_class())
        .group_by(
            TrainingClass.id,
            TrainingClass.county,
            TrainingClass.institution,
            TrainingClass.occupation,
            year,
        )
        .order_by(TrainingClass.county, year.desc(), TrainingClass.institution, TrainingClass.id),
        PaidClassRow,
    )


def class_ids(
    connection: Connection, scope: AccessScope, days: tuple[str, str] | None = None
) -> list[int]:
    """Classes in scope whose steps are recorded: those that money is asked or paid for; with two
    ISO dates, those that were held between them."""
    recorded = select(StageEvent.class_id).distinct()
    query = select(TrainingClass.id).where(scope.covers_class(), TrainingClass.id.in_(recorded))
    if days is not None:
        first, last = days
        query = query.where(TrainingClass.starts_on <= last, TrainingClass.ends_on >= first)
    return list(connection.scalars(query.order_by(TrainingClass.id)))
