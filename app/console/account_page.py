"""One's own account: who one is here, what one sees, and another password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from app.console import labels
from app.console.login import COOKIE, FormOfThisLogin, SignedIn, set_cookie
from app.console.page import ConsoleRoute, render, see_other
from app.console.throttle import TOO_MANY, address_of, known_browser, throttle_of
from app.domain.accounts import users
from app.domain.accounts.users import Login
from app.errors import BadInput

_BROWSERS = ("Edg", "OPR", "MicroMessenger", "QQBrowser", "Firefox", "Chrome", "Safari")
_CALLED = {"Edg": "Edge", "OPR": "Opera", "MicroMessenger": "微信 WeChat"}
_SYSTEMS = ("Android", "iPhone", "iPad", "HarmonyOS", "Windows", "Mac OS X", "Linux")

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)


@router.get("/account")
def account(
    request: Request, login: SignedIn, changed: bool = False, ended: int | None = None
) -> Response:
    return _page(request, login, changed=changed, ended=ended)


@router.post("/account/password", dependencies=[FormOfThisLogin])
def change_password(
    request: Request,
    login: SignedIn,
    current: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Another password for who knows the current one; guesses count as those at the login do."""
    services, throttle, user = request.app.state.services, throttle_of(request), login.user
    now_ms, address = services.clock(), address_of(request)
    if password != again:
        return _page(request, login, problem=labels.PROBLEMS["passwords_differ"])
    if password == current:
        return _page(request, login, problem=labels.PROBLEMS["same_password"])
    browser = known_browser(request, user.username)
    wait_ms = throttle.attempt(user.username, address, now_ms, browser)
    if wait_ms:
        refusal = _page(request, login, 429, problem=TOO_MANY, minutes=-(-wait_ms // 60_000))
        refusal.headers["Retry-After"] = str(-(-wait_ms // 1000))
        return refusal
    with services.database.read() as connection:
        known = users.check_password(connection, user.username, current[:256])
    if known is None:
        with services.database.write() as connection:
            users.refuse_password(connection, user, address, now_ms)
        return _page(request, login, problem=labels.PROBLEMS["wrong_password"])
    throttle.succeeded(user.username, address, now_ms, browser)
    try:
        with services.database.write() as connection:
            where = users.LoginPlace(address, request.headers.get("user-agent", ""))
            token = users.change_password(connection, known, password, now_ms, where)
    except BadInput as error:
        return _page(request, login, problem=labels.PROBLEMS[error.code])
    answer = see_other("/console/account?changed=1")
    set_cookie(answer, token, secure=services.settings.production)
    return answer


@router.post("/account/logins/end", dependencies=[FormOfThisLogin])
def end_login(request: Request, login: SignedIn, which: Annotated[str, Form()] = "") -> Response:
    """End one of one's own logins elsewhere, or `others`: all of them but this one."""
    services = request.app.state.services
    with services.database.write() as connection:
        ended = users.end_logins(
            connection, login.user, which, request.cookies[COOKIE], services.clock()
        )
    return see_other(f"/console/account?ended={ended}")


def _page(
    request: Request,
    login: Login,
    status: int = 422,
    *,
    changed: bool = False,
    ended: int | None = None,
    problem: str = "",
    minutes: int = 0,
) -> HTMLResponse:
    services = request.app.state.services
    with services.database.read() as connection:
        logins = users.logins_of(connection, login.user, request.cookies[COOKIE], services.clock())
    return render(
        request,
        "account.html",
        logins=logins,
        browser=_browser,
        ended=ended,
        login=login,
        status=status if problem else 200,
        changed=changed,
        problem=problem,
        minutes=minutes,
    )


def _browser(agent: str) -> str:
    """What a browser calls itself, as people call it; empty where it does not say.

    >>> _browser("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36")
    'Chrome · Windows'
    """
    name = next((it for it in _BROWSERS if f"{it}/" in agent), "")
    system = next((it for it in _SYSTEMS if it in agent), "")
    return " · ".join(it for it in (_CALLED.get(name, name), system) if it) or agent[:40]
