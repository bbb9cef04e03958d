"""The calendar of working days, which administrators keep."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from app.clock import day
from app.console import labels
from app.console.login import FormOfThisLogin, require_role
from app.console.page import ConsoleRoute, render, see_other
from app.domain.accounts import calendar
from app.domain.accounts.users import Login, Role
from app.errors import BadInput
from app.store.accounts import calendar as store

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Admin = Annotated[Login, Depends(require_role(Role.ADMIN))]
Typed = Annotated[str, Form()]


@router.get("/calendar")
def shown(request: Request, login: Admin) -> Response:
    return _page(request, login)


def _page(
    request: Request, login: Login, problem: str = "", typed: dict[str, str] | None = None
) -> Response:
    services = request.app.state.services
    year = day(services.clock()).year
    with services.database.read() as connection:
        rows = store.days(connection)
    years = {it.day.year for it in rows if not it.works}
    return render(
        request,
        "calendar.html",
        login=login,
        rows=[it for it in rows if it.day.year >= year - 1],
        missing=[it for it in (year, year + 1) if it not in years],
        typed=typed or {},
        problem=problem,
        status=422 if problem else 200,
    )


@router.post("/calendar", dependencies=[FormOfThisLogin])
def enter(
    request: Request,
    login: Admin,
    first: Typed = "",
    last: Typed = "",
    calendar_kind: Typed = "",
    name: Typed = "",
) -> Response:
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            calendar.enter(
                connection, login.user, first, last, calendar_kind, name, services.clock()
            )
    except BadInput as error:
        problem = labels.PROBLEMS.get(error.code, "")
        typed = {"first": first, "last": last, "calendar_kind": calendar_kind, "name": name}
        return _page(request, login, problem or error.detail, typed)
    return see_other("/console/calendar")
