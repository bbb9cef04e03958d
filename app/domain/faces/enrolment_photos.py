"""Reference photos: the face that a learner is compared with.

Up to five are kept and as many are wanted, different ones (`enrolment_steps`); one is enough, with
a lower confidence that is shown.
Photo and template are encrypted with the learner's key, and neither ever goes back to a client.
"""

from __future__ import annotations

import hashlib
import secrets
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection

from app.domain.answer import UNSET, Answer, Sha256, UnsetType
from app.domain.faces import enrolment_steps, photo_codes
from app.domain.faces.enrolment_steps import Step
from app.domain.faces.photo_store import PhotoStore
from app.domain.faces.snapshots import face_key, verified
from app.errors import BadInput, Conflict, NotFound
from app.security import seal, unseal
from app.store.accounts import audit
from app.store.catalogue.people import AccountRow
from app.store.faces import reference_photos as rows
from app.store.faces import snapshots
from app.store.faces.reference_photos import ReferenceRow
from app.store.sittings import sittings
from app.vision import match
from app.vision.face_reading import Quality
from app.vision.match import Template, Zone
from app.vision.model_card import ModelCard
from app.vision.reasons import QUALITY
from app.vision.seen import Seen, Unread, usable, vector

MOST = 5
WANTED = match.WANTED_ENROLMENTS
_WORDS = {**QUALITY, **enrolment_steps.REASONS}


class EnrolmentStatus(StrEnum):
    PENDING = "pending"
    READY = "ready"
    REFUSED = "refused"


class EnrolmentConfidence(StrEnum):
    """LOW while fewer photos are enrolled than are wanted."""

    NORMAL = "normal"
    LOW = "low"


class PhotoQuality(Answer, frozen=True, kw_only=True):
    """What was read from a photo. `agrees_with_enrolled` compares it with those enrolled before;
    `step` is what it was taken for, one of five different photos."""

    width: int | UnsetType = UNSET
    height: int | UnsetType = UNSET
    face_count: int | UnsetType = UNSET
    quality: Quality | UnsetType | None = UNSET
    reasons: list[str]
    detector: str | UnsetType = UNSET
    model: str | UnsetType | None = UNSET
    agrees_with_enrolled: Zone | UnsetType = UNSET
    distance_to_enrolled: float | UnsetType = UNSET
    step: Step | UnsetType = UNSET


class EnrolledPhoto(Answer, frozen=True, kw_only=True):
    """The quality report of a photo, and how many of how many wanted are enrolled."""

    sha256: Sha256
    status: EnrolmentStatus
    quality: PhotoQuality
    photos: int
    photos_wanted: int
    confidence: EnrolmentConfidence
    advice: str | None


class Unusable(BadInput):
    """No face can be enrolled from the photo; `reasons` tell the person what to do."""


def learner_of(connection: Connection, platform_id: int, external_id: str) -> AccountRow:
    learner = sittings.learner(connection, platform_id, external_id)
    if learner is None:
        raise NotFound("unknown_learner", f"there is no learner {external_id!r}")
    return learner


def admit(
    connection: Connection, photos: PhotoStore, learner: AccountRow, data: bytes, now_ms: int
) -> EnrolledPhoto | None:
    """What can be said before the pixels are read: the report of a photo that is enrolled already,
    else None. Raises BadInput (not a picture), NotAllowed (no_face_consent), Conflict (erased)."""
    verified(data, photos.limits)
    face_key(connection, photos.vault, learner.id, now_ms)
    known = rows.by_sha256(connection, learner.id, hashlib.sha256(data).digest())
    if known is None or known.retired_ms is not None or _purged(known):
        return None
    if known.status == "refused":
        raise unusable(known.quality)
    return _report(connection, learner.id, known.sha256, known.status, known.quality)


def enrol(
    connection: Connection,
    photos: PhotoStore,
    learner: AccountRow,
    data: bytes,
    seen: Seen | Unread,
    now_ms: int,
    *,
    step: Step | None = None,
    copied: bool = False,
    alone: bool = False,
    replacing: str | None = None,
    blob_key: str | None = None,
) -> EnrolledPhoto:
    """Keep a photo that was read: its quality report. Raises Unusable; see also `admit`.
    `blob_key`: under which its bytes were `put` already.

    `step`: what it was taken for, and is held against. `copied`: it is a photo that is enrolled,
    handed in again. `alone`: nobody saw who took it, so it must not be unlike those enrolled.
    `replacing`: who has it take the place of all others. What was decided with those stays decided.
    """
    quality = _quality(seen)
    if isinstance(seen, Seen) and step is not None:
        quality |= _of_step(connection, learner.id, seen, step)
    if copied:
        quality["reasons"] = [*quality["reasons"], "same_photograph"]
    if isinstance(seen, Unread) or quality["reasons"]:
        raise unusable(quality)
    digest = hashlib.sha256(data).digest()
    if replacing is not None:
        _retire_others(connection, learner.id, digest, replacing, now_ms)
    known = admit(connection, photos, learner, data, now_ms)
    if known is not None:
        return known
    again = rows.by_sha256(connection, learner.id, digest)
    if again is not None and not _purged(again):
        raise Conflict("photo_retired", "this photo was enrolled before and has been replaced")
    key = face_key(connection, photos.vault, learner.id, now_ms)
    values = _ready(connection, key, learner.id, seen, quality)
    if alone and quality.get("agrees_with_enrolled") == "mismatch":
        raise unusable({**quality, "reasons": ["unlike_enrolled"]})
    values["blob_key"] = blob_key or put(photos, key, learner.id, data)
    if again is not None:
        rows.renew(connection, photo_id := again.id, **values)
    else:
        named = {"learner_id": learner.id, "sha256": digest, "created_ms": now_ms}
        photo_id = rows.insert_row(connection, **named, **values)
    photo_codes.enter_reference(connection, photo_id, seen.codes)
    _settled(connection, learner.id, now_ms)
    return _report(connection, learner.id, digest, "ready", quality)


def _of_step(connection: Connection, learner_id: int, seen: Seen, step: Step) -> dict[str, Any]:
    enrolled = [row.quality for row in rows.ready(connection, learner_id)]
    return {"step": str(step), "reasons": enrolment_steps.against(step, seen.fields, enrolled)}


def _purged(photo: ReferenceRow) -> bool:
    """It was enrolled for a class that is over, and its template was deleted since."""
    return photo.status == "ready" and photo.retired_ms is None and not photo.template_encrypted


def defer(
    connection: Connection, photos: PhotoStore, learner: AccountRow, data: bytes, now_ms: int
) -> str:
    """Keep an imported photo for the face worker: `stored` or `unchanged`. Raises as `admit`."""
    verified(data, photos.limits)
    key = face_key(connection, photos.vault, learner.id, now_ms)
    digest = hashlib.sha256(data).digest()
    if rows.by_sha256(connection, learner.id, digest) is not None:
        return "unchanged"
    rows.insert_row(
        connection,
        learner_id=learner.id,
        sha256=digest,
        blob_key=put(photos, key, learner.id, data),
        template_encrypted=None,
        model=None,
        quality={},
        status="pending",
        created_ms=now_ms,
    )
    return "stored"


def settle(
    connection: Connection,
    key: bytes,
    photo: ReferenceRow,
    seen: Seen | Unread,
    now_ms: int,
    *,
    copied: bool = False,
) -> None:
    """Write what became of a photo that waited for the worker. `copied`: as of `enrol`."""
    quality = _quality(seen)
    if copied:
        quality["reasons"] = [*quality["reasons"], "same_photograph"]
    if isinstance(seen, Unread) or quality["reasons"]:
        refused = {"quality": quality, "status": "refused", "retired_ms": now_ms}
        rows.settle(connection, photo.id, **refused)
        return
    values = _ready(connection, key, photo.learner_id, seen, quality)
    if rows.settle(connection, photo.id, **values):
        photo_codes.enter_reference(connection, photo.id, seen.codes)
        _settled(connection, photo.learner_id, now_ms)


def template(
    connection: Connection, key: bytes, learner_id: int, card: ModelCard
) -> Template | None:
    """The learner's mean face for one model, None when nothing is enrolled for it."""
    embeddings = [
        vector(unseal(key, row.template_encrypted, template_context(learner_id)))
        for row in rows.ready(connection, learner_id)
        if row.model == card.model
    ]
    return match.template(embeddings, card) if embeddings else None


def _ready(
    connection: Connection, key: bytes, learner_id: int, seen: Seen, quality: dict[str, Any]
) -> dict[str, Any]:
    assert seen.embedding is not None
    enrolled = template(connection, key, learner_id, seen.card)
    if enrolled is not None:  # a second photo of somebody else is for people to notice
        decision = match.decide(enrolled, [vector(seen.embedding)], seen.card)
        quality["agrees_with_enrolled"] = decision.zone
        quality["distance_to_enrolled"] = round(decision.distance, 4)
    return {
        "template_encrypted": seal(key, seen.embedding, template_context(learner_id)),
        "model": seen.card.model,
        "quality": {**quality, "box": seen.fields["box"]},
        "status": "ready",
    }


def _settled(connection: Connection, learner_id: int, now_ms: int) -> None:
    for old in rows.ready(connection, learner_id)[:-MOST]:
        rows.retire(connection, old.id, now_ms)
    snapshots.compare_again(connection, learner_id)


def _retire_others(
    connection: Connection, learner_id: int, digest: bytes, actor: str, now_ms: int
) -> None:
    others = [row for row in rows.ready(connection, learner_id) if row.sha256 != digest]
    for row in others:
        rows.retire(connection, row.id, now_ms)
    if others:
        audit.append(
            connection,
            at_ms=now_ms,
            actor=actor,
            action="enrolment.replaced",
            subject=f"learner:{learner_id}",
            detail={"photos": len(others)},
        )


def put(photos: PhotoStore, key: bytes, learner_id: int, data: bytes) -> str:
    """Keep the bytes of a photo: the key under which they lie. Raises StoreAway."""
    blob_key = f"learners/{learner_id}/reference/{secrets.token_hex(8)}"
    photos.put(key, blob_key, data)
    return blob_key


def template_context(learner_id: int) -> bytes:
    return f"face-template:{learner_id}".encode()


def _quality(seen: Seen | Unread) -> dict[str, Any]:
    if isinstance(seen, Unread):
        return {"reasons": [seen.reason]}
    names = ("width", "height", "face_count", "quality", "reasons", "detector", "model")
    quality = {name: seen.fields[name] for name in names}
    if not usable(seen.fields) and not quality["reasons"]:
        quality["reasons"] = ["no_face"]
    return quality


def unusable(quality: dict[str, Any]) -> Unusable:
    """The refusal of a photo, in words for its `reasons`."""
    reasons = [
        {"code": code, "zh": zh, "en": en}
        for code in quality["reasons"]
        for zh, en in (
            _WORDS.get(code, ("照片无法读取，请重新拍摄。", "The photo is unreadable.")),
        )
    ]
    detail = "".join(reason["zh"] for reason in reasons)
    return Unusable("photo_unusable", detail, reasons=reasons, quality=quality)


def refusal(seen: Seen | Unread) -> Unusable | None:
    """Why a photo that was read cannot be enrolled for anybody; None: by itself it can."""
    quality = _quality(seen)
    return unusable(quality) if isinstance(seen, Unread) or quality["reasons"] else None


def confidence(photos: int) -> EnrolmentConfidence:
    """How sure comparisons with so many enrolled photos are."""
    enough = photos >= match.WANTED_ENROLMENTS
    return EnrolmentConfidence.NORMAL if enough else EnrolmentConfidence.LOW


def _report(
    connection: Connection, learner_id: int, sha256: bytes, status: str, quality: dict[str, Any]
) -> EnrolledPhoto:
    count = len(rows.ready(connection, learner_id))
    return EnrolledPhoto(
        sha256=sha256.hex(),
        status=EnrolmentStatus(status),
        quality=msgspec.convert(quality, PhotoQuality),
        photos=count,
        photos_wanted=match.WANTED_ENROLMENTS,
        confidence=confidence(count),
        advice=_advice(quality, count),
    )


def _advice(quality: dict[str, Any], photos: int) -> str | None:
    if quality.get("agrees_with_enrolled") == "mismatch":
        return "这张照片与以前登记的照片不像同一个人，请核对是否传错了人。"
    if photos >= match.WANTED_ENROLMENTS:
        return None
    return f"建议再登记不同角度、不同光线下的照片，共{match.WANTED_ENROLMENTS}张，比对更可靠。"
