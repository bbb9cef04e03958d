"""A slow line stretches no honest action, and gives nobody time who sends what is ready."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.simulation.demands import Due
from app.simulation.entities import Action
from app.vision.frame_times import LONGEST_ON_THE_WAY_MS, as_taken
from app.vision.liveness import Challenge, Frame, verify
from tests.vision.test_liveness import QUALITY, reading

ACTIONS: tuple[Action, ...] = ("turn_left", "nearer", "turn_right")
FRAMES, IN_FLIGHT = 23, 4
ASKED = Challenge(ACTIONS, issued_at_ms=0, window_ms=75_000, frames=FRAMES)
BEGUN_MS = 2_000
JAW = {"turn_left": 0.95, "turn_right": -0.95}

Times = st.lists(st.integers(0, 60_000), min_size=1, max_size=23)


def taken() -> list[tuple[int, Action | None]]:
    """When the SDK takes each frame after the prompt, and what the learner then does."""
    due, found = Due("check", "challenge", FRAMES, 0.0, BEGUN_MS / 1000, ACTIONS), []
    while True:
        place, into = due.prompt() or (0, 0.0)
        does = ACTIONS[place] if 0.15 <= into <= 0.7 else None
        found.append((round(due.not_before_s * 1000), does))
        following = due.following(due.not_before_s)
        if following is None:
            return found
        due = following


def over(line: Random, longest_ms: int, clock_ms: int = 5_000_000) -> list[Frame]:
    """The burst as it arrives, four photos on their way at once, each after a time of its own."""
    arrived: list[int] = []
    frames = []
    for at, does in taken():
        sent = at if len(arrived) < IN_FLIGHT else max(at, arrived[-IN_FLIGHT])
        arrived.append(sent + line.randint(20, longest_ms))
        seen = reading(JAW.get(does or "", 0.0))
        size = 78 * (1.4 if does == "nearer" else 1.0)
        seen = replace(seen, quality=replace(QUALITY, interocular=size))
        frames.append(Frame(arrived[-1], seen, at + clock_ms))
    return frames


@pytest.mark.parametrize("longest_ms", [100, 1_000, 4_000, 6_000])
def test_lin_passes_over_a_line_that_delays_each_photo_by_another_time(longest_ms: int) -> None:
    found = [verify(over(Random(seed), longest_ms), ASKED) for seed in range(25)]
    assert {it.outcome for it in found} == {"live"}


def test_over_such_a_line_arrival_alone_would_refuse_lin() -> None:
    frames = [replace(it, taken_ms=None) for it in over(Random(1), 4_000)]
    assert "turn_too_slow" in verify(frames, ASKED).reasons


def test_what_a_line_holds_back_and_delivers_in_a_heap_still_counts() -> None:
    """One connection: the first photo is held up, and those behind it wait."""
    frames = [replace(it, at_ms=max(it.at_ms, 9_000)) for it in over(Random(1), 100)]
    frames[-1] = replace(frames[-1], at_ms=12_100)
    assert verify(frames, ASKED).outcome == "live"


def test_a_burst_that_was_ready_is_too_fast_whatever_times_it_tells() -> None:
    frames = [replace(it, at_ms=4_000 + 3 * n) for n, it in enumerate(over(Random(1), 100))]
    assert "too_fast" in verify(frames, ASKED).reasons


def test_whoever_takes_minutes_over_an_action_is_too_slow_whatever_times_are_told() -> None:
    slow = replace(ASKED, window_ms=600_000)
    frames = [replace(it, at_ms=2_000 + 3_000 * n) for n, it in enumerate(over(Random(1), 100))]
    assert "turn_too_slow" in verify(frames, slow).reasons


def test_times_told_of_a_turn_sooner_than_a_person_s_help_nobody() -> None:
    """By the told times the whole burst took two seconds: it counts by its arrival."""
    frames = [
        replace(it, at_ms=2_000 + 1_200 * n, taken_ms=90 * n)
        for n, it in enumerate(over(Random(1), 100))
    ]
    assert "turn_too_slow" in verify(frames, ASKED).reasons


@pytest.mark.parametrize("step_ms", [-40_000, 40_000])
def test_a_clock_that_is_set_meanwhile_costs_lin_nothing(step_ms: int) -> None:
    frames = over(Random(1), 100)
    moved = [replace(it, taken_ms=(it.taken_ms or 0) + step_ms) for it in frames[9:]]
    assert verify([*frames[:9], *moved], ASKED).outcome == "live"


@given(Times, st.data())
def test_no_frame_is_taken_after_it_arrives_or_longer_before_than_a_line_holds_it(
    told: list[int], data: st.DataObject
) -> None:
    told = sorted(set(told))
    size = len(told)
    delays = data.draw(st.lists(st.integers(0, 45_000), min_size=size, max_size=size))
    received = [at + delay for at, delay in zip(told, delays, strict=True)]
    found = as_taken(received, told)
    assert (found is None) == (max(delays) - min(delays) > LONGEST_ON_THE_WAY_MS)
    if found is not None:
        assert [at - it for at, it in zip(received, found, strict=True)] == [
            it - min(delays) for it in delays
        ]


@given(Times)
def test_times_that_do_not_rise_with_the_frames_tell_nothing(told: list[int]) -> None:
    rising = all(later > earlier for earlier, later in pairwise(told))
    assert (as_taken([90_000] * len(told), list(told)) is None) >= (not rising)


@given(Times, st.integers(-(10**12), 10**12))
def test_where_the_client_s_clock_stands_makes_no_difference(told: list[int], off: int) -> None:
    told = sorted(set(told))
    received = [it + 70 for it in told]
    assert as_taken(received, [it + off for it in told]) == received
