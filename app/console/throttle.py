"""Throttling of passwords: failed attempts of the last quarter of an hour, kept in this process."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from fastapi import Request

from app.console.language import N_

WINDOW_MS = 15 * 60 * 1000
PER_NAME_AND_ADDRESS = 5
PER_NAME = 20
PER_ADDRESS = 100
TOO_MANY = N_("失败次数过多，请在%(minutes)s分钟后再试")
_KEPT = 20_000  # keys; the longest untouched go first


@dataclass
class LoginThrottle:
    """Counts failures by (name, address), by name and by address; successes are free.

    An attempt counts from when it begins, so that many at once are not more than one after another.
    The narrow limit stops one guesser without locking the real person out from elsewhere; the
    wide ones stop guessing that is spread over names or addresses.
    """

    _failures: OrderedDict[tuple[str, str], list[int]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def attempt(self, name: str, address: str, now_ms: int) -> int:
        """How long this name must wait at this address; 0 when it may try now, which then counts as
        a failure until it `succeeded`."""
        keys = self._keys(name, address)
        with self._lock:
            wait_ms = max(self._wait(key, limit, now_ms) for key, limit in keys.items())
            if wait_ms:
                return wait_ms
            for key in keys:
                recent = [at for at in self._failures.get(key, ()) if at > now_ms - WINDOW_MS]
                self._failures[key] = [*recent, now_ms]
                self._failures.move_to_end(key)
            while len(self._failures) > _KEPT:
                self._failures.popitem(last=False)
        return 0

    def succeeded(self, name: str, address: str, now_ms: int) -> None:
        """The attempt begun at `now_ms` was right: it is no failure, nor were those just before."""
        with self._lock:
            self._failures.pop((name, address), None)
            for key in ((name, ""), ("", address)):
                if now_ms in self._failures.get(key, ()):
                    self._failures[key].remove(now_ms)

    @staticmethod
    def _keys(name: str, address: str) -> dict[tuple[str, str], int]:
        return {
            (name, address): PER_NAME_AND_ADDRESS,
            (name, ""): PER_NAME,
            ("", address): PER_ADDRESS,
        }

    def _wait(self, key: tuple[str, str], limit: int, now_ms: int) -> int:
        recent = [at for at in self._failures.get(key, ()) if at > now_ms - WINDOW_MS]
        return recent[-limit] + WINDOW_MS - now_ms if len(recent) >= limit else 0


def throttle_of(request: Request) -> LoginThrottle:
    """The application's own, made at its first login."""
    state = request.app.state
    if not hasattr(state, "login_throttle"):
        state.login_throttle = LoginThrottle()
    throttle: LoginThrottle = state.login_throttle
    return throttle


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""
