"""A county's reports: 旬报, 月报, the year's tasks, and what the county enters for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response

from app.clock import day
from app.console import labels
from app.console.acts_page import FilledIn
from app.console.login import FormOfThisLogin, require_role
from app.console.page import ConsoleRoute, RowId, render, see_other
from app.domain.accounts.users import OF_AUTHORITY, Login
from app.domain.policy.task_plan import plan
from app.domain.review import county_tasks
from app.domain.wire import typed_day, whole
from app.errors import BadInput, NotFound
from app.reports import county as reports
from app.reports.exports import FORMATS
from app.reports.lists import periodic

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Official = Annotated[Login, Depends(require_role(*OF_AUTHORITY))]


@router.get("/county")
def shown(request: Request, login: Official, county: str = "", year: str = "") -> Response:
    return _page(request, login, county, year)


def _page(
    request: Request,
    login: Login,
    asked: str,
    year: str,
    problem: str = "",
    typed: Mapping[str, str] | None = None,
) -> Response:
    services = request.app.state.services
    today = day(services.clock())
    on = _year_until(year, today)
    with services.database.read() as connection:
        counties = county_tasks.counties(connection, login.user)
        county = _own(login, asked) if asked else next((it for it in counties if it != "*"), "")
        progress = county_tasks.progress(connection, county, on) if county else []
    return render(
        request,
        "county.html",
        login=login,
        county=county,
        counties=[it for it in counties if it != "*"],
        progress=progress,
        tasks=plan().tasks,
        schools=county_tasks.schools(county, on, progress),
        of_schools=plan().schools,
        source=plan().source,
        year=on.year,
        on=on,
        years=range(today.year, today.year - 6, -1),
        today=today.isoformat(),
        reports=[(name, title) for name, (title, _) in reports.REPORTS.items()],
        formats=list(FORMATS),
        columns={name: name in periodic.USUAL for name in periodic.FIGURES},
        problem=problem,
        typed=typed or {},
        status=422 if problem else 200,
    )


@router.get("/county/{county}/{report}.{ext}")
def download(
    request: Request,
    login: Official,
    county: str,
    report: str,
    ext: str,
    on: str = "",
    columns: Annotated[list[str] | None, Query()] = None,
) -> Response:
    """One report as a file."""
    services = request.app.state.services
    wanted = _day(on, day(services.clock()))
    asked = reports.CountyReport(_own(login, county), wanted, tuple(columns or ()))
    file = reports.export(services, report, ext, asked)
    disposition = f"attachment; filename=\"report.{ext}\"; filename*=UTF-8''{quote(file.name)}"
    headers = {"content-disposition": disposition, "cache-control": "private, no-store"}
    return Response(file.data, media_type=file.media_type, headers=headers)


@router.post("/county/{county}/targets", dependencies=[FormOfThisLogin])
def enter_targets(request: Request, login: Official, county: str, form: FilledIn) -> Response:
    """Keep the year's targets, all of them at once."""
    services = request.app.state.services
    year = form.get("year", "") or str(day(services.clock()).year)
    said = {it.number: form.get(f"task-{it.number}", "") for it in plan().tasks}
    try:
        with services.database.write() as connection:
            county_tasks.enter_targets(
                connection, login.user, _own(login, county), _number(year), said, services.clock()
            )
    except BadInput as error:
        task = error.detail.rpartition(":")[0]
        problem = labels.PROBLEMS.get(error.code, "")
        return _page(request, login, county, year, f"{task}：{problem}" if task else problem, form)
    return see_other(f"/console/county?{urlencode({'county': county, 'year': year})}#targets")


@router.post("/county/classes/{class_id}", dependencies=[FormOfThisLogin])
def assign(
    request: Request,
    login: Official,
    class_id: RowId,
    task: Annotated[str, Form()] = "",
    county: Annotated[str, Form()] = "",
    year: Annotated[str, Form()] = "",
) -> Response:
    """Have a class count for a task of the year."""
    services = request.app.state.services
    number = _number(task) if task.strip() else None
    with services.database.write() as connection:
        county_tasks.assign(connection, login.user, class_id, number, services.clock())
    return see_other(f"/console/county?{urlencode({'county': county, 'year': year})}#classes")


def _own(login: Login, county: str) -> str:
    """The county asked for. Raises NotFound for one that is not theirs to see."""
    if not county or not county_tasks.may_report(login.user, county):
        raise NotFound("unknown_county", "there is no such county")
    return county


def _year_until(said: str, today: date) -> date:
    """The last day of that year that has come."""
    year = _number(said) if said else today.year
    return today if year >= today.year or year < 2000 else date(year, 12, 31)


def _number(said: str) -> int:
    return whole(said) or 0


def _day(said: str, today: date) -> date:
    try:
        return typed_day(said) if said else today
    except ValueError:
        raise BadInput("bad_day", "on: a day like 2026-10-01", field="on") from None
