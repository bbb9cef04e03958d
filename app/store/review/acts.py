"""Rows of `acts`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from app.store.row import AnyRow
from app.store.scope import AccessScope
from detectors.film import Film
from models import Act, Learner, TrainingClass

PERSON = "user:"  # how the names of people begin, and of no platform's key

# Kinds that sittings are judged by: they are facts of the sittings of their class or learner.
JUDGING = frozenset(
    {"answer_time", "checked_in_person", "lesson_length", "class_extended", "leave_approved"}
)


@dataclass(frozen=True, slots=True)
class ActInForce:
    """What judging takes from an act. `learner_id` is None where it is about the class."""

    id: int
    kind: str
    class_id: int
    learner_id: int | None
    body: dict[str, Any]
    approved_by: str | None
    approved_ms: int | None

    @property
    def since_ms(self) -> int:
        """Sittings that began before are not judged by it: nobody's word but the authority's
        changes what has happened."""
        return 0 if (self.approved_by or "").startswith(PERSON) else self.approved_ms or 0

    @property
    def fact(self) -> dict[str, Any]:
        """What of it enters the facts that a verdict rests on."""
        return {"kind": self.kind, **self.body}


def film_of(act: ActInForce) -> Film:
    """What the film of a lesson holds, by an act of the kind `lesson_length`."""
    skipped = (
        (round(start * 1000), round(end * 1000)) for start, end in act.body.get("skipped", ())
    )
    return Film(round(act.body["media_seconds"] * 1000), tuple(sorted(skipped)))


def film_of_lesson(connection: Connection, class_id: int, lesson: str, media_ms: int) -> Film:
    """The film of a lesson in a class: as it stands recorded, else all of its catalogue entry."""
    recorded = in_force(connection, [class_id], {"lesson_length"})
    mine = [film_of(act) for act in recorded if act.body["lesson_id"] == lesson]
    return mine[-1] if mine else Film(media_ms)


def in_force(
    connection: Connection, class_ids: Collection[int], kinds: Collection[str]
) -> list[ActInForce]:
    """Acts of these classes that are approved and not revoked, in the order they were recorded."""
    query = (
        select(
            Act.id,
            Act.kind,
            Act.class_id,
            Act.learner_id,
            Act.body,
            Act.approved_by,
            Act.approved_ms,
        )
        .where(
            Act.class_id.in_(class_ids),
            Act.kind.in_(kinds),
            Act.approved_ms.is_not(None),
            Act.revoked_ms.is_(None),
        )
        .order_by(Act.id)
    )
    return [ActInForce(*row) for row in connection.execute(query)]


def answer_window_ms(connection: Connection, class_id: int, learner_id: int, opened_ms: int) -> int:
    """The longest time to answer pop-ups that stands recorded for a learner's sitting of then, 0
    where none does."""
    windows = [
        round(act.body["answer_window_s"] * 1000)
        for act in in_force(connection, [class_id], ["answer_time"])
        if act.learner_id == learner_id and act.since_ms <= opened_ms
    ]
    return max(windows, default=0)


def by_platform_alone(connection: Connection, class_id: int, kind: str) -> set[int | None]:
    """The learners of whom an act of this kind is in force that no person approved."""
    acts = in_force(connection, [class_id], [kind])
    return {act.learner_id for act in acts if act.since_ms}


def ids_in_force(connection: Connection, class_id: int) -> list[int]:
    return [act.id for act in in_force(connection, [class_id], JUDGING)]


def add(connection: Connection, **values: Any) -> int:
    return int(connection.execute(insert(Act).values(**values).returning(Act.id)).scalar_one())


def change(connection: Connection, act_id: int, **values: Any) -> None:
    connection.execute(update(Act).where(Act.id == act_id).values(**values))


def one(connection: Connection, scope: AccessScope, act_id: int) -> AnyRow | None:
    return connection.execute(_acts().where(Act.id == act_id, scope.covers_class())).one_or_none()


def of_class(connection: Connection, class_id: int) -> Sequence[AnyRow]:
    """All acts of a class, newest first, with whom each is about."""
    return connection.execute(_acts().where(Act.class_id == class_id).order_by(Act.id.desc())).all()


def _acts() -> Any:
    return (
        select(
            Act,
            TrainingClass.external_id.label("klass"),
            Learner.external_id.label("learner"),
            Learner.name.label("learner_name"),
        )
        .join(TrainingClass, TrainingClass.id == Act.class_id)
        .join(Learner, Learner.id == Act.learner_id, isouter=True)
    )
