"""Arithmetic on many short runs laid end to end: each function restarts at every run's beginning.

`own` is the run of every element (non-decreasing). The trick is the same throughout: runs are
lifted so far apart that one plain accumulate over everything never crosses from one to the next.
Exact, because everything is an integer.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detectors.trace import NONE, Bools, Ints

APART = np.int64(1 << 42)  # milliseconds: more than any time or position within one run


def running_min(values: Ints, own: Ints) -> Ints:
    """Smallest value so far in the run.

    >>> running_min(np.array([3, 1, 2, 9, 8]), np.array([0, 0, 0, 1, 1])).tolist()
    [3, 1, 1, 9, 8]
    """
    lift = own * APART
    return np.minimum.accumulate(values - lift) + lift


def running_max(values: Ints, own: Ints) -> Ints:
    """Largest value so far in the run."""
    lift = own * APART
    return np.maximum.accumulate(values + lift) - lift


def remaining_min(values: Ints, own: Ints) -> Ints:
    """Smallest value from here to the end of the run.

    >>> remaining_min(np.array([3, 1, 2, 9, 8]), np.array([0, 0, 0, 1, 1])).tolist()
    [1, 1, 2, 8, 8]
    """
    lift = own * APART
    return np.minimum.accumulate((values + lift)[::-1])[::-1] - lift


def running_sum(values: Ints, own: Ints) -> Ints:
    """Sum so far in the run, the element itself included."""
    total = np.cumsum(values)
    first = firsts(own)
    before = (total - values)[first]
    return total - before[np.cumsum(first) - 1] if len(values) else total


def firsts(own: Ints) -> Bools:
    """True where a run begins."""
    result = np.ones(len(own), np.bool_)
    result[1:] = own[1:] != own[:-1]
    return result


def lasts(own: Ints) -> Bools:
    """True where a run ends."""
    result = np.ones(len(own), np.bool_)
    result[:-1] = own[1:] != own[:-1]
    return result


def previous(values: Ints, own: Ints, fill: Ints | int) -> Ints:
    """The value before, in the run; `fill` at its beginning."""
    result = np.empty_like(values)
    result[1:] = values[:-1]
    return np.where(firsts(own), fill, result)


def among(kinds: Iterable[int]) -> Bools:
    """A table to look up membership by: `among((1, 3))[kind]` for uint8 columns."""
    table = np.zeros(256, np.bool_)
    table[list(kinds)] = True
    return table


def last_where(condition: Bools, own: Ints) -> Ints:
    """Row of the latest element so far in the run where the condition held, NONE before any.

    >>> last_where(np.array([False, True, False, False]), np.array([0, 0, 0, 1])).tolist()
    [-1, 1, 1, -1]
    """
    rows = np.where(condition, np.arange(len(own), dtype=np.int64), NONE)
    latest = np.maximum.accumulate(rows) if len(rows) else rows
    valid = latest >= 0
    same = np.zeros(len(own), np.bool_)
    same[valid] = own[latest[valid]] == own[valid]
    return np.where(same, latest, NONE)


def next_where(condition: Bools, own: Ints) -> Ints:
    """Row of the next element in the run, from here on, where the condition holds, else NONE."""
    size = len(own)
    rows = np.where(condition, np.arange(size, dtype=np.int64), size)
    upcoming = np.minimum.accumulate(rows[::-1])[::-1] if size else rows
    valid = upcoming < size
    same = np.zeros(size, np.bool_)
    same[valid] = own[upcoming[valid]] == own[valid]
    return np.where(same, upcoming, NONE)


def locate(own: Ints, values: Ints, at_own: Ints, at_values: Ints) -> Ints:
    """How many elements lie at or before each (run, value); values are sorted within runs."""
    return np.searchsorted(own * APART + values, at_own * APART + at_values, side="right")
