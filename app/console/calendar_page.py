"""The calendar of working days, which administrators keep."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from app.clock import day
from app.console import consequences, labels, weighty
from app.console.login import FormOfThisLogin, require_role
from app.console.page import ConsoleRoute, language_of, render, see_other
from app.domain.accounts import calendar, holiday_notice
from app.domain.accounts.calendar import CalendarEntry
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
    today = day(services.clock())
    year = today.year
    with services.database.read() as connection:
        rows, kept = store.days(connection), calendar.read(connection)
    years = {it for it in (year, year + 1) if kept.knows(it)}
    return render(
        request,
        "calendar.html",
        login=login,
        rows=[it for it in rows if it.day.year >= year - 1],
        missing=[it for it in (year, year + 1) if it not in years],
        lacking={it: calendar.lacking(rows, it, today) for it in (year, year + 1) if it in years},
        typed=typed or {},
        year=year + 1 if year in years else year,
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
    notice: Typed = "",
    year: Typed = "",
    reason: Annotated[str | None, Form()] = None,
    again: Typed = "",
) -> Response:
    """One entry, or the text of a year's notice. Without a reason: what the days, as typed, will
    do."""
    services = request.app.state.services
    typed = {"first": first, "last": last, "calendar_kind": calendar_kind, "name": name}
    if notice:
        typed = {"notice": notice, "year": year}
    if again:
        return _page(request, login, typed=typed)
    try:
        wanted = _wanted(typed)
    except BadInput as error:
        told = labels.PROBLEMS.get(error.code, "") or error.detail
        if error.code in ("notice_unread", "wrong_weekday"):
            told = language_of(request).say(told) + error.detail.partition(": ")[2]
        return _page(request, login, told, typed)
    try:
        if reason is None:
            return _weigh(request, login, wanted, typed)
        why = weighty.words(reason)
        with services.database.write() as connection:
            for it in wanted:
                calendar.enter(connection, login.user, it, why, services.clock())
    except BadInput as error:
        return _weigh(request, login, wanted, typed, reason or "", error.code)
    return see_other("/console/calendar")


def _wanted(typed: Mapping[str, str]) -> list[CalendarEntry]:
    if "notice" not in typed:
        said = (typed[it] for it in ("first", "last", "calendar_kind", "name"))
        return [calendar.entry(*said)]
    year = typed["year"].strip()
    if not re.fullmatch(r"20\d{2}", year):
        raise BadInput("bad_year", "year: from 2000 to 2099", field="year")
    return holiday_notice.read(typed["notice"], int(year))


def _weigh(
    request: Request,
    login: Login,
    wanted: Sequence[CalendarEntry],
    typed: dict[str, str],
    reason: str = "",
    problem: str = "",
) -> Response:
    services = request.app.state.services
    with services.database.read() as connection:
        today = day(services.clock())
        deed = consequences.calendar(connection, wanted, typed, today, language_of(request))
    return weighty.page(request, login, deed, reason, problem)
