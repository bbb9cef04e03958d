"""The false-accusation budget: nobody honest is accused. `benchmarks/honest.py` counts 10,000."""

from __future__ import annotations

import pytest

from app.simulation.honest import honest_scene
from tests.scenarios.honest import OPEN, judged

CHUNK = 125


@pytest.mark.parametrize("first", range(100_000, 101_000, CHUNK))
def test_of_a_thousand_honest_learners_nobody_is_accused(first):
    scenes = [(seed, honest_scene(seed)) for seed in range(first, first + CHUNK)]
    told = judged([(seed, scene) for seed, scene in scenes if not scene.oddities & OPEN])
    assert told.scenes > 0
    assert (told.accused, told.doubted, told.blamed, told.refused) == ([], [], [], 0)
    assert told.outcomes["invalid"] == 0
    assert told.outcomes["pending_review"] == 0
