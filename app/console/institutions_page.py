"""Counties, and the training institutions on their lists: entered, reviewed, taken off."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError
from sqlalchemy import Connection

from app.clock import day
from app.console import forms
from app.console.forms import Errors, FilledIn, Typed
from app.console.login import FormOfThisLogin, require_role
from app.console.page import ConsoleRoute, RowId, render, see_other
from app.domain import credit_codes
from app.domain.accounts.users import KEEPS_INSTITUTIONS, Login, Role
from app.domain.catalogue import institutions
from app.domain.catalogue.institutions import (
    AnnualReview,
    CountyTerms,
    FullTimeTeacher,
    FullTimeTeachers,
    InstitutionTerms,
    Reasoned,
    Withdrawal,
)
from app.errors import BadInput, Conflict, NotFound
from app.store.catalogue import institutions as store

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Admin = Annotated[Login, Depends(require_role(Role.ADMIN))]
Keeper = Annotated[Login, Depends(require_role(*KEEPS_INSTITUTIONS))]
People = Annotated[
    Login, Depends(require_role(Role.CHIEF, Role.AUDITOR, Role.REVIEWER, Role.ADMIN, Role.SCHOOL))
]
_PAID_TO = ("contact", "bank", "bank_account")
EMPTY_ROWS = 3  # of the teachers' form
REFUSALS = (ValidationError, BadInput, Conflict)


@router.get("/counties")
def counties(request: Request, login: Admin) -> Response:
    return _counties(request, login, {}, {})


@router.post("/counties", dependencies=[FormOfThisLogin])
def put_county(request: Request, login: Admin, form: FilledIn) -> Response:
    """Add a county, or give one another code: `change` says which."""
    services = request.app.state.services
    by = {"actor": login.user.actor, "now_ms": services.clock()}
    try:
        terms = forms.read(CountyTerms, form)
        with services.database.write() as connection:
            if form.get("change"):
                institutions.change_county(connection, terms, **by)
            else:
                institutions.add_county(connection, terms, **by)
    except REFUSALS as error:
        return _counties(request, login, form, forms.errors(error))
    return see_other("/console/counties")


def _counties(request: Request, login: Login, typed: Typed, errors: Errors) -> Response:
    with request.app.state.services.database.read() as connection:
        rows = store.counties(connection)
    return render(
        request,
        "counties.html",
        login=login,
        rows=rows,
        typed=typed,
        errors=errors,
        status=422 if errors else 200,
    )


@router.get("/institutions")
def shelf(request: Request, login: People) -> Response:
    return _shelf(request, login, {}, {})


@router.post("/institutions", dependencies=[FormOfThisLogin])
def list_one(request: Request, login: Keeper, form: FilledIn) -> Response:
    """Put an institution on a county's list."""
    services, county = request.app.state.services, form.get("county", "")
    by = {"actor": login.user.actor, "now_ms": services.clock()}
    try:
        terms = forms.read(InstitutionTerms, form)
        with services.database.write() as connection:
            if county not in _mine(connection, login):
                raise BadInput("county_missing_here", "county: choose one", field="county")
            made = institutions.list_institution(connection, county, terms, **by)
    except REFUSALS as error:
        return _shelf(request, login, form, forms.errors(error))
    return see_other(f"/console/institutions/{made}")


def _shelf(request: Request, login: Login, typed: Typed, errors: Errors) -> Response:
    services = request.app.state.services
    with services.database.read() as connection:
        rows = store.listed(connection, login.user.scope)
        mine = _mine(connection, login)
    return render(
        request,
        "institutions.html",
        login=login,
        rows=rows,
        counties=mine,
        today=day(services.clock()).isoformat(),
        typed=typed or ({"county": mine[0]} if len(mine) == 1 else {}),
        errors=errors,
        status=422 if errors else 200,
    )


def _mine(connection: Connection, login: Login) -> list[str]:
    """The counties whose lists the person may see."""
    scope = login.user.scope
    names = [it.name for it in store.counties(connection)]
    return [it for it in names if scope.counties is None or it in scope.counties]


@router.get("/institutions/{institution_id}")
def institution(request: Request, login: People, institution_id: RowId) -> Response:
    return _page(request, login, institution_id)


@router.post("/institutions/{institution_id}", dependencies=[FormOfThisLogin])
def change(request: Request, login: Keeper, institution_id: RowId, form: FilledIn) -> Response:
    """Change, review, file teachers, take off the list or put back on it: `what` says which."""
    services, what = request.app.state.services, form.get("what", "")
    by = {"actor": login.user.actor, "now_ms": services.clock()}
    try:
        with services.database.write() as connection:
            row = institutions.institution_seen(connection, login.user.scope, institution_id)
            if what == "review":
                institutions.record_review(connection, row, forms.read(AnnualReview, form), **by)
            elif what == "teachers":
                institutions.file_teachers(connection, row, _teachers(form), **by)
            elif what == "withdraw":
                institutions.withdraw(connection, row, forms.read(Withdrawal, form), **by)
            elif what == "relist":
                institutions.relist(connection, row, forms.read(Reasoned, form), **by)
            elif what == "change":
                terms = forms.read(InstitutionTerms, form)
                why = forms.read(Reasoned, form).reason
                institutions.change_institution(connection, row, terms, why, **by)
            else:
                raise NotFound("unknown_act", "there is no such form")
    except REFUSALS as error:
        wrong = _wrong_rows(error, form) if what == "teachers" else forms.errors(error)
        return _page(request, login, institution_id, form, wrong)
    return see_other(f"/console/institutions/{institution_id}")


def _teachers(form: Typed) -> FullTimeTeachers:
    """The rows of the form that say something. Raises ValidationError."""
    rows = [{name: it for name, it in said.items() if it} for said in _rows(form).values()]
    return forms.read(FullTimeTeachers, form, {"teachers": rows})


def _rows(form: Typed) -> dict[int, dict[str, str]]:
    """By number, what each row says; none that is blank."""
    found = {}
    for number in range(1000):
        if f"name.{number}" not in form:
            break
        said = {it: form.get(f"{it}.{number}", "").strip() for it in FullTimeTeacher.model_fields}
        if any(said.values()):
            found[number] = said
    return found


def _wrong_rows(error: ValidationError | BadInput | Conflict, form: Typed) -> Errors:
    """What is wrong, beside the cell that it is about."""
    if not isinstance(error, ValidationError):
        return forms.errors(error)
    numbers, found = list(_rows(form)), Errors()
    for it in error.errors(include_url=False, include_context=False, include_input=False):
        field, *within = it["loc"] or ("teachers",)
        if within:
            field = f"{within[1] if len(within) > 1 else 'until_on'}.{numbers[int(within[0])]}"
        found[str(field)] = forms.message(it["type"], it["msg"].removeprefix("teachers: "))
    return found


def _flat(teachers: list[dict[str, Any]]) -> dict[str, str]:
    """Teachers on file as the fields of the form."""
    return {
        f"{name}.{number}": it[name] or ""
        for number, it in enumerate(teachers)
        for name in FullTimeTeacher.model_fields
    }


def _page(
    request: Request,
    login: Login,
    institution_id: int,
    typed: Typed | None = None,
    errors: Errors | None = None,
) -> Response:
    services = request.app.state.services
    with services.database.read() as connection:
        row = institutions.institution_seen(connection, login.user.scope, institution_id)
    stands = {
        name: getattr(row, name) or ""
        for name in ("code", "name", "listed_from", "listed_until", "document", *_PAID_TO)
    }
    stands["vocational_school"] = {None: "", True: "yes", False: "no"}[row.vocational_school]
    on_file = (
        dict(typed) if typed and typed.get("what") == "teachers" else _flat(row.teachers or [])
    )
    what = (typed or {}).get("what", "")
    return render(
        request,
        "institution.html",
        login=login,
        row=row,
        doubtful=credit_codes.doubtful,
        today=day(services.clock()).isoformat(),
        keeps=login.user.keeps_institutions,
        typed={"change": stands, what: dict(typed or {}), "teachers": on_file},
        rows=range(
            EMPTY_ROWS + sum(name.startswith("name.") and bool(it) for name, it in on_file.items())
        ),
        errors={what: errors or {}},
        status=422 if errors else 200,
    )
