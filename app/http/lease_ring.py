"""Whose browser calls: a sitting's lease token, recognised quickly and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

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


_Ask = Callable[[tuple[bytes, str], str, str, int], int | None]


class LeaseRing:
    """Remembers each lease for at most `CACHE_MS`. One a process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[tuple[bytes, str], tuple[int, int]] = {}
        self._minute, self._made = 0, Counter[bytes]()  # requests of each token in this minute

    def caller(self, authorization: str | None, session: str) -> Caller | None:
        """The learner's browser behind an `Authorization` header; None when it is no lease.

        Raises NotSignedIn, TooManyRequests.
        """
        return self._caller(authorization, session, self._look_up)

    def met(self, authorization: str | None, session: str) -> Caller | None:
        """As `caller`, and None too where only the database could tell."""
        return self._caller(authorization, session, lambda *_: None)

    def _caller(self, authorization: str | None, session: str, ask: _Ask) -> Caller | None:
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not leases.is_lease(token):
            return None
        now_ms, key = self._clock(), (token_digest(token), session)
        seen_ms, platform_id = self._known.get(key, (-CACHE_MS, None))
        if not 0 <= now_ms - seen_ms < CACHE_MS:
            platform_id = ask(key, token, session, now_ms)
        return None if platform_id is None else self._counted(key[0], platform_id, now_ms)

    def _counted(self, digest: bytes, platform_id: int, now_ms: int) -> Caller:
        minute = now_ms // 60_000
        if minute != self._minute:
            self._minute, self._made = minute, Counter()
        self._made[digest] += 1
        if self._made[digest] > REQUESTS_A_MINUTE:
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
