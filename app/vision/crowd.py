"""One face under several accounts: exact search over account means.

A hit is a candidate for a person to look at, with corroboration from elsewhere, never a finding by
itself: among n accounts there are n²/2 chances for a false one. Exact search is cheap enough (50 ms
for one face against a million accounts); use thresholds calibrated for means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.vision.match import pairwise
from app.vision.model_card import Metric

_ROWS = 512  # at a time: bounds the memory to 512 distances an account


@dataclass(frozen=True, slots=True)
class SameFace:
    """Rows ``first`` < ``second`` of the searched means, and their distance."""

    first: int
    second: int
    distance: float


def same_faces(
    means: NDArray[np.floating],
    max_distance: float,
    metric: Metric = "euclidean",
) -> list[SameFace]:
    """All pairs of accounts up to ``max_distance`` apart, the closest first.

    ``means`` is (n, dim), one row an account, all of one model.
    """
    found: list[SameFace] = []
    for start in range(0, len(means), _ROWS):
        table = pairwise(means[start : start + _ROWS], means[start:], metric)
        rows, columns = np.nonzero(np.triu(table <= max_distance, k=1))
        found += [
            SameFace(start + int(row), start + int(column), float(table[row, column]))
            for row, column in zip(rows, columns, strict=True)
        ]
    return sorted(found, key=lambda pair: pair.distance)
