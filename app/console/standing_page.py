"""How the county stands over days of one's choice: for who answers for it, and for printing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.clock import day
from app.console import labels
from app.console.login import require_role
from app.console.page import ConsoleRoute, render
from app.domain.accounts.users import OF_AUTHORITY, Login
from app.domain.review import funds, stages
from app.domain.review import standing as domain
from app.domain.review.standing import DayRange
from app.domain.wire import typed_day
from app.errors import BadInput
from app.store.review import cases
from app.store.review.cases import CaseFilter
from app.store.review.finding_queue import QueueFilter

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Official = Annotated[Login, Depends(require_role(*OF_AUTHORITY))]
_DAYS = 28


@router.get("/standing")
def shown(request: Request, login: Official, first: str = "", last: str = "") -> Response:
    """Without days: the last four weeks. Days that are none are told, and these are shown."""
    services, scope = request.app.state.services, login.user.scope
    now_ms = services.clock()
    today = day(now_ms)
    days, problem = DayRange(today - timedelta(days=_DAYS - 1), today), ""
    if first or last:
        try:
            days = DayRange(_day(first), _day(last))
        except BadInput as error:
            problem = labels.PROBLEMS[error.code]
    with services.database.read() as connection:
        standing = domain.standing(connection, scope, days)
        overdue = stages.overdue(connection, scope, today)
        stakes = funds.stakes(connection, scope, (days.first.isoformat(), days.last.isoformat()))
        asked = CaseFilter(QueueFilter(order="old", asked_by=login.user.id), today.isoformat())
        late = cases.count(connection, scope, asked)["overdue"]
    return render(
        request,
        "standing.html",
        login=login,
        status=422 if problem else 200,
        days=days,
        standing=standing,
        overdue=len(overdue),
        late=late,
        stakes=stakes,
        now_ms=now_ms,
        problem=problem,
    )


def _day(text: str) -> date:
    """Raises BadInput."""
    try:
        return typed_day(text)
    except ValueError as error:
        raise BadInput("bad_days", "a day is written as 2026-11-28") from error
