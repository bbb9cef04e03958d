"""Days and hours in Asia/Shanghai, which has no summer time, on columns of epoch milliseconds."""

from __future__ import annotations

import numpy as np

from detectors.trace import Ints

DAY_MS = 86_400_000
SHANGHAI_MS = 8 * 3_600_000


def days_of(at_ms: Ints) -> Ints:
    """The day of each moment, counted from the epoch."""
    return (at_ms + SHANGHAI_MS) // DAY_MS


def midnight_ms(day: Ints) -> Ints:
    """When each day begins."""
    return day * DAY_MS - SHANGHAI_MS


def split_at_midnight(rows: Ints, begin: Ints, end: Ints) -> tuple[Ints, Ints, Ints]:
    """Stretches [begin, end) with the rows that they are of, none of them over a midnight."""
    parts: list[tuple[Ints, Ints, Ints]] = []
    while len(rows):
        next_day = midnight_ms(days_of(begin) + 1)
        parts.append((rows, begin, np.minimum(end, next_day)))
        over = end > next_day
        rows, begin, end = rows[over], next_day[over], end[over]
    if not parts:
        return rows, begin, end
    rows, begin, end = (np.concatenate(it) for it in zip(*parts, strict=True))
    return rows, begin, end
