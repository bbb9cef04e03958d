"""Is it the learner? The enrolled photos, all of the sitting and the other sittings, side by side,
and the answer beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response

from app.console import labels
from app.console.finding_cards import cards_of, following
from app.console.finding_page import finding_of, in_sitting, record
from app.console.language import N_
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain.accounts.users import Login
from app.domain.faces import enrolment_photos, face_case
from app.domain.wire import shown_text
from app.errors import BadInput, Conflict, NotFound
from app.store.catalogue import class_file
from app.store.review.finding_rows import FindingRow
from detectors.trace import Check

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class FaceAnswer:
    """What a person says after looking, and which decision that is."""

    label: str
    meaning: str
    decision: str
    reason: str
    tone: str


ANSWERS = {
    "same": FaceAnswer(
        N_("像，是本人"),
        N_("撤销这一条，学时照常计入"),
        "overturn",
        N_("经逐张对照登记照片、本次与其他各次影像，为学员本人。"),
        "clear",
    ),
    "other": FaceAnswer(
        N_("不像，不是本人"),
        N_("认定这一条，所涉学时不计"),
        "uphold",
        N_("经逐张对照登记照片、本次与其他各次影像，不是同一人。"),
        "violation",
    ),
    "unclear": FaceAnswer(
        N_("看不清"),
        N_("不作定论，请补充材料"),
        "need_more",
        N_("影像不足以辨认，请补充该次学习的影像或说明。"),
        "review",
    ),
}


@router.get("/findings/{finding_id}/faces")
def faces(request: Request, login: SignedIn, finding_id: RowId, queue: str = "") -> Response:
    """Asks for a purpose once, then shows every photo of the case."""
    return _page(request, login, _about_a_sitting(request, login, finding_id), queue)


@router.post("/findings/{finding_id}/faces", dependencies=[FormOfThisLogin])
def open_case(
    request: Request,
    login: SignedIn,
    finding_id: RowId,
    purpose: Annotated[str, Form()] = "",
    queue: Annotated[str, Form()] = "",
) -> Response:
    services, row = request.app.state.services, _about_a_sitting(request, login, finding_id)
    assert row.learner_id is not None and row.session_id is not None
    now_ms = services.clock()
    try:
        with services.database.write() as connection:
            case = face_case.face_case(
                connection, login.user, row.learner_id, row.session_id, now_ms
            )
            face_case.open_case(connection, login.user, case, finding_id, purpose, now_ms)
    except BadInput as error:
        return _page(request, login, row, queue, problem=labels.PROBLEMS[error.code])
    return see_other(_address(finding_id, queue))


@router.post("/findings/{finding_id}/faces/answer", dependencies=[FormOfThisLogin])
def answer(
    request: Request,
    login: SignedIn,
    finding_id: RowId,
    likeness: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    queue: Annotated[str, Form()] = "",
) -> Response:
    """Decide by what was seen; leads to the next case of the queue."""
    services, row = request.app.state.services, _about_a_sitting(request, login, finding_id)
    said = ANSWERS.get(likeness)
    if said is None:
        return _page(request, login, row, queue, problem=labels.PROBLEMS["bad_decision"])
    reason = " ".join(it for it in (said.reason, shown_text(note)) if it)
    try:
        record(services, login, finding_id, said.decision, reason)
    except (BadInput, Conflict) as error:
        return _page(request, login, row, queue, problem=labels.PROBLEMS[error.code], note=note)
    return see_other(in_sitting(row, queue, finding_id))


def _about_a_sitting(request: Request, login: Login, finding_id: int) -> FindingRow:
    row = finding_of(request, login, finding_id)
    if row.session_id is None or row.learner_id is None:
        raise NotFound("unknown_finding", "the finding is on no sitting")
    return row


def _page(
    request: Request,
    login: Login,
    row: FindingRow,
    queue: str,
    *,
    problem: str = "",
    note: str = "",
) -> Response:
    services, lang, user = request.app.state.services, language_of(request), login.user
    assert row.learner_id is not None and row.session_id is not None
    now_ms = services.clock()
    with services.database.read() as connection:
        case = face_case.face_case(connection, user, row.learner_id, row.session_id, now_ms)
        klass = class_file.klass(connection, row.class_id, user.scope)
        assert klass is not None
        (card,) = cards_of(connection, [row], klass.county, user, lang)
        next_up = following(connection, user, queue, now_ms, but_finding=row.id)
    return render(
        request,
        "face_case.html",
        login=login,
        status=422 if problem else 200,
        finding=row,
        sitting_href=in_sitting(row, queue, 0),
        it=card,
        klass=klass,
        case=case,
        wanted=enrolment_photos.WANTED,
        check=lambda shot: labels.label(labels.CHECKS, Check(shot.check).name.lower()),
        answers=ANSWERS,
        purposes=labels.PURPOSES_OF_FACES,
        queue=queue,
        following=next_up,
        problem=problem,
        note=note,
    )


def _address(finding_id: int, queue: str) -> str:
    return f"/console/findings/{finding_id}/faces" + (
        f"?{urlencode({'queue': queue})}" if queue else ""
    )
