"""Who is asking: the cookie, the form token, and what a role may open.

The API uses `user_of` for its read calls, so that an auditor's browser may call them too.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Form, Request, Response

from app.domain.accounts import second_factors, users
from app.domain.accounts.users import Login, Role, User
from app.errors import NotAllowed, NotSignedIn

COOKIE = "zhenxue_session"
CSRF_HEADER = "x-csrf-token"
# Where who reads the log gets to: the log, and what is their own.
_LOG = re.compile(r"/console(/audit(\.csv)?|/account(/.*)?|/notices(/.*)?|/help|/logout)?$")


def login_of(request: Request) -> Login | None:
    """The login that the request's cookie stands for, or None."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    services = request.app.state.services
    now_ms = services.clock()
    with services.database.read() as connection:
        found = users.login_of(connection, token, now_ms)
    if found is None:
        return None
    login, touch_due = found
    if touch_due:
        with services.database.write() as connection:
            users.touch_login(connection, token, now_ms)
    return login


def user_of(request: Request) -> User | None:
    """The signed-in person, or None; of who reads the log alone the API knows nothing."""
    login = login_of(request)
    return login.user if login and login.user.role is not Role.LOG_READER else None


def signed_in(request: Request) -> Login:
    """Dependency: the login. Raises NotSignedIn, which the console answers with its login page."""
    login = login_of(request)
    if login is None:
        raise NotSignedIn("not_signed_in", "sign in first")
    if login.user.role is Role.LOG_READER and not _LOG.match(request.url.path):
        raise NotAllowed("role", "your role may not open this page")
    return login


SignedIn = Annotated[Login, Depends(signed_in)]


def require_role(*roles: Role) -> Callable[[Login], Login]:
    """Dependency: the login, if its role is one of these. Raises NotAllowed."""

    def allowed(login: SignedIn) -> Login:
        if login.user.role not in roles:
            raise NotAllowed("role", "your role may not open this page")
        return login

    return allowed


def csrf_matches(login: Login, sent: str) -> bool:
    return hmac.compare_digest(login.csrf.encode(), sent.encode())


def checked_form(login: SignedIn, csrf: Annotated[str, Form()] = "") -> None:
    """Dependency of every form: it was made by this login's own page. Raises NotAllowed."""
    if not csrf_matches(login, csrf):
        raise NotAllowed("csrf", "the form is not from this login's own page")


def checked_deed(
    request: Request, login: SignedIn, _own: Annotated[None, Depends(checked_form)]
) -> None:
    """Dependency of forms that do something in the service: who decides or keeps accounts has shown
    a second factor where one is due. Raises NotAllowed."""
    second_factors.require(login, request.app.state.services.clock())


OwnForm = Depends(checked_form)  # of one's own account: open to who has yet to set a factor up
FormOfThisLogin = Depends(checked_deed)


def checked_header(request: Request, login: Login) -> None:
    """The same for calls with a JSON body, whose token is in `X-CSRF-Token`. Raises NotAllowed."""
    if not csrf_matches(login, request.headers.get(CSRF_HEADER, "")):
        raise NotAllowed(
            "csrf", f"a signed-in person's write needs the login's token in {CSRF_HEADER}"
        )
    second_factors.require(login, request.app.state.services.clock())


def set_cookie(response: Response, token: str, *, secure: bool) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=users.ABSOLUTE_MS // 1000,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def clear_cookie(response: Response, *, secure: bool) -> None:
    response.delete_cookie(COOKIE, path="/", secure=secure, httponly=True, samesite="lax")
