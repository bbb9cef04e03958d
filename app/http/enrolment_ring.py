"""Whose browser hands in enrolment photos: the token of a link, recognised and counted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from app.clock import Clock
from app.db import Database
from app.domain.faces import enrolment_link
from app.domain.faces.enrolment_link import EnrolmentLink
from app.errors import TooManyRequests
from app.http.keyring import Caller
from app.store.accounts import login_failures as attempts
from app.store.scope import AccessScope
from app.vault import Vault

REQUESTS_A_MINUTE = 40  # five photos, each with a few tries; at all services together
_MINUTE_MS = 60_000


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

    def enroller(self, authorization: str | None, learner: str) -> Enroller | None:
        """The learner's browser behind an `Authorization` header; None when it is no such token.

        Raises NotSignedIn, TooManyRequests.
        """
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not enrolment_link.is_enrolment(token):
            return None
        link = enrolment_link.read(self._vault, token, self._clock())
        self._count(link.learner_id)
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

    def _count(self, learner_id: int) -> None:
        key, now_ms = hashlib.sha256(f"enrolment\n{learner_id}".encode()).digest(), self._clock()
        with self._database.write() as connection:
            attempts.hold(connection, [key])
            attempts.prune(connection, now_ms - _MINUTE_MS, now_ms + _MINUTE_MS, key)
            if len(attempts.times(connection, key, now_ms - _MINUTE_MS)) >= REQUESTS_A_MINUTE:
                detail = f"more than {REQUESTS_A_MINUTE} requests a minute for this learner"
                raise TooManyRequests("rate_limited", detail, retry_after_s=10)
            attempts.add(connection, [key], now_ms)
