"""How much one may use within a time that slides, at all services of one database together.

Each counts by itself and tells the others every few seconds through the database, so that a request
costs no query. Together they may exceed the limit by what that time brings at those that have not
heard yet; without the database each goes on with what it last heard.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from contextlib import suppress

from app.clock import Clock
from app.db import Database
from app.outages import DatabaseAway
from app.store.accounts import uses as store
from app.store.accounts.uses import Uses


class SlidingLimit:
    """Counts by whole periods; of the one before counts the part that lies in the window."""

    def __init__(self, database: Database, clock: Clock, uses: Uses, most: int) -> None:
        self.most = most
        self._database, self._clock, self._uses = database, clock, uses
        self._service = secrets.token_hex(8)
        self._mine: Counter[tuple[int, int]] = Counter()
        self._told: Counter[tuple[int, int]] = Counter()
        self._others: Counter[tuple[int, int]] = Counter()
        self._lock = threading.Lock()

    def hit(self, user_id: int) -> bool:
        """Whether one more is within the limit; then it is counted."""
        with self._lock:
            room = self._used(user_id) < self.most
            if room:
                self._count(user_id, 1)
        return room

    def used(self, user_id: int) -> float:
        """How much was used within the time that ends now."""
        with self._lock:
            return self._used(user_id)

    def count(self, user_id: int, amount: int) -> None:
        """Count what is known only once it came."""
        with self._lock:
            self._count(user_id, amount)

    def users(self) -> frozenset[int]:
        """Whoever used anything in this period or the one before."""
        with self._lock:
            return frozenset(user_id for _, user_id in self._mine | self._others)

    def share(self) -> None:
        """Tell the other services what was counted here, and hear what they counted."""
        self.tell()
        try:
            with self._database.read() as connection:
                before = self._period_before()
                rows = store.of_others(connection, self._uses, self._service, before)
        except DatabaseAway:
            return
        with self._lock:
            self._others = Counter({(it.period, it.user_id): it.amount for it in rows})

    def tell(self) -> None:
        """What was told stays when this service ends."""
        before = self._period_before()
        with self._lock:
            for old in [it for it in self._mine if it[0] < before]:
                del self._mine[old]
            mine = Counter({it: amount for it, amount in self._mine.items() if amount})
        if mine == self._told:  # nobody is kept waiting for nothing
            return
        with suppress(DatabaseAway):
            with self._database.write() as connection:
                store.forget(connection, self._uses, before)
                store.tell(connection, self._uses, self._service, mine)
            self._told = mine

    def _period_before(self) -> int:
        return self._clock() // self._uses.period_ms - 1

    def _used(self, user_id: int) -> float:
        period, into_ms = divmod(self._clock(), self._uses.period_ms)
        left = 1 - into_ms / self._uses.period_ms
        return self._counted(period, user_id) + self._counted(period - 1, user_id) * left

    def _counted(self, period: int, user_id: int) -> int:
        return self._mine[period, user_id] + self._others[period, user_id]

    def _count(self, user_id: int, amount: int) -> None:
        self._mine[self._clock() // self._uses.period_ms, user_id] += amount
