"""What readers would make of simulated photos, as numbers, and what the service decides on those.

Nothing is drawn: a reading says what the photo is known to show, and the decision on a burst is the
running service's own (`app.vision.liveness`). The numbers are plain cases, not measurements: heads
turn well beyond what is asked, flat pictures do not, and the site has an anti-spoofing model.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from random import Random

import numpy as np
from numpy.typing import NDArray

from app.domain.policy.sitting_terms import REPORT_GRACE_MS
from app.simulation.entities import Action, HeadTurns, Photo, SentFrame
from app.vision import liveness
from app.vision.face_reading import Box, FaceRatios, FaceReading, Quality
from app.vision.feed_signs import FeedSigns
from app.vision.liveness import Challenge, Frame, Liveness
from detectors.trace import Check

_TURNS: dict[Action | None, float] = {"turn_left": 0.95, "turn_right": -0.95}
_SIZES: dict[Action | None, float] = {"nearer": 1.4, "farther": 0.75}
_AGAINST = {"dark": ("too_dark",), "empty": ("no_face",)}
_MOTION = 0.05  # eye distances from one frame to the next, of somebody who breathes and moves
_HEAD, _FLAT = 2.0, -2.0  # log-odds of depth
Burst = Sequence[SentFrame]


@lru_cache(maxsize=512)
def _face(identity: int) -> NDArray[np.float32]:
    """Far from everybody else's, as long as an embedding of the default model is."""
    drawn = np.random.default_rng(identity).normal(size=128)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


@lru_cache(maxsize=4096)
def reading_of(photo: Photo) -> FaceReading:
    """What is read in one photo."""
    there = photo.condition != "empty"
    rng = Random(f"{photo.identity}/{photo.variation}")
    jaw = _TURNS.get(photo.does, 0.0) + rng.gauss(0.0, 0.05)
    eyes = 78.0 * _SIZES.get(photo.does, 1.0) * rng.uniform(0.99, 1.01)
    reasons = _AGAINST.get(photo.condition, ())
    if there and photo.does in _TURNS:
        reasons = (*reasons, "turned_away")
    return FaceReading(
        width=640,
        height=480,
        face_count=int(there),
        box=Box(200, 100, 400, 300) if there else None,
        quality=Quality(eyes, 120, 120, 40, 0, jaw, 0) if there else None,
        reasons=reasons,
        ratios=FaceRatios(jaw, 0.3, 0.05, 0) if there else None,
        passive={},
        live_score=(0.1 if photo.condition == "replayed" else 0.9) if there else None,
        perceptual_hash=0,
        mirrored_hash=0,
        detector="simulated",
        model="simulated",
        anti_spoof="simulated",
        embedding=_face(photo.identity) if there else None,
    )


def liveness_of(turns: HeadTurns, burst: Burst, known: frozenset[Photo] = frozenset()) -> Liveness:
    """The service's judgement of one burst; `known` are photos that were seen before."""
    return liveness.verify(
        [Frame(it.received_ms, reading_of(it.photo), it.taken_ms) for it in burst],
        Challenge(turns.actions, turns.issued_ms, turns.window_ms + REPORT_GRACE_MS, turns.frames),
        _feed(burst),
        known=any(photo in known or _enrolled(photo) for *_, photo in burst),
    )


def passes(turns: HeadTurns, burst: Burst, identity: int) -> bool:
    """Whether a try counts: it is live, and shows the enrolled face."""
    found = liveness_of(turns, burst)
    checks = {check_of(photo, identity, found) for *_, photo in burst}
    return found.outcome == "live" and bool(checks & {Check.MATCH, Check.REVIEW})


def check_of(photo: Photo, identity: int, burst: Liveness | None = None) -> Check:
    """What the comparison makes of a photo, as `app.domain.faces.face_checks` decides."""
    reading = reading_of(photo)
    found = burst or liveness.verify_photos([reading])
    if burst is not None and burst.outcome == "spoof" and "attack_model" in burst.reasons:
        return Check.SPOOF
    if not reading.face_count:
        return Check.NO_FACE
    if reading.reasons:
        return Check.LOW_QUALITY
    if photo.identity != identity:
        return Check.MISMATCH
    if photo.condition == "glasses" or attacked(found):
        return Check.REVIEW
    return Check.MATCH


def attacked(found: Liveness | None) -> bool:
    """Whether it looks like an attack, which a person has to see."""
    return found is not None and (found.outcome == "spoof" or "attack_model" in found.reasons)


def _feed(burst: Burst) -> FeedSigns:
    photos = [photo for *_, photo in burst]
    return FeedSigns(
        motion=tuple(0.0 if _same(a, b) else _MOTION for a, b in pairwise(photos)),
        repeats=0,
        span_ms=burst[-1].received_ms - burst[0].received_ms,
        depths=tuple(
            None if photo.does not in _TURNS else _FLAT if photo.condition == "replayed" else _HEAD
            for photo in photos
        ),
    )


def _same(first: Photo, second: Photo) -> bool:
    """One picture, saved again or not."""
    return (first.identity, first.variation, first.does) == (
        second.identity,
        second.variation,
        second.does,
    )


def _enrolled(photo: Photo) -> bool:
    return photo.variation == 0 and photo.does is None
