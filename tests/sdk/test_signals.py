"""Observations that take minutes, on clocks and a screen moved by hand: the modules themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.sdk.school import School

pytestmark = pytest.mark.browser
Beats = Callable[[str], list[Any]]

# What the modules take for the browser's own, because it is there before them.
MOVED_BY_HAND = """
  window.elapsed = 1_000; window.today = 1_800_000_000_000; window.drawn = [];
  Performance.prototype.now = () => window.elapsed;
  Date.now = () => window.today;
  window.requestAnimationFrame = (run) => window.drawn.push(run);
  window.cancelAnimationFrame = () => {};
"""
SET_UP = """
  const told = [];
  const report = (type, { code, value }) => told.push([type, code, value]);
  const { clockPace } = await import("/sdk/v1/x/clock.js");
  const { frames } = await import("/sdk/v1/x/frames.js");
  const { Scope } = await import("/sdk/v1/x/scope.js");
  const player = { playing: true };
  const scope = new Scope();
  const clock = clockPace(report), screen = frames(scope, player, report);
  const pass = (elapsed, today = elapsed) => { window.elapsed += elapsed; window.today += today; };
  const draw = () => window.drawn.splice(0).forEach((run) => run(0));
"""


@pytest.fixture
def observed(browser: Browser, school: School) -> Beats:
    """What was reported after such a script."""
    page = browser.new_page()
    page.add_init_script(MOVED_BY_HAND)
    page.goto(f"{school.service}/healthz")

    def observed(script: str) -> list[Any]:
        found: list[Any] = page.evaluate(f"async () => {{ {SET_UP} {script}; return told; }}")
        return found

    return observed


def test_clocks_that_agree_are_not_worth_a_word(observed: Beats) -> None:
    assert observed("for (let n = 0; n < 30; n++) { pass(10_000); clock(); }") == []


def test_a_date_that_runs_four_times_as_fast_is_told_of(observed: Beats) -> None:
    told = observed("for (let n = 0; n < 8; n++) { pass(10_000, 40_000); clock(); }")
    assert told == [["integrity", "clock_skew", 4]]


@pytest.mark.parametrize(
    "step",
    ["pass(10_000, 3_610_000)", "pass(10_000, -3_590_000)", "pass(10, 7_200_000)"],
    ids=["set forward", "set back", "slept for two hours"],
)
def test_a_clock_that_steps_once_is_none(observed: Beats, step: str) -> None:
    beats = "for (let n = 0; n < 5; n++) { pass(10_000); clock(); }"
    assert observed(f"{beats} {step}; clock(); {beats}") == []


def test_a_page_that_plays_and_is_never_drawn_is_told_of_once(observed: Beats) -> None:
    told = observed("for (let n = 0; n < 6; n++) screen()")
    assert told == [["integrity", "no_frames", 0]]


def test_a_lesson_in_a_frame_may_be_out_of_view(browser: Browser, school: School) -> None:
    """Of a frame from another site that was scrolled away nothing is drawn, and it is visible."""
    page = browser.new_page()
    page.add_init_script(MOVED_BY_HAND)
    page.goto(f"{school.url}/framed?learner=nobody")
    frame = page.frames[1]
    frame.wait_for_function("() => window.drawn")
    set_up = SET_UP.replace('"/sdk', f'"{school.service}/sdk')
    script = "for (let n = 0; n < 6; n++) screen(); return [told, drawn.length];"
    assert frame.evaluate(f"async () => {{ {set_up} {script} }}") == [[], 0]
    page.close()


@pytest.mark.parametrize(
    "beats",
    [
        "for (let n = 0; n < 6; n++) { screen(); draw(); }",
        "player.playing = false; for (let n = 0; n < 6; n++) screen()",
        "for (let n = 0; n < 6; n++) { screen(); if (n % 2) draw(); }",
    ],
    ids=["drawn", "paused", "one missed"],
)
def test_a_page_that_is_drawn_or_does_not_play_is_none(observed: Beats, beats: str) -> None:
    assert observed(beats) == []
