"""Who of a class waits for a decision."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from sqlalchemy import Connection, and_, case, exists, or_, select

from app.store import stays
from app.store.current_verdicts import current_ids
from app.store.row import fetch
from detectors.finding import Evidence
from models import Appeal, Enrolment, Finding, Verdict

_UNDECIDED = ("open", "first_review")
_IDS_A_QUERY = 500
_FOR_PEOPLE = and_(
    Finding.shadow.is_(False),
    Finding.outcome.in_(("violation", "review")),
    Finding.evidence != Evidence.STATISTIC,
)


def pending(connection: Connection, class_id: int, pack: str) -> list[tuple[int, bytes]]:
    """(learner id, body) of the enrolments that are pending under one pack."""
    current = current_ids(
        Verdict.class_id == class_id, Verdict.subject_kind == "enrolment", Verdict.pack == pack
    )
    query = (
        select(Enrolment.learner_id, Verdict.body)
        .join(Enrolment, Enrolment.id == Verdict.subject_id)
        .where(Verdict.id.in_(current), Verdict.outcome == "pending", stays.in_class())
        .order_by(Enrolment.learner_id)
    )
    return [(learner_id, body) for learner_id, body in connection.execute(query)]


def finding_keys(connection: Connection, class_id: int) -> tuple[frozenset[str], frozenset[str]]:
    """Keys of the class's findings that people have to decide on, and of the violations that they
    upheld; those of who moved here, in the class before, included."""
    before = (
        and_(Finding.class_id == it.moved_from, Finding.learner_id == it.learner_id)
        for it in stays.movers(connection, class_id)
    )
    query = select(Finding.key, Finding.status).where(
        or_(Finding.class_id == class_id, *before),
        _FOR_PEOPLE,
        Finding.status.in_(_UNDECIDED)
        | (Finding.status == "upheld") & (Finding.outcome == "violation"),
    )
    told = [(key, status) for key, status in connection.execute(query)]
    return (
        frozenset(key for key, status in told if status != "upheld"),
        frozenset(key for key, status in told if status == "upheld"),
    )


def classes_waiting(connection: Connection) -> set[int]:
    """Classes with a finding that waits for people, or an appeal that waits for an answer."""
    findings = select(Finding.class_id).where(_FOR_PEOPLE, Finding.status.in_(_UNDECIDED))
    appeals = select(Finding.class_id).where(
        Appeal.finding_id == Finding.id, Appeal.outcome.is_(None)
    )
    return set(connection.execute(findings.union(appeals)).scalars())


class SubjectVerdictRow(Protocol):
    """The latest verdict on a subject: `learner_id` of an enrolment, the body of study that is
    invalid."""

    kind: str
    outcome: str
    learner_id: int | None
    body: bytes | None


def subject_verdicts(connection: Connection, class_id: int) -> Sequence[SubjectVerdictRow]:
    """Of all that was judged in a class."""
    lost = Verdict.subject_kind.in_(("session", "class_hour")) & (Verdict.outcome == "invalid")
    query = (
        select(
            Verdict.subject_kind.label("kind"),
            Verdict.outcome,
            Enrolment.learner_id,
            case((lost, Verdict.body)).label("body"),
        )
        .outerjoin(
            Enrolment,
            and_(Verdict.subject_kind == "enrolment", Enrolment.id == Verdict.subject_id),
        )
        .where(Verdict.id.in_(current_ids(Verdict.class_id == class_id)))
    )
    return fetch(connection, query, SubjectVerdictRow)


class SessionVerdictRow(Protocol):
    """The latest verdict on a sitting; its body only where it is invalid."""

    session_id: int
    class_id: int
    outcome: str
    body: bytes | None


def session_verdicts(
    connection: Connection, session_ids: Collection[int]
) -> list[SessionVerdictRow]:
    """Of the sittings that were judged."""
    found: list[SessionVerdictRow] = []
    ids = sorted(set(session_ids))
    for at in range(0, len(ids), _IDS_A_QUERY):
        current = current_ids(
            Verdict.subject_kind == "session",
            Verdict.subject_id.in_(ids[at : at + _IDS_A_QUERY]),
        )
        query = select(
            Verdict.subject_id.label("session_id"),
            Verdict.class_id,
            Verdict.outcome,
            case((Verdict.outcome == "invalid", Verdict.body)).label("body"),
        )
        found += fetch(connection, query.where(Verdict.id.in_(current)), SessionVerdictRow)
    return found


def found_undecided(connection: Connection, class_id: int) -> list[int]:
    """Learners with a finding that people have to decide on, or an appeal that waits for its
    answer. Missing evidence waits for nobody, statistics hold nobody."""
    appealed = exists().where(Appeal.finding_id == Finding.id, Appeal.replied_ms.is_(None))
    query = (
        select(Finding.learner_id)
        .where(
            Finding.class_id == class_id,
            Finding.learner_id.is_not(None),
            Finding.shadow.is_(False),
            Finding.status.in_((*_UNDECIDED, "upheld")),
            or_(
                Finding.status.in_(_UNDECIDED)
                & Finding.outcome.in_(("violation", "review"))
                & (Finding.evidence != Evidence.STATISTIC),
                appealed,
            ),
        )
        .distinct()
    )
    return [it for it in connection.execute(query).scalars() if it is not None]
