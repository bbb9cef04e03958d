"""A finding's own address, and the form that decides it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response

from app.console import labels
from app.console.finding_cards import cards_of, following
from app.console.language import N_
from app.console.login import FormOfThisLogin, SignedIn
from app.console.overlap_picture import crowd_picture
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.console.session_page import session_view
from app.domain.accounts.users import Login, Role
from app.domain.judging import rulings
from app.domain.review import review
from app.errors import BadInput, Conflict, NotFound
from app.services import Services
from app.store.catalogue import class_file
from app.store.review import class_sittings, crowds, reviews
from app.store.review.finding_rows import FindingRow

SITTINGS = 200  # shown of a class
SITTING_COLUMNS: Mapping[str, str] = {
    "popups": N_("弹窗显示"),
    "answered": N_("弹窗应答"),
    "photos": N_("照片"),
    "matched": N_("人脸相符"),
}
router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)


@router.get("/findings/{finding_id}")
def finding(
    request: Request, login: SignedIn, finding_id: RowId, queue: str = "", done: int = 0
) -> Response:
    """Leads to the sitting where the finding is seen; one on a class has a page of its own."""
    row = finding_of(request, login, finding_id)
    if row.session_id is None:
        return _class_finding(request, login, row, queue, done=done)
    return see_other(in_sitting(row, queue, 0))


@router.post("/findings/{finding_id}/decision", dependencies=[FormOfThisLogin])
def decide(
    request: Request,
    login: SignedIn,
    finding_id: RowId,
    decision: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    queue: Annotated[str, Form()] = "",
) -> Response:
    """Record the decision; a refusal shows the page again with what was typed."""
    services, row = request.app.state.services, finding_of(request, login, finding_id)
    try:
        record(services, login, finding_id, decision, reason)
    except (BadInput, Conflict) as error:
        typed = {"id": finding_id, "decision": decision, "reason": reason}
        problem = labels.PROBLEMS[error.code]
        if row.session_id is None:
            return _class_finding(request, login, row, queue, problem=problem, typed=typed)
        return session_view(
            request, login, row.session_id, queue, first=finding_id, problem=problem, typed=typed
        )
    if row.session_id is None:
        kept = urlencode({"done": finding_id, "queue": queue})
        return see_other(f"/console/findings/{finding_id}?{kept}")
    return see_other(in_sitting(row, queue, finding_id))


def record(services: Services, login: Login, finding_id: int, decision: str, reason: str) -> None:
    """Decide a finding and bring that to effect. Raises BadInput, Conflict."""
    with services.database.write() as connection:
        now_ms = services.clock()
        review.decide(connection, finding_id, login.user, decision, reason, now_ms)
        rulings.follow(connection, [finding_id], now_ms)


def finding_of(request: Request, login: Login, finding_id: int) -> FindingRow:
    """The finding, where this person sees it. Raises NotFound."""
    with request.app.state.services.database.read() as connection:
        row = reviews.finding(connection, finding_id, login.user.scope)
    if row is None or (row.shadow and login.user.role is not Role.ADMIN):
        raise NotFound("unknown_finding", "there is no such finding")
    return row


def in_sitting(row: FindingRow, queue: str, done: int) -> str:
    """The sitting's page from its top, where the picture is; this finding's card comes first."""
    kept = {"finding": row.id} | ({"done": done} if done else {})
    return f"/console/sessions/{row.session_id}?" + urlencode(
        kept | ({"queue": queue} if queue else {})
    )


def _class_finding(
    request: Request,
    login: Login,
    row: FindingRow,
    queue: str,
    *,
    done: int = 0,
    problem: str = "",
    typed: dict[str, Any] | None = None,
) -> Response:
    services, lang, user = request.app.state.services, language_of(request), login.user
    with services.database.read() as connection:
        klass = class_file.klass(connection, row.class_id, user.scope)
        assert klass is not None
        now = reviews.finding(connection, row.id, user.scope) or row
        cards = cards_of(connection, [now], klass.county, user, lang)
        members = crowds.members(connection, now.platform_id, now.body)
        overlap = crowd_picture(connection, user.scope, members, lang)
        sittings = () if members else class_sittings.of_class(connection, now.class_id, SITTINGS)
        of = class_sittings.count(connection, now.class_id)
        now_ms = services.clock()
        next_up = following(connection, user, queue, now_ms, but_finding=row.id) if done else None
    return render(
        request,
        "finding.html",
        login=login,
        status=422 if problem else 200,
        klass=klass,
        finding=now,
        lead=now,
        cards=cards,
        members=members,
        overlap=overlap,
        sittings=sittings,
        sittings_of=of,
        columns=SITTING_COLUMNS,
        holds=now.body.holds,
        queue=queue,
        following=next_up,
        done=done,
        problem=problem,
        typed=typed,
    )
