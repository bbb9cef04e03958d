"""Signing in by the bureau's own service, and whose its identities are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse

from app.console import labels, second_step, weighty
from app.console.language import N_
from app.console.login import FormOfThisLogin, login_of, require_role
from app.console.login_page import door, enter
from app.console.page import ConsoleRoute, RowId, local_path, render, see_other
from app.console.second_step import SealedNote
from app.domain.accounts import foreign_identity, second_factors
from app.domain.accounts.users import Login, Role
from app.errors import BadInput, Conflict, NotFound
from app.http.middleware import public_address
from app.http.sign_on import Begun, SignOn, SignOnAway, SignOnRefused, ToldIdentity
from app.store.accounts import foreign_identities as store
from app.store.accounts import users as user_store

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Admin = Annotated[Login, Depends(require_role(Role.ADMIN))]
NOTE = SealedNote("zhenxue_sign_on", "/console/login/sign-on", "sign-on", samesite="lax")
_AWAY = N_("统一身份认证暂时连不上，请稍后再试，或用用户名和口令登录。")
_REFUSED = N_("统一身份认证没有完成，请重新登录。")
_NOBODYS = N_("统一身份认证已通过，但还没有关联本系统的账号。请把编号%(number)s告诉管理员。")


def sign_on_of(request: Request) -> SignOn:
    """Raises NotFound where none is set up."""
    sign_on = SignOn(request.app.state.services.settings)
    if not sign_on.offered:
        raise NotFound("no_sign_on", "there is no sign-on service")
    return sign_on


@router.get("/login/sign-on")
def begin(request: Request, next: str = "/console") -> Response:
    """Lead the browser to the sign-on service."""
    target = local_path(next)
    if login_of(request) is not None:
        return see_other(target)
    try:
        begun = sign_on_of(request).begin(_back(request))
    except SignOnAway:
        return door(request, target, problem=_AWAY, status=503)
    response = see_other(begun.url)
    NOTE.write(request, response, **asdict(begun), target=target)
    return response


@router.get("/login/sign-on/back")
def back(request: Request) -> Response:
    """Where the sign-on service sends the browser back to."""
    sign_on, said = sign_on_of(request), NOTE.read(request)
    target = said.pop("target", "/console")
    try:
        if not said:
            raise SignOnRefused("sign_on_stale", "nobody began here within five minutes")
        told = sign_on.finish(
            _back(request),
            request.query_params,
            Begun(**said),
            request.app.state.services.clock(),
        )
    except SignOnAway:
        return door(request, target, problem=_AWAY, status=503)
    except SignOnRefused:
        return door(request, target, problem=_REFUSED, status=401)
    response = _let_in(request, told, target)
    NOTE.drop(response)
    return response


def _let_in(request: Request, told: ToldIdentity, target: str) -> Response:
    services = request.app.state.services
    with services.database.write() as connection:
        met = foreign_identity.meet(
            connection, told.issuer, told.subject, told.name, services.clock()
        )
        user = met.user
        has = second_factors.of(connection, user.id) if user else None
        mark = second_factors.password_mark(connection, user.username) if user else ""
    if user is None:
        return door(request, target, problem=_NOBODYS, status=403, number=met.number)
    if has and not (told.strong and met.confirmed):
        return second_step.lead_on(request, user.username, mark, target, str(met.number))
    return enter(request, user, target, confirmed=told.strong)


def _back(request: Request) -> str:
    return f"{public_address(request)}/console/login/sign-on/back"


@router.get("/identities")
def identities(request: Request, login: Admin) -> Response:
    return _page(request, login)


@router.post("/identities/{identity_id}", dependencies=[FormOfThisLogin])
def link(
    request: Request,
    login: Admin,
    identity_id: RowId,
    username: Annotated[str, Form()] = "",
    reason: weighty.Reason = "",
) -> Response:
    """Give an identity to a user who is there already."""
    services = request.app.state.services
    try:
        why = weighty.words(reason)
        with services.database.write() as connection:
            foreign_identity.link(
                connection,
                identity_id,
                username,
                by=login.user,
                now_ms=services.clock(),
                reason=why,
            )
    except (BadInput, Conflict) as error:
        return _page(request, login, labels.PROBLEMS[error.code])
    return see_other("/console/identities")


@router.post("/identities/{identity_id}/unlink", dependencies=[FormOfThisLogin])
def unlink(
    request: Request, login: Admin, identity_id: RowId, reason: weighty.Reason = ""
) -> Response:
    """Take it away from the user, whose logins end."""
    services = request.app.state.services
    try:
        why = weighty.words(reason)
        with services.database.write() as connection:
            foreign_identity.unlink(
                connection, identity_id, by=login.user, now_ms=services.clock(), reason=why
            )
    except BadInput as error:
        return _page(request, login, labels.PROBLEMS[error.code])
    return see_other("/console/identities")


def _page(request: Request, login: Login, problem: str = "") -> HTMLResponse:
    services = request.app.state.services
    with services.database.read() as connection:
        rows = store.listed(connection)
        people = [it for it in user_store.all_users(connection) if it.disabled_ms is None]
    return render(
        request,
        "identities.html",
        login=login,
        status=422 if problem else 200,
        rows=rows,
        people=people,
        offered=SignOn(services.settings).offered,
        problem=problem,
    )
