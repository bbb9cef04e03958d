"""Photos of a sitting: stored at once, compared outside the request."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool

from app.api.answers import AnswerRoute
from app.api.auth import services_of, sitting
from app.domain.answer import Answer, Sha256
from app.domain.faces import photo_formats, snapshots
from app.domain.faces.photo_formats import MEDIA_TYPES
from app.domain.wire import ClientInstant, Id
from app.errors import WrongMediaType
from app.http.keyring import Caller
from app.store.faces.blobs import StoreAway

router = APIRouter(prefix="/v1/sessions", tags=["sittings"], route_class=AnswerRoute)

IMAGE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES
        },
    }
}


class SnapshotStatus(StrEnum):
    """PENDING waits to be read, READ to be compared; FAILED gave nothing that could be."""

    PENDING = "pending"
    READ = "read"
    DONE = "done"
    FAILED = "failed"


class StoredSnapshot(Answer, frozen=True, kw_only=True):
    """`sha256`: of what is kept, which of other formats than JPEG and PNG is a JPEG. `bound`: it
    answers a control in time; `late`: it came too late to count."""

    sha256: Sha256
    status: SnapshotStatus
    bound: bool
    late: bool


@router.put("/{session_id}/snapshots/{snapshot_id}", status_code=202, openapi_extra=IMAGE_BODY)
async def put_snapshot(
    request: Request,
    caller: Annotated[Caller, sitting()],
    session_id: Annotated[Id, Path()],
    snapshot_id: Annotated[Id, Path()],
    purpose: Annotated[Literal["start", "random", "resume", "challenge"], Query()],
    challenge_id: Annotated[Id | None, Query()] = None,
    frame: Annotated[int, Query(ge=0, le=10_000, strict=False)] = 0,
    taken_at_ms: Annotated[ClientInstant | None, Query()] = None,
) -> StoredSnapshot:
    """Keep a photo. The same bytes under the same id change nothing; other bytes are refused.

    `bound` tells that it answers a control of this sitting in time; one that came too late
    is kept, `late`, and counts for nothing. HEIC, WebP and BMP are kept as JPEG.
    """
    data = await image_body(request)
    services, platform_id = services_of(request), caller.platform
    sent = snapshots.SentPhoto(snapshot_id, purpose, challenge_id, frame, taken_at_ms)

    def entered(now_ms: int, photo: bytes, **how: Any) -> snapshots.StoredPhoto:
        with services.database.write() as connection:
            session = snapshots.session_of(connection, platform_id, session_id, now_ms)
            at_ms = now_ms + session.ahead_ms
            stored = snapshots.store(
                connection, services.photos, session, sent, at_ms, photo, **how
            )
        services.controls.wake(session.id)
        return stored

    def store() -> StoredSnapshot:
        now_ms, photos = services.clock(), services.photos
        with services.database.read() as connection:  # no pixel is read for a sitting that is over
            session = snapshots.session_of(connection, platform_id, session_id, now_ms)
            there = snapshots.is_stored(connection, session.id, snapshot_id)
        photo = photo_formats.kept_form(
            services.readers, data, photos.limits, photo_formats.OTHER_FORMAT
        )
        if there:
            return _told(entered(now_ms, photo))
        learner_id = session.learner_id
        key = snapshots.face_key_first(services.database, services.vault, learner_id, now_ms)
        try:
            kept = snapshots.put(photos, key, session, photo)
        except StoreAway:
            entered(now_ms, photo, away=True)
            raise
        with photos.unless_refused(kept.blob_key):
            return _told(entered(now_ms, photo, kept=kept))

    return await run_in_threadpool(store)


def _told(stored: snapshots.StoredPhoto) -> StoredSnapshot:
    return StoredSnapshot(
        sha256=stored.sha256.hex(),
        status=SnapshotStatus(stored.status),
        bound=stored.bound,
        late=stored.late,
    )


async def image_body(request: Request) -> bytes:
    """The body of an image upload. Raises WrongMediaType when it is not declared as one."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared not in MEDIA_TYPES:
        known = ", ".join(MEDIA_TYPES)
        raise WrongMediaType("wrong_media_type", f"send the photo as one of {known}")
    return await request.body()
