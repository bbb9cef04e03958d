"""Who of a class waits for a decision."""

from __future__ import annotations

from sqlalchemy import Connection, exists, func, or_, select

from app.store import stays
from detectors.finding import Evidence
from models import Appeal, Enrolment, Finding, Verdict

_UNDECIDED = ("open", "first_review")


def pending(connection: Connection, class_id: int, pack: str) -> list[tuple[int, bytes]]:
    """(learner id, body) of the enrolments that are pending under one pack."""
    newest = (
        select(func.max(Verdict.id))
        .where(
            Verdict.class_id == class_id,
            Verdict.subject_kind == "enrolment",
            Verdict.pack == pack,
        )
        .group_by(Verdict.subject_id)
    )
    query = (
        select(Enrolment.learner_id, Verdict.body)
        .join(Enrolment, Enrolment.id == Verdict.subject_id)
        .where(Verdict.id.in_(newest), Verdict.outcome == "pending", stays.in_class())
        .order_by(Enrolment.learner_id)
    )
    return [(learner_id, body) for learner_id, body in connection.execute(query)]


def finding_keys(connection: Connection, class_id: int) -> tuple[frozenset[str], frozenset[str]]:
    """Keys of the class's findings that people have to decide on, and of the violations that they
    upheld."""
    query = select(Finding.key, Finding.status).where(
        Finding.class_id == class_id,
        Finding.shadow.is_(False),
        Finding.outcome.in_(("violation", "review")),
        Finding.evidence != Evidence.STATISTIC,
        Finding.status.in_(_UNDECIDED)
        | (Finding.status == "upheld") & (Finding.outcome == "violation"),
    )
    told = [(key, status) for key, status in connection.execute(query)]
    return (
        frozenset(key for key, status in told if status != "upheld"),
        frozenset(key for key, status in told if status == "upheld"),
    )


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
