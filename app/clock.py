"""The only place that asks for the time. Everywhere else time is an argument."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], int]  # milliseconds since the epoch

SHANGHAI = ZoneInfo("Asia/Shanghai")


def system_clock() -> int:
    return time.time_ns() // 1_000_000


def at(ms: int) -> datetime:
    """The instant in Asia/Shanghai, as people here read it.

    >>> at(0).isoformat()
    '1970-01-01T08:00:00+08:00'
    """
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(SHANGHAI)


def day(ms: int) -> date:
    """The calendar day in Asia/Shanghai that the instant falls on."""
    return at(ms).date()
