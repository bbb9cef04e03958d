"""What people do with the queue besides deciding one finding: views, sharing out, many alike."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response

from app.console import labels
from app.console.findings_page import FindingFilters, queue_page
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, local_path, see_other
from app.domain.judging import rulings
from app.domain.review import appeals, review_queue
from app.domain.wire import whole
from app.errors import BadInput, Conflict

router = APIRouter(
    prefix="/console",
    route_class=ConsoleRoute,
    include_in_schema=False,
    dependencies=[FormOfThisLogin],
)

Ids = Annotated[list[int], Form()]
Text = Annotated[str, Form()]


@router.post("/findings/views")
def save_view(request: Request, login: SignedIn, name: Text = "", queue: Text = "") -> Response:
    services, query = request.app.state.services, FindingFilters.parsed(queue)
    try:
        with services.database.write() as connection:
            kept = urlencode(query.values)
            review_queue.save_view(connection, login.user, name, kept, services.clock())
    except BadInput as error:
        return queue_page(request, login, query, problem=labels.PROBLEMS[error.code])
    return see_other(query.href())


@router.post("/findings/views/{view_id}/drop")
def drop_view(request: Request, login: SignedIn, view_id: RowId, queue: Text = "") -> Response:
    with request.app.state.services.database.write() as connection:
        review_queue.drop_view(connection, login.user, view_id)
    return see_other(FindingFilters.parsed(queue).href())


@router.post("/findings/many")
def many(
    request: Request,
    login: SignedIn,
    finding: Ids = [],  # noqa: B006
    act: Text = "",
    assignee: Text = "",
    decision: Text = "",
    reason: Text = "",
    queue: Text = "",
) -> Response:
    """Hand the chosen findings to somebody, or decide them together."""
    services, query = request.app.state.services, FindingFilters.parsed(queue)
    now_ms = services.clock()
    try:
        with services.database.write() as connection:
            if act == "assign":
                review_queue.assign(connection, login.user, finding, whole(assignee), now_ms)
                done = 0
            else:
                decided = review_queue.decide_alike(
                    connection, login.user, finding, decision, reason, now_ms
                )
                rulings.follow(connection, decided, now_ms)
                done = len(decided)
    except (BadInput, Conflict) as error:
        typed = {"chosen": set(finding), "decision": decision, "reason": reason}
        return queue_page(request, login, query, problem=labels.PROBLEMS[error.code], typed=typed)
    return see_other(query.href(done=str(done) if done else None))


@router.post("/findings/{finding_id}/assign")
def assign(
    request: Request, login: SignedIn, finding_id: RowId, assignee: Text = "", back: Text = ""
) -> Response:
    services = request.app.state.services
    with services.database.write() as connection:
        review_queue.assign(connection, login.user, [finding_id], whole(assignee), services.clock())
    return see_other(local_path(back, f"/console/findings/{finding_id}"))


@router.post("/appeals/{appeal_id}/reply")
def reply(
    request: Request,
    login: SignedIn,
    appeal_id: RowId,
    answer: Text = "",
    words_: Annotated[str, Form(alias="reply")] = "",
) -> Response:
    """Answer an appeal: the learner is settled again, or undecided if the case is opened again."""
    services = request.app.state.services
    with services.database.write() as connection:
        now_ms = services.clock()
        finding_id = appeals.reply(connection, appeal_id, login.user, answer, words_, now_ms)
        rulings.follow(connection, [finding_id], now_ms)
    return see_other(f"/console/findings/{finding_id}")
