"""The learner's own page, by signed link: what was counted, what was not and why, what to do."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from app.console import words
from app.console.class_page import cell
from app.console.finding_view import interval, sentence_of
from app.console.language import N_
from app.console.page import ConsoleRoute, language_of, render, see_other
from app.domain import learner_link
from app.domain.review import UNDECIDED
from app.errors import BadInput, Conflict, NotFound, TooManyRequests
from app.store import class_file, reviews
from app.store.scope import EVERYTHING
from detectors.finding import Evidence

router = APIRouter(prefix="/my", route_class=ConsoleRoute, include_in_schema=False)

_FINDINGS = 200
_PRIVATE = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
# What a learner is told of where a finding stands; who has spoken so far stays inside.
STANDING = {
    "open": words.Word(N_("正在人工审核，还没有结论"), tone="review"),
    "first_review": words.Word(N_("正在人工审核，还没有结论"), tone="review"),
    "upheld": words.Word(N_("经审核，认定成立"), tone="violation"),
    "overturned": words.Word(N_("经审核，已撤销"), tone="clear"),
    "cured": words.Word(N_("已补学"), tone="clear"),
}
IN_REVIEW = words.Word(N_("有问题正在审核，暂无结论"), tone="review")
NOT_PROVEN = words.Word(N_("证据不足，不算违规，可补学"), tone="unproven")


@router.get("/{token}")
def own(request: Request, token: str, filed: int = 0) -> Response:
    return _page(request, token, filed=filed)


@router.post("/{token}/appeals")
def appeal(
    request: Request,
    token: str,
    finding: Annotated[int, Form(ge=1, le=2**62)],
    statement: Annotated[str, Form()] = "",
) -> Response:
    """File an appeal; a refusal shows the page again with what was typed."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            now_ms = services.clock()
            link = learner_link.read(connection, services.vault, token, now_ms)
            learner_link.appeal(connection, link, finding, statement, now_ms)
    except (BadInput, Conflict, TooManyRequests) as error:
        typed = {"finding": finding, "statement": statement}
        problem = words.PROBLEMS[error.code]
        return _page(request, token, problem=problem, typed=typed, status=error.status)
    return see_other(f"/my/{token}?filed={finding}#finding-{finding}")


def _page(
    request: Request,
    token: str,
    *,
    filed: int = 0,
    problem: str = "",
    typed: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    services, lang = request.app.state.services, language_of(request)
    now_ms = services.clock()
    try:
        with services.database.read() as connection:
            link = learner_link.read(connection, services.vault, token, now_ms)
    except NotFound as error:
        return _private(
            render(
                request,
                "own_gone.html",
                login=None,
                status=404,
                detail=words.PROBLEMS[error.code],
            )
        )
    if learner_link.visits_anew(link, now_ms):
        with services.database.write() as connection:
            learner_link.opened(connection, link, now_ms)
    with services.database.read() as connection:
        klass = class_file.klass(connection, link.class_id, EVERYTHING)
        pack, enrolment = f"{klass.pack_id}@{klass.pack_version}", link.enrolment_id
        hours = class_file.hours(connection, link.class_id)
        marks = class_file.latest(connection, link.class_id, "class_hour", pack, enrolment)
        concluded = class_file.latest(connection, link.class_id, "enrolment", pack, enrolment)
        found = class_file.findings(connection, link.class_id, link.learner_id, _FINDINGS)
        told = [it for it in found if it.evidence != Evidence.STATISTIC]
        appeals = reviews.appeals_of(connection, [it.id for it in told])
    by_hour = {it.hour: it for it in marks}
    cells = [cell(hour.number, by_hour.get(hour.number), lang) for hour in hours]
    body = json.loads(concluded[0].body) if concluded else None
    waiting = any(it.status in UNDECIDED and it.outcome != "not_proven" for it in told)
    outcome = words.word(words.VERDICTS, concluded[0].outcome) if concluded else None
    if waiting and outcome is not None and concluded[0].outcome == "ineligible":
        outcome = IN_REVIEW  # nobody is refused before people have decided
    mine = learner_link.actor_of(link)
    page = render(
        request,
        "own.html",
        login=None,
        status=status,
        token=token,
        name=link.learner_name,
        klass=klass,
        cells=cells,
        valid=sum(it.code == "valid" for it in cells),
        missing=[it for it in cells if it.code not in ("valid", "not_started")],
        waiting=waiting,
        outcome=outcome,
        body=body,
        applied=body[body["scale"]] if body else None,
        findings=[
            {
                "row": it,
                "standing": _standing(it),
                "sentence": sentence_of(it.body, lang),
                "when": interval(it.start_ms, it.end_ms, lang),
                "appeals": [each for each in appeals if each.finding_id == it.id],
                "may_appeal": it.status not in ("overturned", "cured"),
            }
            for it in told
        ],
        filed=any(it.finding_id == filed and it.filed_by == mine for it in appeals),
        problem=problem,
        typed=typed or {"finding": 0, "statement": ""},
        until_ms=link.expires_ms,
    )
    return _private(page)


def _private(page: HTMLResponse) -> HTMLResponse:
    page.headers.update(_PRIVATE)
    return page


def _standing(finding: Any) -> words.Word:
    if finding.outcome == "not_proven" and finding.status in UNDECIDED:
        return NOT_PROVEN
    return words.word(STANDING, finding.status)
