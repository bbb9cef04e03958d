"""The second step of signing in: after the password, the code of an app or a passkey.

Between the steps nobody is signed in. A sealed cookie holds who gave the right password and until
when the second step may follow.
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from typing import Any, Literal

from fastapi import Request, Response

from app.console.page import see_other
from app.domain.accounts.passkeys import CHALLENGE_BYTES
from app.security import Unsealable

LASTS_MS = 5 * 60_000


@dataclass(frozen=True, slots=True)
class SealedNote:
    """What the service tells itself by way of the browser: a cookie that only it reads."""

    name: str
    path: str
    purpose: str
    samesite: Literal["strict", "lax"] = "strict"  # lax where another site leads back

    def write(self, request: Request, response: Response, **said: str) -> None:
        services = request.app.state.services
        note = {"until": services.clock() + LASTS_MS, "said": said}
        sealed = services.vault.seal(json.dumps(note).encode(), self.purpose)
        response.set_cookie(
            self.name,
            urlsafe_b64encode(sealed).decode(),
            max_age=LASTS_MS // 1000,
            path=self.path,
            secure=services.settings.production,
            httponly=True,
            samesite=self.samesite,
        )

    def read(self, request: Request) -> dict[str, str]:
        """What was said less than five minutes ago; empty else."""
        services, cookie = request.app.state.services, request.cookies.get(self.name, "")
        try:
            note: dict[str, Any] = json.loads(
                services.vault.open(urlsafe_b64decode(cookie), self.purpose)
            )
        except (Unsealable, ValueError):
            return {}
        said: dict[str, str] = note["said"]
        return said if services.clock() < note["until"] else {}

    def drop(self, response: Response) -> None:
        response.delete_cookie(self.name, path=self.path)


NOTE = SealedNote("zhenxue_second", "/console/login", "second-step")


@dataclass(frozen=True, slots=True)
class HalfLogin:
    """Somebody whose password was right. `mark`: see `second_factors.password_mark`; `made_ms`:
    when the challenge was."""

    username: str
    mark: str
    target: str
    challenge: str
    made_ms: str
    csrf: str
    identity: str  # the number of the one that was signed on with, where one was


def lead_on(
    request: Request, username: str, mark: str, target: str, identity: str = ""
) -> Response:
    """To the page that asks for the factor."""
    challenge = secrets.token_bytes(CHALLENGE_BYTES).hex()
    made_ms = str(request.app.state.services.clock())
    half = HalfLogin(
        username, mark, target, challenge, made_ms, secrets.token_urlsafe(16), identity
    )
    response = see_other("/console/login/second")
    NOTE.write(request, response, **asdict(half))
    return response


def half_of(request: Request) -> HalfLogin | None:
    said = NOTE.read(request)
    return HalfLogin(**said) if said.keys() == HalfLogin.__dataclass_fields__.keys() else None
