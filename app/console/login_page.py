"""Signing in and out, and the language switch."""

from __future__ import annotations

import hmac
import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from app.console import second_step
from app.console.language import N_
from app.console.login import COOKIE, OwnForm, SignedIn, clear_cookie, login_of, set_cookie
from app.console.page import LANGUAGE_COOKIE, ConsoleRoute, local_path, render, see_other
from app.console.throttle import (
    TOO_MANY,
    address_of,
    known_browser,
    remember_browser,
    throttle_of,
)
from app.domain.accounts import second_factors, users
from app.domain.accounts.users import User
from app.languages import locale_of

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

FORM_COOKIE = "zhenxue_form"
_WRONG = N_("用户名或口令不正确")
_STALE = N_("页面已过期，请重新填写")


@router.get("/login")
def logindoor(request: Request, next: str = "/console") -> Response:
    if login_of(request) is not None:
        return see_other(local_path(next))
    return door(request, local_path(next))


@router.post("/login")
def log_in(
    request: Request,
    username: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    csrf: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/console",
) -> Response:
    """One message for every kind of wrong, after the same time; waits are told in minutes."""
    services = request.app.state.services
    throttle = throttle_of(request)
    now_ms, name, address = services.clock(), username.strip().lower()[:64], address_of(request)
    target = local_path(next)
    expected = request.cookies.get(FORM_COOKIE, "")
    if not expected or not hmac.compare_digest(expected.encode(), csrf.encode()):
        return door(request, target, name, _STALE, status=403)
    browser = known_browser(request, name)
    wait_ms = throttle.attempt(name, address, now_ms, browser)
    if wait_ms:
        answer = door(request, target, name, TOO_MANY, status=429, minutes=-(-wait_ms // 60_000))
        answer.headers["Retry-After"] = str(-(-wait_ms // 1000))
        return answer
    with services.database.read() as connection:
        user = users.check_password(connection, name, password[:256])
    if user is None:
        with services.database.write() as connection:
            users.refuse_login(connection, name, address, now_ms)
        return door(request, target, name, _WRONG, status=401)
    throttle.succeeded(name, address, now_ms, browser)
    with services.database.read() as connection:
        has = second_factors.of(connection, user.id)
        mark = second_factors.password_mark(connection, name)
    if has:
        return second_step.lead_on(request, name, mark, target)
    return enter(request, user, target, confirmed=False)


def enter(request: Request, user: User, target: str, *, confirmed: bool) -> Response:
    """Sign somebody in whose password, and factor where there is one, were right."""
    services = request.app.state.services
    where = users.LoginPlace(address_of(request), request.headers.get("user-agent", ""))
    now_ms, settings = services.clock(), services.settings
    with services.database.write() as connection:
        instead_of = request.cookies.get(COOKIE)
        token = users.open_login(connection, user, now_ms, instead_of, where, confirmed=confirmed)
        if settings.factor_required:
            second_factors.due(connection, user, settings.second_factor_grace_days, now_ms)
    response = see_other(target)
    set_cookie(response, token, secure=settings.production)
    remember_browser(request, response, user.username)
    response.delete_cookie(FORM_COOKIE, path="/console/login")
    return response


@router.post("/logout", dependencies=[OwnForm])
def log_out(request: Request, login: SignedIn) -> Response:
    services = request.app.state.services
    with services.database.write() as connection:
        users.close_login(connection, request.cookies[COOKIE], login.user, services.clock())
    response = see_other("/console/login")
    clear_cookie(response, secure=services.settings.production)
    return response


@router.get("/language/{code}")
def choose_language(request: Request, code: str, next: str = "/console") -> Response:
    response = see_other(local_path(next))
    response.set_cookie(
        LANGUAGE_COOKIE,
        locale_of(code).code,
        max_age=365 * 86400,
        path="/",
        secure=request.app.state.services.settings.production,
        httponly=True,
        samesite="lax",
    )
    return response


def door(
    request: Request,
    target: str,
    username: str = "",
    problem: str = "",
    *,
    status: int = 200,
    **said: int,
) -> HTMLResponse:
    """The login page; `said` are the numbers of its problem."""
    services = request.app.state.services
    token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(32)
    page = render(
        request,
        "login.html",
        login=None,
        status=status,
        csrf=token,
        target=target,
        username=username,
        problem=problem,
        said=said,
        sign_on=services.settings.oidc_issuer and services.settings.oidc_name,
    )
    page.set_cookie(
        FORM_COOKIE,
        token,
        path="/console/login",
        secure=services.settings.production,
        httponly=True,
        samesite="strict",
    )
    return page
