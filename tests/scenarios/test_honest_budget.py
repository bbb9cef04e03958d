"""The false-accusation budget: nobody honest is accused. `benchmarks/honest.py` counts 10,000."""

from __future__ import annotations

import pytest

from tests.scenarios.honest import tally

CHUNK = 125
SEEDS = range(100_000, 101_000, CHUNK)


@pytest.mark.parametrize(
    "first", [*SEEDS[:2], *(pytest.param(it, marks=pytest.mark.thorough) for it in SEEDS[2:])]
)
def test_of_a_thousand_honest_learners_nobody_is_accused(first):
    told = tally(range(first, first + CHUNK))
    assert told.scenes == CHUNK
    assert (told.accused, told.doubted, told.blamed, told.refused) == ([], [], [], 0)
    assert told.outcomes["invalid"] == 0
    assert told.outcomes["pending_review"] == 0
