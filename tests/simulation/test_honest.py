"""Honest compositions are honest: a second opinion finds nothing to say against them."""

from __future__ import annotations

import pytest

from app.simulation.honest import honest_scene, random_honest
from app.simulation.scenarios import SCENARIOS, perform
from tests.detectors.bursts import passes
from tests.simulation.oracle import (
    lead_over_the_server_s,
    longest_gap_s,
    played_under_open_popups_s,
    seq_gaps,
    sittings,
)

MAX_GAP_S = 300.0
HANDOVER_MS = 10_000
SEEDS = range(300)
ALONE = [
    scenario.id
    for scenario in SCENARIOS.values()
    if scenario.honest and scenario.id not in ("H30", "H31", "H10", "H43", "H44", "H45")
]


# Players that misread their own position, and those that stop late, are odd by the records as well.
MISREAD = {"reads_zero", "reads_stale", "advertisement", "whole_seconds", "silent_player"}
LATE = {"late_stop", "slow_device", "plays_again"}


@pytest.fixture(scope="module")
def compositions():
    return {seed: random_honest(seed) for seed in SEEDS}


@pytest.fixture(scope="module")
def plain():
    """Those whose records tell what really happened."""
    scenes = {seed: honest_scene(seed) for seed in SEEDS}
    odd = MISREAD | LATE
    kept = {seed: scene.evidence for seed, scene in scenes.items() if not scene.oddities & odd}
    assert len(kept) > 50
    return kept


def test_nobody_plays_faster_than_the_servers_clock(plain):
    for seed, records in plain.items():
        for told in sittings(records):
            assert lead_over_the_server_s(told) < 0.5, seed


def test_a_popup_comes_within_five_minutes_of_play_told_in_time(plain):
    """Unless no answer comes that could bring it."""
    for seed, records in plain.items():
        if not honest_scene(seed).oddities & {"answers_lost", "unheard_batches"}:
            assert longest_gap_s(sittings(records)) <= MAX_GAP_S, seed


def test_play_stands_still_while_a_popup_is_open(plain):
    for seed, records in plain.items():
        for told in sittings(records):
            assert played_under_open_popups_s(told) == 0.0, seed


def test_every_event_between_the_first_and_the_last_arrives(compositions):
    for seed, records in compositions.items():
        for told in sittings(records):
            assert not list(seq_gaps(told)), seed


def test_sittings_of_one_learner_overlap_by_a_hand_over_at_most(compositions):
    for seed, records in compositions.items():
        previous_end = float("-inf")
        for told in sittings(records):
            beats = [event for event in told.events if event["type"] == "progress"]
            if beats:
                assert beats[0]["received_at_ms"] > previous_end - HANDOVER_MS, seed
                late_s = told.delays_s[beats[-1]["seq"]]
                previous_end = beats[-1]["received_at_ms"] - late_s * 1000


def test_answers_come_after_display_and_display_after_issue(compositions):
    for seed, records in compositions.items():
        issued = {r["challenge_id"]: r for r in records if r["kind"] == "control"}
        for told in sittings(records):
            shown: dict[str, int] = {}
            for event in told.events:
                if event["type"] == "popup_shown":
                    shown[event["challenge_id"]] = event["seq"]
                    control = issued[event["challenge_id"]]
                    assert event["received_at_ms"] >= control["issued_at_ms"], seed
                    assert event["nonce"] == control["nonce"]
                elif event["type"] == "popup_answered":
                    assert shown[event["challenge_id"]] < event["seq"]
                    assert event["latency_ms"] >= 250


def test_positions_are_hardly_ever_whole_seconds(plain):
    positions = {
        (seed, record["position"])
        for seed, records in plain.items()
        for record in records
        if record.get("type") == "progress"
    }
    assert sum(position.is_integer() for _, position in positions) < len(positions) / 50


def test_the_same_seed_gives_the_same_sitting():
    assert random_honest(7) == random_honest(7)
    assert random_honest(7) != random_honest(8)


def test_the_compositions_are_varied(compositions):
    told = [sittings(records) for records in compositions.values()]
    kinds = {record.get("type") for records in compositions.values() for record in records}
    assert {"waiting", "seek", "visibility", "focus", "rate", "popup_expired"} <= kinds
    assert max(map(len, told)) >= 3
    assert any(max(one.delays_s.values(), default=0) > 300 for many in told for one in many)


@pytest.mark.parametrize("scenario_id", ALONE)
def test_the_second_opinion_accepts_every_honest_scenario(scenario_id):
    told = sittings(perform(scenario_id, seed=3).evidence)
    assert longest_gap_s(told) <= MAX_GAP_S
    for one in told:
        assert lead_over_the_server_s(one) < 0.5
        assert played_under_open_popups_s(one) == 0.0


@pytest.mark.parametrize("seed", [205_057])
def test_an_advertisement_is_over_in_a_minute_though_a_popup_stands_over_it(seed):
    """Whoever is away when the pop-up comes is away from the advertisement, not in it."""
    scene = honest_scene(seed, judge=passes)
    assert {"advertisement", "away_at_popup"} <= scene.oddities
    longest_s = 0.0
    for told in sittings(scene.evidence):
        reached = began = 0.0
        for event in told.events:
            if event["type"] == "progress":
                if event["position"] > reached - 90.0:
                    reached, began = max(reached, event["position"]), event["at_ms"] / 1000
                longest_s = max(longest_s, event["at_ms"] / 1000 - began)
    assert 5.0 < longest_s < 75.0
