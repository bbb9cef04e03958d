"""Rows of `snapshots`: entering them, the face worker's queue, and columns for the detectors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    exists,
    func,
    insert,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import aliased

from app.store.bodies import PhotoCopy
from app.store.events import event_log, ledgers
from app.store.moments import has_come
from app.store.row import fetch, fetch_one, fetch_one_or_none
from detectors.trace import NONE, PHOTO, Check, PhotoFlag, Purpose
from models import (
    ArchivedPhoto,
    ClassHour,
    Learner,
    ReferencePhoto,
    Session,
    Snapshot,
    TrainingClass,
)

_PURPOSES = {
    "start": Purpose.START,
    "random": Purpose.RANDOM,
    "resume": Purpose.RESUME,
    "challenge": Purpose.CHALLENGE,
}
_LATEST = 2**31 - 1
_FRESH = {"status": "pending", "attempts": 0, "check": int(Check.PENDING)}
_AFRESH = _FRESH | {"checked_ms": None, "reading": None}
SAME_MOMENT_MS = 120_000  # within one sitting, as long as the tries at a challenge
# Made once: what SQLAlchemy makes of an alias's columns takes longer than the query.
_EARLIER, _EARLIER_ARCHIVED = aliased(Snapshot), aliased(ArchivedPhoto)
_CLASS, _SITTING = aliased(TrainingClass), aliased(Session)


class SittingPhoto(Protocol):
    """Which photo of which sitting."""

    id: int
    session_id: int


class PhotoRow(Protocol):
    """A photo with what was read in it, once it was."""

    id: int
    session_id: int
    external_id: str
    purpose: str
    control_id: int | None
    late: bool
    frame: int
    taken_at_ms: int | None
    received_ms: int
    sha256: bytes
    blob_key: str | None
    status: str
    check: int
    reading: dict[str, Any] | None
    embedding_encrypted: bytes | None
    checked_ms: int | None


def reading_of(photo: PhotoRow) -> dict[str, Any]:
    """What was read in a photo that waits for its decision, or has it."""
    assert photo.reading is not None
    return photo.reading


class PhotoInOrder(PhotoRow, Protocol):
    seen_before: bool


def rows(connection: Connection, session_id: int) -> Sequence[PhotoInOrder]:
    """A sitting's photos in order of receipt, with `seen_before`: they `repeat` an earlier one, or
    are the learner's enrolled photo itself, which was not taken at a random moment."""
    photo = ledgers.opened(connection, Session.id == session_id).photos
    enrolled = exists().where(
        ReferencePhoto.learner_id == Session.learner_id,
        Session.id == photo.session_id,
        ReferencePhoto.sha256 == photo.sha256,
        ReferencePhoto.status == "ready",
        ReferencePhoto.retired_ms.is_(None),
        photo.purpose != "start",
    )
    before = (repeat(photo, _EARLIER), repeat_archived(photo, _EARLIER_ARCHIVED))
    seen_before = or_(*(exists().where(it) for it in before), enrolled)
    return fetch(
        connection,
        select(photo, seen_before.label("seen_before"))
        .where(photo.session_id == session_id)
        .order_by(photo.received_ms, photo.id),
        PhotoInOrder,
    )


def _in_sandbox(photo: Any) -> Any:
    return (
        select(_CLASS.sandbox)
        .join(_SITTING, _SITTING.class_id == _CLASS.id)
        .where(_SITTING.id == photo.session_id)
        .correlate_except(_CLASS, _SITTING)
        .scalar_subquery()
    )


def repeat(photo: Any, earlier: Any) -> ColumnElement[bool]:
    """Whether the same bytes came earlier, as another photo than another try at the same challenge,
    or a second delivery of one moment: a platform may hand in one picture as the photo of a start
    and as the answer to its challenge. What was tried in a sandbox class repeats nothing of a real
    one, nor is it repeated there."""
    return and_(
        _same_earlier(photo, earlier),
        or_(
            earlier.control_id.is_(None),
            earlier.control_id.is_distinct_from(photo.control_id),
        ),
        or_(
            earlier.session_id != photo.session_id,
            earlier.received_ms < photo.received_ms - SAME_MOMENT_MS,
        ),
    )


def repeat_archived(photo: Any, earlier: Any) -> ColumnElement[bool]:
    """As `repeat`, where the earlier photo is one of those whose rows are archived: a sitting's go
    all together, so it is another's, and answered another control."""
    return and_(_same_earlier(photo, earlier), earlier.session_id != photo.session_id)


def _same_earlier(photo: Any, earlier: Any) -> ColumnElement[bool]:
    return and_(
        earlier.sha256 == photo.sha256,
        _in_sandbox(earlier) == _in_sandbox(photo),
        or_(
            earlier.received_ms < photo.received_ms,
            and_(earlier.received_ms == photo.received_ms, earlier.id < photo.id),
        ),
    )


def any_stored(connection: Connection) -> bool:
    """Whether the bytes of any photo, of a sitting or enrolled, lie in the store."""
    of_sittings = select(Snapshot.id).where(
        Snapshot.blob_key.is_not(None), Snapshot.removed_ms.is_(None)
    )
    enrolled = select(ReferencePhoto.id).where(ReferencePhoto.blob_key.is_not(None))
    asked = (of_sittings.limit(1), enrolled.limit(1))
    return any(connection.execute(it).first() is not None for it in asked)


def by_external_id(connection: Connection, session_id: int, external_id: str) -> PhotoRow | None:
    photo = ledgers.opened(connection, Session.id == session_id).photos
    query = select(photo).where(photo.session_id == session_id, photo.external_id == external_id)
    return fetch_one_or_none(connection, query, PhotoRow)


def count(connection: Connection, session_id: int) -> int:
    query = select(func.count()).select_from(Snapshot).where(Snapshot.session_id == session_id)
    return int(connection.execute(query).scalar_one())


def count_bound(connection: Connection, session_id: int, control_id: int) -> int:
    """Photos that answer a control. No index leads from the control to them, one from the sitting
    does."""
    query = (
        select(func.count())
        .select_from(Snapshot)
        .where(Snapshot.session_id == session_id, Snapshot.control_id == control_id)
    )
    return int(connection.execute(query).scalar_one())


def bind(connection: Connection, session_id: int, challenge: str, control_id: int) -> None:
    """Photos that came before their control was told of answer it."""
    connection.execute(
        update(Snapshot)
        .where(
            Snapshot.session_id == session_id,
            Snapshot.challenge_id == challenge,
            Snapshot.control_id.is_(None),
        )
        .values(control_id=control_id)
    )


def insert_row(connection: Connection, session_id: int, **values: Any) -> int:
    """Add a photo, one that nobody has looked at yet unless told otherwise; returns its row id."""
    event_log.unsettle(connection, [session_id])
    result = connection.execute(insert(Snapshot).values(session_id=session_id, **_FRESH | values))
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def bring(connection: Connection, photo: SittingPhoto, **values: Any) -> None:
    """What was lost on its way in came after all."""
    event_log.unsettle(connection, [photo.session_id])
    connection.execute(update(Snapshot).where(Snapshot.id == photo.id).values(**_AFRESH | values))


def before_in_class_hours(connection: Connection, session_id: int) -> Sequence[PhotoRow]:
    """Photos of the learner's earlier sittings on the class-hours that this one's lesson lies in,
    in order of receipt."""
    own = connection.execute(
        select(Session.learner_id, Session.class_id, Session.opened_ms, Session.lesson_id).where(
            Session.id == session_id
        )
    ).one()
    earlier = (
        select(Session.id, Session.lesson_id)
        .where(
            Session.learner_id == own.learner_id,
            Session.class_id == own.class_id,
            Session.opened_ms < own.opened_ms,
            Session.id != session_id,
        )
        .order_by(Session.id)
    )
    sittings = connection.execute(earlier).all()
    if not sittings:
        return []
    plan = select(ClassHour.pieces).where(ClassHour.class_id == own.class_id)
    lessons = {own.lesson_id}
    for pieces in connection.execute(plan).scalars():
        of = {piece["lesson_id"] for piece in pieces}
        if own.lesson_id in of:
            lessons |= of
    ids = [row.id for row in sittings if row.lesson_id in lessons]
    return fetch(
        connection,
        select(Snapshot)
        .where(Snapshot.session_id.in_(ids))
        .order_by(Snapshot.received_ms, Snapshot.id),
        PhotoRow,
    )


# ---------------------------------------------------------------------- the face worker's queue


class ClaimedPhoto(Protocol):
    id: int
    session_id: int
    learner_id: int
    blob_key: str | None


def claim(
    connection: Connection,
    worker: str,
    now_ms: int,
    until_ms: int,
    limit: int,
    most_attempts: int,
    session_ids: Collection[int] | None = None,
) -> Sequence[ClaimedPhoto]:
    """Take the oldest unread photos that nobody holds: (id, session_id, learner_id, blob_key)."""
    query = (
        select(Snapshot.id, Snapshot.session_id, Session.learner_id, Snapshot.blob_key)
        .join(Session, Session.id == Snapshot.session_id)
        .where(
            Snapshot.status == "pending",
            Snapshot.attempts < most_attempts,
            or_(Snapshot.claim_expires_ms.is_(None), has_come(Snapshot.claim_expires_ms, now_ms)),
        )
        .order_by(Snapshot.id)
        .limit(limit)
        .with_for_update(of=Snapshot, skip_locked=True)
    )
    if session_ids is not None:
        query = query.where(Snapshot.session_id.in_(session_ids))
    taken = fetch(connection, query, ClaimedPhoto)
    if taken:
        connection.execute(
            update(Snapshot)
            .where(Snapshot.id.in_([row.id for row in taken]))
            .values(
                claimed_by=worker,
                claim_expires_ms=until_ms,
                attempts=Snapshot.attempts + 1,
            )
        )
    return taken


def any_to_do(connection: Connection, now_ms: int) -> bool:
    """Whether a photo waits that nobody holds."""
    free = or_(Snapshot.claim_expires_ms.is_(None), has_come(Snapshot.claim_expires_ms, now_ms))
    query = select(Snapshot.id).where(
        or_(Snapshot.status == "read", and_(Snapshot.status == "pending", free))
    )
    return connection.execute(query.limit(1)).first() is not None


def put_reading(connection: Connection, photo: SittingPhoto, worker: str, **values: Any) -> bool:
    """Store what was read, if the claim still stands; False when another worker took over."""
    if values["status"] == "failed":  # there is nothing left to decide
        event_log.unsettle(connection, [photo.session_id])
    result = connection.execute(
        update(Snapshot)
        .where(
            Snapshot.id == photo.id,
            Snapshot.status == "pending",
            Snapshot.claimed_by == worker,
        )
        .values(**values, claimed_by=None, claim_expires_ms=None)
    )
    return result.rowcount == 1


def release(connection: Connection, snapshot_ids: Collection[int], worker: str) -> None:
    """Hand back photos that could not be tried at all."""
    connection.execute(
        update(Snapshot)
        .where(Snapshot.id.in_(snapshot_ids), Snapshot.claimed_by == worker)
        .values(claimed_by=None, claim_expires_ms=None, attempts=Snapshot.attempts - 1)
    )


def give_up(connection: Connection, now_ms: int, most_attempts: int) -> list[int]:
    """Photos that ended every worker that touched them count as lost: no worker survived to say
    what is wrong with them. The sessions they belong to."""
    spent = and_(
        Snapshot.status == "pending",
        Snapshot.attempts >= most_attempts,
        or_(Snapshot.claim_expires_ms.is_(None), has_come(Snapshot.claim_expires_ms, now_ms)),
    )
    found = connection.execute(select(Snapshot.id, Snapshot.session_id).where(spent)).all()
    session_ids = sorted({row.session_id for row in found})
    if found:
        event_log.unsettle(connection, session_ids)
        connection.execute(
            update(Snapshot)
            .where(Snapshot.id.in_([row.id for row in found]), spent)
            .values(status="failed", check=int(Check.LOST), checked_ms=now_ms)
        )
    return session_ids


def to_decide(
    connection: Connection, session_ids: Collection[int] | None = None, limit: int = 500
) -> list[int]:
    """Sessions with photos that were read and not decided yet."""
    query = select(Snapshot.session_id).where(Snapshot.status == "read").distinct().limit(limit)
    if session_ids is not None:
        query = query.where(Snapshot.session_id.in_(session_ids))
    return list(connection.execute(query).scalars())


def decide(connection: Connection, photo: SittingPhoto, **values: Any) -> None:
    """Write a photo's decision, once."""
    event_log.unsettle(connection, [photo.session_id])
    connection.execute(
        update(Snapshot)
        .where(Snapshot.id == photo.id, Snapshot.status == "read")
        .values(**values, status="done")
    )


def decide_anew(connection: Connection, photo: SittingPhoto, **values: Any) -> None:
    """A later photo of the sitting changed the decision that this one carries."""
    event_log.unsettle(connection, [photo.session_id])
    connection.execute(
        update(Snapshot).where(Snapshot.id == photo.id, Snapshot.status == "done").values(**values)
    )


def compare_again(connection: Connection, learner_id: int) -> int:
    """Photos that lacked a reference wait for a decision once more; how many."""
    own = select(Session.id).where(Session.learner_id == learner_id).scalar_subquery()
    result = connection.execute(
        update(Snapshot)
        .where(
            Snapshot.session_id.in_(own),
            Snapshot.status == "done",
            Snapshot.check == int(Check.NO_REFERENCE),
        )
        .values(status="read", check=int(Check.PENDING), checked_ms=None)
    )
    return int(result.rowcount)


def read_again(connection: Connection, photos: Collection[SittingPhoto]) -> None:
    """Photos that were lost and are there again wait for their comparison."""
    event_log.unsettle(connection, {photo.session_id for photo in photos})
    connection.execute(
        update(Snapshot)
        .where(Snapshot.id.in_([photo.id for photo in photos]), Snapshot.check == int(Check.LOST))
        .values(_AFRESH)
    )


def compared(connection: Connection, e_tags: Mapping[int, str]) -> None:
    """Their bytes are those of their hash, and the store describes them so."""
    if e_tags:
        connection.execute(
            update(Snapshot)
            .where(Snapshot.id == bindparam("photo"))
            .values(e_tag=bindparam("tag")),
            [{"photo": photo, "tag": tag or None} for photo, tag in sorted(e_tags.items())],
        )


def waiting(connection: Connection) -> tuple[int, int | None]:
    """(photos not decided yet, receive time of the oldest in ms)."""
    row = connection.execute(
        select(func.count(), func.min(Snapshot.received_ms)).where(
            Snapshot.status.in_(("pending", "read"))
        )
    ).one()
    return int(row[0]), row[1]


def undecided(connection: Connection, session_id: int) -> int:
    query = (
        select(func.count())
        .select_from(Snapshot)
        .where(Snapshot.session_id == session_id, Snapshot.status.in_(("pending", "read")))
    )
    return int(connection.execute(query).scalar_one())


class SittingToDecide(Protocol):
    learner_id: int
    class_id: int
    state: str
    face_consent: bool
    pack_id: str
    pack_version: str


def owner(connection: Connection, session_id: int) -> SittingToDecide:
    """Of a sitting whose photos are decided: (learner_id, class_id, state, face_consent, pack_id,
    pack_version); it is locked."""
    return fetch_one(
        connection,
        select(
            Session.learner_id,
            Session.class_id,
            Session.state,
            Learner.face_consent,
            TrainingClass.pack_id,
            TrainingClass.pack_version,
        )
        .join(Learner, Learner.id == Session.learner_id)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .where(Session.id == session_id)
        .with_for_update(of=Session, key_share=True),
        SittingToDecide,
    )


def state(connection: Connection, session_id: int) -> str:
    """Whether the sitting is `open`, or how it ended."""
    query = select(Session.state).where(Session.id == session_id)
    return str(connection.execute(query).scalar_one())


def owner_of(connection: Connection, session_id: int) -> int:
    """The learner whose sitting it is."""
    query = select(Session.learner_id).where(Session.id == session_id)
    return int(connection.execute(query).scalar_one())


# ------------------------------------------------------------------------- the same photograph


class SittingOwner(Protocol):
    learner_id: int
    class_id: int
    learner: str


def owner_named(connection: Connection, session_id: int) -> SittingOwner:
    """Whose sitting it is: `learner_id`, `class_id`, and `learner` as the platform names them."""
    query = select(Session.learner_id, Session.class_id, Learner.external_id.label("learner"))
    return fetch_one(
        connection,
        query.join(Learner, Learner.id == Session.learner_id).where(Session.id == session_id),
        SittingOwner,
    )


class HashedPhoto(Protocol):
    id: int
    session_id: int
    control_id: int | None
    phash: int
    received_ms: int


def hashes_around(connection: Connection, session_id: int) -> Sequence[HashedPhoto]:
    """(id, session_id, control_id, phash, received_ms) of the photos of the learner and of the
    class, this sitting's among them."""
    own = connection.execute(
        select(Session.learner_id, Session.class_id).where(Session.id == session_id)
    ).one()
    stored, archived = (
        select(it.id, it.session_id, control.label("control_id"), it.phash, it.received_ms)
        .join(Session, Session.id == it.session_id)
        .where(
            or_(Session.learner_id == own.learner_id, Session.class_id == own.class_id),
            it.phash.is_not(None),
        )
        for it, control in ((Snapshot, Snapshot.control_id), (ArchivedPhoto, null()))
    )
    stored = stored.where(~exists().where(ArchivedPhoto.id == Snapshot.id).correlate(Snapshot))
    return fetch(connection, stored.union_all(archived).order_by(text("1")), HashedPhoto)


class OwnedPhoto(Protocol):
    id: int
    external_id: str
    sha256: bytes
    blob_key: str | None
    reading: dict[str, Any] | None
    learner_id: int
    session: str
    learner: str


def with_owner(connection: Connection, ids: Collection[int]) -> Sequence[OwnedPhoto]:
    """Photos with the public names of their sitting and learner."""
    return fetch(
        connection,
        select(
            Snapshot.id,
            Snapshot.external_id,
            Snapshot.sha256,
            Snapshot.blob_key,
            Snapshot.reading,
            Session.learner_id,
            Session.external_id.label("session"),
            Learner.external_id.label("learner"),
        )
        .join(Session, Session.id == Snapshot.session_id)
        .join(Learner, Learner.id == Session.learner_id)
        .where(Snapshot.id.in_(ids)),
        OwnedPhoto,
    )


def copies(
    connection: Connection, session_ids: Collection[int]
) -> dict[tuple[int, int], PhotoCopy]:
    """The photographs that photos of these sittings repeat, by sitting and place in it."""
    found: dict[tuple[int, int], PhotoCopy] = {}
    for session_id in session_ids:
        for place, photo in enumerate(rows(connection, session_id)):
            copy = (photo.reading or {}).get("near_duplicate")
            if copy is not None:
                found[session_id, place] = msgspec.convert(copy, PhotoCopy)
    return found


# ------------------------------------------------------------------------------------- columns


def photos_array(
    photos: Sequence[Any],
    controls: Sequence[Any],
    start_ms: int,
    missing: Collection[int] = (),
) -> NDArray[np.void]:
    """PHOTO[P] of one session's `rows`; `controls` are its ledger rows, in the detectors' order.

    missing: ids of photos whose bytes are no longer there, or were altered.
    """
    place = {row.id: at for at, row in enumerate(controls)}
    packed = np.zeros(len(photos), PHOTO)
    for at, photo in enumerate(photos):
        control = place.get(photo.control_id, NONE)
        packed[at] = (
            NONE if photo.taken_at_ms is None else photo.taken_at_ms,
            max(0, min(photo.received_ms - start_ms, _LATEST)),
            control,
            np.nan if photo.score is None else photo.score,
            np.nan if photo.limit is None else photo.limit,
            _PURPOSES[photo.purpose],
            photo.check,
            _flags(photo, controls[control] if control != NONE else None, missing),
        )
    return packed


def _flags(photo: Any, control: Any, missing: Collection[int]) -> int:
    flags = PhotoFlag(0)
    if control is not None:
        flags |= PhotoFlag.BOUND
        if control.random_time:
            flags |= PhotoFlag.RANDOM_TIME
    if photo.blob_key is not None and photo.purged_ms is None and photo.id not in missing:
        flags |= PhotoFlag.KEPT
    if photo.late:
        flags |= PhotoFlag.LATE
    if photo.seen_before:
        flags |= PhotoFlag.SEEN_BEFORE
    if "near_duplicate" in (photo.reading or {}):
        flags |= PhotoFlag.NEAR_DUPLICATE
    judged = (photo.reading or {}).get("liveness", {})
    if judged.get("outcome") == "live":
        flags |= PhotoFlag.LIVE
    attack = judged.get("outcome") == "spoof" or "attack_model" in judged.get("reasons", ())
    if attack and photo.check == Check.REVIEW:
        flags |= PhotoFlag.FEED_NOT_LIVE
    return int(flags)
