"""A log whose times contradict each other proves nothing and accuses nobody; outages and late ends
contradict nothing."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.simulation.environment import DEFAULT_START_MS, Setting
from app.simulation.honest import honest_scene
from app.simulation.scenarios import perform
from detectors import contradicting_times
from detectors.assess import JudgedFacts, SessionOutcome, assess
from detectors.facts import facts
from detectors.finding import Fault, Outcome
from detectors.trace import Kind, SessionFlag
from tests.detectors.columns import GRADED, Columns
from tests.detectors.stories import HONEST, Sitting, found
from tests.scenarios.disturbed import trace_of
from tests.scenarios.honest import columns
from tests.thorough import examples

RULE = "contradicting_times"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
Record = dict[str, Any]
STAMPS = {
    "event": ("received_at_ms",),
    "control": ("issued_at_ms", "due_at_ms"),
    "snapshot": ("received_at_ms", "taken_at_ms"),
    "session": ("started_at_ms", "ended_at_ms"),
}
# Whole hours are a time zone; what is shorter than the overlap hides none of it.
SHIFTS = st.one_of(
    st.sampled_from([-DAY, -8 * HOUR, -HOUR, HOUR, 7 * HOUR, 8 * HOUR, DAY, 3 * DAY]),
    st.integers(40 * MINUTE, 10 * DAY),
    st.integers(-10 * DAY, -40 * MINUTE),
)


@cache
def _lesson(lesson: int, seed: int) -> tuple[list[Record], list[Record], dict[str, Any]]:
    begin = DEFAULT_START_MS + (lesson - 1) * 5 * MINUTE
    scene = perform("H01", seed=seed, setting=Setting(lesson=lesson, start_ms=begin))
    return scene.catalogue, scene.evidence, scene.photos


def at_once(seed: int, shift_ms: int, kinds: Collection[str], share: float = 1.0) -> Columns:
    """Lin studies lessons 1 and 2 at once; in the log of the second, records of some kinds have
    other times: all of them, those from `share` on, or (negative) those up to it."""
    catalogue, first, photos = _lesson(1, seed)
    _, second, more = _lesson(2, seed)
    second = sorted(second, key=lambda it: it.get("seq", -1))
    seqs = [it["seq"] for it in second if it["kind"] == "event"]
    border = seqs[min(int(abs(share) * len(seqs)), len(seqs) - 1)]

    def moves(record: Record) -> bool:
        if record["kind"] != "event" or share == 1.0:
            return record["kind"] in kinds
        return (record["seq"] >= border) == (share > 0) and "event" in kinds

    moved = [
        record
        | {name: record[name] + shift_ms for name in STAMPS[record["kind"]] if record.get(name)}
        if moves(record)
        else record
        for record in second
    ]
    return Columns([*catalogue, *first, *moved], photos | more, {"lin-yi": 1})


def judged(log: Columns) -> JudgedFacts:
    return assess(log.trace(), GRADED)


def proves_both(result: JudgedFacts) -> bool:
    return result.outcomes == [SessionOutcome.VALID] * 2


def test_both_lessons_at_once_are_an_overlap_as_long_as_the_log_is_right():
    assert "multi_window" in {it.rule for it in judged(at_once(0, 0, ())).findings}


@settings(derandomize=True, deadline=None, max_examples=examples(60))
@given(SHIFTS, st.integers(0, 3))
@example(8 * HOUR, 0)
def test_receive_times_that_were_moved_away_prove_nothing_and_accuse_nobody(shift_ms, seed):
    result = judged(at_once(seed, shift_ms, {"event"}))
    assert result.outcomes == [SessionOutcome.VALID, SessionOutcome.NOT_PROVEN]
    (finding,) = [it for it in result.findings if it.rule == RULE]
    assert (finding.session, finding.fault) == (1, Fault.PLATFORM)
    assert not [it for it in result.findings if it.outcome is Outcome.VIOLATION]


@settings(derandomize=True, deadline=None, max_examples=examples(60))
@given(
    SHIFTS,
    st.integers(0, 3),
    st.sampled_from(
        [
            {"event", "session"},
            {"event", "snapshot"},
            {"event", "snapshot", "session"},
            {"event", "control"},
        ]
    ),
)
def test_moving_part_of_the_rest_along_does_not_help(shift_ms, seed, kinds):
    assert not proves_both(judged(at_once(seed, shift_ms, kinds)))


@settings(derandomize=True, deadline=None, max_examples=examples(80))
@given(SHIFTS, st.integers(0, 3), st.floats(0.1, 0.9), st.booleans())
def test_moving_only_some_of_the_events_does_not_help(shift_ms, seed, share, first):
    assert not proves_both(judged(at_once(seed, shift_ms, {"event"}, -share if first else share)))


@pytest.mark.parametrize("kinds", [{"control"}, {"session"}], ids=lambda it: "".join(it))
@pytest.mark.parametrize("shift_ms", [-8 * HOUR, 8 * HOUR, -DAY, DAY])
def test_what_is_said_of_the_sitting_and_lies_elsewhere_is_named(kinds, shift_ms):
    log = at_once(0, shift_ms, kinds)
    findings = judged(log).findings
    named = [log.sessions[it.session] for it in findings if it.rule == RULE]
    assert named == [name for name in log.sessions if "-02-" in name]


@pytest.mark.parametrize("shift_ms", [-8 * HOUR, 8 * HOUR, 7 * DAY])
def test_a_log_that_is_off_as_a_whole_does_not_contradict_itself(shift_ms):
    """An exporter with another time zone: nothing to see in the file, and nobody to accuse."""
    scene = honest_scene(3)
    moved = [
        record
        | {name: record[name] + shift_ms for name in STAMPS[record["kind"]] if record.get(name)}
        for record in scene.evidence
    ]
    trace = trace_of(scene, moved)
    assert contradicting_times.detect(facts(trace, GRADED), GRADED) == []


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_honest_sittings_with_outages_and_sleep_fit_their_own_times(first):
    for seed in range(first, first + 20):
        trace = columns(honest_scene(seed)).trace()
        assert contradicting_times.detect(facts(trace, GRADED), GRADED) == []


ATTESTED = HONEST | SessionFlag.ATTESTED


def told(start: float, end: float, flags: int = ATTESTED) -> Sitting:
    return Sitting(told=(start, end), flags=flags).class_hour(1200)


@pytest.mark.parametrize(("start", "named"), [(120.0, False), (120.001, True)])
def test_two_minutes_before_the_beginning_are_allowed(start, named):
    """The whole sitting was received before it began, but for what may be another clock."""
    sitting = Sitting(told=(start, 9_000), flags=ATTESTED).play()
    findings = found(RULE, sitting)
    assert [it.reason for it in findings] == (["before_the_start"] if named else [])


def test_a_backlog_after_the_end_is_a_straggler():
    lin = Sitting(told=(0, 600), flags=ATTESTED).play().watch(600)
    lin.t = 30_000.0
    for _ in range(60):
        lin.tell(Kind.PROGRESS, lin.t, lin.pos + 10)
    assert found(RULE, lin) == []


def test_play_beat_by_beat_after_the_end_is_a_contradiction():
    lin = Sitting(told=(0, 600), flags=ATTESTED).play().watch(1200)
    (finding,) = found(RULE, lin)
    assert (finding.reason, finding.measured) == ("after_the_end", 600.0)


def test_a_live_sitting_has_the_server_s_own_times():
    lin = Sitting(told=(0, 600)).play().watch(1200)
    assert found(RULE, lin) == []


def test_a_random_subset_with_other_times_is_not_proven_or_harmless():
    rng = Random(5)
    catalogue, first, photos = _lesson(1, 0)
    _, second, more = _lesson(2, 0)
    for shift_ms in (-8 * HOUR, 8 * HOUR):
        moved = [
            it | {"received_at_ms": it["received_at_ms"] + shift_ms}
            if it["kind"] == "event" and rng.random() < 0.2
            else it
            for it in second
        ]
        log = Columns([*catalogue, *first, *moved], photos | more, {"lin-yi": 1})
        assert not proves_both(judged(log))
