"""No parser falls over: over its seeds always, over what coverage leads to when thorough."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.fuzz.__main__ import fuzz
from tests.fuzz.targets import FOUND, SEEDS, TARGETS, tried

BOUND = "-seed=1 -runs=20000"  # not a time: on no machine more than on another


@pytest.mark.parametrize("name", TARGETS)
def test_a_whole_input_is_taken_and_any_beginning_of_it_is_read_or_refused(name: str) -> None:
    target = TARGETS[name]
    for seed in SEEDS[target]:
        assert tried(target, seed)
        for end in range(0, len(seed), max(1, len(seed) // 25)):
            tried(target, seed[:end])


def test_what_made_a_parser_fall_over_once_is_refused() -> None:
    for target, data in FOUND:
        assert not tried(target, data)


@pytest.mark.thorough
@pytest.mark.skipif(not importlib.util.find_spec("atheris"), reason="not tried: no atheris here")
@pytest.mark.parametrize("name", TARGETS)
def test_what_coverage_leads_to_is_read_or_refused(name: str, tmp_path: Path) -> None:
    code, log = fuzz(name, BOUND, folder=tmp_path)
    assert code == 0, log[-3000:]
