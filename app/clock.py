"""The only place that asks for the time. Everywhere else time is an argument."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], int]  # milliseconds since the epoch

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY_MS = 86_400_000

STEP_MS = 2_000  # what the machine's clock may be set by at a time; NTP slews less


def _since_boot_ns() -> int:
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SteadyClock:
    """The machine's clock, unless somebody sets it: then time goes on as it went before.

    Leases and credit rest on it, and a clock that jumps would end sittings, lock people out or
    credit them before they came. `stepped_ms` tells by how much the machine's clock was set since
    this process took it at its word; a new process believes it again.
    """

    def __init__(
        self,
        wall_ns: Callable[[], int] = time.time_ns,
        boot_ns: Callable[[], int] = _since_boot_ns,
    ) -> None:
        self._wall_ns = wall_ns
        self._boot_ns = boot_ns
        self._ahead_ns = wall_ns() - boot_ns()

    def __call__(self) -> int:
        boot_ns = self._boot_ns()
        ahead_ns = self._wall_ns() - boot_ns
        if abs(ahead_ns - self._ahead_ns) <= STEP_MS * 1_000_000:
            self._ahead_ns = ahead_ns
        return (boot_ns + self._ahead_ns) // 1_000_000

    @property
    def stepped_ms(self) -> int:
        """By how much the machine's clock is ahead of this one, 0 where they agree."""
        now_ms = self()
        apart_ms = self._wall_ns() // 1_000_000 - now_ms
        return apart_ms if abs(apart_ms) > STEP_MS // 2 else 0


_steady = SteadyClock()


def system_clock() -> int:
    return _steady()


def stepped_ms() -> int:
    """By how much the machine's clock was set while this process runs."""
    return _steady.stepped_ms


def at(ms: int) -> datetime:
    """The instant in Asia/Shanghai, as people here read it.

    >>> at(0).isoformat()
    '1970-01-01T08:00:00+08:00'
    """
    return datetime.fromtimestamp(ms / 1000, SHANGHAI)


def day(ms: int) -> date:
    """The calendar day in Asia/Shanghai that the instant falls on."""
    return at(ms).date()


def midnight_ms(on: date) -> int:
    """The instant at which a day begins in Asia/Shanghai.

    >>> midnight_ms(date(1970, 1, 2))
    57600000
    """
    return round(datetime(on.year, on.month, on.day, tzinfo=SHANGHAI).timestamp() * 1000)
