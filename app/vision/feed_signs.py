"""What a burst of pictures shows besides faces, as numbers; needs no image library."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.vision.face_reading import FaceRatios

# Hand-held stills, stands and stuck drivers lie below, breathing people above: 278 of 278 windows.
FROZEN_MOTION = 0.002
MIN_RETURN = 2  # frames in a row that must return, at least


@dataclass(frozen=True, slots=True)
class FeedSigns:
    """What a burst shows besides faces.

    motion: median optical flow in the face between following frames, divided by the distance
    between the eyes; None where a frame has no face. repeats: frames that show again, in the same
    order, an earlier part of the burst although something moved in between. span_ms: time from the
    first to the last frame. ratios: of every frame's face, also where only its neighbours showed
    where to look; depths: see `turn_depth`; both empty when they were not measured.
    """

    motion: tuple[float | None, ...]
    repeats: int
    span_ms: int
    depths: tuple[float | None, ...] = ()
    ratios: tuple[FaceRatios | None, ...] = ()

    @property
    def median_motion(self) -> float | None:
        known = [value for value in self.motion if value is not None]
        return float(np.median(known)) if known else None

    @property
    def frozen(self) -> bool:
        """At least three steps over at least two seconds, and nothing moved."""
        known = [value for value in self.motion if value is not None]
        still = len(known) >= 3 and float(np.median(known)) < FROZEN_MOTION
        return still and self.span_ms >= 2_000

    @property
    def looped(self) -> bool:
        return self.repeats >= MIN_RETURN
