"""Did a living person answer the challenge? live, spoof or inconclusive, with reasons.

What decides is a whole burst, bound to a server nonce and spread over a person's time by the
server's clock (where the line delays photos, the client's own times count as far as arrival bears
them out), in which the head does what was drawn at random, in that order (`actions`), and
turns as a head does: its nose moves before its cheeks as no flat picture's does (`turn_depth`). A
film of these very actions passes, and nothing here sees a virtual camera that renders a face in
real time. Hand-made image cues are not read at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.vision.actions import ACTION_LIMITS, ActionLimits, Followed, Pose, follow
from app.vision.calibrate import PadOutcome
from app.vision.face_reading import FaceReading
from app.vision.feed_signs import FeedSigns
from app.vision.frame_times import as_taken


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a burst, when the server received it, and when it was taken by the client's
    clock, where that is told."""

    at_ms: int
    reading: FaceReading
    taken_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the server asked, when it was revealed, how long an answer may take, and how many frames
    it has."""

    actions: tuple[str, ...]
    issued_at_ms: int
    window_ms: int
    frames: int = 0


@dataclass(frozen=True, slots=True)
class LivenessLimits:
    """Product defaults; sources in docs/model-cards/liveness.md."""

    several_faces: int = 2  # frames that show them
    min_span_ms: int = 3_000  # from the first frame's arrival to the last's
    slots: int = 8  # of that span, of which `filled` hold a frame
    filled: int = 5
    min_faces: int = 6
    max_self_distance: float = 0.6  # of frontal frames from their mean, dlib embeddings
    min_live_score: float = 0.5
    min_score: float = 0.5  # of what turns and model say together
    actions: ActionLimits = ACTION_LIMITS


LIVENESS_LIMITS = LivenessLimits()

# What only an attack, or a driver that hangs, looks like.
ATTACK_SIGNS = frozenset({"frozen_feed", "looped_clip", "flat_turn", "known_picture"})


@dataclass(frozen=True, slots=True)
class Liveness:
    """The outcome; ``signs`` holds the measured values behind it, for the record."""

    outcome: PadOutcome
    reasons: tuple[str, ...]
    signs: dict[str, float]


def verify(
    frames: Sequence[Frame],
    challenge: Challenge,
    feed: FeedSigns | None = None,
    limits: LivenessLimits = LIVENESS_LIMITS,
    *,
    known: bool = False,
) -> Liveness:
    """Judge one whole burst, frames in the order taken.

    known: one of them is a photograph that was seen before. live: all actions followed and nothing
    against it. spoof: signs of an attack, for a person to look at. Everything else, also a low
    score of the anti-spoofing model alone, is inconclusive.
    """
    faces = [frame for frame in frames if frame.reading.ratios is not None]
    signs = _signs(faces, feed)
    told = _told(frames, limits)
    against = [*_feed_reasons(feed), *_frame_reasons(frames, told, faces, challenge, limits)]
    if known:
        against.append("known_picture")
    if len(faces) < limits.min_faces:
        turns = Followed(0.0, "too_few_faces")
    else:
        turns = _turns([frame.at_ms for frame in frames], frames, challenge, feed, limits)
        if turns.reason == "turn_too_slow" and told is not None:
            turns = _turns(told, frames, challenge, feed, limits)
    signs["largest_turn"] = turns.largest_turn
    live_score = signs.get("live_score")
    score = fused(turns.depth, live_score)
    if score is not None:
        signs["score"] = score
    if turns.depth is not None:
        signs["turn_depth"] = turns.depth
    if turns.yes and score is not None and score < limits.min_score:
        against.append("flat_turn" if (turns.depth or 0) < 0 else "attack_model")
    if low_score(live_score, limits) and "attack_model" not in against:
        against.append("attack_model")
    if ATTACK_SIGNS & set(against):
        outcome: PadOutcome = "spoof"
    elif turns.yes and not against:
        outcome = "live"
    else:
        outcome = "inconclusive"
    return Liveness(outcome, (*against, turns.reason), signs)


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


def _told(frames: Sequence[Frame], limits: LivenessLimits) -> list[int] | None:
    """When frames were taken, where the client's word fits their arrival and a person's pace."""
    told = as_taken([it.at_ms for it in frames], [it.taken_ms for it in frames])
    return told if told and _lasts(told, limits) and _even(told, limits) else None


def _turns(
    at_ms: Sequence[int],
    frames: Sequence[Frame],
    challenge: Challenge,
    feed: FeedSigns | None,
    limits: LivenessLimits,
) -> Followed:
    poses = list(_poses(at_ms, frames, feed))
    return follow(poses, challenge.actions, challenge.issued_at_ms, limits.actions)


def _poses(at_ms: Sequence[int], frames: Sequence[Frame], feed: FeedSigns | None) -> Iterator[Pose]:
    """Of every frame with a face, as the whole burst shows it where its pixels were at hand."""
    nothing = [None] * len(frames)
    depths = feed.depths if feed is not None and feed.depths else nothing
    ratios = feed.ratios if feed is not None and feed.ratios else nothing
    for at, frame, found, depth in zip(at_ms, frames, ratios, depths, strict=True):
        shape = found or frame.reading.ratios
        if shape is not None:
            quality = frame.reading.quality
            size = None if quality is None else quality.interocular
            yield Pose(at, shape.jaw_ratio, size, depth)


def _feed_reasons(feed: FeedSigns | None) -> list[str]:
    if feed is None:
        return []
    found = {"frozen_feed": feed.frozen, "looped_clip": feed.looped}
    return [reason for reason, applies in found.items() if applies]


def _frame_reasons(
    frames: Sequence[Frame],
    told: Sequence[int] | None,
    faces: Sequence[Frame],
    challenge: Challenge,
    limits: LivenessLimits,
) -> list[str]:
    end = challenge.issued_at_ms + challenge.window_ms
    received = [frame.at_ms for frame in frames]
    spread = _lasts(received, limits) and (told is not None or _even(received, limits))
    found = {
        "frame_outside_window": any(
            not challenge.issued_at_ms <= frame.at_ms <= end for frame in frames
        ),
        "too_few_frames": len(frames) < challenge.frames,
        "too_fast": not spread,
        "several_faces": sum(frame.reading.face_count > 1 for frame in frames)
        >= limits.several_faces,
        "face_changed": _largest_self_distance(faces, limits) > limits.max_self_distance,
    }
    return [reason for reason, applies in found.items() if applies]


def _lasts(at_ms: Sequence[int], limits: LivenessLimits) -> bool:
    """Whether it took as long as a person does."""
    return not at_ms or max(at_ms) - min(at_ms) >= limits.min_span_ms


def _even(at_ms: Sequence[int], limits: LivenessLimits) -> bool:
    """Whether frames lie spread over their time, and not in one heap."""
    if not at_ms:
        return True
    first, span = min(at_ms), max(at_ms) - min(at_ms)
    return len({(at - first) * limits.slots // (span + 1) for at in at_ms}) >= limits.filled


def _largest_self_distance(faces: Sequence[Frame], limits: LivenessLimits) -> float:
    vectors = [
        frame.reading.embedding
        for frame in faces
        if frame.reading.ratios is not None
        and abs(frame.reading.ratios.jaw_ratio) < limits.actions.back
        and frame.reading.embedding is not None
    ]
    if len(vectors) < 2:
        return 0.0
    stack = np.stack(vectors)
    return float(np.linalg.norm(stack - stack.mean(axis=0), axis=1).max())


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
