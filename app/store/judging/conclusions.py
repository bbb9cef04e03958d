"""Which validated classes something happened in that their verdicts rest on."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, or_, select

from models import Appeal, Finding, Review, TrainingClass, Verdict

_OF_SITTINGS = ("session", "class_hour")


def last_verdict(connection: Connection) -> int:
    return connection.execute(select(func.max(Verdict.id))).scalar_one() or 0


def last_review(connection: Connection) -> int:
    return connection.execute(select(func.max(Review.id))).scalar_one() or 0


def last_appeal(connection: Connection) -> int:
    return connection.execute(select(func.max(Appeal.id))).scalar_one() or 0


def touched(
    connection: Connection,
    *,
    verdicts: tuple[int, int],
    reviews: tuple[int, int],
    appeals: tuple[int, int],
) -> Sequence[int]:
    """Classes with a verdict of their own that got others, reviews, or appeals, with ids in
    (a, b]."""
    judged = select(Verdict.class_id).where(
        Verdict.id > verdicts[0],
        Verdict.id <= verdicts[1],
        Verdict.subject_kind.in_(_OF_SITTINGS),
    )
    decided = (
        select(Finding.class_id)
        .join(Review, Review.finding_id == Finding.id)
        .where(Review.id > reviews[0], Review.id <= reviews[1])
    )
    appealed = (
        select(Finding.class_id)
        .join(Appeal, Appeal.finding_id == Finding.id)
        .where(Appeal.id > appeals[0], Appeal.id <= appeals[1])
    )
    validated = (
        select(Verdict.id)
        .where(Verdict.class_id == TrainingClass.id, Verdict.subject_kind == "class")
        .exists()
    )
    happened = (TrainingClass.id.in_(it) for it in (judged, decided, appealed))
    query = select(TrainingClass.id).where(or_(*happened), validated)
    return connection.execute(query.order_by(TrainingClass.id)).scalars().all()
