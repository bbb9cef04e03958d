"""Who may sign in: kept by administrators."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse

from app.console import consequences, labels, once, weighty
from app.console.login import FormOfThisLogin, require_role
from app.console.page import ConsoleRoute, language_of, render, see_other
from app.domain.accounts import second_factors, users
from app.domain.accounts.users import Login, Role
from app.domain.wire import whole
from app.errors import BadInput, Conflict, NotFound
from app.store.accounts import users as store
from app.store.catalogue import institutions

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Admin = Annotated[Login, Depends(require_role(Role.ADMIN))]
_FIELDS = (
    "username",
    "display_name",
    "role",
    "counties",
    "platform",
    "institution",
    "office",
    "reason",
)
Typed = dict[str, str]
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
    reason: weighty.Reason = "",
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
        "reason": reason,
    }
    try:
        named, why = _counties(request, counties), weighty.words(reason)
        with services.database.write() as connection:
            users.add_user(
                connection,
                username=typed["username"],
                display_name=display_name,
                password=password,
                role=role,
                counties=named,
                platform=platform or None,
                institution=whole(institution),
                office=office or None,
                actor=login.user.actor,
                now_ms=services.clock(),
                reason=why,
            )
    except (BadInput, Conflict) as error:
        return _page(request, login, problem=_problem(request, error), typed=typed)
    return _lead_on(request, login, typed["username"], password)


def _typed(role: str, counties: str, platform: str, institution: str, office: str) -> Typed:
    asked = {"role": role, "counties": counties, "platform": platform}
    return asked | {"institution": institution, "office": office}


@router.get("/users/{username}/change")
def weigh_change(
    request: Request,
    login: Admin,
    username: str,
    role: str = "",
    counties: str = "",
    platform: str = "",
    institution: str = "",
    office: str = "",
) -> Response:
    """What another role or scope, as typed, will do."""
    typed = _typed(role, counties, platform, institution, office)
    if role not in set(Role):
        return see_other(f"/console/users?edit={quote(username)}#change")
    return _weigh(request, login, username, partial(consequences.rights, typed=typed))


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
    reason: weighty.Reason = "",
) -> Response:
    """Another role or scope; it ends that person's logins."""
    services = request.app.state.services
    typed = _typed(role, counties, platform, institution, office)
    try:
        named, why = _counties(request, counties), weighty.words(reason)
        with services.database.write() as connection:
            users.change_user(
                connection,
                username,
                role=role,
                counties=named,
                platform=platform or None,
                institution=whole(institution),
                office=office or None,
                actor=login.user.actor,
                now_ms=services.clock(),
                reason=why,
            )
    except (BadInput, Conflict) as error:
        if error.code == "reason_missing" and role in set(Role):
            weigh = partial(consequences.rights, typed=typed)
            return _weigh(request, login, username, weigh, reason, error.code)
        problem = _problem(request, error)
        return _page(request, login, problem=problem, typed=typed, edit=username)
    return see_other(f"/console/users?changed={quote(username)}")


@router.get("/users/{username}/password")
def weigh_password(request: Request, login: Admin, username: str) -> Response:
    if username == login.user.username:
        return see_other("/console/account")
    return _weigh_account(request, login, username, "password")


@router.post("/users/{username}/password", dependencies=[FormOfThisLogin])
def new_password(
    request: Request, login: Admin, username: str, reason: weighty.Reason = ""
) -> Response:
    """Give a user a new password, told once; it ends that person's logins. One's own is changed
    on one's own page."""
    if username == login.user.username:
        return see_other("/console/account")
    password = users.new_password()
    act = partial(users.set_password, password=password)
    refusal = _act(request, login, username, "password", reason, act)
    return refusal or _lead_on(request, login, username, password)


@router.get("/users/{username}/second-factor")
def weigh_reset(request: Request, login: Admin, username: str) -> Response:
    return _weigh_account(request, login, username, "second-factor")


@router.post("/users/{username}/second-factor", dependencies=[FormOfThisLogin])
def reset_factors(
    request: Request, login: Admin, username: str, reason: weighty.Reason = ""
) -> Response:
    """Take lost factors away: asked by one administrator and done by another where there is one."""
    services = request.app.state.services
    try:
        why, now_ms = weighty.words(reason), services.clock()
        with services.database.write() as connection:
            done = second_factors.ask_reset(connection, login.user, username, now_ms, why)
    except BadInput as error:
        return _weigh_account(request, login, username, "second-factor", reason, error.code)
    except Conflict as error:
        return _page(request, login, refused=labels.PROBLEMS[error.code])
    state = "done" if done else "asked"
    return once.lead_on(request, login, "/console/users", username=username, reset=state)


@router.get("/users/{username}/disable")
def weigh_disabling(request: Request, login: Admin, username: str) -> Response:
    return _weigh_account(request, login, username, "disable")


@router.post("/users/{username}/disable", dependencies=[FormOfThisLogin])
def disable(request: Request, login: Admin, username: str, reason: weighty.Reason = "") -> Response:
    refusal = _act(request, login, username, "disable", reason, users.disable_user)
    return refusal or see_other("/console/users")


@router.get("/users/{username}/enable")
def weigh_enabling(request: Request, login: Admin, username: str) -> Response:
    return _weigh_account(request, login, username, "enable")


@router.post("/users/{username}/enable", dependencies=[FormOfThisLogin])
def enable(request: Request, login: Admin, username: str, reason: weighty.Reason = "") -> Response:
    refusal = _act(request, login, username, "enable", reason, users.enable_user)
    return refusal or see_other("/console/users")


def _act(
    request: Request,
    login: Login,
    username: str,
    what: str,
    reason: str,
    act: Callable[..., None],
) -> Response | None:
    """Do it to the account, for that reason; the page that asks again where there is none."""
    services = request.app.state.services
    try:
        why = weighty.words(reason)
    except BadInput as error:
        return _weigh_account(request, login, username, what, reason, error.code)
    with services.database.write() as connection:
        act(
            connection,
            username=username,
            actor=login.user.actor,
            now_ms=services.clock(),
            reason=why,
        )
    return None


def _weigh_account(
    request: Request,
    login: Login,
    username: str,
    what: str,
    reason: str = "",
    problem: str = "",
) -> Response:
    now_ms = request.app.state.services.clock()
    weigh = partial(consequences.user, what=what, now_ms=now_ms)
    return _weigh(request, login, username, weigh, reason, problem)


def _weigh(
    request: Request,
    login: Login,
    username: str,
    weigh: Callable[..., weighty.Weighty],
    reason: str = "",
    problem: str = "",
) -> Response:
    """The page of what `weigh` says will happen to this user."""
    with request.app.state.services.database.read() as connection:
        row = next((it for it in store.all_users(connection) if it.username == username), None)
        if row is None:
            raise NotFound("unknown_user", f"there is no user {username}")
        deed = weigh(connection, row, lang=language_of(request))
    return weighty.page(request, login, deed, reason, problem)


def _counties(request: Request, typed: str) -> list[str]:
    """As typed. Raises BadInput where one is not registered: its people would see nothing."""
    named = _BETWEEN.split(typed.strip())
    with request.app.state.services.database.read() as connection:
        known = {it.name for it in institutions.counties(connection)}
    strange = [it for it in named if it and it != users.ALL_COUNTIES and it not in known]
    if known and strange:
        raise BadInput("unregistered_county", "no such county", name="、".join(strange))
    return named


def _problem(request: Request, error: BadInput | Conflict) -> str:
    return language_of(request).say(labels.PROBLEMS[error.code], **error.extra)


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
        counties = [it.name for it in institutions.counties(connection)]
    edited = next((it for it in rows if it.username == edit), None)
    if edited is not None and typed is None:
        typed = {
            "role": edited.role,
            "counties": "、".join(edited.counties),
            "platform": edited.platform or "",
            "institution": str(edited.institution_id or ""),
            "office": edited.office or "",
        }
    usual = {"counties": counties[0]} if len(counties) == 1 else {}
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
        counties=counties,
        typed=dict.fromkeys(_FIELDS, "") | (typed or usual),
        edited=edited,
        changed=next((it for it in rows if it.username == changed), None),
    )
