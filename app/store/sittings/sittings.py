"""Rows of `sessions`, and what has to be known of a class to open one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update

from app.store.row import AnyRow
from app.store.scope import AccessScope
from models import (
    ClassHour,
    CourseVersion,
    Enrolment,
    Learner,
    Lesson,
    Person,
    Platform,
    Session,
    TrainingClass,
)

GENESIS = bytes(32)  # head of the hash chain before the first batch


def learner(connection: Connection, platform_id: int, external_id: str) -> AnyRow | None:
    return connection.execute(
        select(Learner).where(
            Learner.platform_id == platform_id, Learner.external_id == external_id
        )
    ).one_or_none()


def platform_of_learner(connection: Connection, learner_id: int, external_id: str) -> int | None:
    """The platform that calls the learner of this row so; None: none does."""
    return connection.execute(
        select(Learner.platform_id).where(
            Learner.id == learner_id, Learner.external_id == external_id
        )
    ).scalar_one_or_none()


def with_pack(connection: Connection, platform_id: int, external_id: str) -> AnyRow | None:
    """(id, opened_ms, pack_id, pack_version, controls) of a sitting and its class."""
    klass = TrainingClass
    return connection.execute(
        select(Session.id, Session.opened_ms, klass.pack_id, klass.pack_version, klass.controls)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .where(Session.platform_id == platform_id, Session.external_id == external_id)
    ).one_or_none()


def klass(connection: Connection, platform_id: int, external_id: str) -> AnyRow | None:
    return connection.execute(
        select(TrainingClass).where(
            TrainingClass.platform_id == platform_id, TrainingClass.external_id == external_id
        )
    ).one_or_none()


def enrolled(connection: Connection, class_id: int, learner_id: int) -> bool:
    found = connection.execute(
        select(Enrolment.id).where(
            Enrolment.class_id == class_id, Enrolment.learner_id == learner_id
        )
    ).first()
    return found is not None


def has_face_consent(connection: Connection, learner_id: int) -> bool:
    return bool(
        connection.execute(select(Learner.face_consent).where(Learner.id == learner_id)).scalar()
    )


def lessons(
    connection: Connection, course_version_ids: Collection[int], external_id: str
) -> Sequence[AnyRow]:
    """Lessons of that id in frozen course versions, with what their course demands."""
    return connection.execute(
        select(Lesson, CourseVersion.course_kind, CourseVersion.sequential_lock)
        .join(CourseVersion, CourseVersion.id == Lesson.course_version_id)
        .where(Lesson.course_version_id.in_(course_version_ids), Lesson.external_id == external_id)
    ).all()


def lesson_before(connection: Connection, course_version_id: int, position: int) -> AnyRow | None:
    return connection.execute(
        select(Lesson)
        .where(Lesson.course_version_id == course_version_id, Lesson.position < position)
        .order_by(Lesson.position.desc())
        .limit(1)
    ).one_or_none()


def hours(connection: Connection, class_id: int) -> Sequence[AnyRow]:
    """(number, pieces) of the class's frozen plan, in order."""
    return connection.execute(
        select(ClassHour.number, ClassHour.pieces)
        .where(ClassHour.class_id == class_id)
        .order_by(ClassHour.number)
    ).all()


def lock_person(connection: Connection, person_id: int) -> None:
    """Two sittings of one person are opened one after the other, on PostgreSQL too."""
    connection.execute(
        select(Person.id).where(Person.id == person_id).with_for_update(key_share=True)
    )


def open_of_person(connection: Connection, person_id: int) -> Sequence[AnyRow]:
    """The person's open sittings on any platform, with the platform and learner they belong to."""
    return connection.execute(
        select(Session, Learner.external_id.label("learner"), Platform.slug)
        .join(Learner, Learner.id == Session.learner_id)
        .join(Platform, Platform.id == Session.platform_id)
        .where(Session.person_id == person_id, Session.state == "open")
        .where(Session.provenance == "live")
        .order_by(Session.id)
    ).all()


def opened_by_person(connection: Connection, person_id: int, since_ms: int) -> int:
    """How many sittings the person opened from then on, on any platform."""
    query = select(func.count()).select_from(Session)
    mine = (Session.person_id == person_id, Session.opened_ms >= since_ms)
    return int(connection.execute(query.where(*mine, Session.provenance == "live")).scalar_one())


def by_external_id(
    connection: Connection, platform_id: int, external_id: str, *, lock: bool = False
) -> AnyRow | None:
    query = select(Session).where(
        Session.platform_id == platform_id, Session.external_id == external_id
    )
    return connection.execute(
        query.with_for_update(key_share=True) if lock else query
    ).one_or_none()


def names(connection: Connection, session_id: int) -> AnyRow:
    """The platform's own ids of a sitting's learner, class and lesson, and the class's terms."""
    return connection.execute(
        select(
            Learner.external_id.label("learner"),
            TrainingClass.external_id.label("klass"),
            TrainingClass.controls,
            TrainingClass.pack_id,
            TrainingClass.pack_version,
            Lesson.external_id.label("lesson"),
        )
        .select_from(Session)
        .join(Learner, Learner.id == Session.learner_id)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .join(Lesson, Lesson.id == Session.lesson_id)
        .where(Session.id == session_id)
    ).one()


def seen(
    connection: Connection, scope: AccessScope, external_id: str, platform: str | None
) -> Sequence[AnyRow]:
    """Sittings of that id that `scope` covers, on one platform (its slug) or on any."""
    query = (
        select(
            Session,
            Learner.external_id.label("learner"),
            TrainingClass.external_id.label("klass"),
            TrainingClass.controls,
            TrainingClass.pack_id,
            TrainingClass.pack_version,
            TrainingClass.starts_on,
            TrainingClass.ends_on,
            Lesson.external_id.label("lesson"),
        )
        .join(Learner, Learner.id == Session.learner_id)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .join(Lesson, Lesson.id == Session.lesson_id)
        .join(Platform, Platform.id == Session.platform_id)
        .where(Session.external_id == external_id, scope.covers_class())
        .limit(2)
    )
    if platform is not None:
        query = query.where(Platform.slug == platform)
    return connection.execute(query).all()


def last_of_learner(connection: Connection, learner_id: int, class_id: int) -> AnyRow | None:
    """The learner's latest live sitting in the class: what the next one carries on from."""
    return connection.execute(
        select(
            Session.id,
            Session.external_id,
            Session.learning_ms,
            Session.popup_from_ms,
            Session.popup_due_ms,
            Session.popup_draws,
            Session.schedule,
        )
        .where(
            Session.learner_id == learner_id,
            Session.class_id == class_id,
            Session.provenance == "live",
        )
        .order_by(Session.id.desc())
        .limit(1)
    ).one_or_none()


def insert_session(connection: Connection, **values: Any) -> int:
    """Add a sitting that has received nothing yet; returns its row id."""
    fresh = {
        "close_reason": None,
        "closed_ms": None,
        "chain": GENESIS,
        "batch_count": 0,
        "event_count": 0,
        "next_seq": 0,
        "seq_conflict": False,
        "learning_ms": 0,
    }
    result = connection.execute(insert(Session).values({**fresh, **values}))
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def update_session(connection: Connection, session_id: int, **values: Any) -> None:
    connection.execute(update(Session).where(Session.id == session_id).values(**values))


def end_session(connection: Connection, session_id: int, **values: Any) -> bool:
    """Set the end of a sitting that is still open; False when it was not."""
    result = connection.execute(
        update(Session)
        .where(and_(Session.id == session_id, Session.state == "open"))
        .values(**values, settled=False, lease_expires_ms=None)
    )
    return result.rowcount == 1


def run_out(connection: Connection, now_ms: int, limit: int) -> Sequence[AnyRow]:
    """Open sittings whose lease has run out."""
    return connection.execute(
        select(Session)
        .where(Session.state == "open", Session.lease_expires_ms <= now_ms)
        .order_by(Session.lease_expires_ms)
        .limit(limit)
    ).all()
