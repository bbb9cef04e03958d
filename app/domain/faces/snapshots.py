"""Photos of a sitting: verified before they are kept, encrypted with the learner's own key.

The face check itself happens later (app/domain/faces/face_checks.py): a request only stores.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from sqlalchemy import Connection

from app.db import Database
from app.domain.faces.photo_store import PhotoStore
from app.domain.policy import sitting_terms
from app.domain.policy.sitting_terms import REPORT_GRACE_MS
from app.domain.sittings import sitting_life
from app.domain.sittings.sitting_life import Door
from app.domain.sittings.sittings import unknown_session
from app.errors import BadInput, BodyTooLarge, Conflict, NotAllowed, WrongMediaType
from app.security import Unsealable
from app.store.controls import controls as control_store
from app.store.controls.controls import ControlRow
from app.store.events import event_log
from app.store.faces import face_keys
from app.store.faces import snapshots as rows
from app.store.faces.blobs import BlobMissing
from app.store.faces.snapshots import PhotoRow
from app.store.sittings import sittings as sitting_store
from app.store.sittings.sittings import SittingRow, TimedSitting
from app.vault import Vault
from app.vision import image_header
from app.vision.image_header import ImageHeader, ImageLimits, ImageRejected
from detectors.control_kinds import AnsweredBy, kind_of
from detectors.photo_window import deadline
from detectors.trace import Check

MOST_A_SITTING = 3_000
MOST_A_CHALLENGE = 60  # a burst of frames for the liveness check

_WHAT_IS_WRONG = {
    "image_empty": "没有收到图片内容",
    "image_type": "只接受 JPEG 或 PNG 图片",
    "image_too_large": "图片文件超过{bytes:.0f}MB，请压缩后再传",
    "image_pixels": "图片超过{pixels}万像素，或一边超过{side}像素，请缩小后再传",
    "image_truncated": "图片不完整，请重新上传",
    "image_unreadable": "图片无法读取，请重新拍摄",
}


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    sha256: bytes
    status: str
    bound: bool
    late: bool = False


@dataclass(frozen=True, slots=True)
class SentPhoto:
    """What is told of a photo: its id, purpose (start, random, resume, challenge), the control that
    it answers, its place in a burst, and when it was taken by the client's clock."""

    external_id: str
    purpose: str
    challenge_id: str | None
    frame: int
    taken_at_ms: int | None


def session_of(
    connection: Connection, platform_id: int, external_id: str, now_ms: int
) -> TimedSitting:
    """The platform's sitting, if it still takes photos. Raises NotFound, Conflict."""
    session = sitting_store.by_external_id(connection, platform_id, external_id)
    if session is None:
        raise unknown_session(external_id)
    fate = sitting_life.fate(session, Door.REPORT, now_ms + session.ahead_ms)
    if fate.refused:
        raise Conflict(fate.value, sitting_life.why(fate, external_id))
    return session


@dataclass(frozen=True, slots=True)
class PhotoBlob:
    """A photo that lies in the store and in no row yet: where, and how the store describes it."""

    blob_key: str
    e_tag: str | None


def is_stored(connection: Connection, session_id: int, external_id: str) -> bool:
    """Whether the sitting has a photo of that id whose bytes are there."""
    there = rows.by_external_id(connection, session_id, external_id)
    return there is not None and there.blob_key is not None


def put(photos: PhotoStore, key: bytes, session: SittingRow, data: bytes) -> PhotoBlob:
    """Keep the bytes, before `store` has a row name them: no transaction waits for the store.
    Raises StoreAway."""
    blob_key = f"learners/{session.learner_id}/sessions/{session.id}/{secrets.token_hex(8)}"
    return PhotoBlob(blob_key, photos.put(key, blob_key, data))


def store(
    connection: Connection,
    photos: PhotoStore,
    session: SittingRow,
    sent: SentPhoto,
    received_ms: int,
    data: bytes,
    *,
    kept: PhotoBlob | None = None,
    away: bool = False,
) -> StoredPhoto:
    """Keep a photo, unless the same one is stored already, in the caller's transaction. `kept`: its
    bytes are in the store already.

    A control that is not this session's leaves the photo unbound, and so does one whose time is
    over: the photo is kept, marked late, and counts for nothing. `received_ms` is the server's
    clock, in an import the platform's. `away`: the store did not take it; that it came is kept, so
    that its lack is nobody's fault, until it comes again. Raises BadInput, NotAllowed
    (no_face_consent), Conflict (other bytes under that id, too many, erased face data), StoreAway.
    """
    digest = hashlib.sha256(data).digest()
    there = rows.by_external_id(connection, session.id, sent.external_id)
    if there is not None and (away or there.blob_key is not None or there.check != Check.LOST):
        return _stored_before(there, digest)
    media_type = verified(data, photos.limits).media_type
    key = face_key(connection, photos.vault, session.learner_id, received_ms)
    if rows.count(connection, session.id) >= MOST_A_SITTING:
        raise Conflict("too_many_snapshots", f"a sitting has at most {MOST_A_SITTING} photos")
    control = _named(connection, session.id, sent.challenge_id)
    late = control is not None and _late(connection, session, control, received_ms)
    control_id = None if control is None else control.id
    values = asdict(sent) | {"control_id": control_id, "late": late, "received_ms": received_ms}
    values |= {"sha256": digest, "media_type": media_type, "size": len(data)}
    if away:
        lost = {"status": "failed", "check": int(Check.LOST), "checked_ms": received_ms}
        rows.insert_row(connection, session.id, **values, **lost)
        return StoredPhoto(digest, "failed", control is not None and not late, late)
    values |= asdict(kept or put(photos, key, session, data))
    if late:  # nobody has to look at it
        values |= {"status": "done", "check": int(Check.NOT_COMPARED), "checked_ms": received_ms}
    _put(connection, session.id, there, values)
    if control is None or late:
        return StoredPhoto(digest, "done" if late else "pending", False, late)
    _answer(connection, session.id, control, received_ms)
    return StoredPhoto(digest, "pending", True, late)


def _stored_before(there: PhotoRow, digest: bytes) -> StoredPhoto:
    if there.sha256 != digest:
        detail = f"snapshot {there.external_id!r} was stored as other bytes"
        raise Conflict("snapshot_exists", detail)
    bound = there.control_id is not None and not there.late
    return StoredPhoto(digest, there.status, bound, there.late)


def _put(
    connection: Connection, session_id: int, lost: PhotoRow | None, values: Mapping[str, Any]
) -> None:
    if lost is None:
        rows.insert_row(connection, session_id, **values)
    else:
        rows.bring(connection, lost, **values)


def _answer(connection: Connection, session_id: int, control: ControlRow, received_ms: int) -> None:
    """A control is answered when the first of its photos comes."""
    if (control.answered_ms or received_ms) >= received_ms:
        control_store.update_line(
            connection, session_id, control.challenge_id, answered_ms=received_ms
        )


class StoredObject(Protocol):
    """Where the bytes of a photo are, and what they hash to."""

    @property
    def id(self) -> int: ...
    @property
    def blob_key(self) -> str | None: ...
    @property
    def sha256(self) -> bytes: ...


def missing(photos: PhotoStore, key: bytes | None, own: Sequence[StoredObject]) -> set[int]:
    """Ids of photos that can no longer be retrieved unaltered, of one learner's rows.

    `key` None (erased) leaves none. Reads every object: for reports and the nightly check.
    """
    return {
        photo.id
        for photo in own
        if photo.blob_key is None
        or key is None
        or not _intact(photos, key, photo.blob_key, photo.sha256)
    }


def _intact(photos: PhotoStore, key: bytes, blob_key: str, sha256: bytes) -> bool:
    try:
        data = photos.opened(key, blob_key)
    except (BlobMissing, Unsealable):
        return False
    return hashlib.sha256(data).digest() == sha256


def verified(data: bytes, limits: ImageLimits) -> ImageHeader:
    """The header of an acceptable picture. Raises BadInput with the reason in both languages."""
    try:
        return image_header.verify(data, limits)
    except ImageRejected as error:
        kinds: dict[str, type[BadInput]] = {
            "image_too_large": BodyTooLarge,
            "image_type": WrongMediaType,
        }
        told = _WHAT_IS_WRONG[error.code].format(
            bytes=limits.max_bytes / 2**20, pixels=limits.max_pixels // 10_000, side=limits.max_side
        )
        reason: dict[str, Any] = {"zh": told, "en": error.detail}
        kind = kinds.get(error.code, BadInput)
        raise kind(error.code, error.detail, reason=reason) from error


def face_key(connection: Connection, vault: Vault, learner_id: int, now_ms: int) -> bytes:
    """The learner's key for face data, if it may be used. Raises NotAllowed, Conflict."""
    return _face_key(connection, vault, learner_id) or face_keys.ensure_key(
        connection, vault, learner_id, now_ms
    )


def face_key_first(database: Database, vault: Vault, learner_id: int, now_ms: int) -> bytes:
    """As `face_key`, in transactions of its own, of which nearly none writes."""
    with database.read() as connection:
        key = _face_key(connection, vault, learner_id)
    if key is not None:
        return key
    with database.write() as connection:
        return face_key(connection, vault, learner_id, now_ms)


def _face_key(connection: Connection, vault: Vault, learner_id: int) -> bytes | None:
    if not sitting_store.has_face_consent(connection, learner_id):
        raise NotAllowed(
            "no_face_consent",
            "no recorded consent to face processing: the photo was not stored",
        )
    try:
        return face_keys.key(connection, vault, learner_id)
    except face_keys.KeyDestroyed as error:
        raise Conflict("face_data_erased", "this learner's face data was erased") from error


def _named(connection: Connection, session_id: int, challenge: str | None) -> ControlRow | None:
    """The control that the photo is handed in for, if it is this session's."""
    if challenge is None:
        return None
    control = control_store.line(connection, session_id, challenge)
    if control is None or kind_of(control.kind).answered_by is not AnsweredBy.PHOTOS:
        return None
    full = rows.count_bound(connection, session_id, control.id) >= MOST_A_CHALLENGE
    return None if full else control


def _late(
    connection: Connection, session: SittingRow, control: ControlRow, received_ms: int
) -> bool:
    """Whether the control's time is over, as far as the server can tell now: a silence that lasts
    may turn out an outage (detectors/photo_window.py looks at it again). When a platform's own
    controls end depends on play, which only the detectors read."""
    if control.source != "service":
        return False
    names = sitting_store.names(connection, session.id)
    terms = sitting_terms.of_pack(names.pack_id, names.pack_version)
    end_ms = control.expired_ms or control.due_ms + control.window_ms
    if control.answered_ms is not None:
        end_ms = max(end_ms, control.answered_ms)
    if received_ms <= end_ms + terms.photo.allowance_ms:
        return False
    waits = control.expired_ms is None and control.answered_ms is None
    if waits and session.state == "open" and session.last_recv_ms > end_ms + REPORT_GRACE_MS:
        return False  # the learner has not come to it yet
    heard = [session.opened_ms, *event_log.heard_ms(connection, session.id)]
    said_over = session.state not in ("open", "expired")
    if said_over and session.closed_ms is not None:
        heard.append(session.closed_ms)
    times = np.array(sorted(heard), np.int64)
    until_ms = None if said_over else received_ms
    return received_ms > deadline(end_ms, times, terms.photo, until_ms)
