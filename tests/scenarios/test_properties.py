"""Monotone, idempotent, symmetric: what holds of any judgement, whatever befell its record."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.simulation.honest import HonestScene, honest_scene
from app.simulation.scenarios import SCENARIOS, perform
from detectors.assess import JudgedFacts, assess
from detectors.finding import Evidence, Outcome
from detectors.trace import NONE, Check, PhotoFlag, Trace
from tests.detectors.columns import GRADED, columns_of
from tests.detectors.joining import picked, together
from tests.scenarios import disturbed
from tests.scenarios.corpus import MILD_TO_GRAVE
from tests.thorough import examples

fast = settings(derandomize=True, deadline=None, max_examples=examples(40))
DISTURBANCES = (disturbed.paused, disturbed.delayed, disturbed.doubled, disturbed.reordered)
LONGEST_MS = GRADED["popup_gap"].ms("max_gap_s")
FEW = [name for name in SCENARIOS if name not in ("H30", "F04")]


@cache
def honest(seed: int) -> tuple[HonestScene, JudgedFacts]:
    scene = honest_scene(seed * 50)
    return scene, disturbed.judged(scene, scene.evidence)


@cache
def story(scenario_id: str) -> Trace:
    return columns_of(perform(scenario_id, seed=4)).trace()


def credited_ms(result: JudgedFacts) -> int:
    return sum(hour.credited_ms for hour in result.hours)


def doubt_ms(scene: HonestScene) -> int:
    """A page that hides tells no position: where it stood is known to one heartbeat only."""
    hiding = [r for r in scene.evidence if r.get("type") in ("visibility", "focus")]
    return 25_000 * len(hiding)


def gravity(result: JudgedFacts) -> int:
    return max(MILD_TO_GRAVE.index(outcome.value) for outcome in result.outcomes)


def gist(result: JudgedFacts, sessions: range | None = None) -> list[tuple[object, ...]]:
    """Findings of some sessions in words that do not depend on where they stand."""
    rows = sessions or range(len(result.outcomes))
    return sorted(
        (
            finding.session - rows.start,
            finding.rule,
            finding.reason,
            finding.outcome.value,
            finding.start_ms,
            finding.end_ms,
            finding.measured,
        )
        for finding in result.findings
        if finding.session in rows
    )


@pytest.mark.parametrize("disturb", DISTURBANCES, ids=lambda function: function.__name__)
@fast
@given(seed=st.integers(0, 400), luck=st.integers(0, 1000))
def test_what_networks_do_to_honest_people_never_harms_them_nor_pays(disturb, seed, luck):
    scene, before = honest(seed)
    after = disturbed.judged(scene, disturb(scene.evidence, Random(luck)))
    assert not [f for f in after.findings if f.outcome is Outcome.VIOLATION]
    assert gravity(after) <= gravity(before)
    assert credited_ms(after) <= credited_ms(before) + doubt_ms(scene)


@fast
@given(seed=st.integers(0, 400), luck=st.integers(0, 1000), count=st.integers(2, 4))
def test_several_mishaps_at_once_accuse_nobody_either(seed, luck, count):
    scene, before = honest(seed)
    rng = Random(luck)
    evidence = scene.evidence
    for _ in range(count):
        if disturbed.held_back(evidence):
            break  # a second silence in the middle of a backlog: see test_fast_forward
        evidence = rng.choice(DISTURBANCES)(evidence, rng)
    after = disturbed.judged(scene, evidence)
    assert not [f for f in after.findings if f.outcome is Outcome.VIOLATION]
    assert credited_ms(after) <= credited_ms(before) + doubt_ms(scene)


@fast
@given(seed=st.integers(0, 400))
def test_replaying_the_whole_log_gives_the_same_judgement(seed):
    scene, before = honest(seed)
    events = [record for record in scene.evidence if record["kind"] == "event"]
    after = disturbed.judged(scene, [*scene.evidence, *events, *reversed(events)])
    assert gist(after) == gist(before)
    assert after.hours == before.hours


@settings(derandomize=True, deadline=None, max_examples=examples(20))
@given(order=st.permutations(FEW), size=st.integers(1, 12))
def test_neither_order_nor_chunks_change_what_is_said_of_anybody(order, size):
    order = order[: 2 * size]
    for low in range(0, len(order), size):
        chunk = order[low : low + size]
        result = assess(together([story(name) for name in chunk]), GRADED)
        first = 0
        for name in chunk:
            rows = range(first, first + len(story(name)))
            alone = assess(story(name), GRADED)
            assert gist(result, rows) == gist(alone)
            assert result.outcomes[rows.start : rows.stop] == alone.outcomes
            first = rows.stop
        assert [hour.credited_ms for hour in result.hours] == [
            hour.credited_ms for name in chunk for hour in assess(story(name), GRADED).hours
        ]


@fast
@given(order=st.randoms(use_true_random=False))
def test_learners_behind_one_address_may_stand_in_any_order(order):
    room = columns_of(perform("H31", seed=3)).trace()
    other = columns_of(perform("F35", seed=3)).trace()
    traces = [room, other, story("H01"), story("F13")]
    order.shuffle(traces)
    assert {o.value for o in assess(together(traces), GRADED).outcomes} == {"valid", "invalid"}


# -- missing facts --------------------------------------------------------------------------------
# What is promised when something is lost, precisely:
# * Evidence for a learner (heartbeats, an answered pop-up, a matching photo): without it no sitting
#   and no class-hour becomes valid that was not, and nobody earns more. (Where heartbeats are lost
#   of a fraud, other stretches of it may be voided; the clock's envelope still holds.)
# * Evidence of a demand (a control that was never met): losing it may turn a violation into
#   `not_proven`, but never makes a class-hour valid.


def without_photo(trace: Trace, row: int) -> Trace:
    session = int(np.searchsorted(trace.photos_at, row, side="right")) - 1
    return _less(trace, "photos", session, [row])


def without_control(trace: Trace, row: int) -> Trace:
    """Photos that answered it answer nothing; the others name their control by its new place."""
    session = int(np.searchsorted(trace.controls_at, row, side="right")) - 1
    gone = row - int(trace.controls_at[session])
    photos = trace.photos.copy()
    mine = photos[int(trace.photos_at[session]) : int(trace.photos_at[session + 1])]
    freed = mine["control"] == gone
    mine["flags"][freed] &= ~np.uint16(PhotoFlag.BOUND | PhotoFlag.RANDOM_TIME)
    mine["control"] = np.where(freed, NONE, mine["control"] - (mine["control"] > gone))
    return _less(replace(trace, photos=photos), "controls", session, [row])


def without_beats(trace: Trace, row: int, count: int) -> Trace:
    session = int(np.searchsorted(trace.events_at, row, side="right")) - 1
    stop = min(row + count, int(trace.events_at[session + 1]))
    rows = [r for r in range(row, stop) if trace.events["kind"][r] == 6]
    return _less(trace, "events", session, rows)


def _less(trace: Trace, name: str, session: int, rows: list[int]) -> Trace:
    at = getattr(trace, f"{name}_at").copy()
    at[session + 1 :] -= len(rows)
    return replace(trace, **{name: np.delete(getattr(trace, name), rows), f"{name}_at": at})


def nothing_gained(
    before: JudgedFacts, after: JudgedFacts, *, sittings: bool = True, credit: bool = True
) -> None:
    hours = {(hour.case, hour.hour): hour for hour in before.hours}
    for hour in after.hours:
        was = hours.get((hour.case, hour.hour))
        if hour.outcome.value == "valid":
            assert was is not None and was.outcome.value == "valid"
        if sittings and credit and was is not None:
            assert hour.credited_ms <= was.credited_ms
    if sittings:
        for one, other in zip(before.outcomes, after.outcomes, strict=True):
            assert other.value != "valid" or one.value == "valid"


@fast
@given(name=st.sampled_from(FEW), data=st.data())
def test_a_matching_photo_less_helps_nobody(name, data):
    trace = story(name)
    reused = (trace.photos["flags"] & PhotoFlag.SEEN_BEFORE) != 0
    good = np.flatnonzero((trace.photos["check"] == Check.MATCH) & ~reused)
    if len(good):
        row = data.draw(st.sampled_from(good.tolist()))
        nothing_gained(assess(trace, GRADED), assess(without_photo(trace, row), GRADED))


@fast
@given(name=st.sampled_from(FEW), data=st.data())
def test_an_answered_popup_less_helps_nobody(name, data):
    trace = story(name)
    controls = trace.controls
    answered = np.flatnonzero((controls["answered_ms"] >= 0) & ((controls["flags"] & 184) == 0))
    if len(answered):
        row = data.draw(st.sampled_from(answered.tolist()))
        nothing_gained(assess(trace, GRADED), assess(without_control(trace, row), GRADED))


@fast
@given(name=st.sampled_from(FEW), data=st.data())
def test_lost_heartbeats_help_nobody(name, data):
    trace = story(name)
    row = data.draw(st.integers(0, len(trace.events) - 1))
    lost = without_beats(trace, row, data.draw(st.sampled_from([1, 5, 40])))
    before, after = assess(trace, GRADED), assess(lost, GRADED)
    honest = name[0] == "H"
    # So much may be lost that a fraud looks like an outage: then nobody is accused, and what one
    # stretch without a pop-up may hold is the most that it earns.
    nothing_gained(before, after, sittings=honest, credit=honest)
    if not honest and "invalid" in before.outcomes and "invalid" not in after.outcomes:
        earned = sum(hour.credited_ms for hour in after.hours)
        assert earned <= max(LONGEST_MS, sum(hour.credited_ms for hour in before.hours))


@fast
@given(name=st.sampled_from(FEW), data=st.data())
def test_a_demand_that_is_lost_makes_no_class_hour_valid(name, data):
    trace = story(name)
    unmet = np.flatnonzero(trace.controls["answered_ms"] < 0)
    if len(unmet):
        row = data.draw(st.sampled_from(unmet.tolist()))
        lost = without_control(trace, row)
        nothing_gained(assess(trace, GRADED), assess(lost, GRADED), sittings=False)


def test_without_any_photo_or_control_nobody_is_valid():
    for seed in range(5):
        scene, _ = honest(seed)
        bare = [r for r in scene.evidence if r["kind"] in ("session", "event")]
        assert {o.value for o in disturbed.judged(scene, bare).outcomes}.isdisjoint({"valid"})


def test_without_its_sitting_a_class_hour_is_not_valid():
    trace = story("H08")
    assert [hour.outcome.value for hour in assess(trace, GRADED).hours] == ["valid"]
    for row in range(len(trace)):
        left = assess(picked(trace, [r for r in range(len(trace)) if r != row]), GRADED)
        assert "valid" not in [hour.outcome.value for hour in left.hours]


def test_only_the_server_s_own_knowledge_accuses_on_any_scenario():
    for name in FEW:
        for finding in assess(story(name), GRADED).findings:
            if finding.outcome is Outcome.VIOLATION:
                assert finding.evidence is Evidence.SERVER
