"""One's own account: who one is here, what one sees, and another password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from app.console import labels, password_check
from app.console.login import COOKIE, OwnForm, SignedIn, set_cookie
from app.console.page import ConsoleRoute, render, see_other
from app.console.throttle import address_of
from app.domain.accounts import second_factors, users
from app.domain.accounts.users import Login
from app.errors import BadInput

_BROWSERS = ("Edg", "OPR", "MicroMessenger", "QQBrowser", "Firefox", "Chrome", "Safari")
_CALLED = {"Edg": "Edge", "OPR": "Opera", "MicroMessenger": "微信 WeChat"}
_SYSTEMS = ("Android", "iPhone", "iPad", "HarmonyOS", "Windows", "Mac OS X", "Linux")

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)


@router.get("/account")
def account(
    request: Request,
    login: SignedIn,
    changed: bool = False,
    ended: int | None = None,
    refused: bool = False,
) -> Response:
    return _page(request, login, changed=changed, ended=ended, refused=refused)


@router.post("/account/password", dependencies=[OwnForm])
def change_password(
    request: Request,
    login: SignedIn,
    current: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Another password for who knows the current one."""
    services = request.app.state.services
    if password != again:
        return _page(request, login, problem=labels.PROBLEMS["passwords_differ"])
    if password == current:
        return _page(request, login, problem=labels.PROBLEMS["same_password"])
    asked = password_check.ask(request, login.user, current)
    if asked.user is None:
        refusal = _page(request, login, asked.status, problem=asked.problem, minutes=asked.minutes)
        if asked.wait_ms:
            refusal.headers["Retry-After"] = str(-(-asked.wait_ms // 1000))
        return refusal
    where = users.LoginPlace(address_of(request), request.headers.get("user-agent", ""))
    try:
        with services.database.write() as connection:
            token = users.change_password(
                connection,
                asked.user,
                password,
                services.clock(),
                where,
                confirmed=login.confirmed,
            )
    except BadInput as error:
        return _page(request, login, problem=labels.PROBLEMS[error.code])
    answer = see_other("/console/account?changed=1")
    set_cookie(answer, token, secure=services.settings.production)
    return answer


@router.post("/account/logins/end", dependencies=[OwnForm])
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
    refused: bool = False,
    problem: str = "",
    minutes: int = 0,
) -> HTMLResponse:
    services = request.app.state.services
    with services.database.read() as connection:
        logins = users.logins_of(connection, login.user, request.cookies[COOKIE], services.clock())
        factors = second_factors.of(connection, login.user.id)
    return render(
        request,
        "account.html",
        logins=logins,
        factors=factors,
        browser=_browser,
        ended=ended,
        refused=refused,
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
