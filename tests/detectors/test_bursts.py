"""What simulated people send at a face check, held before the service's own decision."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest

from app.simulation.entities import HeadTurns, SentFrame
from app.simulation.scenarios import Scene, perform
from app.vision.liveness import Liveness
from tests.detectors.bursts import liveness_of, passes

Burst = list[SentFrame]


def bursts(scene: Scene) -> list[tuple[HeadTurns, Burst]]:
    """Every face check of the scene with the frames that answered it."""
    frames: dict[str, Burst] = defaultdict(list)
    for record in scene.evidence:
        if record["kind"] == "snapshot" and record["challenge_id"] in scene.asked:
            frames[record["challenge_id"]].append(
                SentFrame(
                    record["received_at_ms"],
                    record["taken_at_ms"],
                    scene.photos[record["file"]],
                )
            )
    return [(scene.asked[it], burst) for it, burst in frames.items()]


def judged(scenario_id: str) -> list[Liveness]:
    scene = perform(scenario_id, judge=passes)
    return [liveness_of(turns, burst) for turns, burst in bursts(scene)]


def test_an_honest_burst_is_as_long_as_the_sdk_s_and_live() -> None:
    ((turns, burst),) = bursts(perform("H01", judge=passes))
    received = [it.received_ms for it in burst]
    assert len(burst) == turns.frames == 2 + 7 * len(turns.actions)
    assert received[-1] - received[0] == pytest.approx(700 + 2_800 * 3 - 400, abs=300)
    assert all(later > earlier for earlier, later in pairwise(received))
    assert liveness_of(turns, burst).outcome == "live"


def test_a_first_try_in_the_dark_is_followed_by_one_that_is_seen() -> None:
    first, second, *_ = bursts(perform("H22", judge=passes))
    assert not passes(*first, identity=1) and passes(*second, identity=1)


@pytest.mark.parametrize(
    ("scenario_id", "reason"),
    [
        ("F39", "frozen_feed"),
        ("F40", "known_picture"),
        ("F42", "too_fast"),
        ("F43", "too_few_frames"),
    ],
)
def test_a_burst_that_is_no_living_person_s_says_why(scenario_id: str, reason: str) -> None:
    found = judged(scenario_id)
    assert len(found) >= 3  # every try that there is, and later ones
    assert all(it.outcome != "live" and reason in it.reasons for it in found)


def test_a_film_of_another_check_never_follows_what_was_drawn() -> None:
    found = judged("F41")
    assert found and all(it.outcome == "inconclusive" for it in found)
    whys = {reason for it in found for reason in it.reasons}
    assert whys <= {"turn_not_seen", "move_not_seen", "turned_the_other_way", "turn_too_slow"}


def test_a_platform_s_log_holds_one_photo_a_check() -> None:
    scene = perform("H01")
    assert scene.asked == {}
    purposes = [it["purpose"] for it in scene.evidence if it["kind"] == "snapshot"]
    assert purposes.count("start") == 1
