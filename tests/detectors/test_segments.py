"""Arithmetic on runs laid end to end gives what a loop over every run gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.segments import Segments, locate
from detectors.trace import NONE

MOST = 1 << 35  # more milliseconds than a year has
RUNS = st.lists(st.lists(st.integers(-MOST, MOST), min_size=1, max_size=6), max_size=6)


def laid(runs: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    values = np.array([value for run in runs for value in run], np.int64)
    own = np.array([3 * n for n, run in enumerate(runs) for _ in run], np.int64)
    return values, own


@pytest.mark.parametrize(
    ("function", "of_prefix"),
    [
        (Segments.running_min, lambda run, n: min(run[: n + 1])),
        (Segments.running_max, lambda run, n: max(run[: n + 1])),
        (Segments.running_sum, lambda run, n: sum(run[: n + 1])),
        (Segments.remaining_min, lambda run, n: min(run[n:])),
    ],
)
@settings(derandomize=True, deadline=None, max_examples=60)
@given(runs=RUNS)
def test_accumulating_restarts_at_every_run(
    function: Callable, of_prefix: Callable, runs: list[list[int]]
):
    values, own = laid(runs)
    expected = [of_prefix(run, n) for run in runs for n in range(len(run))]
    assert function(Segments(own), values).tolist() == expected


@settings(derandomize=True, deadline=None, max_examples=60)
@given(runs=RUNS)
def test_neighbours_are_found_inside_the_run_only(runs: list[list[int]]):
    values, own = laid(runs)
    odd, runs_of = values % 2 == 1, Segments(own)
    rows = [row for row in np.split(np.arange(len(values)), np.flatnonzero(np.diff(own)) + 1)]
    before, after = [], []
    for run in rows:
        for row in run:
            before.append(max((r for r in run if odd[r] and r <= row), default=NONE))
            after.append(min((r for r in run if odd[r] and r >= row), default=NONE))
    assert runs_of.last_where(odd).tolist() == before
    assert runs_of.next_where(odd).tolist() == after
    assert runs_of.previous(values, 7).tolist() == [
        value for run in runs for value in [7, *run[:-1]]
    ]
    assert runs_of.firsts.tolist() == [n == 0 for run in runs for n in range(len(run))]
    assert runs_of.lasts.tolist() == [n == len(run) - 1 for run in runs for n in range(len(run))]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(runs=RUNS, value=st.integers(-MOST, MOST), place=st.integers(0, 5))
def test_locating_counts_up_to_and_including_the_value(runs, value, place):
    runs = [sorted(run) for run in runs]
    values, own = laid(runs)
    wanted = np.array([3 * place]), np.array([value])
    before = sum(len(run) for run in runs[:place])
    inside = sum(1 for v in runs[place] if v <= value) if place < len(runs) else 0
    assert locate(own, values, *wanted).tolist() == [before + inside]


def test_nothing_at_all_is_fine_too():
    none = np.zeros(0, np.int64)
    for function in (
        Segments.running_min,
        Segments.running_max,
        Segments.running_sum,
        Segments.remaining_min,
    ):
        assert function(Segments(none), none).tolist() == []
    nothing, runs = np.zeros(0, np.bool_), Segments(none)
    assert runs.last_where(nothing).tolist() == runs.next_where(nothing).tolist() == []
    assert runs.previous(none, none).tolist() == []
    assert runs.firsts.tolist() == runs.lasts.tolist() == []
