"""How much a platform may send within 24 hours: its keys and its learners' browsers together.

What one sitting, one photo and one learner may bring is bounded elsewhere; this keeps one platform
from filling the disk of all.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge
from starlette.types import Scope

from app.clock import Clock
from app.db import Database
from app.errors import TooManyRequests
from app.http.keyring import Caller
from app.http.sliding_limit import SlidingLimit
from app.store.accounts.uses import BYTES_OF_PLATFORMS

EVERY_S = 10.0  # so often services tell each other
_SENDER = "zhenxue.sender"  # in a request's scope: the platform whose share its body is counted to
_READING = ("GET", "OPTIONS")


class PlatformShares:
    """`admit` before a body is taken, `count` after. One a process; `most` 0: no limit."""

    def __init__(
        self, database: Database, clock: Clock, registry: CollectorRegistry, most: int
    ) -> None:
        self.limit = SlidingLimit(database, clock, BYTES_OF_PLATFORMS, most)
        gauge = Gauge(
            "zhenxue_platform_share",
            "Of what a platform may send within 24 hours, the part that the busiest one sent",
            registry=registry,
        )
        gauge.set_function(self.fullest)

    def admit(self, scope: Scope, caller: Caller) -> None:
        """Raises TooManyRequests for a body of a platform that has sent its share. Reading and
        what people send is free."""
        if scope["method"] in _READING or caller.platform_id is None:
            return
        if self.limit.most and self.limit.used(caller.platform_id) >= self.limit.most:
            raise TooManyRequests(
                "platform_share",
                f"该平台24小时内已报送{self.limit.most:,}字节，到上限，请稍后再送 / "
                f"this platform has sent {self.limit.most:,} bytes within 24 hours, which is its "
                "share; send it again later",
                retry_after_s=600,
            )
        scope[_SENDER] = caller.platform_id

    def count(self, scope: Scope, size: int) -> None:
        """Count a body of an admitted request, or nothing."""
        sender = scope.get(_SENDER)
        if sender is not None and size:
            self.limit.count(sender, size)

    def fullest(self) -> float:
        if not self.limit.most:
            return 0.0
        return max(map(self.limit.used, self.limit.users()), default=0.0) / self.limit.most
