"""A photo, shown to someone who says why they look at it, beside the enrolled one, and beside the
photo that it repeats or is held against."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response

from app.clock import at
from app.console import labels
from app.console.language import N_
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, local_path, render, see_other
from app.console.watermark import marked
from app.domain.accounts.users import Login
from app.domain.faces import enrolment_photos, photo_viewing
from app.domain.faces.comparison import DOCUMENTS
from app.errors import BadInput, NotFound
from app.store.faces import face_keys
from app.store.faces.blobs import BlobMissing
from detectors.trace import Check

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PURPOSES = (
    N_("初审人脸比对结果"),
    N_("复核人脸比对结果"),
    N_("核对是否重复使用照片"),
    N_("处理学员申诉"),
)
SMALL = (216, 162)  # three times what the session picture shows
OtherId = Annotated[int | None, Query(ge=1, le=2**62)]


@router.get("/photos/{snapshot_id}")
def ask(
    request: Request,
    login: SignedIn,
    snapshot_id: RowId,
    beside: OtherId = None,
    back: str = "",
    access: OtherId = None,
) -> Response:
    """Asks for a purpose, or shows what `access` granted a moment ago. `back`: where the person
    came from, and returns to."""
    return _page(request, login, snapshot_id, beside, back, access=access)


@router.post("/photos/{snapshot_id}", dependencies=[FormOfThisLogin])
def look(
    request: Request,
    login: SignedIn,
    snapshot_id: RowId,
    purpose: Annotated[str, Form()] = "",
    beside: OtherId = None,
    back: str = "",
) -> Response:
    """Enter the purpose; the page then shows the photo, and the one that it is held against."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            access = photo_viewing.look(
                connection, login.user, snapshot_id, purpose, services.clock(), beside
            )
    except BadInput as error:
        problem = labels.PROBLEMS[error.code]
        return _page(request, login, snapshot_id, beside, back, problem=problem)
    return see_other(f"/console/photos/{snapshot_id}?{_kept(back, beside, access)}")


@router.get("/photo-accesses/{access_id}.jpg")
def picture(
    request: Request, login: SignedIn, access_id: RowId, mirrored: bool = False
) -> Response:
    """The pixels of a granted photo, with the viewer's name and the time written across."""
    return _pixels(request, login, access_id, mirrored=mirrored)


@router.get("/photo-accesses/{access_id}/small.jpg")
def thumbnail(request: Request, login: SignedIn, access_id: RowId) -> Response:
    """The same, small."""
    return _pixels(request, login, access_id, SMALL)


def _pixels(
    request: Request,
    login: Login,
    access_id: int,
    within: tuple[int, int] | None = None,
    *,
    mirrored: bool = False,
) -> Response:
    services, user = request.app.state.services, login.user
    now_ms = services.clock()
    with services.database.read() as connection:
        sealed = photo_viewing.sealed(connection, user, access_id, now_ms)
        try:
            key = face_keys.key(connection, services.vault, sealed.learner_id)
        except face_keys.KeyDestroyed:
            key = None
    if key is None:
        raise NotFound("photo_gone", "the photo was destroyed")
    try:
        plain = services.photos.opened(key, sealed.blob_key)
    except BlobMissing as error:
        raise NotFound("photo_gone", "the photo was destroyed") from error
    text = f"{user.username}  {at(now_ms):%Y-%m-%d %H:%M}  #{access_id}"
    return Response(marked(plain, text, within, mirrored=mirrored), media_type="image/jpeg")


def _page(
    request: Request,
    login: Login,
    snapshot_id: int,
    beside: int | None,
    back: str,
    *,
    access: int | None = None,
    problem: str = "",
) -> Response:
    services = request.app.state.services
    with services.database.read() as connection:
        photo: Any = photo_viewing.photo(connection, login.user, snapshot_id)
        against = photo_viewing.comparison(connection, login.user, photo, beside)
        granted = access and photo_viewing.granted(
            connection, login.user, photo, against, access, services.clock()
        )
    return render(
        request,
        "photo.html",
        login=login,
        status=422 if problem else 200,
        photo=photo,
        against=against,
        kept=_kept(back, beside),
        back=local_path(back, f"/console/sessions/{photo.session_id}#photo-{snapshot_id}"),
        decision=_deciding(photo),
        wanted=enrolment_photos.WANTED,
        check=labels.label(labels.CHECKS, Check(photo.check).name.lower()),
        granted=granted,
        purposes=PURPOSES,
        problem=problem,
    )


def _kept(back: str, beside: int | None, access: int | None = None) -> str:
    """The query with which the page is found again."""
    wanted = {"back": back, "beside": beside, "access": access}
    return urlencode({name: value for name, value in wanted.items() if value})


def _deciding(photo: Any) -> dict[str, Any] | None:
    """The comparison that gave the photo its score, that of the sitting where it was no other."""
    made = [(photo.reading or {}).get(name) for name in ("burst", *reversed(DOCUMENTS))]
    return next(
        (it for it in made if it and photo.score is not None and it["distance"] == photo.score),
        None,
    )
