"""The photos that a learner's face is compared with: handed in by the platform, or by the learner
through a link that the platform asks for."""

from __future__ import annotations

from typing import Annotated, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool

from app.api.answers import AnswerRoute, named
from app.api.auth import enrolling, require, services_of
from app.api.snapshots import IMAGE_BODY, image_body
from app.domain.accounts.platforms import KeyScope
from app.domain.answer import Answer, EpochMs
from app.domain.faces import enrolling as enrolments
from app.domain.faces import enrolment_link, enrolment_photos
from app.domain.faces.enrolling import EnrolmentProgress
from app.domain.faces.enrolment_photos import EnrolledPhoto
from app.domain.faces.enrolment_steps import Step
from app.domain.wire import Id
from app.errors import NotAllowed
from app.http.enrolment_ring import Enroller
from app.http.keyring import Caller
from app.http.middleware import public_address
from app.vision.match import Zone

router = APIRouter(prefix="/v1/learners", tags=["sittings"], route_class=AnswerRoute)

PAGE = "/sdk/enrolment/"

named("FaceAgreement", {"type": "string", "enum": list(get_args(Zone))})

LearnerId = Annotated[Id, Path()]


class EnrolmentAccess(Answer, frozen=True, kw_only=True):
    """`url` is a page for the learner's own phone; `token` is for the module in a page of yours. It
    takes this learner's photos until `expires_at_ms` and opens nothing else."""

    url: str
    token: str
    learner_id: str
    expires_at_ms: EpochMs
    photos: int
    photos_wanted: int


@router.put("/{learner_id}/reference-photo", openapi_extra=IMAGE_BODY)
async def put_reference_photo(
    request: Request,
    enroller: Annotated[Enroller, enrolling(KeyScope.INGEST)],
    learner_id: LearnerId,
    step: Annotated[Step | None, Query()] = None,
    replace: Annotated[bool, Query(strict=False)] = False,
) -> EnrolledPhoto:
    """Enrol a photo; the answer is its quality report, never the photo. Up to five are kept.

    What is too much like a photo enrolled before is refused as `photo_unusable` with the reason
    `same_photograph`. `step`: which of five different photos it is; it is refused with a reason in
    words when it is not that. `replace`: the earlier ones showed somebody else, so it takes the
    place of all, by a platform's key only. That stands in the audit log; what was decided with them
    stays decided until people overturn it.
    """
    if replace and enroller.link is not None:
        raise NotAllowed("platform_key_needed", "this needs a platform's API key")
    data = await image_body(request)
    services, caller = services_of(request), enroller.caller

    def enrol() -> EnrolledPhoto:
        with services.database.read() as connection:
            learner = enrolment_photos.learner_of(connection, caller.platform, learner_id)
        return services.enrolments.hand_in(
            learner,
            data,
            step=step,
            link=enroller.link,
            replacing=caller.actor if replace else None,
        )

    return await run_in_threadpool(enrol)


@router.post("/{learner_id}/enrolment", status_code=201)
def create_enrolment(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.INGEST)],
    learner_id: LearnerId,
) -> EnrolmentAccess:
    """A link by which the learner takes five different photos, guided, within half an hour (a
    product default). The token stands after the `#` of the address, which no server is sent."""
    services = services_of(request)
    with services.database.write() as connection:
        link, token = enrolment_link.issue(
            connection,
            services.photos,
            caller.platform,
            learner_id,
            actor=caller.actor,
            minutes=services.settings.enrolment_link_minutes,
            now_ms=services.clock(),
        )
        progress = enrolments.progress(connection, link.learner_id)
    fragment = urlencode({"learner": learner_id, "token": token})
    return EnrolmentAccess(
        url=f"{public_address(request)}{PAGE}#{fragment}",
        token=token,
        learner_id=learner_id,
        expires_at_ms=link.expires_ms,
        photos=progress.photos,
        photos_wanted=progress.photos_wanted,
    )


@router.get("/{learner_id}/enrolment")
def get_enrolment(
    request: Request,
    enroller: Annotated[Enroller, enrolling(KeyScope.READ)],
    learner_id: LearnerId,
) -> EnrolmentProgress:
    """How many photos are enrolled, and which of the five are missing."""
    with services_of(request).database.read() as connection:
        learner = enrolment_photos.learner_of(connection, enroller.caller.platform, learner_id)
        return enrolments.progress(connection, learner.id, enroller.link)
