"""One's own account: who one is here, what one sees, and another password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from app.console import labels
from app.console.login import FormOfThisLogin, SignedIn, set_cookie
from app.console.page import ConsoleRoute, render, see_other
from app.console.throttle import TOO_MANY, address_of, throttle_of
from app.domain.accounts import users
from app.domain.accounts.users import Login
from app.errors import BadInput

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)


@router.get("/account")
def account(request: Request, login: SignedIn, changed: bool = False) -> Response:
    return _page(request, login, changed=changed)


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
    wait_ms = throttle.attempt(user.username, address, now_ms)
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
    throttle.succeeded(user.username, address, now_ms)
    try:
        with services.database.write() as connection:
            token = users.change_password(connection, known, password, now_ms)
    except BadInput as error:
        return _page(request, login, problem=labels.PROBLEMS[error.code])
    answer = see_other("/console/account?changed=1")
    set_cookie(answer, token, secure=services.settings.production)
    return answer


def _page(
    request: Request,
    login: Login,
    status: int = 422,
    *,
    changed: bool = False,
    problem: str = "",
    minutes: int = 0,
) -> HTMLResponse:
    return render(
        request,
        "account.html",
        login=login,
        status=status if problem else 200,
        changed=changed,
        problem=problem,
        minutes=minutes,
    )
