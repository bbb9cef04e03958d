"""The page that asks for the second factor."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from app.console import labels
from app.console.login_page import enter
from app.console.page import ConsoleRoute, render, see_other
from app.console.second_step import NOTE, HalfLogin, half_of
from app.console.throttle import TOO_MANY, address_of, known_browser, throttle_of
from app.domain.accounts import second_factors, users
from app.domain.accounts.passkeys import PasskeySite
from app.errors import NotAllowed
from app.http.middleware import public_address
from app.store.accounts import foreign_identities

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)


@router.get("/login/second")
def second_form(request: Request) -> Response:
    half = half_of(request)
    return see_other("/console/login") if half is None else _page(request, half)


@router.post("/login/second")
def second(
    request: Request,
    csrf: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    answer: Annotated[str, Form()] = "",
) -> Response:
    """`code` of an app or a recovery code, or a passkey's `answer`."""
    services, half = request.app.state.services, half_of(request)
    if half is None or not hmac.compare_digest(half.csrf.encode(), csrf.encode()):
        raise NotAllowed("stale_form", "the password was given too long ago, or elsewhere")
    now_ms, address = services.clock(), address_of(request)
    name, throttle = f"{half.username}/second", throttle_of(request)
    browser = known_browser(request, half.username)
    wait_ms = throttle.attempt(name, address, now_ms, browser)
    if wait_ms:
        refusal = _page(request, half, 429, problem=TOO_MANY, minutes=-(-wait_ms // 60_000))
        refusal.headers["Retry-After"] = str(-(-wait_ms // 1000))
        return refusal
    with services.database.write() as connection:
        if second_factors.password_mark(connection, half.username) != half.mark:
            return see_other("/console/login")
        user, site = users.named(connection, half.username), PasskeySite(public_address(request))
        challenge = bytes.fromhex(half.challenge)
        if answer:
            made_ms = int(half.made_ms)
            right = site.accepts(connection, user, answer[:8192], challenge, made_ms, now_ms)
        else:
            right = second_factors.accepts(connection, services.vault, user, code[:64], now_ms)
        if right and half.identity:
            foreign_identities.confirm(connection, int(half.identity), user.id, now_ms)
        if not right:
            second_factors.refuse(connection, user, address, now_ms)
    if not right:
        return _page(request, half, 401, problem=labels.PROBLEMS["wrong_factor"])
    throttle.succeeded(name, address, now_ms, browser)
    response = enter(request, user, half.target, confirmed=True)
    NOTE.drop(response)
    return response


def _page(
    request: Request, half: HalfLogin, status: int = 200, *, problem: str = "", minutes: int = 0
) -> HTMLResponse:
    with request.app.state.services.database.read() as connection:
        user = users.named(connection, half.username)
        has = second_factors.of(connection, user.id)
    site = PasskeySite(public_address(request))
    options = site.request_options(has, bytes.fromhex(half.challenge)) if has.passkeys else ""
    return render(
        request,
        "second_step.html",
        login=None,
        status=status,
        csrf=half.csrf,
        options=options,
        apps=len(has.listed) > len(has.passkeys),
        problem=problem,
        minutes=minutes,
    )
