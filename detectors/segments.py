"""Arithmetic on many short runs laid end to end, restarting at every run's beginning.

The trick is the same throughout: runs are lifted so far apart that one plain accumulate over
everything never crosses from one to the next. Exact, because everything is an integer.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors.trace import NONE, Bools, Ints

APART = np.int64(1 << 42)  # milliseconds: more than any time or position within one run

Value = TypeVar("Value", np.int64, np.bool_)


class Segments:
    """Runs of rows; `own`, int64[N], names the run of every row and never decreases.

    >>> runs = Segments(np.array([0, 0, 0, 1, 1]))
    >>> runs.running_min(np.array([3, 1, 2, 9, 8])).tolist()
    [3, 1, 1, 9, 8]
    >>> runs.remaining_min(np.array([3, 1, 2, 9, 8])).tolist()
    [1, 1, 2, 8, 8]
    """

    def __init__(self, own: Ints) -> None:
        head = np.ones(len(own), np.bool_)
        head[1:] = own[1:] != own[:-1]
        self.own, self.firsts, self._starts = own, head, np.flatnonzero(head)

    @cached_property
    def lasts(self) -> Bools:
        """True where a run ends."""
        return np.append(self.firsts[1:], True) if len(self.own) else self.firsts

    @cached_property
    def _lift(self) -> Ints:
        return self.own * APART

    @cached_property
    def _sizes(self) -> Ints:
        return np.diff(self._starts, append=len(self.own))

    @cached_property
    def _begin(self) -> Ints:
        """The first row of every row's run."""
        return np.repeat(self._starts, self._sizes)

    def running_min(self, values: Ints) -> Ints:
        """Smallest value so far in the run."""
        return np.minimum.accumulate(values - self._lift) + self._lift

    def running_max(self, values: Ints) -> Ints:
        """Largest value so far in the run."""
        return np.maximum.accumulate(values + self._lift) - self._lift

    def remaining_min(self, values: Ints) -> Ints:
        """Smallest value from here to the end of the run."""
        return np.minimum.accumulate((values + self._lift)[::-1])[::-1] - self._lift

    def running_sum(self, values: Ints) -> Ints:
        """Sum so far in the run, the element itself included."""
        total = np.cumsum(values)
        return total - np.repeat(total[self._starts] - values[self._starts], self._sizes)

    def previous(self, values: NDArray[Value], fill: NDArray[Value] | int) -> NDArray[Value]:
        """The value before, in the run; `fill` at its beginning."""
        result = np.empty_like(values)
        result[1:] = values[:-1]
        result[self._starts] = fill[self._starts] if isinstance(fill, np.ndarray) else fill
        return result

    def last_where(self, condition: Bools) -> Ints:
        """Row of the latest element so far in the run where the condition held, NONE before any.

        >>> rows = Segments(np.array([0, 0, 0, 1]))
        >>> rows.last_where(np.array([False, True, False, False])).tolist()
        [-1, 1, 1, -1]
        """
        rows = np.flatnonzero(condition)
        latest = np.full(len(self.own), NONE, np.int64)
        if len(rows):
            latest[rows[0] :] = np.repeat(rows, np.diff(rows, append=len(self.own)))
        return np.where(latest >= self._begin, latest, NONE)

    def next_where(self, condition: Bools) -> Ints:
        """Row of the next element in the run, from here on, where the condition holds, else
        NONE."""
        rows = np.flatnonzero(condition)
        upcoming = np.full(len(self.own), len(self.own), np.int64)
        if len(rows):
            upcoming[: rows[-1] + 1] = np.repeat(rows, np.diff(rows, prepend=-1))
        end = self._begin + np.repeat(self._sizes, self._sizes)
        return np.where(upcoming < end, upcoming, NONE)


def among(kinds: Iterable[int]) -> Bools:
    """A table to look up membership by: `among((1, 3))[kind]` for uint8 columns."""
    table = np.zeros(256, np.bool_)
    table[list(kinds)] = True
    return table


def locate(own: Ints, values: Ints, at_own: Ints, at_values: Ints) -> Ints:
    """How many elements lie at or before each (run, value); values are sorted within runs."""
    return np.searchsorted(own * APART + values, at_own * APART + at_values, side="right")
