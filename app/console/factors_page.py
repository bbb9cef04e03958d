"""One's own second factors: an authenticator app, passkeys, recovery codes."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from typing import Annotated

import segno
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from app.console import labels, once, password_check
from app.console.login import COOKIE, OwnForm, SignedIn
from app.console.page import ConsoleRoute, RowId, render, see_other
from app.console.second_step import SealedNote
from app.domain.accounts import second_factors, users
from app.domain.accounts.passkeys import CHALLENGE_BYTES, PasskeySite
from app.domain.accounts.users import Login
from app.errors import BadInput
from app.http.middleware import public_address

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

NOTE = SealedNote("zhenxue_factor", "/console/account", "new-factor")
HERE = "/console/account"


@router.get("/account/app")
def app_form(request: Request, login: SignedIn) -> Response:
    return _app_page(request, login, second_factors.new_seed())


@router.post("/account/app", dependencies=[OwnForm])
def add_app(
    request: Request,
    login: SignedIn,
    name: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    current: Annotated[str, Form()] = "",
) -> Response:
    """Set the app up whose square was shown; it proves itself by its code."""
    said = NOTE.read(request)
    if said.get("csrf") != login.csrf or "seed" not in said:
        return _app_page(request, login, second_factors.new_seed(), labels.PROBLEMS["stale_form"])
    vault = request.app.state.services.vault

    def add(connection: Connection, now_ms: int) -> list[str]:
        return second_factors.add_totp(
            connection, vault, login.user, said["seed"], code, name, now_ms
        )

    problem, answer = _added(request, login, current, add)
    return answer or _app_page(request, login, said["seed"], problem, name)


@router.get("/account/passkey")
def passkey_form(request: Request, login: SignedIn) -> Response:
    return _passkey_page(request, login)


@router.post("/account/passkey", dependencies=[OwnForm])
def add_passkey(
    request: Request,
    login: SignedIn,
    name: Annotated[str, Form()] = "",
    answer: Annotated[str, Form()] = "",
    current: Annotated[str, Form()] = "",
) -> Response:
    """Keep the passkey that the browser made on the page's challenge."""
    said, site = NOTE.read(request), PasskeySite(public_address(request))
    if said.get("csrf") != login.csrf or "challenge" not in said:
        return _passkey_page(request, login, labels.PROBLEMS["stale_form"])
    vault, challenge = request.app.state.services.vault, bytes.fromhex(said["challenge"])

    def add(connection: Connection, now_ms: int) -> list[str]:
        return site.add(connection, vault, login.user, answer[:65536], challenge, name, now_ms)

    problem, response = _added(request, login, current, add)
    return response or _passkey_page(request, login, problem, name)


@router.post("/account/factors/{factor_id}/rename", dependencies=[OwnForm])
def rename(
    request: Request, login: SignedIn, factor_id: RowId, name: Annotated[str, Form()] = ""
) -> Response:
    with request.app.state.services.database.write() as connection:
        second_factors.rename(connection, login.user, factor_id, name)
    return see_other(f"{HERE}#factors")


@router.post("/account/factors/{factor_id}/remove", dependencies=[OwnForm])
def remove(
    request: Request, login: SignedIn, factor_id: RowId, current: Annotated[str, Form()] = ""
) -> Response:
    services = request.app.state.services
    with services.database.read() as connection:
        second_factors.own(connection, login.user, factor_id)
    asked = password_check.ask(request, login.user, current)
    if asked.user is None:
        return see_other(f"{HERE}?refused=1#factors")
    with services.database.write() as connection:
        second_factors.remove(connection, login.user, factor_id, services.clock())
        token = request.cookies[COOKIE]  # who holds the factor, such as a lost phone, goes with it
        users.end_logins(connection, login.user, "others", token, services.clock())
    return see_other(f"{HERE}#factors")


@router.post("/account/codes", dependencies=[OwnForm])
def new_codes(request: Request, login: SignedIn, current: Annotated[str, Form()] = "") -> Response:
    """Ten recovery codes instead of the old ones, told once."""
    services = request.app.state.services
    asked = password_check.ask(request, login.user, current)
    if asked.user is None:
        return see_other(f"{HERE}?refused=1#factors")
    with services.database.write() as connection:
        if not second_factors.of(connection, login.user.id):
            return see_other(HERE)
        codes = second_factors.new_codes(connection, services.vault, login.user, services.clock())
    return once.lead_on(request, login, HERE, codes=" ".join(codes))


def _added(
    request: Request,
    login: Login,
    current: str,
    add: Callable[[Connection, int], list[str]],
) -> tuple[str, Response | None]:
    """What hinders, or the answer once the factor is kept. This login has shown it, too."""
    services = request.app.state.services
    asked = password_check.ask(request, login.user, current)
    if asked.user is None:
        waits = labels.PROBLEMS["wait"] if asked.wait_ms else asked.problem
        return waits, None
    try:
        with services.database.write() as connection:
            codes, token = add(connection, services.clock()), request.cookies[COOKIE]
            users.confirm_login(connection, token, services.clock())
            if codes:  # a first factor: no other login has been asked for one
                users.end_logins(connection, login.user, "others", token, services.clock())
    except BadInput as error:
        return labels.PROBLEMS[error.code], None
    answer = once.lead_on(request, login, HERE, added="1", codes=" ".join(codes))
    NOTE.drop(answer)
    return "", answer


def _app_page(
    request: Request, login: Login, seed: str, problem: str = "", name: str = ""
) -> HTMLResponse:
    square = io.BytesIO()
    address = second_factors.address_of(login.user, seed)
    segno.make(address, micro=False).save(
        square, kind="svg", scale=4, border=3, xmldecl=False, light="#fff"
    )
    page = render(
        request,
        "factor_app.html",
        login=login,
        status=422 if problem else 200,
        square=square.getvalue().decode(),
        seed=" ".join(seed[at : at + 4] for at in range(0, len(seed), 4)),
        problem=problem,
        name=name,
    )
    NOTE.write(request, page, seed=seed, csrf=login.csrf)
    return page


def _passkey_page(
    request: Request, login: Login, problem: str = "", name: str = ""
) -> HTMLResponse:
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    with request.app.state.services.database.read() as connection:
        has = second_factors.of(connection, login.user.id)
    site = PasskeySite(public_address(request))
    page = render(
        request,
        "factor_passkey.html",
        login=login,
        status=422 if problem else 200,
        options=site.creation_options(login.user, has, challenge),
        problem=problem,
        name=name,
    )
    NOTE.write(request, page, challenge=challenge.hex(), csrf=login.csrf)
    return page
