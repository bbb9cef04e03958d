"""Who may sign in: kept by administrators."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse

from app.console import labels, once
from app.console.login import FormOfThisLogin, require_role
from app.console.page import ConsoleRoute, render, see_other
from app.domain.accounts import second_factors, users
from app.domain.accounts.users import Login, Role
from app.errors import BadInput, Conflict
from app.store.accounts import users as store
from app.store.catalogue import institutions

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Admin = Annotated[Login, Depends(require_role(Role.ADMIN))]
_FIELDS = ("username", "display_name", "role", "counties", "platform", "institution", "office")
_BETWEEN = re.compile(r"[\s,，、;；]+")


@router.get("/users")
def user_list(request: Request, login: Admin, edit: str = "", changed: str = "") -> Response:
    """`edit` names whose role and scope the form beside the list is to change."""
    return _page(request, login, edit=edit, changed=changed)


@router.post("/users", dependencies=[FormOfThisLogin])
def add_user(
    request: Request,
    login: Admin,
    username: Annotated[str, Form()] = "",
    display_name: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    counties: Annotated[str, Form()] = "",
    platform: Annotated[str, Form()] = "",
    institution: Annotated[str, Form()] = "",
    office: Annotated[str, Form()] = "",
) -> Response:
    """Add a user with a password of our making; it is told once."""
    services, password = request.app.state.services, users.new_password()
    typed = {
        "username": username.strip(),
        "display_name": display_name,
        "role": role,
        "counties": counties,
        "platform": platform,
        "institution": institution,
        "office": office,
    }
    try:
        with services.database.write() as connection:
            users.add_user(
                connection,
                username=typed["username"],
                display_name=display_name,
                password=password,
                role=role,
                counties=_BETWEEN.split(counties.strip()),
                platform=platform or None,
                institution=_number(institution),
                office=office or None,
                actor=login.user.actor,
                now_ms=services.clock(),
            )
    except (BadInput, Conflict) as error:
        return _page(request, login, problem=labels.PROBLEMS[error.code], typed=typed)
    return _lead_on(request, login, typed["username"], password)


@router.post("/users/{username}/change", dependencies=[FormOfThisLogin])
def change(
    request: Request,
    login: Admin,
    username: str,
    role: Annotated[str, Form()] = "",
    counties: Annotated[str, Form()] = "",
    platform: Annotated[str, Form()] = "",
    institution: Annotated[str, Form()] = "",
    office: Annotated[str, Form()] = "",
) -> Response:
    """Another role or scope; it ends that person's logins."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            users.change_user(
                connection,
                username,
                role=role,
                counties=_BETWEEN.split(counties.strip()),
                platform=platform or None,
                institution=_number(institution),
                office=office or None,
                actor=login.user.actor,
                now_ms=services.clock(),
            )
    except (BadInput, Conflict) as error:
        typed = {"role": role, "counties": counties, "platform": platform}
        typed |= {"institution": institution, "office": office}
        problem = labels.PROBLEMS[error.code]
        return _page(request, login, problem=problem, typed=typed, edit=username)
    return see_other(f"/console/users?changed={quote(username)}")


@router.post("/users/{username}/password", dependencies=[FormOfThisLogin])
def new_password(request: Request, login: Admin, username: str) -> Response:
    """Give a user a new password, told once; it ends that person's logins. One's own is changed
    on one's own page."""
    if username == login.user.username:
        return see_other("/console/account")
    services, password = request.app.state.services, users.new_password()
    with services.database.write() as connection:
        users.set_password(
            connection, username, password, actor=login.user.actor, now_ms=services.clock()
        )
    return _lead_on(request, login, username, password)


@router.post("/users/{username}/second-factor", dependencies=[FormOfThisLogin])
def reset_factors(request: Request, login: Admin, username: str) -> Response:
    """Take lost factors away: asked by one administrator and done by another where there is one."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            done = second_factors.ask_reset(connection, login.user, username, services.clock())
    except Conflict as error:
        return _page(request, login, refused=labels.PROBLEMS[error.code])
    state = "done" if done else "asked"
    return once.lead_on(request, login, "/console/users", username=username, reset=state)


@router.post("/users/{username}/disable", dependencies=[FormOfThisLogin])
def disable(request: Request, login: Admin, username: str) -> Response:
    services = request.app.state.services
    with services.database.write() as connection:
        users.disable_user(connection, username, actor=login.user.actor, now_ms=services.clock())
    return see_other("/console/users")


@router.post("/users/{username}/enable", dependencies=[FormOfThisLogin])
def enable(request: Request, login: Admin, username: str) -> Response:
    services = request.app.state.services
    with services.database.write() as connection:
        users.enable_user(connection, username, actor=login.user.actor, now_ms=services.clock())
    return see_other("/console/users")


def _number(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 19 else None


def _lead_on(request: Request, login: Login, username: str, password: str) -> Response:
    return once.lead_on(request, login, "/console/users", username=username, password=password)


def _page(
    request: Request,
    login: Login,
    *,
    problem: str = "",
    typed: dict[str, str] | None = None,
    edit: str = "",
    changed: str = "",
    refused: str = "",
) -> HTMLResponse:
    with request.app.state.services.database.read() as connection:
        rows = store.all_users(connection)
        platforms = store.platforms(connection)
        listed = institutions.listed(connection, login.user.scope)
    edited = next((it for it in rows if it.username == edit), None)
    if edited is not None and typed is None:
        typed = {
            "role": edited.role,
            "counties": "、".join(edited.counties),
            "platform": edited.platform or "",
            "institution": str(edited.institution_id or ""),
            "office": edited.office or "",
        }
    return render(
        request,
        "users.html",
        login=login,
        status=422 if problem or refused else 200,
        rows=rows,
        platforms=platforms,
        institutions=listed,
        problem=problem,
        refused=refused,
        typed=dict.fromkeys(_FIELDS, "") | (typed or {}),
        edited=edited,
        changed=next((it for it in rows if it.username == changed), None),
    )
