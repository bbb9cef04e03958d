"""Classes of a county with what a report to the county counts of them, and the year's targets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from sqlalchemy import Connection, delete, func, select

from app.store import stays
from app.store.row import fetch
from app.store.scope import AccessScope
from app.store.upsert import upsert
from models import AssessmentRecord, ClassTask, CountyTarget, Enrolment, Institution, TrainingClass

MOST_CLASSES = 5000


class CountedClass(Protocol):
    """`passed` and `assessed` count learners once each; `task` is None until somebody says."""

    id: int
    external_id: str
    official_class_no: str | None
    institution: str
    occupation: str
    starts_on: str
    ends_on: str
    assessment_on: str | None
    task: int | None
    training_kind: str | None
    vocational_school: bool | None
    learners: int
    assessed: int
    passed: int


class PassedRow(Protocol):
    """Who passed an assessment of a class; `in_class`: they did not leave it."""

    learner_id: int
    enrolment_id: int
    in_class: bool


def who_passed(connection: Connection, class_id: int, until: date) -> Sequence[PassedRow]:
    """Of a class, up to that day."""
    query = (
        select(
            AssessmentRecord.learner_id,
            Enrolment.id.label("enrolment_id"),
            stays.in_class().label("in_class"),
        )
        .join(
            Enrolment,
            (Enrolment.class_id == AssessmentRecord.class_id)
            & (Enrolment.learner_id == AssessmentRecord.learner_id),
        )
        .where(
            AssessmentRecord.class_id == class_id,
            AssessmentRecord.passed.is_(True),
            AssessmentRecord.held_on <= until.isoformat(),
        )
        .distinct()
    )
    return fetch(connection, query, PassedRow)


def counties(connection: Connection, scope: AccessScope) -> list[str]:
    """Counties that have a class in the scope."""
    query = select(TrainingClass.county).where(scope.covers_class()).distinct()
    return list(connection.scalars(query.order_by(TrainingClass.county)))


def begun(connection: Connection, county: str, first: date, last: date) -> Sequence[CountedClass]:
    """The county's classes that began between these days, the earliest first."""

    def people(*conditions: object) -> object:
        counted = select(func.count(AssessmentRecord.learner_id.distinct()))
        mine = AssessmentRecord.class_id == TrainingClass.id
        return counted.where(mine, *conditions).scalar_subquery()  # type: ignore[arg-type]

    mine = Enrolment.class_id == TrainingClass.id, stays.in_class()
    learners = select(func.count()).where(*mine).scalar_subquery()
    until = AssessmentRecord.held_on <= last.isoformat()
    query = (
        select(
            TrainingClass.id,
            TrainingClass.external_id,
            TrainingClass.official_class_no,
            TrainingClass.institution,
            TrainingClass.occupation,
            TrainingClass.starts_on,
            TrainingClass.ends_on,
            TrainingClass.assessment_on,
            ClassTask.task,
            TrainingClass.terms["training_kind"].as_string().label("training_kind"),
            Institution.vocational_school,
            learners.label("learners"),
            people(until).label("assessed"),  # type: ignore[attr-defined]
            people(until, AssessmentRecord.passed.is_(True)).label("passed"),  # type: ignore[attr-defined]
        )
        .join(Institution, Institution.id == TrainingClass.institution_id, isouter=True)
        .join(ClassTask, ClassTask.class_id == TrainingClass.id, isouter=True)
        .where(
            TrainingClass.county == county,
            TrainingClass.starts_on.between(first.isoformat(), last.isoformat()),
        )
        .order_by(TrainingClass.starts_on, TrainingClass.id)
        .limit(MOST_CLASSES)
    )
    return fetch(connection, query, CountedClass)


def targets(connection: Connection, county: str, year: int) -> dict[int, int]:
    """What was entered for that year, by task."""
    mine = CountyTarget.county == county, CountyTarget.year == year
    rows = connection.execute(select(CountyTarget.task, CountyTarget.people).where(*mine))
    return {task: people for task, people in rows}


def put_targets(connection: Connection, county: str, year: int, people: dict[int, int]) -> None:
    """Enter these targets in the place of all that were entered for that year."""
    mine = CountyTarget.county == county, CountyTarget.year == year
    connection.execute(delete(CountyTarget).where(*mine))
    rows = [
        {"county": county, "year": year, "task": task, "people": it} for task, it in people.items()
    ]
    upsert(connection, CountyTarget, rows, ("county", "year", "task"))


def task_of(connection: Connection, class_id: int) -> int | None:
    return connection.scalar(select(ClassTask.task).where(ClassTask.class_id == class_id))


def put_task(connection: Connection, class_id: int, task: int | None) -> None:
    """Let the class count for the task; None: for none."""
    if task is None:
        connection.execute(delete(ClassTask).where(ClassTask.class_id == class_id))
    else:
        upsert(connection, ClassTask, [{"class_id": class_id, "task": task}], ("class_id",))
