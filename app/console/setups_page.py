"""The wizard for a school's class: six steps, each a form that also stands by itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Connection

from app.clock import day
from app.console import forms, labels, once
from app.console.forms import Errors, FilledIn
from app.console.login import FormOfThisLogin, require_role
from app.console.page import ConsoleRoute, RowId, render, see_other
from app.domain.accounts import platforms
from app.domain.accounts.platforms import KeyScope
from app.domain.accounts.users import SETS_UP, Login
from app.domain.catalogue import class_setups, classes, institutions
from app.domain.wire import whole
from app.errors import BadInput, Conflict, NotAllowed
from app.http.middleware import public_address
from app.store.catalogue import catalogue, class_file
from app.store.catalogue import class_setups as store
from app.store.catalogue import institutions as institution_store
from app.store.catalogue.catalogue import ListedCourse
from app.store.catalogue.class_setups import SetupRow

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Setter = Annotated[Login, Depends(require_role(*SETS_UP))]
OWN = "own"  # the choice of a platform of the school's own


@router.get("/setups")
def shelf(request: Request, login: Setter) -> Response:
    return _shelf(request, login, {})


@router.post("/setups", dependencies=[FormOfThisLogin])
def begin(request: Request, login: Setter, form: FilledIn) -> Response:
    services, said = request.app.state.services, form.get("institution_id", "")
    wanted = login.user.institution_id or whole(said) or 0
    with services.database.write() as connection:
        row = institution_store.institution(connection, login.user.scope, wanted)
        if row is not None:
            begun = class_setups.begin(
                connection, row.id, actor=login.user.actor, now_ms=services.clock()
            )
    if row is None:
        wrong: Errors = {"institution_id": labels.PROBLEMS["unknown_institution"]}
        return _shelf(request, login, wrong)
    return see_other(f"/console/setups/{begun}")


def _shelf(request: Request, login: Login, errors: Errors) -> Response:
    services = request.app.state.services
    with services.database.read() as connection:
        rows = store.setups(connection, login.user.scope)
        told = [class_setups.progress(connection, it, services.clock()) for it in rows]
        listed = institution_store.listed(connection, login.user.scope)
    return render(
        request,
        "setups.html",
        login=login,
        rows=list(zip(rows, told, strict=True)),
        institutions=[(it.id, it.name) for it in listed],
        errors=errors,
        status=422 if errors else 200,
    )


@router.get("/setups/{setup_id}")
def setup(request: Request, login: Setter, setup_id: RowId) -> Response:
    return _page(request, login, setup_id, {})


@router.post("/setups/{setup_id}/platform", dependencies=[FormOfThisLogin])
def choose_platform(request: Request, login: Setter, setup_id: RowId, form: FilledIn) -> Response:
    """A platform of the county, or one of the school's own, which is made when it has none."""
    services, slug = request.app.state.services, form.get("platform", "")
    try:
        with services.database.write() as connection:
            row = class_setups.setup_seen(connection, login.user.scope, setup_id)
            if slug == OWN:
                chosen = platforms.own_platform(
                    connection,
                    row.institution_id,
                    row.institution,
                    row.county,
                    actor=login.user.actor,
                    now_ms=services.clock(),
                ).id
            else:
                scope, school = login.user.scope, row.institution_id
                chosen = class_setups.offered(connection, scope, slug, school).id
            class_setups.choose_platform(connection, row, chosen)
    except (BadInput, Conflict) as error:
        return _page(request, login, setup_id, forms.errors(error))
    return see_other(f"/console/setups/{setup_id}")


@router.post("/setups/{setup_id}/course", dependencies=[FormOfThisLogin])
def choose_course(request: Request, login: Setter, setup_id: RowId, form: FilledIn) -> Response:
    """A course that is on the platform already."""
    services = request.app.state.services
    with services.database.write() as connection:
        row = class_setups.setup_seen(connection, login.user.scope, setup_id)
        rows = _courses(connection, login, row)
        found = next((it for it in rows if str(it.id) == form.get("course", "")), None)
        if found is not None:
            class_setups.choose_course(connection, row, found.platform_id, found.external_id)
    if found is None:
        wrong: Errors = {"course": labels.PROBLEMS["unknown_course"]}
        return _page(request, login, setup_id, wrong)
    return see_other(f"/console/setups/{setup_id}")


@router.post("/setups/{setup_id}/key", dependencies=[FormOfThisLogin])
def make_key(request: Request, login: Setter, setup_id: RowId) -> Response:
    """A key for the school's own platform, told once. Keys of a platform that several schools use
    are the administrator's to make."""
    services = request.app.state.services
    with services.database.write() as connection:
        row = class_setups.setup_seen(connection, login.user.scope, setup_id)
        own = row.platform_owner is not None and row.platform_owner == login.user.institution_id
        if row.platform_id is None or not own:
            raise NotAllowed("role", "only the school makes keys of its own platform")
        made = platforms.create_key(
            connection,
            row.platform_id,
            label=f"{row.institution} {day(services.clock()):%Y-%m-%d}"[:128],
            scopes=[KeyScope.INGEST, KeyScope.READ],
            expires_ms=None,
            actor=login.user.actor,
            now_ms=services.clock(),
        )
    return once.lead_on(request, login, f"/console/setups/{setup_id}", secret=made.secret)


def _courses(connection: Connection, login: Login, row: SetupRow) -> list[ListedCourse]:
    platform_ids = [row.platform_id or -1]
    return class_setups.courses_offered(connection, login.user.scope, platform_ids)


def _page(request: Request, login: Login, setup_id: int, errors: Errors) -> Response:
    services, scope = request.app.state.services, login.user.scope
    with services.database.read() as connection:
        row = class_setups.setup_seen(connection, scope, setup_id)
        school = institutions.institution_seen(connection, scope, row.institution_id)
        progress = class_setups.progress(connection, row, services.clock())
        offered = store.offered_platforms(connection, scope, row.institution_id)
        courses = _courses(connection, login, row)
        lessons = class_file.lessons(connection, row.class_id) if row.class_id else []
        roster = class_file.roster(connection, row.class_id) if row.class_id else []
        view = row.class_id and classes.view(
            connection, catalogue.class_by_id(connection, row.class_id)
        )
    return render(
        request,
        "setup.html",
        login=login,
        row=row,
        school=school,
        today=day(services.clock()).isoformat(),
        progress=progress,
        platforms=[(it.slug, it.name) for it in offered if it.institution_id is None],
        own=next((it for it in offered if it.institution_id is not None), None),
        may_make_keys=row.platform_owner is not None
        and row.platform_owner == login.user.institution_id,
        courses=courses,
        view=view or None,
        lessons=lessons,
        roster=roster,
        address=public_address(request),
        errors=errors,
        status=422 if errors else 200,
    )
