"""Sittings end by themselves: when their lease has run out, nobody needs to say goodbye."""

from __future__ import annotations

from app.domain.sittings import sittings
from app.jobs.repeating import Repeating
from app.services import Services

EVERY_S = 5.0


def sweep(services: Services) -> list[int]:
    """End every sitting whose lease has run out by now, and have it judged; their row ids."""
    ended: list[int] = []
    while True:
        with services.database.write() as connection:
            some = sittings.expire_leases(
                connection, services.vault, services.controls, services.clock()
            )
        services.closed(some)
        ended += some
        if not some:
            return ended


def install(services: Services) -> None:
    """Sweep while the service runs."""
    job = Repeating("lease-sweep", EVERY_S, lambda: sweep(services))
    services.on_start.append(job.start)
    services.on_stop.append(job.stop)
