"""Delivers the outbox: at least once, in order while all goes well, one attempt at a time.

An attempt is claimed in the database before it is made, so several processes may run this side by
side, and what one was killed over another sends again once the claim has passed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter, Gauge
from standardwebhooks import Webhook as Signer

from app import __version__
from app.canonical import canonical
from app.domain.exchange import webhooks
from app.jobs import outbound
from app.jobs.outbound import Undeliverable
from app.jobs.repeating import Repeating
from app.services import Services
from app.store.exchange import webhooks as store
from app.store.exchange.webhooks import DueDelivery

EVERY_S = 1.0
CLAIM_MS = 60_000
TURN_S = 10.0  # then the next webhook has its turn
_AT_ONCE, _SIDE_BY_SIDE = 50, 4

log = structlog.get_logger("zhenxue.webhooks")


class Deliverer:
    """Sends what is due, and tells how each attempt went. `round` is one look at the outbox."""

    def __init__(
        self,
        services: Services,
        tell: Callable[[str], None] = lambda outcome: None,
        limit_s: float = outbound.LIMIT_S,
    ) -> None:
        self._services = services
        self._limit_s = limit_s
        self._job = Repeating("webhooks", EVERY_S, self.round)
        self._tell = tell

    def start(self) -> None:
        self._job.start()

    def stop(self) -> None:
        self._job.stop()

    @property
    def stopping(self) -> threading.Event:
        return self._job.stopping

    def round(self) -> int:
        """Try what is due now, each webhook by itself; how many messages arrived."""
        with self._services.database.read() as connection:
            waiting = store.with_due(connection, self._services.clock())
        if not waiting:
            return 0
        with ThreadPoolExecutor(min(len(waiting), _SIDE_BY_SIDE)) as pool:
            return sum(pool.map(self._turn, waiting))

    def _turn(self, webhook_id: int) -> int:
        """Send in order until something fails: a receiver that is down is asked once a round."""
        until, arrived = time.monotonic() + TURN_S, 0
        with self._services.database.read() as connection:
            rows = store.due(connection, webhook_id, self._services.clock(), _AT_ONCE)
        for row in rows:
            if self.stopping.is_set() or time.monotonic() > until or not self._deliver(row):
                break
            arrived += 1
        return arrived

    def _deliver(self, row: DueDelivery) -> bool:
        """One attempt; whether it arrived."""
        services = self._services
        with services.database.write() as connection:
            if not store.claim(connection, row, services.clock() + CLAIM_MS):
                return False
        status, error = self._post(row)
        arrived = error is None
        self._tell("delivered" if arrived else "failed")
        now_ms = services.clock()
        with services.database.write() as connection:
            store.attempted(
                connection,
                row.id,
                delivered_ms=now_ms if arrived else None,
                next_attempt_ms=None
                if arrived
                else webhooks.next_attempt_ms(row.attempts + 1, now_ms),
                last_status=status,
                last_error=error,
            )
        if not arrived:
            log.info("not delivered", webhook=row.webhook_id, delivery=row.id, error=error)
        return arrived

    def _post(self, row: DueDelivery) -> tuple[int | None, str | None]:
        """(status, why it did not arrive)."""
        body = canonical(row.payload)
        now_ms = self._services.clock()
        signed_at = datetime.fromtimestamp(now_ms // 1000, UTC)
        signed = [
            Signer(secret).sign(row.message_id, signed_at, body.decode())
            for secret in webhooks.secrets_of(self._services.vault, row, now_ms)
        ]
        headers = {
            "content-type": "application/json",
            "user-agent": f"zhenxue/{__version__}",
            "webhook-id": row.message_id,
            "webhook-timestamp": str(int(signed_at.timestamp())),
            "webhook-signature": " ".join(signed),
        }
        try:
            allowed = self._services.settings.webhook_allowed
            status = outbound.post(row.url, body, headers, allowed, self._limit_s)
        except Undeliverable as error:
            return None, error.code
        return status, None if 200 <= status < 300 else "not_accepted"


def observe(services: Services) -> None:
    """Gauges of the outbox, asked for at each scrape."""
    for at, name, told in (
        (0, "waiting", "Messages to webhooks that wait for their next attempt"),
        (1, "dead", "Messages to webhooks that were given up"),
    ):
        gauge = Gauge(f"zhenxue_webhook_messages_{name}", told, registry=services.registry)

        def count(at: int = at) -> float:
            with services.database.read() as connection:
                return float(store.counts(connection)[at])

        gauge.set_function(count)


def install(services: Services) -> None:
    attempts = Counter(
        "zhenxue_webhook_attempts_total",
        "Attempts to deliver a message to a webhook",
        ("outcome",),
        registry=services.registry,
    )
    job = Deliverer(services, lambda outcome: attempts.labels(outcome).inc())
    observe(services)
    services.on_start.append(job.start)
    services.on_stop.append(job.stop)
