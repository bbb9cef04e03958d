"""On which days the study of a class's learners counts: its own, leave, and assessments."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from typing import Any, Protocol

from sqlalchemy import Connection, func, select

from app.store import stays as enrolments
from app.store.judging import enrolment_facts
from app.store.review import claims
from app.store.review.acts import RecordedActs
from app.store.stays import StayRow
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
    return {
        it: _days(
            klass,
            ends_on,
            assessed.get(it),
            stays.get(it),
            on_leave=it in on_leave,
            said_to_be=it in said_to_be,
        )
        for it in learner_ids
    }


def of_stay(
    connection: Connection, klass: KlassDays, stay: StayRow, recorded: RecordedActs
) -> StudyDays:
    """As `of_learners`, of one who is or was in the class, by what was read already: the class's
    row, the stay, and the acts on ends of classes and on leave, of the classes that they moved
    from too."""
    leaves = [it for it in enrolment_facts.leaves_of(connection, klass.id, stay) if it.approved]
    written = [it for it in leaves if it.written]
    waiting: set[int] = set()
    for class_id in {it.class_id for it in written}:
        mine = [it for it in written if it.class_id == class_id]
        waiting |= claims.unaccepted_of(recorded, class_id, mine)
    exam = select(func.min(AssessmentRecord.held_on)).where(
        AssessmentRecord.class_id == klass.id, AssessmentRecord.learner_id == stay.learner_id
    )
    return _days(
        klass,
        claims.accepted_end_of(recorded, klass.id, klass.ends_on),
        connection.scalar(exam),
        stay,
        on_leave=any(it.id not in waiting for it in written),
        said_to_be=bool(written),
    )


class KlassDays(Protocol):
    """A class, as far as its days go."""

    id: int
    starts_on: str
    ends_on: str
    assessment_on: str | None


def _days(
    klass: Any,
    ends_on: str,
    assessed: str | None,
    stay: StayRow | None,
    *,
    on_leave: bool,
    said_to_be: bool,
) -> StudyDays:
    def until(last: str, on_leave: bool) -> StudyDays:
        counts = study_days(
            date.fromisoformat(klass.starts_on),
            date.fromisoformat(last),
            _day(klass.assessment_on),
            _day(assessed),
            on_leave,
        )
        return counts.within(_day(stay.first_on), _day(stay.last_on)) if stay else counts

    stated = until(klass.ends_on, said_to_be)
    return replace(until(ends_on, on_leave), stated=stated.last)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
