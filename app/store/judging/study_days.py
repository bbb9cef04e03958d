"""On which days the study of a class's learners counts: its own, leave, and assessments."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection, func, select

from app.store import stays as enrolments
from app.store.judging import enrolment_facts
from app.store.review import claims
from detectors.dates import StudyDays, study_days
from models import AssessmentRecord, TrainingClass


def of_learners(
    connection: Connection, class_id: int, learner_ids: Collection[int]
) -> dict[int, StudyDays]:
    """The days of each of these learners in a class; empty for a class that an audit package only
    names. Raises NoResultFound."""
    klass = connection.execute(
        select(TrainingClass.starts_on, TrainingClass.ends_on, TrainingClass.assessment_on).where(
            TrainingClass.id == class_id
        )
    ).one()
    if not (klass.starts_on and klass.ends_on):
        return {}
    ends_on = claims.accepted_end(connection, class_id, klass.ends_on)
    waiting = enrolment_facts.waiting_leaves(connection, class_id)
    leaves = [it for it in enrolment_facts.leaves(connection, class_id) if it.approved]
    on_leave = {it.learner_id for it in leaves if it.written and it.id not in waiting}
    said_to_be = {it.learner_id for it in leaves if it.written}
    exams = connection.execute(
        select(AssessmentRecord.learner_id, func.min(AssessmentRecord.held_on).label("first_on"))
        .where(AssessmentRecord.class_id == class_id)
        .group_by(AssessmentRecord.learner_id)
    )
    assessed = {row.learner_id: row.first_on for row in exams}

    stays = {row.learner_id: row for row in enrolments.of_class(connection, class_id)}

    def days(learner_id: int, last: str, on_leave: bool) -> StudyDays:
        counts = study_days(
            date.fromisoformat(klass.starts_on),
            date.fromisoformat(last),
            _day(klass.assessment_on),
            _day(assessed.get(learner_id)),
            on_leave,
        )
        stay = stays.get(learner_id)
        return counts.within(_day(stay.first_on), _day(stay.last_on)) if stay else counts

    found = {}
    for learner_id in learner_ids:
        counts = days(learner_id, ends_on, learner_id in on_leave)
        stated = days(learner_id, klass.ends_on, learner_id in said_to_be)
        found[learner_id] = replace(counts, stated=stated.last)
    return found


def of_learner(connection: Connection, class_id: int, learner_id: int) -> StudyDays:
    return of_learners(connection, class_id, [learner_id])[learner_id]


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
