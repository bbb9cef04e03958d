"""Whose browser calls: a sitting's lease token, recognised quickly and counted."""

from __future__ import annotations

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.clock import Clock
from app.db import Database
from app.domain.sittings import leases
from app.errors import TooManyRequests
from app.http.keyring import Caller
from app.security import token_digest
from app.store.scope import AccessScope

CACHE_MS = 5_000
REQUESTS_A_MINUTE = 240  # a browser sends one every ten seconds, and a burst of photos
_CACHE_SIZE = 50_000


class LeaseRing:
    """Remembers each lease for at most `CACHE_MS`. One a process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[tuple[bytes, str], tuple[int, int]] = {}
        self._limit = RateLimitItemPerMinute(REQUESTS_A_MINUTE)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def caller(self, authorization: str | None, session: str) -> Caller | None:
        """The learner's browser behind an `Authorization` header; None when it is no lease.

        Raises NotSignedIn, TooManyRequests.
        """
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not leases.is_lease(token):
            return None
        now_ms = self._clock()
        key = (token_digest(token), session)
        seen_ms, platform_id = self._known.get(key, (-CACHE_MS, 0))
        if not 0 <= now_ms - seen_ms < CACHE_MS:
            platform_id = self._look_up(key, token, session, now_ms)
        if not self._limiter.hit(self._limit, key[0].hex()):
            detail = f"more than {REQUESTS_A_MINUTE} requests a minute in this sitting"
            raise TooManyRequests("rate_limited", detail, retry_after_s=10)
        return Caller(
            platform_id=platform_id,
            label="lease",
            scopes=frozenset(),
            scope=AccessScope(platform_id=platform_id),
            actor="lease",
        )

    def _look_up(self, key: tuple[bytes, str], token: str, session: str, now_ms: int) -> int:
        self._known.pop(key, None)
        with self._database.read() as connection:
            platform_id = leases.platform_of(connection, token, session, now_ms)
        if len(self._known) >= _CACHE_SIZE:
            self._known.clear()
        self._known[key] = (now_ms, platform_id)
        return platform_id
