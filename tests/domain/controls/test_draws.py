"""Draws: uniform, recomputable, and secret until the seed is told."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.controls import draws

SEEDS = st.binary(min_size=32, max_size=32)


@given(SEEDS, st.integers(0, 1000), st.integers(-1000, 1000), st.integers(0, 10**6))
def test_a_draw_lies_in_its_range_and_repeats(seed: bytes, n: int, low: int, span: int) -> None:
    drawn = draws.whole(seed, "x", n, low, low + span)
    assert low <= drawn <= low + span
    assert drawn == draws.whole(seed, "x", n, low, low + span)


def test_draws_are_spread_evenly_and_reach_both_ends() -> None:
    count = Counter(draws.whole(bytes(32), "x", n, 0, 9) for n in range(20_000))
    assert set(count) == set(range(10))
    assert all(1_800 < times < 2_200 for times in count.values())


def test_pop_up_intervals_lie_between_180_and_285_seconds() -> None:
    intervals = [draws.popup_interval_ms(bytes(32), n, 180_000, 285_000) for n in range(2_000)]
    assert min(intervals) >= 180_000 and max(intervals) <= 285_000
    assert max(intervals) - min(intervals) > 104_000


@given(SEEDS, st.integers(0, 50))
def test_a_photo_point_lies_in_one_of_its_stretches(seed: bytes, n: int) -> None:
    stretches = ((1, 100, 200), (2, 0, 1), (3, 50, 60))
    lesson, position = draws.photo_point(seed, n, stretches)
    assert any(it[0] == lesson and it[1] <= position < it[2] for it in stretches)


def test_without_a_stretch_there_is_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="no stretch"):
        draws.photo_point(bytes(32), 0, ())


def test_names_differ_between_kinds_numbers_and_seeds() -> None:
    names = {
        draws.challenge_id(seed, kind, n)
        for seed in (bytes(32), b"x" * 32)
        for kind in ("popup", "snapshot")
        for n in range(5)
    } | {draws.nonce(bytes(32), "popup", n) for n in range(5)}
    assert len(names) == 25


def test_worked_example_for_auditors() -> None:
    """The example of docs/controls.md, so that another program can be held against it."""
    seed = bytes(range(32))
    assert draws.commitment(seed).hex() == (
        "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"
    )
    assert draws.popup_interval_ms(seed, 0, 180_000, 285_000) == 200_899
    assert draws.photo_point(seed, 0, ((7, 60_000, 2_640_000),)) == (7, 2_040_453)
    assert draws.actions(seed, 0, moves=True) == ["turn_left", "farther", "turn_left"]


def test_a_step_nearer_or_farther_is_drawn_anywhere_among_the_same_two_turns() -> None:
    seed = bytes(range(32))
    drawn = {tuple(draws.actions(seed, n, moves=True)) for n in range(600)}
    assert len(drawn) == 24  # 4 pairs of turns, 2 steps, 3 places
    for n in range(50):
        asked = draws.actions(seed, n, moves=True)
        assert [it for it in asked if it in draws.TURNS] == draws.actions(seed, n)
