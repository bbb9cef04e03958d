"""How many requests a minute a key may make, at all services of one database together.

Each counts by itself and tells the others every second through the database, so that a request
costs no query. Together they may exceed the limit by what one second brings at those that have not
heard yet; without the database each goes on with what it last heard.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter

from app.clock import Clock
from app.db import Database
from app.outages import DatabaseAway
from app.store.accounts import key_uses

EVERY_S = 1.0
_MINUTE_MS = 60_000


class KeyLimit:
    """A window of a minute that slides: of the minute before counts the part that lies in it."""

    def __init__(self, database: Database, clock: Clock, per_minute: int) -> None:
        self.per_minute = per_minute
        self._database, self._clock = database, clock
        self._service = secrets.token_hex(8)
        self._mine: Counter[tuple[int, int]] = Counter()
        self._others: Counter[tuple[int, int]] = Counter()
        self._lock = threading.Lock()

    def hit(self, key_id: int) -> bool:
        """Whether one more request is within the limit; then it is counted."""
        minute, into_ms = divmod(self._clock(), _MINUTE_MS)
        with self._lock:
            used = float(self._used(minute, key_id))
            used += self._used(minute - 1, key_id) * (1 - into_ms / _MINUTE_MS)
            if used >= self.per_minute:
                return False
            self._mine[minute, key_id] += 1
        return True

    def _used(self, minute: int, key_id: int) -> int:
        return self._mine[minute, key_id] + self._others[minute, key_id]

    def share(self) -> None:
        """Tell the other services what was counted here, and hear what they counted."""
        before = self._clock() // _MINUTE_MS - 1
        with self._lock:
            for old in [it for it in self._mine if it[0] < before]:
                del self._mine[old]
            mine = {it: count for it, count in self._mine.items() if count}
        try:
            if mine:  # else there is nothing to tell, and nobody else is kept waiting
                with self._database.write() as connection:
                    key_uses.forget(connection, before)
                    key_uses.tell(connection, self._service, mine)
            with self._database.read() as connection:
                rows = key_uses.of_others(connection, self._service, before)
        except DatabaseAway:
            return
        with self._lock:
            self._others = Counter({(it.minute, it.key_id): int(it.count) for it in rows})
