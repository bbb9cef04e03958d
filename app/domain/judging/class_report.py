"""The verdicts of a class as the API gives them and `zhenxue validate` prints them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import UNSET
from sqlalchemy import Connection

from app.domain.catalogue.classes import pack_of, term_of
from app.domain.faces import face_confidence
from app.domain.faces.face_confidence import FaceEnrolment
from app.domain.judging import eligibility, findings, wording
from app.domain.judging.verdict_body import pack_body
from app.domain.judging.views import (
    ClassHoursView,
    ClassReport,
    HourOfLearner,
    HourVerdictView,
    JudgedSession,
    LearnerHours,
)
from app.domain.standing import Found, of_findings
from app.errors import NotFound
from app.store.bodies import HourVerdict, SessionVerdict, StoredVerdict, extended
from app.store.catalogue import catalogue, people
from app.store.catalogue.catalogue import ClassRow
from app.store.catalogue.people import EnrolledRow
from app.store.events import event_log
from app.store.judging import verdicts
from app.store.judging.unsettled import finding_keys
from detectors.assess import HourOutcome, SessionOutcome


def class_hours(
    connection: Connection, klass: ClassRow, learner: str | None = None
) -> ClassHoursView:
    """Every learner × every class-hour of the frozen plan, studied or not.

    Raises NotFound for a learner who is not in the class. `unsettled_sessions` ended and are not
    judged yet.
    """
    members = _members(connection, klass, learner)
    enrolments = catalogue.enrolments(connection, klass.id)
    plan = catalogue.class_hours(connection, klass.id)
    only = enrolments[members[0].id] if learner is not None else None
    hour_verdicts = {
        (row.subject_id, row.hour): row
        for row in verdicts.of_class(connection, klass.id, HourVerdict, only)
    }
    enrolled = face_confidence.of_learners(connection, [member.id for member in members])
    found = finding_keys(connection, klass.id)
    rows = [
        _learner(
            member.external_id,
            enrolled.get(member.id),
            [
                _hour(hour_verdicts.get((enrolments[member.id], hour.number)), hour, found)
                for hour in plan
            ],
        )
        for member in members
    ]
    return ClassHoursView(
        class_id=klass.external_id,
        pack=pack_body(pack_of(klass)),
        pack_term=term_of(klass),
        planned=len(plan),
        unsettled_sessions=len(event_log.unsettled(connection, klass.id)),
        counts=_counts(hour for row in rows for hour in row.class_hours),
        learners=rows,
    )


def _learner(
    learner: str, enrolled: FaceEnrolment | None, hours: Sequence[HourVerdictView]
) -> LearnerHours:
    return LearnerHours(
        learner_id=learner,
        class_hours=hours,
        counts=_counts(hours),
        face_enrolment=enrolled or UNSET,
    )


def _counts(hours: Iterable[HourVerdictView]) -> dict[str, int]:
    return dict(sorted(Counter(it.standing.value for it in hours).items()))


def sessions(connection: Connection, class_id: int) -> list[JudgedSession]:
    """The current verdict on every judged sitting of the class."""
    found = finding_keys(connection, class_id)
    judged = verdicts.of_class(connection, class_id, SessionVerdict)
    rows = [_judged_session(row, found) for row in judged]
    return sorted(rows, key=lambda it: (it.learner_id, it.started_ms, it.session_id))


def everything(connection: Connection, klass: ClassRow, now_ms: int) -> ClassReport:
    """All current verdicts of a class with their findings."""
    concluded = eligibility.view(connection, klass, now_ms)
    matrix = class_hours(connection, klass)
    return ClassReport(
        klass=concluded.klass,
        enrolments=concluded.learners,
        class_hours=[
            extended(HourOfLearner, hour, learner_id=row.learner_id)
            for row in matrix.learners
            for hour in row.class_hours
        ],
        sessions=sessions(connection, klass.id),
        findings=findings.of_class(connection, klass.id),
    )


def _members(connection: Connection, klass: ClassRow, learner: str | None) -> Sequence[EnrolledRow]:
    members = people.enrolled(connection, klass.id)
    if learner is None:
        return members
    named = [member for member in members if member.external_id == learner]
    if not named:
        raise NotFound("unknown_learner", f"learner {learner!r} is not in this class")
    return named


def _hour(
    mark: StoredVerdict[HourVerdict] | None, hour: catalogue.HourRow, found: Found
) -> HourVerdictView:
    """One cell of the matrix; a class-hour that nobody played has no verdict."""
    if mark is None:
        return HourVerdictView(
            class_hour=hour.number,
            outcome=HourOutcome.NOT_STARTED,
            standing=HourOutcome.NOT_STARTED,
            coverage=0.0,
            credited_ms=0,
            played_ms=0,
            length_ms=hour.media_ms,
            photos=0,
            sessions=[],
            findings=[],
            provenance=[],
            facts_sha256=None,
            judged_ms=None,
            credited_seconds=0.0,
        )
    body = mark.body
    return extended(
        HourVerdictView,
        body,
        class_hour=hour.number,
        standing=HourOutcome(of_findings(body.outcome, body.findings, found)),
        findings=wording.findings(body.findings),
        withheld=wording.findings(body.withheld) if body.withheld else body.withheld,
        judged_ms=mark.created_ms,
        credited_seconds=body.credited_ms / 1000,
    )


def _judged_session(row: StoredVerdict[SessionVerdict], found: Found) -> JudgedSession:
    """A verdict's body with its subject laid open, how it stands, and when it was reached."""
    body = row.body
    subject = body.subject
    return extended(
        JudgedSession,
        body,
        session_id=subject.session_id,
        learner_id=subject.learner_id,
        class_id=subject.class_id,
        lesson_id=subject.lesson_id,
        standing=SessionOutcome(of_findings(body.outcome, body.findings, found)),
        findings=wording.findings(body.findings),
        judged_ms=row.created_ms,
    )
