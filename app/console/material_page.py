"""Requests for material: asked on a case's page, answered in the inbox of whoever is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile

from app.console import labels
from app.console.case_page import case_page, case_path, taken
from app.console.labels import Label
from app.console.language import N_
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, render, see_other
from app.domain.accounts.users import Login
from app.domain.review import case_files, material
from app.errors import BadInput, Conflict, NotAllowed
from app.services import Services
from app.store.review.material import MaterialRow

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Text = Annotated[str, Form()]


@router.post("/cases/{case_id}/requests", dependencies=[FormOfThisLogin])
def ask(
    request: Request,
    login: SignedIn,
    case_id: RowId,
    addressee: Text = "",
    wanted: Text = "",
    due_on: Text = "",
    queue: Text = "",
) -> Response:
    """Ask somebody whom the case concerns."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            now_ms = services.clock()
            material.ask(connection, login.user, case_id, addressee, wanted, due_on, now_ms)
    except BadInput as error:
        typed = {"addressee": addressee, "wanted": wanted, "asked_until": due_on}
        problem = labels.PROBLEMS[error.code]
        return case_page(request, login, case_id, queue, problem=problem, typed=typed)
    return see_other(case_path(case_id, queue, done="asked"))


@router.post("/cases/{case_id}/requests/{request_id}", dependencies=[FormOfThisLogin])
def change(
    request: Request,
    login: SignedIn,
    case_id: RowId,
    request_id: RowId,
    act: Text = "",
    queue: Text = "",
) -> Response:
    """Remind of a request, or withdraw it."""
    services = request.app.state.services
    deed = material.withdraw if act == "withdraw" else material.remind
    with services.database.write() as connection:
        deed(connection, login.user, case_id, request_id, services.clock())
    return see_other(case_path(case_id, queue))


@router.get("/requests")
def inbox(request: Request, login: SignedIn, done: int = 0) -> Response:
    """What this person's platform or institution is asked to hand in."""
    return _inbox(request, login, done=done)


@router.post("/requests/{request_id}", dependencies=[FormOfThisLogin])
def answer(
    request: Request,
    login: SignedIn,
    request_id: RowId,
    answer: Text = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    services, user = request.app.state.services, login.user
    if user.scope.of_authority:
        raise NotAllowed("role", "whoever is asked answers")
    with services.database.read() as connection:
        row = material.asked_of(connection, user.scope, request_id)
    try:
        hand_in(services, row, user.actor, answer, file)
    except (BadInput, Conflict) as error:
        return _inbox(
            request, login, problem=labels.PROBLEMS[error.code], typed=(request_id, answer)
        )
    return see_other(f"/console/requests?done={request_id}")


def hand_in(
    services: Services, row: MaterialRow, actor: str, words: str, file: UploadFile | None
) -> None:
    """Answer a request with words, a file, or both. Raises BadInput, Conflict."""
    kept, blob_key = taken(services, row.case_id, file if row.answered_ms is None else None)
    files = [(kept, blob_key)] if kept and blob_key else []
    refusable = case_files.dropped_if_refused(services.blobs, [key for _, key in files])
    with refusable, services.database.write() as connection:
        material.answer(connection, row, actor, words, services.clock(), files)


@dataclass(frozen=True, slots=True)
class AskedMaterial:
    """A request as whoever is asked sees it; `case` is its case's number."""

    id: int
    case: int
    wanted: str
    due: str
    asked_ms: int
    state: Label
    open: bool
    answer: str
    file_name: str


OPEN = Label(N_("待提交"), tone="review")
PRESSED = Label(N_("请尽快提交"), tone="violation")
ANSWERED = Label(N_("已提交"), tone="clear")


def asked(row: MaterialRow, now_ms: int) -> AskedMaterial:
    opened = PRESSED if material.presses(row, now_ms) else OPEN
    return AskedMaterial(
        row.id,
        row.case_id,
        row.wanted,
        row.due_on,
        row.asked_ms,
        ANSWERED if row.answered_ms is not None else opened,
        row.answered_ms is None,
        row.answer or "",
        row.file_name or "",
    )


def _inbox(
    request: Request,
    login: Login,
    *,
    done: int = 0,
    problem: str = "",
    typed: tuple[int, str] = (0, ""),
) -> Response:
    services = request.app.state.services
    now_ms = services.clock()
    with services.database.read() as connection:
        rows = [asked(it, now_ms) for it in material.inbox(connection, login.user.scope)]
    return render(
        request,
        "requests.html",
        login=login,
        status=422 if problem else 200,
        rows=sorted(rows, key=lambda it: (not it.open, it.due)),
        kinds="、".join(case_files.TAKEN),
        done=done,
        problem=problem,
        typed=typed,
    )
