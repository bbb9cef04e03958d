"""What is read around one sitting: who, what, where, its findings, its verdicts, its neighbours."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, and_, func, select, text

from app.store.events import ledgers
from app.store.faces import snapshots
from app.store.review.finding_queue import GONE
from app.store.review.finding_rows import FindingRow
from app.store.row import fetch, fetch_one_or_none, typed
from app.store.scope import AccessScope
from models import (
    ArchivedPhoto,
    CourseVersion,
    Finding,
    Learner,
    Lesson,
    Platform,
    Session,
    Snapshot,
    TrainingClass,
    Verdict,
)


class SittingCase(Protocol):
    id: int
    external_id: str
    platform_id: int
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
    opened_ms: int
    closed_ms: int | None
    last_recv_ms: int
    event_count: int
    batch_count: int
    chain: bytes
    learner_name: str
    id_last4: str | None
    lesson_title: str
    lesson_position: int
    media_ms: int
    course_title: str
    class_name: str
    occupation: str
    institution: str
    county: str
    pack_id: str
    pack_version: str
    platform_name: str


def sitting(connection: Connection, session_id: int, scope: AccessScope) -> SittingCase | None:
    """The session with the names around it, or None when there is none within the scope."""
    return fetch_one_or_none(
        connection,
        select(
            Session.id,
            Session.external_id,
            Session.platform_id,
            Session.class_id,
            Session.learner_id,
            Session.person_id,
            Session.lesson_id,
            Session.device_id,
            Session.window_id,
            Session.client,
            Session.provenance,
            Session.state,
            Session.close_reason,
            Session.opened_ms,
            Session.closed_ms,
            Session.last_recv_ms,
            Session.event_count,
            Session.batch_count,
            Session.chain,
            Learner.name.label("learner_name"),
            Learner.id_last4,
            Lesson.title.label("lesson_title"),
            Lesson.position.label("lesson_position"),
            Lesson.media_ms,
            CourseVersion.title.label("course_title"),
            TrainingClass.external_id.label("class_name"),
            TrainingClass.occupation,
            TrainingClass.institution,
            TrainingClass.county,
            TrainingClass.pack_id,
            TrainingClass.pack_version,
            TrainingClass.starts_on,
            TrainingClass.ends_on,
            Platform.name.label("platform_name"),
        )
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .join(Learner, Learner.id == Session.learner_id)
        .join(Lesson, Lesson.id == Session.lesson_id)
        .join(CourseVersion, CourseVersion.id == Lesson.course_version_id)
        .join(Platform, Platform.id == Session.platform_id)
        .where(Session.id == session_id, scope.covers_class()),
        SittingCase,
    )


def findings_of(connection: Connection, session_id: int) -> list[FindingRow]:
    """What stands of a session's findings, shadow ones included, in the order they were made."""
    rows = connection.execute(
        select(Finding)
        .where(Finding.session_id == session_id, Finding.status != GONE)
        .order_by(Finding.id)
    )
    return typed(rows, FindingRow)


class KeyedFinding(Protocol):
    id: int
    key: str
    outcome: str
    status: str
    shadow: bool


def findings_by_key(
    connection: Connection, class_id: int, keys: Collection[str]
) -> Sequence[KeyedFinding]:
    """Findings of the class under these names."""
    return fetch(
        connection,
        select(Finding.id, Finding.key, Finding.outcome, Finding.status, Finding.shadow).where(
            Finding.class_id == class_id, Finding.key.in_(keys)
        ),
        KeyedFinding,
    )


def rival(
    connection: Connection, finding: FindingRow, external_id: str, away: bool, scope: AccessScope
) -> int | None:
    """The sitting of that id which a finding names: on its own platform, or, where it is `away`, on
    the other that had one about that time; None where the scope does not cover it."""
    own = Session.platform_id == finding.platform_id
    query = (
        select(Session.id)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .where(Session.external_id == external_id, ~own if away else own, scope.covers_class())
        .order_by(func.abs(Session.opened_ms - finding.start_ms), Session.id)
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


class PastVerdict(Protocol):
    id: int
    outcome: str
    pack: str
    pack_digest: str
    digest: bytes
    created_ms: int


def verdicts_of(connection: Connection, session_id: int) -> Sequence[PastVerdict]:
    """The session's verdicts, newest first: what was concluded when, under which pack."""
    return fetch(
        connection,
        select(
            Verdict.id,
            Verdict.outcome,
            Verdict.pack,
            Verdict.pack_digest,
            Verdict.digest,
            Verdict.created_ms,
        )
        .where(Verdict.subject_kind == "session", Verdict.subject_id == session_id)
        .order_by(Verdict.id.desc()),
        PastVerdict,
    )


class NeighbourSitting(Protocol):
    id: int
    opened_ms: int
    closed_ms: int | None
    state: str
    device_id: str
    lesson_title: str
    lesson_position: int


def neighbours(
    connection: Connection, sitting: SittingCase, limit: int
) -> Sequence[NeighbourSitting]:
    """Other sittings of the same learner in the same class, newest first."""
    return fetch(
        connection,
        select(
            Session.id,
            Session.opened_ms,
            Session.closed_ms,
            Session.state,
            Session.device_id,
            Lesson.title.label("lesson_title"),
            Lesson.position.label("lesson_position"),
        )
        .join(Lesson, Lesson.id == Session.lesson_id)
        .where(
            Session.learner_id == sitting.learner_id,
            Session.class_id == sitting.class_id,
            Session.id != sitting.id,
        )
        .order_by(Session.opened_ms.desc())
        .limit(limit),
        NeighbourSitting,
    )


class PhotoCase(Protocol):
    id: int
    session_id: int
    external_id: str
    control_id: int | None
    purpose: str
    frame: int
    received_ms: int
    taken_at_ms: int | None
    sha256: bytes
    blob_key: str | None
    purged_ms: int | None
    removal_ms: int | None
    check: int
    score: float | None
    limit: float | None
    reading: dict[str, Any] | None
    platform_id: int
    learner_id: int
    class_id: int
    learner_name: str


def photo(connection: Connection, snapshot_id: int, scope: AccessScope) -> PhotoCase | None:
    """One snapshot with its sitting and learner, or None when there is none within the scope."""
    own = select(ArchivedPhoto.session_id).where(ArchivedPhoto.id == snapshot_id)
    taken = ledgers.opened(connection, Session.id.in_(own)).photos
    return fetch_one_or_none(
        connection,
        select(
            taken.id,
            taken.session_id,
            taken.external_id,
            taken.control_id,
            taken.purpose,
            taken.frame,
            taken.received_ms,
            taken.taken_at_ms,
            taken.sha256,
            taken.blob_key,
            taken.purged_ms,
            taken.removal_ms,
            taken.check,
            taken.score,
            taken.limit,
            taken.reading,
            Session.platform_id,
            Session.learner_id,
            Session.class_id,
            Learner.name.label("learner_name"),
        )
        .join(Session, Session.id == taken.session_id)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .join(Learner, Learner.id == Session.learner_id)
        .where(taken.id == snapshot_id, scope.covers_class()),
        PhotoCase,
    )


def repeated(connection: Connection, photo: PhotoCase) -> int | None:
    """The earlier photo that this one repeats, wherever it was taken: by the proof that stays with
    the photo, else the first of the same bytes. None: it repeats none."""
    copy = (photo.reading or {}).get("near_duplicate")
    if copy is not None and "photo" in copy:
        return int(copy["photo"]) if _is_known(connection, int(copy["photo"])) else None
    if copy is None:
        stored = select(Snapshot.id, Snapshot.received_ms)
        archived = select(ArchivedPhoto.id, ArchivedPhoto.received_ms)
        same = stored.where(snapshots.repeat(photo, Snapshot)).union(
            archived.where(snapshots.repeat_archived(photo, ArchivedPhoto))
        )
        return connection.execute(same.order_by(text("2, 1")).limit(1)).scalar()
    own = and_(Session.platform_id == photo.platform_id, Session.external_id == copy["session_id"])
    taken = ledgers.opened(connection, own).photos
    query = select(taken.id).join(Session, Session.id == taken.session_id)
    query = query.where(own, taken.external_id == copy["snapshot_id"])
    return connection.execute(query.order_by(taken.received_ms, taken.id).limit(1)).scalar()


def _is_known(connection: Connection, snapshot_id: int) -> bool:
    places = (select(it.id).where(it.id == snapshot_id) for it in (Snapshot, ArchivedPhoto))
    return any(connection.scalar(it) is not None for it in places)


def photos_of(connection: Connection, session_ids: Collection[int]) -> dict[int, list[int]]:
    """The photos of each session, in order of receipt."""
    found: dict[int, list[int]] = {}
    taken = ledgers.opened(connection, Session.id.in_(session_ids)).photos
    query = (
        select(taken.session_id, taken.id)
        .where(taken.session_id.in_(session_ids))
        .order_by(taken.session_id, taken.received_ms, taken.id)
    )
    for session_id, photo_id in connection.execute(query):
        found.setdefault(session_id, []).append(photo_id)
    return found
