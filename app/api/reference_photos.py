"""The photo that a learner's face is compared with."""

from __future__ import annotations

from typing import Annotated, get_args

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool

from app.api.answers import AnswerRoute, named
from app.api.auth import require, services_of
from app.api.snapshots import IMAGE_BODY, image_body
from app.domain.accounts.platforms import KeyScope
from app.domain.faces import enrolment_photos
from app.domain.faces.enrolment_photos import EnrolledPhoto
from app.domain.wire import Id
from app.http.keyring import Caller
from app.vision.match import Zone

router = APIRouter(prefix="/v1/learners", tags=["sittings"], route_class=AnswerRoute)


named("FaceAgreement", {"type": "string", "enum": list(get_args(Zone))})


@router.put("/{learner_id}/reference-photo", openapi_extra=IMAGE_BODY)
async def put_reference_photo(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.INGEST)],
    learner_id: Annotated[Id, Path()],
    replace: Annotated[bool, Query(strict=False)] = False,
) -> EnrolledPhoto:
    """Enrol a photo; the answer is its quality report, never the photo. Up to five are kept.

    `replace`: the earlier ones showed somebody else, so it takes the place of all. That stands in
    the audit log; what was decided with them stays decided until people overturn it.
    """
    data = await image_body(request)
    services, platform_id = services_of(request), caller.platform

    def enrol() -> EnrolledPhoto:
        now_ms = services.clock()
        with services.database.write() as connection:
            learner = enrolment_photos.learner_of(connection, platform_id, learner_id)
            known = enrolment_photos.admit(connection, services.photos, learner, data, now_ms)
        if known is not None and not replace:
            return known
        (seen,) = services.readers.read([data], enrolment=True)
        with services.database.write() as connection:
            return enrolment_photos.enrol(
                connection,
                services.photos,
                learner,
                data,
                seen,
                now_ms,
                replacing=caller.actor if replace else None,
            )

    return await run_in_threadpool(enrol)
