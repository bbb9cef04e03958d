"""Did a living person answer the challenge? live, spoof or inconclusive, with reasons.

What decides is a whole burst, bound to a server nonce and spread over a person's time by the
server's clock, in which the head turns twice in directions drawn at random. A turn is seen in the
jaw ratio, and it must be that of a head: its nose moves before its cheeks as no flat picture's does
(`turn_depth`). A replayed film that turns the right way at the right time passes, and nothing here
sees a virtual camera that renders a face in real time. Blink and mouth only support; hand-made
image cues are not read at all.
"""

from __future__ import annotations

import math
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
    """What the server asked, when it was revealed, how long an answer may take, and how many frames
    it has."""

    actions: tuple[Action, ...]
    issued_at_ms: int
    window_ms: int
    frames: int = 0


@dataclass(frozen=True, slots=True)
class LivenessLimits:
    """Product defaults; sources in docs/model-cards/liveness.md."""

    min_turn: float = 0.6  # change of the jaw ratio against the personal baseline
    min_turn_frames: int = 1  # a fast head is seen aside once, and may be lost beyond
    wrong_turn_frames: int = 2  # landmarks of a head far aside flip now and then
    several_faces: int = 2  # frames that show them
    back: float = 0.35  # nearer than this to the baseline the head faces the camera again
    step_ms: int = 4_000
    first_turn_ms: int = 700  # nobody reads a prompt and has turned the head sooner
    min_span_ms: int = 3_000  # from the first frame's arrival to the last's
    slots: int = 8  # of that span, of which `filled` hold a frame
    filled: int = 5
    mouth_open: float = 0.5
    mouth_closed: float = 0.1
    eyes_closed: float = 0.6  # of the personal 75th percentile
    min_faces: int = 6
    max_self_distance: float = 0.6  # of frontal frames from their mean, dlib embeddings
    min_live_score: float = 0.5
    min_score: float = 0.5  # of what turns and model say together


LIVENESS_LIMITS = LivenessLimits()

# What only an attack, or a driver that hangs, looks like.
ATTACK_SIGNS = frozenset({"frozen_feed", "looped_clip", "flat_turn", "known_picture"})


@dataclass(frozen=True, slots=True)
class Liveness:
    """The outcome; ``signs`` holds the measured values behind it, for the record."""

    outcome: PadOutcome
    reasons: tuple[str, ...]
    signs: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Turns:
    """How the asked turns went. depth: of the flattest one, see `turn_depth`; None unmeasured."""

    largest: float
    reason: str
    depth: float | None = None

    @property
    def followed(self) -> bool:
        return self.reason == "turns_followed"


def verify(
    frames: Sequence[Frame],
    challenge: Challenge,
    feed: FeedSigns | None = None,
    limits: LivenessLimits = LIVENESS_LIMITS,
    *,
    known: bool = False,
) -> Liveness:
    """Judge one whole burst, frames in the order taken.

    known: one of them is a photograph that was seen before. live: both turns followed and nothing
    against it. spoof: signs of an attack, for a person to look at. Everything else, also a low
    score of the anti-spoofing model alone, is inconclusive.
    """
    faces = [frame for frame in frames if frame.reading.ratios is not None]
    signs = _signs(faces, feed)
    against = [*_feed_reasons(feed), *_frame_reasons(frames, faces, challenge, limits)]
    if known:
        against.append("known_picture")
    if len(faces) < limits.min_faces:
        turns = _Turns(0.0, "too_few_faces")
    else:
        turns = _follow_turns(frames, challenge, feed, limits)
    signs["largest_turn"] = turns.largest
    live_score = signs.get("live_score")
    score = fused(turns.depth, live_score)
    if score is not None:
        signs["score"] = score
    if turns.depth is not None:
        signs["turn_depth"] = turns.depth
    if turns.followed and score is not None and score < limits.min_score:
        against.append("flat_turn" if (turns.depth or 0) < 0 else "attack_model")
    if low_score(live_score, limits) and "attack_model" not in against:
        against.append("attack_model")
    if ATTACK_SIGNS & set(against):
        outcome: PadOutcome = "spoof"
    elif turns.followed and not against:
        outcome = "live"
    else:
        outcome = "inconclusive"
    support = _supporting(faces, challenge.actions, limits)
    return Liveness(outcome, (*against, turns.reason, *support), signs)


def verify_photos(
    readings: Sequence[FaceReading], limits: LivenessLimits = LIVENESS_LIMITS
) -> Liveness | None:
    """What the anti-spoofing model says of photos that nothing was asked of: inconclusive when it
    sees an attack in one, live when in none; None without a model or a face."""
    scores = [it.live_score for it in readings if it.live_score is not None]
    if not scores:
        return None
    signs = {"live_score": float(min(scores))}
    if low_score(min(scores), limits):
        return Liveness("inconclusive", ("attack_model",), signs)
    return Liveness("live", (), signs)


def low_score(live_score: float | None, limits: LivenessLimits = LIVENESS_LIMITS) -> bool:
    """Whether the anti-spoofing model, when there is one, sees an attack."""
    return live_score is not None and live_score < limits.min_live_score


def fused(depth: float | None, live_score: float | None) -> float | None:
    """One score from 0 (attack) to 1 (live) of what there is: log-odds of the turns' depth and of
    the model add up. The model may outweigh any turn, and helps one by little."""
    if depth is None and live_score is None:
        return None
    odds = 0.0 if depth is None else depth
    if live_score is not None:
        inside = min(max(live_score, 1e-3), 1 - 1e-3)
        odds += min(1.0, math.log(inside / (1 - inside)))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


def _follow_turns(
    frames: Sequence[Frame],
    challenge: Challenge,
    feed: FeedSigns | None,
    limits: LivenessLimits,
) -> _Turns:
    """Walk the burst once: each asked turn must be reached, held, and undone, in order."""
    depths = feed.depths if feed is not None and feed.depths else [None] * len(frames)
    seen = [
        (frame, depth)
        for frame, depth in zip(frames, depths, strict=True)
        if frame.reading.ratios is not None
    ]
    faces = [frame for frame, _ in seen]
    ratio = np.array([frame.reading.ratios.jaw_ratio for frame in faces if frame.reading.ratios])
    frontal = ratio[np.abs(ratio) < limits.back]
    change = ratio - (float(np.median(frontal)) if len(frontal) else 0.0)
    largest = float(np.abs(change).max())
    asked = [_DIRECTION[action] for action in challenge.actions if action in _DIRECTION]
    if len(asked) < _TURNS_FOR_LIVE:
        return _Turns(largest, "too_few_turns_asked")
    position, flattest = 0, None
    for direction in asked:
        started = position
        reached = _run(change * direction >= limits.min_turn, position, limits.min_turn_frames)
        wrong = _run(change * direction <= -limits.min_turn, position, limits.wrong_turn_frames)
        if wrong is not None and (reached is None or wrong < reached):
            return _Turns(largest, "turned_the_other_way")
        back = None if reached is None else _run(np.abs(change) < limits.back, reached, 1)
        if reached is None or back is None:
            return _Turns(largest, "turn_not_seen")
        if faces[reached].at_ms - challenge.issued_at_ms < limits.first_turn_ms:
            return _Turns(largest, "turn_too_early")
        if faces[back].at_ms - faces[started].at_ms > limits.step_ms:
            return _Turns(largest, "turn_too_slow")
        turned = [
            depth
            for (_, depth), there in zip(
                seen[started:back], change[started:back] * direction, strict=True
            )
            if depth is not None and there >= limits.min_turn
        ]
        if turned:
            depth = float(np.mean(turned))
            flattest = depth if flattest is None else min(flattest, depth)
        position = back
    return _Turns(largest, "turns_followed", flattest)


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
        "too_few_frames": len(frames) < challenge.frames,
        "too_fast": not _spread([frame.at_ms for frame in frames], limits),
        "several_faces": sum(frame.reading.face_count > 1 for frame in frames)
        >= limits.several_faces,
        "face_changed": _largest_self_distance(faces, limits) > limits.max_self_distance,
    }
    return [reason for reason, applies in found.items() if applies]


def _spread(at_ms: Sequence[int], limits: LivenessLimits) -> bool:
    """Whether frames arrived over a person's time: long enough, and not in one heap."""
    if not at_ms:
        return True
    first, span = min(at_ms), max(at_ms) - min(at_ms)
    if span < limits.min_span_ms:
        return False
    return len({(at - first) * limits.slots // (span + 1) for at in at_ms}) >= limits.filled


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
