"""The queue: cases that wait for a person, gravest first, and sharing them out."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from app.console import labels
from app.console.case_lines import STATES, CaseFilters, case_address, lines, rule_names
from app.console.findings_page import number
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, language_of, render, see_other
from app.domain.accounts.users import Login
from app.domain.review import case_desk, review_queue
from app.errors import BadInput, NotAllowed
from app.store.review import cases as store
from app.store.review import finding_queue
from app.store.review.cases import CaseCursor

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PAGE = 50
_CURSOR = re.compile(r"(\d{1,7})-(\d{1,18})")
Text = Annotated[str, Form()]


@router.get("/cases")
def cases(request: Request, login: SignedIn, after: str = "", given: str = "") -> Response:
    filters = CaseFilters.of(request.query_params)
    return _page(request, login, filters, after=after, given=number(given))


@router.post("/cases/next", dependencies=[FormOfThisLogin])
def take_next(request: Request, login: SignedIn, queue: Text = "") -> Response:
    """Take the gravest case that nobody looks after, and go there."""
    services = request.app.state.services
    with services.database.write() as connection:
        taken = case_desk.take_next(connection, login.user, services.clock())
    filters = CaseFilters.parsed(queue)
    return see_other(case_address(taken, filters.queue) if taken else filters.href())


@router.post("/cases/share", dependencies=[FormOfThisLogin])
def share(
    request: Request,
    login: SignedIn,
    case: Annotated[list[int], Form()] = [],  # noqa: B006
    act: Text = "",
    assignee: Text = "",
    limit: Text = "",
    queue: Text = "",
) -> Response:
    """Give the chosen cases to somebody, or share out what nobody looks after."""
    services, filters = request.app.state.services, CaseFilters.parsed(queue)
    now_ms, user = services.clock(), login.user
    given = len(case)
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers share out cases")
    try:
        with services.database.write() as connection:
            if act == "all":
                given = case_desk.share_out(connection, user, number(limit) or 0, now_ms)
            else:
                case_desk.hand_over(connection, user, case, number(assignee), now_ms)
    except BadInput as error:
        return _page(request, login, filters, problem=labels.PROBLEMS[error.code])
    return see_other(filters.href(given=str(given)))


def _page(
    request: Request,
    login: Login,
    filters: CaseFilters,
    *,
    after: str = "",
    given: int | None = None,
    problem: str = "",
) -> Response:
    services, lang, user = request.app.state.services, language_of(request), login.user
    now_ms = services.clock()
    wanted = filters.wanted(now_ms, user.id)
    match = _CURSOR.fullmatch(after)
    cursor = CaseCursor(*map(int, match.groups())) if match else None
    with services.database.read() as connection:
        found = store.page(connection, user.scope, wanted, cursor, PAGE + 1)
        shown = lines(connection, user, found[:PAGE], filters, lang, now_ms)
        counts = store.count(connection, user.scope, wanted)
        rules = rule_names(store.rules(connection, user.scope), lang)
        platforms = finding_queue.platforms(connection, user.scope)
        colleagues = review_queue.colleagues(connection, user) if user.decides else []
    last = found[PAGE - 1] if len(found) > PAGE else None
    return render(
        request,
        "cases.html",
        login=login,
        status=422 if problem else 200,
        filters=filters,
        state=wanted.state,
        states=STATES,
        counts=counts,
        rows=shown,
        rules=rules,
        platforms=platforms,
        colleagues=colleagues,
        limit=case_desk.LIMIT,
        given=given,
        problem=problem,
        newer=filters.href() if after else None,
        older=filters.href(after=f"{last.gravity}-{last.id}") if last else None,
    )
