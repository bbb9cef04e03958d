"""The clock of the service: the night begins when its cron line says so, Asia/Shanghai.

Hours are told by the service's own clock, which nobody sets: a machine's clock that was a day ahead
for a moment must not put the nights off until that day has come.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import structlog
from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]

from app.clock import SHANGHAI, at, day
from app.errors import BadInput, Conflict, NotReady
from app.jobs import nightly, purge
from app.jobs.repeating import Repeating
from app.services import Services
from app.store import partitions

LOOK_S = 1.0  # how often it looks whether the hour has come
RESUME_S = 60  # how often it looks for a night that broke off, or never began

_MONTH = CronTrigger(day=1, hour=0, minute=0, timezone=SHANGHAI)

log = structlog.get_logger("zhenxue.scheduler")


class Scheduler:
    """Starts the night by `settings.nightly_cron`, goes on with one that a crash ended, and makes
    up once for those that fell due while the machine slept or was off."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._trigger = _trigger(services.settings.nightly_cron)
        self._stopping = threading.Event()
        self._rounds = [
            Repeating("nightly", LOOK_S, self._when_due(self._trigger, self._on_time, RESUME_S)),
            Repeating("nightly-resume", RESUME_S, self._resume),
            Repeating("month", LOOK_S, self._when_due(_MONTH, self._begin_month)),
        ]
        if cron := services.settings.purge_cron:
            purging = _trigger(cron, "purge_cron")
            self._rounds.append(Repeating("purge", LOOK_S, self._when_due(purging, self._purge)))

    def start(self) -> None:
        self._stopping.clear()
        for it in self._rounds:
            it.start()

    def stop(self) -> None:
        """The classes in hand are finished; the rest of a night waits for the next start."""
        self._stopping.set()
        for it in self._rounds:
            it.stop()

    def check(self) -> None:
        """Raises NotReady unless the clock runs."""
        if not all(it.running for it in self._rounds):
            raise NotReady("scheduler", "the scheduler does not run")

    def _when_due(
        self, trigger: CronTrigger, work: Callable[[], None], most_late_s: float | None = None
    ) -> Callable[[], None]:
        """`work`, where an hour of the trigger came since this was asked last: once for all that
        did, and not for one that came longer ago than may be."""
        looked_ms = self._services.clock()

        def look() -> None:
            nonlocal looked_ms
            now_ms = self._services.clock()
            since_ms = looked_ms if most_late_s is None else now_ms - round(most_late_s * 1000)
            due = trigger.get_next_fire_time(None, at(max(since_ms, looked_ms) + 1))
            looked_ms = max(looked_ms, now_ms)
            if due is not None and due <= at(now_ms):
                work()

        return look

    def _on_time(self) -> None:
        """The hour has come. In every service on this database: one of them runs the night."""
        due, now = None, at(self._services.clock())
        after = now - 2 * timedelta(seconds=RESUME_S)
        while (later := self._trigger.get_next_fire_time(due, after)) and later <= now:
            due = after = later
        self._begin(round((due or now).timestamp() * 1000))

    def _begin(self, due_ms: int) -> None:
        """Run the night that fell due then, unless another service has."""
        try:
            summary = nightly.perform(
                self._services, "system:scheduler", stopping=self._stopping, due_ms=due_ms
            )
        except Conflict as refusal:
            log.info("no nightly run", reason=refusal.detail)
        except Exception:
            log.exception("the nightly run failed")
        else:
            log.info("nightly run", **summary)

    def _purge(self) -> None:
        try:
            done = purge.perform(self._services, "system:scheduler", self._stopping)
        except Conflict as refusal:
            log.info("no purge", reason=refusal.detail)
        except Exception:
            log.exception("the purge failed")
        else:
            log.info("purge", **done)

    def _resume(self) -> None:
        if nightly.interrupted(self._services):
            self._begin(0)
        elif missed_ms := self._missed_ms():
            self._begin(missed_ms)

    def _begin_month(self) -> None:
        """The night looks again, so one that fails here is late by hours."""
        try:
            partitions.keep_ahead(self._services.database, day(self._services.clock()))
        except Exception:
            log.exception("the month's ranges were not begun")

    def _missed_ms(self) -> int | None:
        """When a night fell due since the last one began, where whoever waits for the hour had the
        time to begin it."""
        since_ms = nightly.last_begun_ms(self._services)
        if since_ms is None:
            return None
        due = self._trigger.get_next_fire_time(None, at(since_ms + 1))
        late = due is not None and due <= at(self._services.clock() - 2 * RESUME_S * 1000)
        return round(due.timestamp() * 1000) if late else None


def _trigger(cron: str, name: str = "nightly_cron") -> CronTrigger:
    try:
        return CronTrigger.from_crontab(cron, timezone=SHANGHAI)
    except ValueError as error:
        raise BadInput(name, f"ZHENXUE_{name.upper()} is no cron line: {error}") from error


def install(services: Services) -> None:
    job = Scheduler(services)
    services.on_start.append(job.start)
    services.on_stop.append(job.stop)
    services.checks["scheduler"] = job.check
