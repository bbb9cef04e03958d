"""What detectors share that look at several people of a class together."""

from __future__ import annotations

import math
from collections.abc import Iterable


def groups(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Everybody who is connected by pairs, in order.

    >>> groups([(1, 2), (5, 4), (2, 3)])
    [[1, 2, 3], [4, 5]]
    """
    leader: dict[int, int] = {}

    def of(one: int) -> int:
        while leader.setdefault(one, one) != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    for one, other in pairs:
        low, high = sorted((of(one), of(other)))
        leader[high] = low
    found: dict[int, list[int]] = {}
    for one in sorted(leader):
        found.setdefault(of(one), []).append(one)
    return list(found.values())


def by_accident(count: int, expected: float) -> float:
    """How likely `count` or more of something are that happens `expected` times on average.

    >>> round(by_accident(1, 0.1), 4)
    0.0952
    """
    term = below = math.exp(-expected)
    for number in range(1, count):
        term *= expected / number
        below += term
    tail, term = 0.0, term * expected / max(count, 1)
    for number in range(count, count + 60):  # summed from the small end: no 1 - 0.999…
        tail += term
        term *= expected / (number + 1)
    return tail if count else 1.0
