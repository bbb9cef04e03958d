"""Whose browser hands in enrolment photos: the token of a link, recognised and counted."""

from __future__ import annotations

from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.clock import Clock
from app.db import Database
from app.domain.faces import enrolment_link
from app.domain.faces.enrolment_link import EnrolmentLink
from app.errors import TooManyRequests
from app.http.keyring import Caller
from app.store.scope import AccessScope
from app.vault import Vault

REQUESTS_A_MINUTE = 40  # five photos, each with a few tries


@dataclass(frozen=True, slots=True)
class Enroller:
    """Who asks about, or adds to, a learner's enrolment. `link` where the learner does."""

    caller: Caller
    link: EnrolmentLink | None = None


class EnrolmentRing:
    """One a process."""

    def __init__(self, database: Database, clock: Clock, vault: Vault) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault
        self._limit = RateLimitItemPerMinute(REQUESTS_A_MINUTE)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def enroller(self, authorization: str | None, learner: str) -> Enroller | None:
        """The learner's browser behind an `Authorization` header; None when it is no such token.

        Raises NotSignedIn, TooManyRequests.
        """
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not enrolment_link.is_enrolment(token):
            return None
        link = enrolment_link.read(self._vault, token, self._clock())
        if not self._limiter.hit(self._limit, str(link.learner_id)):
            detail = f"more than {REQUESTS_A_MINUTE} requests a minute for this learner"
            raise TooManyRequests("rate_limited", detail, retry_after_s=10)
        with self._database.read() as connection:
            platform_id = enrolment_link.platform_of(connection, link, learner)
        caller = Caller(
            platform_id=platform_id,
            label="enrolment",
            scopes=frozenset(),
            scope=AccessScope(platform_id=platform_id),
            actor=link.actor,
        )
        return Enroller(caller, link)
