"""What a form's answer tells once: a new password, a key, a link.

The form leads on to a page, as all do, so that a reload repeats nothing. The page takes what it
tells from a sealed cookie that opens for this page, this login and a minute, and ends it.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from app.domain.accounts.users import Login
from app.security import Unsealable

COOKIE = "zhenxue_once"
LASTS_MS = 60_000
_PURPOSE = "told-once"


def lead_on(request: Request, login: Login, path: str, **told: str) -> RedirectResponse:
    """To the page at `path`, which tells what is `told` the first time it is shown."""
    services = request.app.state.services
    message = {"csrf": login.csrf, "path": path, "until": services.clock() + LASTS_MS, "told": told}
    sealed = services.vault.seal(json.dumps(message).encode(), _PURPOSE)
    answer = RedirectResponse(path, status_code=303)
    answer.set_cookie(
        COOKIE,
        urlsafe_b64encode(sealed).decode(),
        max_age=LASTS_MS // 1000,
        path=path,
        secure=services.settings.production,
        httponly=True,
        samesite="strict",
    )
    return answer


def messages(request: Request, login: Login | None) -> dict[str, str]:
    """What this page is to tell now; empty when there is nothing."""
    services, cookie = request.app.state.services, request.cookies.get(COOKIE)
    if login is None or not cookie:
        return {}
    try:
        message = json.loads(services.vault.open(urlsafe_b64decode(cookie), _PURPOSE))
    except (Unsealable, ValueError):
        return {}
    wanted = (login.csrf, request.url.path)
    if (message["csrf"], message["path"]) != wanted or message["until"] < services.clock():
        return {}
    found: dict[str, str] = message["told"]
    return found


def forget(request: Request, answer: Response) -> None:
    """Let the browser forget what it was told here."""
    answer.delete_cookie(
        COOKIE,
        path=request.url.path,
        secure=request.app.state.services.settings.production,
        httponly=True,
        samesite="strict",
    )
