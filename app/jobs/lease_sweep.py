"""Sittings end by themselves: when their lease has run out, nobody needs to say goodbye."""

from __future__ import annotations

import threading

import structlog

from app.domain import sittings
from app.services import Services

EVERY_S = 5.0

log = structlog.get_logger("zhenxue.lease_sweep")


def sweep(services: Services) -> list[int]:
    """End every sitting whose lease has run out by now, and have it judged; their row ids."""
    ended: list[int] = []
    while True:
        with services.database.write() as connection:
            some = sittings.expire_leases(
                connection, services.vault, services.desk, services.clock()
            )
        services.closed(some)
        ended += some
        if not some:
            return ended


class LeaseSweep:
    """Sweeps every few seconds in a thread of its own. `install` ties it to the service."""

    def __init__(self, services: Services, every_s: float = EVERY_S) -> None:
        self._services = services
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="lease-sweep", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                sweep(self._services)
            except Exception:  # the next sweep tries again
                log.exception("lease sweep failed")


def install(services: Services) -> None:
    job = LeaseSweep(services)
    services.on_start.append(job.start)
    services.on_stop.append(job.stop)
