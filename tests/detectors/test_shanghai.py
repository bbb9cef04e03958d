"""Days of Shanghai, and stretches that are cut at their borders."""

from __future__ import annotations

import numpy as np

from detectors.shanghai import DAY_MS, days_of, midnight_ms, split_at_midnight

MIDNIGHT = 1_791_734_400_000  # 2026-10-12 00:00 in Shanghai


def test_a_day_begins_at_midnight_in_shanghai():
    day = days_of(np.array([MIDNIGHT - 1, MIDNIGHT]))
    assert day[1] - day[0] == 1 and midnight_ms(day)[1] == MIDNIGHT


def test_a_stretch_over_two_midnights_becomes_three_of_the_same_row():
    begin, end = np.array([MIDNIGHT - 5]), np.array([MIDNIGHT + DAY_MS + 7])
    row, low, high = split_at_midnight(np.array([4]), begin, end)
    assert row.tolist() == [4, 4, 4]
    assert (high - low).tolist() == [5, DAY_MS, 7]


def test_nothing_stays_nothing():
    nothing = np.zeros(0, np.int64)
    assert all(not len(it) for it in split_at_midnight(nothing, nothing, nothing))
