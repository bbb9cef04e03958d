"""The photos of one learner that a person compares: enrolled, of one sitting, of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select

from app.store.row import typed
from app.store.scope import AccessScope
from models import Lesson, PhotoAccess, ReferencePhoto, Session, Snapshot, TrainingClass


class FaceShot(msgspec.Struct, frozen=True):
    """A photo of a sitting that can still be looked at."""

    id: int
    session_id: int
    received_ms: int
    purpose: str
    check: int
    score: float | None
    limit: float | None


class ShotSitting(msgspec.Struct, frozen=True):
    id: int
    opened_ms: int
    lesson_position: int
    lesson_title: str


def shots(connection: Connection, session_ids: Sequence[int], each: int) -> list[FaceShot]:
    """Up to ``each`` kept photos of each sitting, spread over it, in order of receipt."""
    place = func.row_number().over(
        partition_by=Snapshot.session_id, order_by=(Snapshot.received_ms, Snapshot.id)
    )
    count = func.count().over(partition_by=Snapshot.session_id)
    kept = (
        select(Snapshot, (place - 1).label("place"), count.label("count"))
        .where(Snapshot.session_id.in_(session_ids), Snapshot.blob_key.is_not(None))
        .where(Snapshot.purged_ms.is_(None), Snapshot.removal_ms.is_(None))
        .subquery()
    )
    # The first of each of `each` equal stretches of the sitting's photos.
    stretch, before = ((it * each) // kept.c.count for it in (kept.c.place, kept.c.place - 1))
    query = (
        select(*(kept.c[name] for name in FaceShot.__struct_fields__))
        .where((kept.c.place == 0) | (stretch > before))
        .order_by(kept.c.session_id, kept.c.received_ms, kept.c.id)
    )
    return typed(connection.execute(query), FaceShot)


def other_sittings(
    connection: Connection, scope: AccessScope, learner_id: int, session_id: int, most: int
) -> list[ShotSitting]:
    """The learner's other sittings with photos, within the scope, the newest first."""
    photographed = select(Snapshot.session_id).where(Snapshot.blob_key.is_not(None))
    query = (
        select(
            Session.id,
            Session.opened_ms,
            Lesson.position.label("lesson_position"),
            Lesson.title.label("lesson_title"),
        )
        .join(Lesson, Lesson.id == Session.lesson_id)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .where(
            Session.learner_id == learner_id,
            Session.id != session_id,
            Session.id.in_(photographed),
            scope.covers_class(),
        )
        .order_by(Session.opened_ms.desc())
        .limit(most)
    )
    return typed(connection.execute(query), ShotSitting)


def looks(
    connection: Connection, learner_id: int, user_id: int, since_ms: int
) -> tuple[dict[int, int], dict[int, int]]:
    """This person's accesses to the learner's photos since then: snapshot → access, and enrolled
    photo → access."""
    query = (
        select(PhotoAccess.id, PhotoAccess.snapshot_id, PhotoAccess.reference_photo_id)
        .join(Snapshot, Snapshot.id == PhotoAccess.snapshot_id, isouter=True)
        .join(Session, Session.id == Snapshot.session_id, isouter=True)
        .join(ReferencePhoto, ReferencePhoto.id == PhotoAccess.reference_photo_id, isouter=True)
        .where(
            PhotoAccess.user_id == user_id,
            PhotoAccess.at_ms >= since_ms,
            (Session.learner_id == learner_id) | (ReferencePhoto.learner_id == learner_id),
        )
        .order_by(PhotoAccess.id)
    )
    taken: dict[int, int] = {}
    enrolled: dict[int, int] = {}
    for row in connection.execute(query):
        if row.snapshot_id is not None:
            taken[row.snapshot_id] = row.id
        else:
            enrolled[row.reference_photo_id] = row.id
    return taken, enrolled


def add_looks(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Enter several looks at once; each row as `photo_access.add` takes it."""
    if rows:
        connection.execute(insert(PhotoAccess), list(rows))
