"""Did a living person answer the challenge? live, spoof or inconclusive, with reasons.

What decides is a burst bound to a server nonce in which the head turns twice in directions drawn at
random, measured by the jaw ratio: turning a photograph in front of the camera barely changes it,
while solvePnP's yaw cannot tell the two apart. Stills pass in 7 % of trials; a replayed video that
happens to turn the right way passes, and nothing here sees a virtual camera that renders a face in
real time. Blink and mouth only support; hand-made image cues are not read at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.vision.calibrate import PadOutcome
from app.vision.face_reading import FaceReading
from app.vision.feed_signs import FeedSigns

Action = Literal["turn_left", "turn_right", "open_mouth", "blink", "nod"]

# The person's own left lies to the right in an unmirrored picture, where the jaw ratio grows.
_DIRECTION = {"turn_left": 1.0, "turn_right": -1.0}
_TURNS_FOR_LIVE = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a burst and when the server received it."""

    at_ms: int
    reading: FaceReading


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the server asked, when it was revealed, and how long an answer may take."""

    actions: tuple[Action, ...]
    issued_at_ms: int
    window_ms: int


@dataclass(frozen=True, slots=True)
class LivenessLimits:
    """Product defaults; sources in docs/model-cards/liveness.md."""

    min_turn: float = 0.8  # change of the jaw ratio against the personal baseline
    min_turn_frames: int = 2
    back: float = 0.35  # nearer than this to the baseline the head faces the camera again
    step_ms: int = 4_000
    mouth_open: float = 0.5
    mouth_closed: float = 0.1
    eyes_closed: float = 0.6  # of the personal 75th percentile
    min_faces: int = 6
    max_self_distance: float = 0.6  # of frontal frames from their mean, dlib embeddings
    min_live_score: float = 0.5


LIVENESS_LIMITS = LivenessLimits()


@dataclass(frozen=True, slots=True)
class Liveness:
    """The outcome; ``signs`` holds the measured values behind it, for the record."""

    outcome: PadOutcome
    reasons: tuple[str, ...]
    signs: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Turns:
    followed: int
    largest: float
    reasons: tuple[str, ...]


def verify(
    frames: Sequence[Frame],
    challenge: Challenge,
    feed: FeedSigns | None = None,
    limits: LivenessLimits = LIVENESS_LIMITS,
) -> Liveness:
    """Judge one burst, frames in the order taken.

    live: both turns followed and nothing against it. spoof: a frozen or looped feed, or the
    anti-spoofing model against a burst that did not follow. Everything else, also contradictory
    signs, is inconclusive and goes to a person.
    """
    faces = [frame for frame in frames if frame.reading.ratios is not None]
    signs = _signs(faces, feed)
    against = [*_feed_reasons(feed), *_frame_reasons(frames, faces, challenge, limits)]
    score = signs.get("live_score")
    attack_seen = score is not None and score < limits.min_live_score
    if len(faces) < limits.min_faces:
        turns = _Turns(0, 0.0, ("too_few_faces",))
    else:
        turns = _follow_turns(faces, challenge.actions, limits)
    signs["largest_turn"] = turns.largest
    followed = turns.reasons == ("turns_followed",)
    if {"frozen_feed", "looped_clip"} & set(against) or (attack_seen and not followed):
        outcome: PadOutcome = "spoof"
    elif followed and not against and not attack_seen:
        outcome = "live"
    else:
        outcome = "inconclusive"
    support = _supporting(faces, challenge.actions, limits)
    model = ["attack_model"] if attack_seen else []
    return Liveness(outcome, (*against, *model, *turns.reasons, *support), signs)


def _follow_turns(
    faces: Sequence[Frame], actions: Sequence[Action], limits: LivenessLimits
) -> _Turns:
    """Walk the burst once: each asked turn must be reached, held, and undone, in order."""
    ratio = np.array([frame.reading.ratios.jaw_ratio for frame in faces if frame.reading.ratios])
    frontal = ratio[np.abs(ratio) < limits.back]
    change = ratio - (float(np.median(frontal)) if len(frontal) else 0.0)
    largest = float(np.abs(change).max())
    asked = [_DIRECTION[action] for action in actions if action in _DIRECTION]
    if len(asked) < _TURNS_FOR_LIVE:
        return _Turns(0, largest, ("too_few_turns_asked",))
    position = 0
    for done, direction in enumerate(asked):
        started = position
        reached = _run(change * direction >= limits.min_turn, position, limits.min_turn_frames)
        wrong = _run(change * direction <= -limits.min_turn, position, limits.min_turn_frames)
        if wrong is not None and (reached is None or wrong < reached):
            return _Turns(done, largest, ("turned_the_other_way",))
        back = None if reached is None else _run(np.abs(change) < limits.back, reached, 1)
        if back is None:
            return _Turns(done, largest, ("turn_not_seen",))
        if faces[back].at_ms - faces[started].at_ms > limits.step_ms:
            return _Turns(done, largest, ("turn_too_slow",))
        position = back
    return _Turns(len(asked), largest, ("turns_followed",))


def _run(holds: np.ndarray[tuple[int], np.dtype[np.bool_]], start: int, length: int) -> int | None:
    """Index of the end of the first ``length`` frames in a row, from ``start``, that hold."""
    run = 0
    for index in range(start, len(holds)):
        run = run + 1 if holds[index] else 0
        if run == length:
            return index
    return None


def _feed_reasons(feed: FeedSigns | None) -> list[str]:
    if feed is None:
        return []
    found = {"frozen_feed": feed.frozen, "looped_clip": feed.looped}
    return [reason for reason, applies in found.items() if applies]


def _frame_reasons(
    frames: Sequence[Frame], faces: Sequence[Frame], challenge: Challenge, limits: LivenessLimits
) -> list[str]:
    end = challenge.issued_at_ms + challenge.window_ms
    found = {
        "frame_outside_window": any(
            not challenge.issued_at_ms <= frame.at_ms <= end for frame in frames
        ),
        "several_faces": any(frame.reading.face_count > 1 for frame in frames),
        "face_changed": _largest_self_distance(faces, limits) > limits.max_self_distance,
    }
    return [reason for reason, applies in found.items() if applies]


def _largest_self_distance(faces: Sequence[Frame], limits: LivenessLimits) -> float:
    vectors = [
        frame.reading.embedding
        for frame in faces
        if frame.reading.ratios is not None
        and abs(frame.reading.ratios.jaw_ratio) < limits.back
        and frame.reading.embedding is not None
    ]
    if len(vectors) < 2:
        return 0.0
    stack = np.stack(vectors)
    return float(np.linalg.norm(stack - stack.mean(axis=0), axis=1).max())


def _supporting(
    faces: Sequence[Frame], actions: Sequence[Action], limits: LivenessLimits
) -> tuple[str, ...]:
    """What was asked besides turns: noted, never decisive."""
    frontal = [
        frame.reading.ratios
        for frame in faces
        if frame.reading.ratios and abs(frame.reading.ratios.jaw_ratio) < limits.back
    ]
    notes = []
    for action in actions:
        if action == "blink":
            eyes = np.array([each.eye_aspect for each in frontal])
            shut = len(eyes) > 0 and eyes.min() < limits.eyes_closed * np.quantile(eyes, 0.75)
            notes.append("blink_seen" if shut else "blink_not_seen")
        elif action == "open_mouth":
            mouth = [each.mouth_opening for each in frontal]
            moved = bool(mouth) and (
                max(mouth) >= limits.mouth_open and min(mouth) <= limits.mouth_closed
            )
            notes.append("mouth_seen" if moved else "mouth_not_seen")
        elif action not in _DIRECTION:
            notes.append("action_not_checked")
    return tuple(notes)


def _signs(faces: Sequence[Frame], feed: FeedSigns | None) -> dict[str, float]:
    signs = {"frames_with_face": float(len(faces))}
    scores = [frame.reading.live_score for frame in faces if frame.reading.live_score is not None]
    if scores:
        signs["live_score"] = float(np.mean(scores))
    if feed is not None:
        signs["repeats"] = float(feed.repeats)
        signs["span_ms"] = float(feed.span_ms)
        if feed.median_motion is not None:
            signs["median_motion"] = feed.median_motion
    return signs
