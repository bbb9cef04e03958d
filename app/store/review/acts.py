"""Rows of `acts`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, func, insert, or_, select, update

from app.store.review.act_bodies import AnswerTimeBody, LessonLengthBody, Said, said
from app.store.row import fetch, typed, typed_or_none
from app.store.scope import AccessScope
from detectors.film import Film
from models import Act, Learner, TrainingClass

PERSON = "user:"  # how the names of people begin, and of no platform's key

# Kinds that sittings are judged by: they are facts of the sittings of their class or learner.
JUDGING = frozenset(
    {"answer_time", "checked_in_person", "lesson_length", "class_extended", "leave_approved"}
)


class ActRow(msgspec.Struct, frozen=True, kw_only=True):
    """One act, with the public ids of its class and learner; these are None where it is about the
    class."""

    id: int
    kind: str
    class_id: int
    learner_id: int | None
    body: dict[str, Any]
    reason: str
    document: str
    recorded_by: str
    recorded_ms: int
    approved_by: str | None
    approved_ms: int | None
    revoked_by: str | None
    revoked_ms: int | None
    revoked_reason: str | None
    klass: str
    learner: str | None
    learner_name: str | None


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

    def said(self, kind: type[Said]) -> Said:
        """What it says, as its kind says it."""
        return said(self.body, kind)


def film_of(body: LessonLengthBody) -> Film:
    """What the film of a lesson holds, as it was recorded."""
    skipped = ((round(start * 1000), round(end * 1000)) for start, end in body.skipped)
    return Film(round(body.media_seconds * 1000), tuple(sorted(skipped)))


class RecordedAct(Protocol):
    """An act as it was recorded, in force or not."""

    id: int
    kind: str
    class_id: int
    learner_id: int | None
    body: dict[str, Any]
    approved_by: str | None
    approved_ms: int | None
    revoked_ms: int | None


@dataclass(frozen=True, slots=True)
class RecordedActs:
    """Acts on classes as a whole and on one learner in them, read at once, in their order."""

    rows: Sequence[RecordedAct]

    def of(self, class_id: int, kind: str) -> list[RecordedAct]:
        return [it for it in self.rows if (it.class_id, it.kind) == (class_id, kind)]

    def in_force(self, class_id: int, kind: str) -> list[ActInForce]:
        """Those that are approved and not revoked."""
        return [
            ActInForce(*(getattr(it, name) for name in ActInForce.__slots__))
            for it in self.of(class_id, kind)
            if it.approved_ms is not None and it.revoked_ms is None
        ]

    def film_of_lesson(self, class_id: int, lesson: str, media_ms: int) -> Film:
        """The film of a lesson in a class: as it stands recorded, else all of its catalogue
        entry."""
        acts = self.in_force(class_id, "lesson_length")
        said = [act.said(LessonLengthBody) for act in acts]
        mine = [film_of(body) for body in said if body.lesson_id == lesson]
        return mine[-1] if mine else Film(media_ms)


def recorded(
    connection: Connection, class_ids: Collection[int], learner_id: int, kinds: Collection[str]
) -> RecordedActs:
    """Acts of these kinds on the classes as a whole, and on this learner in them."""
    query = select(*(getattr(Act, it) for it in RecordedAct.__annotations__)).where(
        Act.class_id.in_(class_ids),
        Act.kind.in_(kinds),
        or_(Act.learner_id.is_(None), Act.learner_id == learner_id),
    )
    return RecordedActs(fetch(connection, query.order_by(Act.id), RecordedAct))


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


def answer_times(connection: Connection, class_ids: Collection[int]) -> list[ActInForce]:
    """The times to answer pop-ups that stand recorded in these classes."""
    return in_force(connection, class_ids, ["answer_time"])


def answer_window_ms(
    recorded: Iterable[ActInForce], class_id: int, learner_id: int, opened_ms: int
) -> int:
    """The longest of the `answer_times` recorded for a learner's sitting of then, 0 where none
    is."""
    windows = [
        act.said(AnswerTimeBody).window_ms
        for act in recorded
        if (act.class_id, act.learner_id) == (class_id, learner_id) and act.since_ms <= opened_ms
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


def by_id(connection: Connection, act_id: int) -> ActRow:
    """An act that was added in this transaction."""
    return typed([connection.execute(_acts().where(Act.id == act_id)).one()], ActRow)[0]


def one(
    connection: Connection, scope: AccessScope, act_id: int, *, lock: bool = False
) -> ActRow | None:
    """The act, if it is within the scope; `lock` holds it until the transaction ends."""
    query = _acts().where(Act.id == act_id, scope.covers_class())
    if lock:
        query = query.with_for_update(of=Act)
    return typed_or_none(connection.execute(query).one_or_none(), ActRow)


def of_class(connection: Connection, class_id: int) -> Sequence[ActRow]:
    """All acts of a class, newest first, with whom each is about."""
    query = _acts().where(Act.class_id == class_id).order_by(Act.id.desc())
    return typed(connection.execute(query), ActRow)


def last_of(
    connection: Connection, class_id: int, learner_id: int | None, kind: str
) -> ActRow | None:
    """The last act of a kind about a learner, or about the class, that was not revoked."""
    query = _acts().where(
        Act.class_id == class_id,
        Act.learner_id == learner_id,
        Act.kind == kind,
        Act.revoked_ms.is_(None),
    )
    last = query.order_by(Act.id.desc()).limit(1)
    return typed_or_none(connection.execute(last).one_or_none(), ActRow)


def waiting(connection: Connection, class_id: int) -> int:
    """How many acts of a class nobody has approved yet."""
    query = select(func.count()).where(
        Act.class_id == class_id, Act.approved_ms.is_(None), Act.revoked_ms.is_(None)
    )
    return int(connection.scalar(query) or 0)


class ActsToApprove(msgspec.Struct, frozen=True, kw_only=True):
    """A class with acts that wait for another person."""

    class_id: int
    external_id: str
    occupation: str
    institution: str
    count: int


def waiting_for(connection: Connection, scope: AccessScope, actor: str) -> list[ActsToApprove]:
    """Classes in scope with acts that somebody else recorded, the longest waiting first."""
    rows = connection.execute(
        select(
            Act.class_id,
            TrainingClass.external_id,
            TrainingClass.occupation,
            TrainingClass.institution,
            func.count().label("count"),
        )
        .join(TrainingClass, TrainingClass.id == Act.class_id)
        .where(
            scope.covers_class(),
            Act.approved_ms.is_(None),
            Act.revoked_ms.is_(None),
            Act.recorded_by != actor,
        )
        .group_by(
            Act.class_id,
            TrainingClass.external_id,
            TrainingClass.occupation,
            TrainingClass.institution,
        )
        .order_by(func.min(Act.id))
    )
    return typed(rows, ActsToApprove)


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
