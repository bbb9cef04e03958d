"""Asking a signed-in person for their password again; guesses count as those at the login do."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from app.console import labels
from app.console.throttle import TOO_MANY, address_of, known_browser, throttle_of
from app.domain.accounts import users
from app.domain.accounts.users import User


@dataclass(frozen=True, slots=True)
class PasswordAnswer:
    """The person, or what was wrong; `wait_ms` where there were too many guesses."""

    user: User | None = None
    problem: str = ""
    wait_ms: int = 0

    @property
    def minutes(self) -> int:
        return -(-self.wait_ms // 60_000)

    @property
    def status(self) -> int:
        return 429 if self.wait_ms else 422


def ask(request: Request, user: User, current: str) -> PasswordAnswer:
    services, throttle = request.app.state.services, throttle_of(request)
    now_ms, address = services.clock(), address_of(request)
    browser = known_browser(request, user.username)
    wait_ms = throttle.attempt(user.username, address, now_ms, browser)
    if wait_ms:
        return PasswordAnswer(problem=TOO_MANY, wait_ms=wait_ms)
    with services.database.read() as connection:
        known = users.check_password(connection, user.username, current[:256])
    if known is None:
        with services.database.write() as connection:
            users.refuse_password(connection, user, address, now_ms)
        return PasswordAnswer(problem=labels.PROBLEMS["wrong_password"])
    throttle.succeeded(user.username, address, now_ms, browser)
    return PasswordAnswer(known)
