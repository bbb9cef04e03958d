"""The queue: cases that wait for a person, gravest first, and sharing them out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from app.console import labels
from app.console.case_lines import STATES, CaseFilters, case_address, lines, rule_names
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, language_of, render, see_other
from app.domain.accounts.users import Login
from app.domain.judging import rulings
from app.domain.review import case_desk, review_queue
from app.domain.review import cases as domain
from app.domain.wire import whole
from app.errors import BadInput, Conflict, NotAllowed
from app.store.review import cases as store
from app.store.review import finding_queue
from app.store.review.cases import CaseCursor

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PAGE = 50
_COUNTED = re.compile(r"(\d{1,18}):(\d{1,5})")
_CURSOR = re.compile(r"(\d{1,7})-(\d{1,18})")
Text = Annotated[str, Form()]


@router.get("/cases")
def cases(
    request: Request, login: SignedIn, after: str = "", given: str = "", decided: str = ""
) -> Response:
    filters = CaseFilters.of(request.query_params)
    made = [it for it in map(whole, decided.split("-")) if it is not None]
    return _page(
        request, login, filters, after=after, given=whole(given), decided=made[: domain.MOST_CASES]
    )


@router.post("/cases/next", dependencies=[FormOfThisLogin])
def take_next(request: Request, login: SignedIn, queue: Text = "") -> Response:
    """Take the gravest case that nobody looks after, and go there."""
    services = request.app.state.services
    with services.database.write() as connection:
        taken = case_desk.take_next(connection, login.user, services.clock())
    filters = CaseFilters.parsed(queue)
    return see_other(case_address(taken, filters.queue) if taken else filters.href())


@router.post("/cases/decide", dependencies=[FormOfThisLogin])
def decide(
    request: Request,
    login: SignedIn,
    case: Annotated[list[int], Form()] = [],  # noqa: B006
    counted: Annotated[list[str], Form()] = [],  # noqa: B006
    decision: Text = "",
    reason: Text = "",
    queue: Text = "",
) -> Response:
    """Settle the chosen cases, which are alike, with one reason."""
    services, filters = request.app.state.services, CaseFilters.parsed(queue)
    told = {int(it[1]): int(it[2]) for it in map(_COUNTED.fullmatch, counted) if it}
    seen = {it: told.get(it, 0) for it in case}
    try:
        with services.database.write() as connection:
            now_ms = services.clock()
            made = domain.decide_alike(connection, seen, login.user, decision, reason, now_ms)
            rulings.follow(connection, [it for one in made for it in one.decided], now_ms)
    except (BadInput, Conflict) as error:
        typed = {"case": set(case), "decision": decision, "reason": reason}
        problem = labels.PROBLEMS[error.code]
        return _page(request, login, filters, problem=problem, typed=typed)
    return see_other(filters.href(decided="-".join(str(it.case_id) for it in made)))


@router.post("/cases/undo", dependencies=[FormOfThisLogin])
def undo(
    request: Request,
    login: SignedIn,
    case: Annotated[list[int], Form()] = [],  # noqa: B006
    queue: Text = "",
) -> Response:
    """Take back what was decided of several cases, all or none."""
    services, filters = request.app.state.services, CaseFilters.parsed(queue)
    if not login.user.decides:
        raise NotAllowed("role", "only auditors and reviewers decide cases")
    try:
        with services.database.write() as connection:
            now_ms = services.clock()
            for it in case[: domain.MOST_CASES]:
                rulings.follow(connection, domain.undo(connection, login.user, it, now_ms), now_ms)
    except Conflict as error:
        return _page(request, login, filters, problem=labels.PROBLEMS[error.code])
    return see_other(filters.href())


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
                given = case_desk.share_out(connection, user, whole(limit) or 0, now_ms)
            else:
                case_desk.hand_over(connection, user, case, whole(assignee), now_ms)
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
    decided: Sequence[int] = (),
    problem: str = "",
    typed: Mapping[str, Any] | None = None,
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
        decided=decided,
        undo_minutes=domain.UNDO_MS // 60_000,
        problem=problem,
        typed={"case": set(), "decision": "", "reason": "", **(typed or {})},
        newer=filters.href() if after else None,
        older=filters.href(after=f"{last.gravity}-{last.id}") if last else None,
    )
