"""Rows of `sessions`, and what has to be known of a class to open one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, update

from app.store import stays
from app.store.catalogue.catalogue import ClassRow, LessonRow
from app.store.catalogue.people import AccountRow
from app.store.row import fetch, fetch_one, fetch_one_or_none
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

LONGEST_LEASE_MS = 3_600_000
GENESIS = bytes(32)  # head of the hash chain before the first batch


class SittingRow(Protocol):
    id: int
    platform_id: int
    external_id: str
    class_id: int
    learner_id: int
    person_id: int
    lesson_id: int
    device_id: str
    window_id: str
    client: dict[str, Any]
    provenance: str
    state: str
    close_reason: str | None
    started_at_ms: int | None
    opened_ms: int
    last_recv_ms: int
    closed_ms: int | None
    resume_ms: int
    lease_digest: bytes | None
    lease_expires_ms: int | None
    chain: bytes
    event_count: int
    next_seq: int
    popup_from_ms: int
    popup_due_ms: int | None
    schedule: dict[str, Any]
    seed_encrypted: bytes | None
    commitment: bytes | None
    seed_revealed: bytes | None


class TimedSitting(SittingRow, Protocol):
    """A sitting with how far its class's clock is ahead of the server's: in a sandbox alone."""

    ahead_ms: int


class NamedSitting(TimedSitting, Protocol):
    """A sitting with the platform's ids around it, and who draws its controls."""

    learner: str
    klass: str
    controls: str
    learning_ms: int
    pack_id: str
    pack_version: str
    starts_on: str
    ends_on: str
    lesson: str


class RivalSitting(SittingRow, Protocol):
    """An open sitting of the person, on any platform."""

    lease_expires_ms: int
    learner: str
    slug: str


class SittingNames(Protocol):
    learner: str
    klass: str
    controls: str
    pack_id: str
    pack_version: str
    lesson: str
    media_ms: int


class PackedSitting(Protocol):
    id: int
    external_id: str
    opened_ms: int
    pack_id: str
    pack_version: str
    controls: str
    sandbox: bool
    ahead_ms: int
    media_ms: int


class PreviousSitting(Protocol):
    id: int
    external_id: str
    learning_ms: int
    popup_from_ms: int
    popup_due_ms: int | None
    popup_draws: int
    schedule: dict[str, Any]


class HourPlan(Protocol):
    number: int
    pieces: list[Any]


class LessonToPlay(LessonRow, Protocol):
    """A lesson with what its course demands."""

    course_kind: str | None
    sequential_lock: bool


def learner(connection: Connection, platform_id: int, external_id: str) -> AccountRow | None:
    return fetch_one_or_none(
        connection,
        select(Learner).where(
            Learner.platform_id == platform_id, Learner.external_id == external_id
        ),
        AccountRow,
    )


def platform_of_learner(connection: Connection, learner_id: int, external_id: str) -> int | None:
    """The platform that calls the learner of this row so; None: none does."""
    return connection.execute(
        select(Learner.platform_id).where(
            Learner.id == learner_id, Learner.external_id == external_id
        )
    ).scalar_one_or_none()


def with_pack(
    connection: Connection, platform_id: int, external_ids: Sequence[str]
) -> Sequence[PackedSitting]:
    """Those sittings that there are, each with the pack of its class."""
    klass = TrainingClass
    query = (
        select(
            Session.id,
            Session.external_id,
            Session.opened_ms,
            klass.pack_id,
            klass.pack_version,
            klass.controls,
            klass.sandbox,
            klass.ahead_ms,
            Lesson.media_ms,
        )
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .join(Lesson, Lesson.id == Session.lesson_id)
        .where(Session.platform_id == platform_id, Session.external_id.in_(external_ids))
    )
    return fetch(connection, query, PackedSitting)


def klass(connection: Connection, platform_id: int, external_id: str) -> ClassRow | None:
    return fetch_one_or_none(
        connection,
        select(TrainingClass).where(
            TrainingClass.platform_id == platform_id, TrainingClass.external_id == external_id
        ),
        ClassRow,
    )


def enrolled(connection: Connection, class_id: int, learner_id: int) -> bool:
    """Whether the learner is or was in the class."""
    found = connection.execute(
        select(Enrolment.id).where(
            Enrolment.class_id == class_id,
            Enrolment.learner_id == learner_id,
            stays.ever_in_class(),
        )
    ).first()
    return found is not None


def has_face_consent(connection: Connection, learner_id: int) -> bool:
    return bool(
        connection.execute(select(Learner.face_consent).where(Learner.id == learner_id)).scalar()
    )


def lessons(
    connection: Connection, course_version_ids: Collection[int], external_id: str
) -> Sequence[LessonToPlay]:
    """Lessons of that id in frozen course versions, with what their course demands."""
    return fetch(
        connection,
        select(Lesson, CourseVersion.course_kind, CourseVersion.sequential_lock)
        .join(CourseVersion, CourseVersion.id == Lesson.course_version_id)
        .where(Lesson.course_version_id.in_(course_version_ids), Lesson.external_id == external_id),
        LessonToPlay,
    )


def lesson_before(
    connection: Connection, course_version_id: int, position: int
) -> LessonRow | None:
    return fetch_one_or_none(
        connection,
        select(Lesson)
        .where(Lesson.course_version_id == course_version_id, Lesson.position < position)
        .order_by(Lesson.position.desc())
        .limit(1),
        LessonRow,
    )


def hours(connection: Connection, class_id: int) -> Sequence[HourPlan]:
    """(number, pieces) of the class's frozen plan, in order."""
    return fetch(
        connection,
        select(ClassHour.number, ClassHour.pieces)
        .where(ClassHour.class_id == class_id)
        .order_by(ClassHour.number),
        HourPlan,
    )


def lock_person(connection: Connection, person_id: int) -> None:
    """Two sittings of one person are opened one after the other, on PostgreSQL too."""
    connection.execute(
        select(Person.id).where(Person.id == person_id).with_for_update(key_share=True)
    )


def open_of_person(connection: Connection, person_id: int) -> Sequence[RivalSitting]:
    """The person's open sittings on any platform, with the platform and learner they belong to."""
    return fetch(
        connection,
        select(Session, Learner.external_id.label("learner"), Platform.slug)
        .join(Learner, Learner.id == Session.learner_id)
        .join(Platform, Platform.id == Session.platform_id)
        .where(Session.person_id == person_id, Session.state == "open")
        .where(Session.provenance == "live")
        .order_by(Session.id),
        RivalSitting,
    )


def any_on_platform(connection: Connection, platform_id: int) -> bool:
    """Whether the platform ever had a sitting, live or imported."""
    query = select(Session.id).where(Session.platform_id == platform_id).limit(1)
    return connection.execute(query).first() is not None


def opened_by_person(
    connection: Connection, platform_id: int, person_id: int, since_ms: int
) -> int:
    """How many sittings the person opened on the platform from then on."""
    query = select(func.count()).select_from(Session)
    mine = (Session.person_id == person_id, Session.opened_ms >= since_ms)
    here = (Session.platform_id == platform_id, Session.provenance == "live")
    return int(connection.execute(query.where(*mine, *here)).scalar_one())


def by_external_id(
    connection: Connection, platform_id: int, external_id: str, *, lock: bool = False
) -> TimedSitting | None:
    query = (
        select(Session, TrainingClass.ahead_ms)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .where(Session.platform_id == platform_id, Session.external_id == external_id)
    )
    if lock:
        query = query.with_for_update(of=Session, key_share=True)
    return fetch_one_or_none(connection, query, TimedSitting)


def ahead_ms(connection: Connection, session_id: int) -> int:
    """How far the clock of a sitting's class is ahead of the server's."""
    query = select(TrainingClass.ahead_ms).join(Session, Session.class_id == TrainingClass.id)
    return connection.execute(query.where(Session.id == session_id)).scalar_one()


def names(connection: Connection, session_id: int) -> SittingNames:
    """The platform's own ids of a sitting's learner, class and lesson, and the class's terms."""
    return fetch_one(
        connection,
        select(
            Learner.external_id.label("learner"),
            TrainingClass.external_id.label("klass"),
            TrainingClass.controls,
            TrainingClass.pack_id,
            TrainingClass.pack_version,
            Lesson.external_id.label("lesson"),
            Lesson.media_ms,
        )
        .select_from(Session)
        .join(Learner, Learner.id == Session.learner_id)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .join(Lesson, Lesson.id == Session.lesson_id)
        .where(Session.id == session_id),
        SittingNames,
    )


def seen(
    connection: Connection, scope: AccessScope, external_id: str, platform: str | None
) -> Sequence[NamedSitting]:
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
            TrainingClass.ahead_ms,
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
    return fetch(connection, query, NamedSitting)


def last_of_learner(
    connection: Connection, learner_id: int, class_id: int
) -> PreviousSitting | None:
    """The learner's latest live sitting in the class: what the next one carries on from."""
    return fetch_one_or_none(
        connection,
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
        .limit(1),
        PreviousSitting,
    )


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


_END = (
    update(Session)
    .where(and_(Session.id == bindparam("ended"), Session.state == "open"))
    .values(settled=False, evidence_version=Session.evidence_version + 1, lease_expires_ms=None)
)


def end_sessions(connection: Connection, ends: Mapping[int, Mapping[str, Any]]) -> int:
    """Set the end of those that are still open, session → columns; how many that were."""
    values = [{"ended": session_id, **columns} for session_id, columns in ends.items()]
    return connection.execute(_END, values).rowcount if values else 0


def run_out(connection: Connection, now_ms: int, limit: int) -> Sequence[TimedSitting]:
    """Open sittings whose lease has run out by the clock of their class, or runs longer than any
    does: then the clock that it was given by was wrong. Locked; those that somebody else holds are
    alive, and left to the next time: who waits for nobody is in nobody's deadlock."""
    lease = Session.lease_expires_ms
    real = or_(lease <= now_ms, lease > now_ms + LONGEST_LEASE_MS)
    class_ms = TrainingClass.ahead_ms + now_ms
    tried = or_(lease <= class_ms, lease > class_ms + LONGEST_LEASE_MS)
    found: list[TimedSitting] = []
    for over, sandbox in ((real, False), (tried, True)):
        query = (
            select(Session, TrainingClass.ahead_ms)
            .join(TrainingClass, TrainingClass.id == Session.class_id)
            .where(Session.state == "open", TrainingClass.sandbox.is_(sandbox), over)
            .order_by(lease)
            .limit(limit)
            .with_for_update(of=Session, key_share=True, skip_locked=True)
        )
        found += fetch(connection, query, TimedSitting)
    return found
