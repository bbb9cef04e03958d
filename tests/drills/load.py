"""Learners who post batches of events, each sent again until it is acknowledged."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sqlalchemy import select

from app.clock import system_clock
from app.db import Database
from app.store.events import event_log
from models import Session

BATCH = 5
_TIMEOUT_S = 20.0


@dataclass
class Browser:
    """One learner's page. `acknowledged` are the seqs that it was told are stored."""

    url: str
    key: str
    session: str
    pause_s: float
    acknowledged: set[int] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)  # 0: no answer
    unhinted: int = 0  # 503 without Retry-After
    heard_at: float = 0.0
    _seq: int = 0

    def run(self, over: threading.Event) -> None:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=_TIMEOUT_S)
        body: bytes | None = None
        while not over.is_set():
            body = body or self._batch()
            if self._sent(connection, body):
                self.acknowledged.update(range(self._seq - BATCH, self._seq))
                self.heard_at, body = time.monotonic(), None
            over.wait(self.pause_s)
        connection.close()

    def _batch(self) -> bytes:
        now, first = system_clock(), self._seq
        self._seq += BATCH
        events = [
            {
                "seq": seq,
                "type": "progress",
                "at_ms": now,
                "position": seq / 50,
                "rate": 1.0,
                "visible": True,
                "focused": True,
            }
            for seq in range(first, first + BATCH)
        ]
        return json.dumps({"sent_at_ms": now, "events": events}).encode()

    def _sent(self, connection: http.client.HTTPConnection, body: bytes) -> bool:
        head = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        try:
            connection.request("POST", f"/v1/sessions/{self.session}/events", body, head)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            self.statuses[0] += 1
            return False
        self.statuses[answer.status] += 1
        if answer.status == 503 and not answer.getheader("retry-after"):
            self.unhinted += 1
        return answer.status == 200


class Crowd:
    """All of them at once, a thread each."""

    def __init__(self, url: str, key: str, sessions: Sequence[str], pause_s: float = 0.05) -> None:
        self.browsers = [Browser(url, key, session, pause_s) for session in sessions]
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    @contextmanager
    def posting(self) -> Iterator[Crowd]:
        self._over.clear()
        self._threads = [
            threading.Thread(target=it.run, args=(self._over,)) for it in self.browsers
        ]
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self.stop()

    def stop(self) -> None:
        """Have everybody end once the request in hand is answered."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def acknowledged(self) -> int:
        return sum(len(it.acknowledged) for it in self.browsers)

    @property
    def statuses(self) -> Counter[int]:
        return sum((it.statuses for it in self.browsers), Counter())

    @property
    def unhinted(self) -> int:
        return sum(it.unhinted for it in self.browsers)

    def all_heard_since(self, moment: float) -> bool:
        return all(it.heard_at > moment for it in self.browsers)

    def lost(self, database: Database) -> int:
        """Events that were acknowledged and are not stored, or stored twice, or not as chained."""
        lost = 0
        for browser in self.browsers:
            with database.read() as connection:
                mine = select(Session.id).where(Session.external_id == browser.session)
                row_id = connection.execute(mine).scalar_one()
                stored = event_log.read(connection, row_id).events["seq"].tolist()
            lost += len(browser.acknowledged - set(stored)) + len(stored) - len(set(stored))
        return lost
