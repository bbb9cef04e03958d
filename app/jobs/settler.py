"""The thread that settles sittings as they end, and those that a crash left unsettled."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog

from app import tracing
from app.domain.judging import settle
from app.services import Services
from app.store.events import event_log

SWEEP_S = 10.0

log = structlog.get_logger("zhenxue.settler")


def settle_all(services: Services) -> int:
    """Settle whatever has ended and is not settled; how many sittings that were.

    One that fails keeps no other waiting; the next sweep tries it again.
    """
    with services.database.read() as connection:
        waiting = event_log.unsettled(connection)
    settled = 0
    for session_id in waiting:
        try:
            settle_one(services, session_id)
            settled += 1
        except Exception:
            log.exception("settling failed", session=session_id)
    return settled


def settle_one(services: Services, session_id: int, after: str | None = None) -> None:
    with tracing.span("sitting.judge", after=after), services.database.write() as connection:
        judgement = settle.settle(connection, session_id, services.clock())
    if judgement is not None and judgement.new_findings:
        log.debug("findings", session=session_id, new=len(judgement.new_findings))


class Settler:
    """Settles each session it is told of, one after the other, and sweeps now and then."""

    def __init__(self, services: Services, sweep_s: float = SWEEP_S) -> None:
        self._services = services
        self._sweep_s = sweep_s
        self._waiting: queue.SimpleQueue[tuple[int, str | None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="settler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def tell(self, session_id: int) -> None:
        """A session ended, or something about an ended one changed."""
        self._waiting.put((session_id, tracing.here()))

    def _run(self) -> None:
        while True:
            try:
                told = self._waiting.get(timeout=self._sweep_s)
            except queue.Empty:
                self._guarded(partial(settle_all, self._services))
                continue
            if told is None:
                return
            self._guarded(partial(settle_one, self._services, *told))

    def _guarded(self, work: Callable[[], Any]) -> None:
        try:
            work()
        except Exception:  # the next sweep tries again
            log.exception("settling failed")


def install(services: Services) -> None:
    job = Settler(services)
    services.on_start.append(job.start)
    services.on_stop.append(job.stop)
    services.on_closed.append(job.tell)
