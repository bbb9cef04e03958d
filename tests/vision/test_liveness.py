"""A burst answers its challenge, or there is a reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pytest

from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision.backends import Backends
from app.vision.face_reading import Box, FaceRatios, FaceReading, Quality
from app.vision.feed import feed_signs
from app.vision.feed_signs import FeedSigns
from app.vision.image import Rgb, decode
from app.vision.liveness import Challenge, Frame, Liveness, fused, verify
from app.vision.reading import read_picture
from app.vision.reasons import LIVENESS

LEFT_THEN_RIGHT = Challenge(("turn_left", "turn_right"), issued_at_ms=0, window_ms=20_000)
OBEYED = [0, 0, 0.5, 0.9, 1.0, 0.4, 0, 0, -0.6, -0.9, -1.0, -0.5, 0, 0]
FRAME_MS = 300
QUALITY = Quality(90, 120, 120, 40, 0, 0, 0)


def reading(
    jaw_ratio: float = 0.0,
    *,
    eye_aspect: float = 0.3,
    mouth_opening: float = 0.05,
    live_score: float | None = None,
    face_count: int = 1,
    embedding: np.ndarray | None = None,
) -> FaceReading:
    return FaceReading(
        width=640,
        height=480,
        face_count=face_count,
        box=Box(200, 100, 400, 300),
        quality=replace(QUALITY, jaw_ratio=jaw_ratio),
        reasons=(),
        ratios=FaceRatios(jaw_ratio, eye_aspect, mouth_opening, 0),
        passive={},
        live_score=live_score,
        perceptual_hash=0,
        mirrored_hash=0,
        detector="dlib-hog@1",
        model="dlib-resnet@1",
        anti_spoof=None,
        embedding=np.zeros(128, np.float32) if embedding is None else embedding,
    )


def no_face() -> FaceReading:
    fields = {**reading().as_json(), "face_count": 0, "box": None, "quality": None, "ratios": None}
    return FaceReading.from_json(fields)


def burst(readings: Sequence[FaceReading], frame_ms: int = FRAME_MS) -> list[Frame]:
    return [Frame(index * frame_ms, each) for index, each in enumerate(readings)]


def turned(ratios: Sequence[float], **fields: float) -> list[FaceReading]:
    return [reading(ratio, **fields) for ratio in ratios]  # type: ignore[arg-type]


def judged(ratios: Sequence[float], challenge: Challenge = LEFT_THEN_RIGHT) -> Liveness:
    return verify(burst(turned(ratios)), challenge)


def test_lin_turns_as_asked_and_is_live() -> None:
    result = judged(OBEYED)
    assert (result.outcome, result.reasons) == ("live", ("turns_followed",))
    assert result.signs["largest_turn"] == pytest.approx(1.0)


def test_the_threshold_of_a_turn_is_met_at_exactly_six_tenths() -> None:
    assert judged([0, 0, 0, 0.6, 0.6, 0, 0, -0.6, -0.6, 0, 0]).outcome == "live"
    assert judged([0, 0, 0, 0.59, 0.59, 0, 0, -0.6, -0.6, 0, 0]).outcome == "inconclusive"


def test_a_crooked_camera_is_part_of_the_personal_baseline() -> None:
    assert judged([ratio + 0.2 for ratio in OBEYED]).outcome == "live"


@pytest.mark.parametrize(
    ("ratios", "reason"),
    [
        ([0.0] * 14, "turn_not_seen"),
        ([-ratio for ratio in OBEYED], "turned_the_other_way"),
        ([0, 0, 0, 0.5, 0, 0, -0.9, -0.9, 0, 0], "turned_the_other_way"),
        (OBEYED[:8], "turn_not_seen"),
        (OBEYED[:-3], "turn_not_seen"),  # did not come back
        ([0, 0, 0, *[0.9] * 20, 0, -0.9, -0.9, 0], "turn_too_slow"),
        ([0, 0.9, 0.9], "too_few_faces"),
    ],
)
def test_a_challenge_not_followed_is_inconclusive_with_its_reason(
    ratios: list[float], reason: str
) -> None:
    result = judged(ratios)
    assert result.outcome == "inconclusive" and reason in result.reasons


def test_one_turn_is_too_little_to_call_anyone_live() -> None:
    once = Challenge(("turn_left", "nearer"), 0, 20_000)
    assert "too_few_turns_asked" in judged(OBEYED, once).reasons


def test_frames_where_no_face_is_found_do_not_break_a_turn() -> None:
    readings = turned(OBEYED)
    readings[5] = no_face()
    assert verify(burst(readings), LEFT_THEN_RIGHT).outcome == "live"


def test_a_photo_held_still_is_a_spoof_only_after_two_seconds() -> None:
    still = burst(turned([0.0] * 10))
    motion = (0.001,) * 9
    assert verify(still, LEFT_THEN_RIGHT, FeedSigns(motion, 0, 2_700)).outcome == "spoof"
    assert verify(still, LEFT_THEN_RIGHT, FeedSigns(motion, 0, 1_900)).outcome == "inconclusive"


def test_fewer_frames_than_asked_for_are_a_failed_try() -> None:
    asked = replace(LEFT_THEN_RIGHT, frames=16)
    result = judged(OBEYED, asked)
    assert result.outcome == "inconclusive" and "too_few_frames" in result.reasons
    assert judged([*OBEYED, 0, 0], asked).outcome == "live"


def test_one_picture_forty_milliseconds_after_the_prompt_is_nothing() -> None:
    result = verify([Frame(40, reading())], replace(LEFT_THEN_RIGHT, frames=16))
    assert result.outcome == "inconclusive"
    assert {"too_few_frames", "too_fast"} <= set(result.reasons)


@pytest.mark.parametrize("frame_ms", [0, 3, 150])
def test_a_film_sent_faster_than_a_person_turns_is_no_answer(frame_ms: int) -> None:
    result = verify(burst(turned(OBEYED), frame_ms), LEFT_THEN_RIGHT)
    assert result.outcome == "inconclusive" and "too_fast" in result.reasons


def test_frames_in_one_heap_at_either_end_are_no_answer() -> None:
    readings = turned(OBEYED)
    times = [*(n * 10 for n in range(7)), *(9_000 + n * 10 for n in range(7))]
    heaped = [Frame(at, each) for at, each in zip(times, readings, strict=True)]
    assert "too_fast" in verify(heaped, LEFT_THEN_RIGHT).reasons


def test_a_head_that_has_turned_before_a_person_could_read_the_prompt_is_no_answer() -> None:
    early = [0, 0.9, 0.9, 0, 0, *OBEYED[7:]]
    result = judged(early)
    assert (result.outcome, result.reasons) == ("inconclusive", ("turn_too_early",))


def deep(*depths: float | None) -> FeedSigns:
    motion = (0.1,) * (len(depths) - 1)
    return FeedSigns(motion, 0, FRAME_MS * (len(depths) - 1), depths)


def of_turns(left: float, right: float) -> FeedSigns:
    """Depths of the frames of `OBEYED` in which the head is aside."""
    return deep(*(None if abs(it) < 0.5 else left if it > 0 else right for it in OBEYED))


@pytest.mark.parametrize(("left", "right"), [(2.0, -0.5), (-0.5, 2.0), (-3.0, -3.0)])
def test_one_turn_of_a_flat_picture_is_a_sign_of_attack(left: float, right: float) -> None:
    result = verify(burst(turned(OBEYED)), LEFT_THEN_RIGHT, of_turns(left, right))
    assert result.outcome == "spoof" and "flat_turn" in result.reasons
    assert result.signs["turn_depth"] == min(left, right)
    assert result.signs["score"] < 0.5


def test_turns_of_a_head_are_live() -> None:
    result = verify(burst(turned(OBEYED)), LEFT_THEN_RIGHT, of_turns(2.0, 1.0))
    assert result.outcome == "live" and result.signs["score"] > 0.5


def test_a_photograph_seen_before_makes_the_whole_burst_a_spoof() -> None:
    result = verify(burst(turned(OBEYED)), LEFT_THEN_RIGHT, known=True)
    assert result.outcome == "spoof" and "known_picture" in result.reasons


def test_model_and_turns_make_one_score_and_the_model_helps_a_flat_turn_by_little() -> None:
    assert fused(None, None) is None
    assert (fused(1.0, 0.05) or 1) < 0.5 < (fused(1.0, 0.6) or 0)
    assert (fused(-1.5, 0.999) or 1) < 0.5
    assert fused(0.0, 0.5) == pytest.approx(0.5)


def test_a_looped_clip_is_a_spoof_even_when_it_turns() -> None:
    looped = FeedSigns((0.1,) * 13, repeats=3, span_ms=3_900)
    result = verify(burst(turned(OBEYED)), LEFT_THEN_RIGHT, looped)
    assert result.outcome == "spoof" and "looped_clip" in result.reasons


def test_a_low_score_of_the_model_alone_accuses_nobody_and_lets_nobody_pass() -> None:
    followed = verify(burst(turned(OBEYED, live_score=0.1)), LEFT_THEN_RIGHT)
    assert followed.outcome == "inconclusive" and "attack_model" in followed.reasons
    ignored = verify(burst(turned([0.0] * 14, live_score=0.1)), LEFT_THEN_RIGHT)
    assert ignored.outcome == "inconclusive" and "attack_model" in ignored.reasons
    assert verify(burst(turned(OBEYED, live_score=0.9)), LEFT_THEN_RIGHT).outcome == "live"


def test_another_face_during_the_burst_goes_to_a_person() -> None:
    readings = turned(OBEYED)
    other = np.full(128, 2 / np.sqrt(128), np.float32)
    readings[-2:] = [reading(embedding=other), reading(embedding=other)]
    result = verify(burst(readings), LEFT_THEN_RIGHT)
    assert result.outcome == "inconclusive" and "face_changed" in result.reasons


def test_frames_from_before_the_challenge_go_to_a_person() -> None:
    late = Challenge(("turn_left", "turn_right"), issued_at_ms=1_000, window_ms=20_000)
    result = judged(OBEYED, late)
    assert result.outcome == "inconclusive" and "frame_outside_window" in result.reasons


STEP = Challenge(("turn_left", "nearer", "turn_right"), issued_at_ms=0, window_ms=20_000)
LEFT, NEAR, RIGHT = [0, 0.9, 0.9, 0, 0], [1.0, 1.3, 1.4, 1.3, 1.0], [0, -0.9, -0.9, 0, 0]


def moved(turns: Sequence[float], sizes: Sequence[float]) -> list[FaceReading]:
    """Faces that turn so far and are so many times as large as at the start."""
    return [
        replace(each, quality=replace(QUALITY, interocular=90 * size))
        for each, size in zip(turned(turns), sizes, strict=True)
    ]


def stepped(
    *parts: tuple[Sequence[float], Sequence[float]], challenge: Challenge = STEP
) -> Liveness:
    still = ([0.0, 0.0], [1.0, 1.0])
    turns, sizes = (list(chain(*it)) for it in zip(still, *parts, strict=True))
    return verify(burst(moved(turns, sizes)), challenge)


TURN_LEFT, TURN_RIGHT = (LEFT, [1.0] * 5), (RIGHT, [1.0] * 5)
COME_NEARER = ([0.0] * 5, NEAR)
GO_FARTHER = ([0.0] * 5, [1.0, 0.85, 0.8, 0.85, 1.0])


def test_lin_turns_comes_nearer_and_turns_as_asked_and_is_live() -> None:
    result = stepped(TURN_LEFT, COME_NEARER, TURN_RIGHT)
    assert (result.outcome, result.reasons) == ("live", ("turns_followed",))


def test_whoever_is_asked_to_go_farther_does_so_in_any_place_of_the_order() -> None:
    last = replace(STEP, actions=("turn_left", "turn_right", "farther"))
    assert stepped(TURN_LEFT, TURN_RIGHT, GO_FARTHER, challenge=last).outcome == "live"
    first = replace(STEP, actions=("farther", "turn_left", "turn_right"))
    assert stepped(GO_FARTHER, TURN_LEFT, TURN_RIGHT, challenge=first).outcome == "live"


@pytest.mark.parametrize(
    "shown",
    [
        (TURN_LEFT, TURN_RIGHT),
        (TURN_LEFT, GO_FARTHER, TURN_RIGHT),
        (COME_NEARER, TURN_LEFT, TURN_RIGHT),
        (TURN_LEFT, TURN_RIGHT, COME_NEARER),
        (TURN_LEFT, ([0.0] * 5, [1.0, 1.1, 1.15, 1.1, 1.0]), TURN_RIGHT),
        (TURN_LEFT, ([0.0] * 5, [1.3] * 5), (RIGHT, [1.3] * 5)),  # and stays there
    ],
)
def test_the_right_turns_with_another_step_are_no_answer(shown: Any) -> None:
    result = stepped(*shown)
    assert (result.outcome, result.reasons) == ("inconclusive", ("move_not_seen",))


def test_a_head_lost_by_the_detector_counts_as_the_whole_burst_shows_it() -> None:
    readings = turned(OBEYED)
    for lost in (3, 4, 8, 9, 10):
        readings[lost] = no_face()
    assert "turn_not_seen" in verify(burst(readings), LEFT_THEN_RIGHT).reasons
    again = tuple(FaceRatios(ratio, 0.3, 0.05, 0) for ratio in OBEYED)
    feed = FeedSigns((0.1,) * 13, 0, FRAME_MS * 13, ratios=again)
    assert verify(burst(readings), LEFT_THEN_RIGHT, feed).outcome == "live"


def test_no_passive_cue_changes_the_outcome() -> None:
    plain = burst(turned(OBEYED))
    loud = [
        Frame(
            frame.at_ms,
            FaceReading.from_json(
                {**frame.reading.as_json(), "passive": {"moire": 1e9, "high_frequency": 1.0}},
                frame.reading.embedding,
            ),
        )
        for frame in plain
    ]
    assert verify(loud, LEFT_THEN_RIGHT) == verify(plain, LEFT_THEN_RIGHT)


def test_an_empty_burst_is_inconclusive() -> None:
    assert verify([], LEFT_THEN_RIGHT).outcome == "inconclusive"


def test_every_reason_can_be_told_in_both_languages() -> None:
    assert all(chinese and english for chinese, english in LIVENESS.values())


@pytest.fixture(scope="module")
def turning(backends: Backends) -> tuple[list[Rgb], list[FaceReading]]:
    poses = [0, 0, 0, 0.6, 1, 1, 1, 0.3, 0, -0.6, -1, -1, -1, -0.3, 0]
    seed = PORTRAIT_SEEDS[0]
    pictures = [
        decode(portrait(seed, pose=pose, noise_seed=index)) for index, pose in enumerate(poses)
    ]
    return pictures, [read_picture(picture, backends) for picture in pictures]


def test_a_drawn_head_that_turns_is_followed_from_its_pixels(
    turning: tuple[list[Rgb], list[FaceReading]], backends: Backends
) -> None:
    pictures, readings = turning
    frames = burst(readings)
    at_ms = [frame.at_ms for frame in frames]
    signs = feed_signs(pictures, readings, at_ms, backends)
    assert not signs.frozen and not signs.looped
    assert verify(frames, LEFT_THEN_RIGHT, signs).outcome == "live"


def test_a_clip_shown_twice_is_noticed(
    turning: tuple[list[Rgb], list[FaceReading]], backends: Backends
) -> None:
    pictures, readings = turning
    rng = np.random.default_rng(0)
    again = [
        np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
        for picture in pictures[:6]
    ]
    twice, seen = [*pictures[:6], *again], [*readings[:6]] * 2
    signs = feed_signs(twice, seen, range(0, 3600, 300), backends)
    assert signs.looped


def test_sensor_noise_alone_does_not_move_a_frozen_feed(
    turning: tuple[list[Rgb], list[FaceReading]], backends: Backends
) -> None:
    pictures, readings = turning
    rng = np.random.default_rng(0)
    noisy = [
        np.clip(pictures[0] + rng.normal(0, 3, pictures[0].shape), 0, 255).astype(np.uint8)
        for _ in range(8)
    ]
    signs = feed_signs(noisy, [readings[0]] * 8, range(0, 2800, 350), backends)
    assert signs.frozen and not signs.looped
