"""Arithmetic on stretches of time that overlap: where many play at once, and how much of it."""

from __future__ import annotations

import numpy as np

from detectors.trace import Ints


def crowded(begin: Ints, end: Ints, person: Ints, most: int) -> tuple[Ints, Ints]:
    """The stretches in which more than `most` persons play, each counted once."""
    parts = [apart(begin[person == who], end[person == who]) for who in np.unique(person)]
    if len(parts) <= most:
        return begin[:0], end[:0]
    starts, stops = (np.concatenate(it) for it in zip(*parts, strict=True))
    at = np.concatenate([starts, stops])
    step = np.repeat([1, -1], len(starts))
    order = np.lexsort((step, at))
    over = np.cumsum(step[order]) > most
    before = np.append(False, over[:-1])
    return at[order][over & ~before], at[order][~over & before]


def apart(begin: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Intervals that may overlap each other as ones that do not, in order."""
    order = np.argsort(begin, kind="stable")
    low, high = begin[order], np.maximum.accumulate(end[order])
    low[1:] = np.maximum(low[1:], high[:-1])
    return low, high


def covered(begin: Ints, end: Ints, others_begin: Ints, others_end: Ints) -> Ints:
    """How much of each interval lies in the union of others', which may overlap each other."""
    low, high = apart(others_begin, others_end)
    spent = np.append(0, np.cumsum(np.maximum(high - low, 0)))

    def until(at: Ints) -> Ints:
        row = np.searchsorted(low, at, side="right")
        last = np.maximum(row - 1, 0)
        after = np.maximum(high[last] - np.maximum(at, low[last]), 0)
        return np.where(row > 0, spent[row] - after, 0)

    return until(end) - until(begin)
