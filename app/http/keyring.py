"""Who holds which API key: recognised quickly, forgotten within seconds of a revocation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from app.clock import Clock
from app.db import Database
from app.domain.accounts import platforms
from app.domain.accounts.platforms import Key
from app.errors import NotAllowed, TooManyRequests
from app.http.sliding_limit import SlidingLimit
from app.store.accounts.uses import REQUESTS_OF_KEYS
from app.store.scope import AccessScope

CACHE_MS = 5_000  # a revocation made by another process bites after this long
_CACHE_SIZE = 10_000
_MAX_KEY = 256


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a request runs. `platform_id` is None for people, who see by `scope`."""

    platform_id: int | None
    label: str
    scopes: frozenset[str]
    scope: AccessScope
    actor: str  # as the audit log names them
    ends_ms: int | None = None  # when the key itself ends, if it does

    @property
    def platform(self) -> int:
        """The tenant that a write belongs to. People write nothing on a platform's behalf."""
        if self.platform_id is None:
            raise NotAllowed("platform_key_needed", "this needs a platform's API key")
        return self.platform_id

    @property
    def told_reviewers(self) -> bool:
        """Who reviewed is for authorities: a platform and a school are not told."""
        return self.scope.of_authority


class KeyRing:
    """Recognises keys, remembering each for at most `CACHE_MS`, and counts their requests."""

    def __init__(self, database: Database, clock: Clock, requests_per_minute: int) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[bytes, tuple[int, Key, Caller]] = {}
        self.limit = (
            SlidingLimit(database, clock, REQUESTS_OF_KEYS, requests_per_minute)
            if requests_per_minute
            else None
        )

    def caller(self, authorization: str | None) -> Caller:
        """The caller of an `Authorization` header. Raises NotSignedIn or TooManyRequests."""
        scheme, _, secret = (authorization or "").partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not 0 < len(secret) <= _MAX_KEY or not secret.isascii():
            raise platforms.not_signed_in()
        now_ms = self._clock()
        digest = hashlib.sha256(secret.encode()).digest()
        seen = self._known.get(digest)
        if seen is None or not 0 <= now_ms - seen[0] < CACHE_MS:
            seen = self._look_up(digest, secret, now_ms)
        _, key, caller = seen
        if now_ms >= key.ends_ms():
            raise platforms.not_signed_in()
        self._count(key)
        return caller

    def seen(self, digest: bytes) -> Key | None:
        """The key of that digest, if this process has met it of late."""
        found = self._known.get(digest)
        return None if found is None else found[1]

    def forget(self) -> None:
        """After keys changed in this process."""
        self._known.clear()

    def _look_up(self, digest: bytes, secret: str, now_ms: int) -> tuple[int, Key, Caller]:
        self._known.pop(digest, None)
        with self._database.read() as connection:
            key = platforms.key_of(connection, secret, now_ms)
        caller = Caller(
            platform_id=key.platform_id,
            label=key.label,
            scopes=key.scopes,
            scope=AccessScope(platform_id=key.platform_id),
            actor=f"key:{key.id}",
            ends_ms=key.expires_ms,
        )
        if len(self._known) >= _CACHE_SIZE:
            self._known.clear()
        self._known[digest] = (now_ms, key, caller)
        return self._known[digest]

    def _count(self, key: Key) -> None:
        if self.limit is not None and not self.limit.hit(key.id):
            raise TooManyRequests(
                "rate_limited",
                f"more than {self.limit.most} requests a minute with this key",
                retry_after_s=10,
            )
