"""One sitting: the picture, the findings, the evidence, the decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import Connection

from app.console import words
from app.console.finding_view import REASONS, FindingCard, card
from app.console.findings_page import Query
from app.console.language import Language
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.console.session_picture import control_told, legend_rules, session_picture, swatch
from app.domain import review
from app.domain.timeline import timeline as timeline_of
from app.domain.users import Login, User
from app.errors import BadInput, Conflict, NotFound
from app.store import case_file, finding_queue, reviews

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

_NEIGHBOURS = 12


@router.get("/findings/{finding_id}")
def finding(request: Request, login: SignedIn, finding_id: RowId, queue: str = "") -> Response:
    """A finding's own address: leads to the sitting it belongs to, which is where it is seen."""
    with request.app.state.services.database.read() as connection:
        row = reviews.finding(connection, finding_id, login.user.scope)
    if row is None:
        raise NotFound("unknown_finding", "there is no such finding")
    if row.session_id is None:
        return _class_finding(request, login, row, queue)
    kept = "?" + urlencode({"queue": queue}) if queue else ""
    return see_other(f"/console/sessions/{row.session_id}{kept}#finding-{finding_id}")


@router.get("/sessions/{session_id}")
def session(
    request: Request, login: SignedIn, session_id: RowId, queue: str = "", done: int = 0
) -> Response:
    return _page(request, login, session_id, queue, done=done)


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
    services = request.app.state.services
    with services.database.read() as connection:
        row = reviews.finding(connection, finding_id, login.user.scope)
    if row is None:
        raise NotFound("unknown_finding", "there is no such finding")
    try:
        with services.database.write() as connection:
            review.decide(connection, finding_id, login.user, decision, reason, services.clock())
    except (BadInput, Conflict) as error:
        typed = {"id": finding_id, "decision": decision, "reason": reason}
        problem = words.PROBLEMS[error.code]
        if row.session_id is None:
            return _class_finding(request, login, row, queue, problem=problem, typed=typed)
        return _page(request, login, row.session_id, queue, problem=problem, typed=typed)
    kept = urlencode({"done": finding_id} | ({"queue": queue} if queue else {}))
    if row.session_id is None:
        return see_other(f"/console/findings/{finding_id}?{kept}")
    return see_other(f"/console/sessions/{row.session_id}?{kept}#finding-{finding_id}")


def _page(
    request: Request,
    login: Login,
    session_id: int,
    queue: str,
    *,
    done: int = 0,
    problem: str = "",
    typed: dict[str, Any] | None = None,
) -> Response:
    services, lang, user = request.app.state.services, language_of(request), login.user
    with services.database.read() as connection:
        sitting = case_file.sitting(connection, session_id, user.scope)
        if sitting is None:
            raise NotFound("unknown_session", "there is no such session")
        timeline = timeline_of(connection, session_id)
        cards = cards_of(connection, timeline["findings"], sitting, user, lang)
        verdicts = case_file.verdicts_of(connection, session_id)
        neighbours = case_file.neighbours(connection, sitting, _NEIGHBOURS)
        following = _next(connection, user, queue, services.clock(), session_id)
    return render(
        request,
        "session.html",
        login=login,
        status=422 if problem else 200,
        sitting=sitting,
        timeline=timeline,
        outcome=words.word(words.VERDICTS, timeline["session"]["outcome"]),
        picture=session_picture(timeline, lang),
        legend=[(rule, swatch(rule)) for rule in legend_rules(timeline)],
        credited_ms=sum(pos1 - pos0 for pos0, pos1, _, _ in timeline["credited"]),
        controls=[(row, it, control_told(it, lang)) for row, it in enumerate(timeline["controls"])],
        cards=cards,
        verdicts=verdicts,
        neighbours=neighbours,
        reasons=REASONS,
        queue=queue,
        following=following,
        done=done,
        problem=problem,
        typed=typed,
    )


def cards_of(
    connection: Connection,
    shown: Iterable[Any],
    sitting: Any,
    user: User,
    lang: Language,
) -> list[FindingCard]:
    """The findings as cards, undecided and grave ones first; rules on trial only for the admin."""
    rows = {row.id: row for row in case_file.findings_of(connection, sitting.id)}
    said, appealed = defaultdict(list), defaultdict(list)
    for it in reviews.of_findings(connection, rows):
        said[it.finding_id].append(it)
    for it in reviews.appeals_of(connection, rows):
        appealed[it.finding_id].append(it)
    cards = [
        card(it, rows[it["id"]], said[it["id"]], appealed[it["id"]], user, lang)
        for it in shown
        if it["id"] in rows and (not rows[it["id"]].shadow or user.role == "admin")
    ]
    return sorted(
        cards, key=lambda it: (not it.open, list(words.OUTCOMES.values()).index(it.outcome))
    )


def _next(
    connection: Connection, user: User, queue: str, now_ms: int, session_id: int
) -> str | None:
    """Where the queue goes on, skipping this sitting and what this person has already decided."""
    if not user.decides:
        return None
    query = Query(dict(parse_qsl(queue)))
    rows = finding_queue.page(connection, user.scope, query.wanted(now_ms), None, 100)
    ids = [row.id for row in rows if row.session_id != session_id]
    decided = finding_queue.first_decided_by(connection, user.id, ids)
    following = next((it for it in ids if it not in decided), None)
    if following is None:
        return None
    kept = "?" + urlencode({"queue": queue}) if queue else ""
    return f"/console/findings/{following}{kept}"


def _class_finding(
    request: Request,
    login: Login,
    row: Any,
    queue: str,
    *,
    problem: str = "",
    typed: dict[str, Any] | None = None,
) -> Response:
    raise NotFound("unknown_finding", "not yet")
