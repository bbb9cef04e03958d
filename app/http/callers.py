"""Whoever may call the web process: platforms by their keys, browsers by the token that
opens one sitting, or one enrolment."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from app.http.enrolment_ring import EnrolmentRing
from app.http.key_limit import EVERY_S
from app.http.keyring import KeyRing
from app.http.lease_ring import LeaseRing
from app.http.refusals import EVERY_S as REFUSALS_EVERY_S
from app.http.refusals import Refusals
from app.jobs.repeating import Repeating
from app.services import Services


@dataclass(frozen=True, slots=True)
class Callers:
    """`app.state.callers`. One a process."""

    keys: KeyRing
    leases: LeaseRing
    enrolments: EnrolmentRing
    refusals: Refusals

    @classmethod
    def of(cls, services: Services) -> Callers:
        database, clock = services.database, services.clock
        keys = KeyRing(database, clock, services.settings.api_requests_per_minute)
        if keys.limit is not None:
            sharing = Repeating("key-limit", EVERY_S, keys.limit.share)
            services.on_start.append(sharing.start)
            services.on_stop.append(sharing.stop)
        refusals = Refusals(database, clock, keys)
        writing = Repeating("refusals", REFUSALS_EVERY_S, refusals.write)
        services.on_start.append(writing.start)
        services.on_stop += [refusals.write, writing.stop]
        return cls(
            keys=keys,
            leases=LeaseRing(database, clock),
            enrolments=EnrolmentRing(database, clock, services.vault),
            refusals=refusals,
        )


def callers_of(request: Request) -> Callers:
    callers: Callers = request.app.state.callers
    return callers
