"""Whoever may call the web process: platforms by their keys, browsers by the token that
opens one sitting, or one enrolment."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from app.http.enrolment_ring import EnrolmentRing
from app.http.keyring import KeyRing
from app.http.lease_ring import LeaseRing
from app.http.platform_shares import EVERY_S as SHARES_EVERY_S
from app.http.platform_shares import PlatformShares
from app.http.refusals import EVERY_S as REFUSALS_EVERY_S
from app.http.refusals import Refusals
from app.jobs.repeating import Repeating
from app.services import Services

_LIMIT_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Callers:
    """`app.state.callers`. One a process."""

    keys: KeyRing
    leases: LeaseRing
    enrolments: EnrolmentRing
    refusals: Refusals
    shares: PlatformShares

    @classmethod
    def of(cls, services: Services) -> Callers:
        database, clock, settings = services.database, services.clock, services.settings
        keys = KeyRing(database, clock, settings.api_requests_per_minute)
        shares = PlatformShares(database, clock, services.registry, settings.platform_bytes_a_day)
        refusals = Refusals(database, clock, keys)
        repeated = [
            Repeating("platform-shares", SHARES_EVERY_S, shares.limit.share),
            Repeating("refusals", REFUSALS_EVERY_S, refusals.write),
        ]
        if keys.limit is not None:
            repeated.append(Repeating("key-limit", _LIMIT_EVERY_S, keys.limit.share))
        services.on_start += [it.start for it in repeated]
        services.on_stop += [refusals.write, shares.limit.tell, *(it.stop for it in repeated)]
        return cls(
            keys=keys,
            leases=LeaseRing(database, clock),
            enrolments=EnrolmentRing(database, clock, services.vault),
            refusals=refusals,
            shares=shares,
        )


def callers_of(request: Request) -> Callers:
    callers: Callers = request.app.state.callers
    return callers
