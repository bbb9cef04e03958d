"""Photos of a whole class at once: a zip, or many files, each looked at, and only then enrolled.

What was looked at waits in the store, sealed with each learner's key; the list of it travels in the
page, sealed for this person and class.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile

from app.console.labels import Label
from app.console.language import N_
from app.console.login import FormOfThisLogin, require_role
from app.console.page import ConsoleRoute, RowId, render
from app.domain.accounts.users import HANDS_IN, Login
from app.domain.faces import enrolment_photos, photo_batch, photo_files
from app.domain.faces.enrolling import MAX_REASON, MIN_REASON
from app.domain.faces.photo_batch import BatchPhoto, WaitingPhoto
from app.domain.faces.photo_files import BadPhotoFiles
from app.domain.wire import shown_text
from app.errors import NotFound
from app.languages import Text
from app.security import Unsealable
from app.store.catalogue import class_file, class_setups
from app.store.faces import reference_photos

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Clerk = Annotated[Login, Depends(require_role(*HANDS_IN))]

_PURPOSE = "photo-batch"
_BEFORE = {
    "taken": Label(N_("可登记"), tone="clear"),
    "refused": Label(N_("将退回"), tone="violation"),
}
_AFTER = {
    "taken": Label(N_("已登记"), tone="clear"),
    "look": Label(N_("已登记，请核对"), tone="review"),
    "refused": Label(N_("未登记"), tone="violation"),
}


@router.get("/classes/{class_id}/photos")
def choose(request: Request, login: Clerk, class_id: RowId) -> Response:
    return _page(request, login, class_id)


@router.post("/classes/{class_id}/photos", dependencies=[FormOfThisLogin])
def preview(
    request: Request,
    login: Clerk,
    class_id: RowId,
    files: Annotated[list[UploadFile] | None, File()] = None,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """What would become of every photo; nothing is enrolled."""
    services = request.app.state.services
    _found(request, login, class_id)
    chosen = [it for it in files or () if it.filename]
    if not chosen:
        problem = Text("请选择照片或压缩包。", "choose photos or a zip")
        return _page(request, login, class_id, problem=problem, reason=reason)
    if not MIN_REASON <= len(shown_text(reason)) <= MAX_REASON:
        problem = Text("请写明理由，至少4个字。", "say why, in at least 4 characters")
        return _page(request, login, class_id, problem=problem, reason=reason)
    given = [(str(it.filename)[-200:], it.file) for it in chosen]
    try:
        rows = photo_batch.look(services.enrolments, class_id, given)
    except BadPhotoFiles as error:
        return _page(request, login, class_id, problem=error.told, reason=reason)
    return _page(request, login, class_id, rows=rows, reason=reason)


@router.post("/classes/{class_id}/photos/take", dependencies=[FormOfThisLogin])
def take(
    request: Request, login: Clerk, class_id: RowId, sealed: Annotated[str, Form()] = ""
) -> Response:
    """Enrol what was looked at. Twice is the same as once."""
    services = request.app.state.services
    _found(request, login, class_id)
    said = _open(services, login, class_id, sealed)
    if said is None:
        problem = Text("预览已过期，请重新选择照片。", "the preview has expired: choose them again")
        return _page(request, login, class_id, problem=problem)
    rows = photo_batch.take(
        services.enrolments,
        class_id,
        [WaitingPhoto(**it) for it in said["photos"]],
        actor=login.user.actor,
        reason=said["reason"],
    )
    return _page(request, login, class_id, rows=rows, done=True)


def _page(
    request: Request,
    login: Login,
    class_id: int,
    *,
    problem: Text | None = None,
    rows: Sequence[BatchPhoto] | None = None,
    reason: str = "",
    done: bool = False,
) -> Response:
    services = request.app.state.services
    klass = _found(request, login, class_id)
    with services.database.read() as connection:
        setup = class_setups.of_class(connection, login.user.scope, class_id)
        counts = reference_photos.counts(connection, class_id)
        roster = class_file.roster(connection, class_id)
    taken = [it for it in rows or () if it.reason is None]
    of_each = Counter(it.learner.id for it in taken if it.learner)
    sealed = "" if done or not taken else _seal(services, login, class_id, taken, reason)
    return render(
        request,
        "photo_batch.html",
        login=login,
        status=422 if problem else 200,
        klass=klass,
        setup=setup,
        problem=problem,
        reason=reason,
        done=done,
        rows=sorted(rows or (), key=lambda it: (it.reason is None, not it.told)),
        looked=rows is not None,
        taken=taken,
        people=len(of_each),
        counts=counts,
        without=[it for it in roster if counts.get(it.id) == 0 and it.id not in of_each],
        sealed=sealed,
        words=_AFTER if done else _BEFORE,
        wanted=enrolment_photos.WANTED,
        most=photo_files.MOST_PHOTOS,
        minutes=photo_batch.LASTS_MS // 60_000,
    )


def _found(request: Request, login: Login, class_id: int) -> Any:
    with request.app.state.services.database.read() as connection:
        row = class_file.klass(connection, class_id, login.user.scope)
    if row is None:
        raise NotFound("unknown_class", "there is no such class")
    return row


def _seal(
    services: Any, login: Login, class_id: int, taken: Sequence[BatchPhoto], reason: str
) -> str:
    waiting = [
        WaitingPhoto(it.file, it.learner.id, it.blob_key) for it in taken if it.learner is not None
    ]
    said = {
        "user": login.user.id,
        "class": class_id,
        "until": services.clock() + photo_batch.LASTS_MS,
        "reason": shown_text(reason),
        "photos": [asdict(it) for it in waiting],
    }
    return urlsafe_b64encode(services.vault.seal(json.dumps(said).encode(), _PURPOSE)).decode()


def _open(services: Any, login: Login, class_id: int, sealed: str) -> Any:
    try:
        said = json.loads(services.vault.open(urlsafe_b64decode(sealed), _PURPOSE))
    except (Unsealable, ValueError):
        return None
    mine = (said["user"], said["class"]) == (login.user.id, class_id)
    return said if mine and said["until"] >= services.clock() else None
