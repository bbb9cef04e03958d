"""What a burst shows beside faces: does anything move, does a clip return, is what turns a head?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from app.vision.backends import Backends
from app.vision.detector import crop
from app.vision.face_reading import FaceReading
from app.vision.feed_signs import MIN_RETURN, FeedSigns
from app.vision.image import Rgb
from app.vision.landmarks import Points, ratios
from app.vision.turn_depth import TURNED, depths

# Mean absolute grey difference (0-255) of blurred thumbnails under which two frames are one frame.
SAME_FRAME = 0.35

_FACE_SIDE = 128
_THUMBNAIL = (96, 72)


def feed_signs(
    pictures: Sequence[Rgb],
    readings: Sequence[FaceReading],
    at_ms: Sequence[int],
    backends: Backends,
) -> FeedSigns:
    """Compare the frames of one burst, in the order taken; about 5 ms a frame.

    ``at_ms`` are the server's receive times. Camera noise alone moves nothing: flow is taken as
    the median over the face at 128 pixels.
    """
    motion = [
        _motion(first, second, reading)
        for first, second, reading in zip(pictures, pictures[1:], readings, strict=False)
    ]
    landmarks = list(_landmarks(pictures, readings, backends))
    return FeedSigns(
        motion=tuple(motion),
        repeats=_repeats([_thumbnail(picture) for picture in pictures]),
        span_ms=max(at_ms) - min(at_ms) if at_ms else 0,
        depths=depths(landmarks),
        ratios=tuple(None if points is None else ratios(points) for points in landmarks),
    )


def _landmarks(
    pictures: Sequence[Rgb], readings: Sequence[FaceReading], backends: Backends
) -> Iterator[Points | None]:
    """Of every frame. A head that turns far is lost by the detector, and found again about where
    the nearest frame has it; a face found so that looks straight ahead is none."""
    known = {n: it.box for n, it in enumerate(readings) if it.box is not None}
    for n, picture in enumerate(pictures):
        if n in known:
            yield backends.landmarker.locate(picture, known[n])
            continue
        near = min(known, key=lambda it: abs(it - n), default=None)
        box = None if near is None else backends.detector.find_again(picture, known[near])
        points = None if box is None else backends.landmarker.locate(picture, box)
        aside = points is not None and abs(ratios(points).jaw_ratio) >= TURNED
        yield points if aside else None


def _motion(first: Rgb, second: Rgb, reading: FaceReading) -> float | None:
    if reading.box is None or reading.quality is None or first.shape != second.shape:
        return None
    faces = [
        cv2.resize(
            cv2.cvtColor(crop(picture, reading.box), cv2.COLOR_RGB2GRAY),
            (_FACE_SIDE, _FACE_SIDE),
            interpolation=cv2.INTER_AREA,
        )
        for picture in (first, second)
    ]
    start = np.zeros((_FACE_SIDE, _FACE_SIDE, 2), np.float32)
    flow = cv2.calcOpticalFlowFarneback(faces[0], faces[1], start, 0.5, 3, 15, 3, 5, 1.2, 0)
    pixels = float(np.median(np.linalg.norm(flow, axis=2)))
    return pixels * reading.box.width / _FACE_SIDE / max(1.0, reading.quality.interocular)


def _thumbnail(picture: Rgb) -> NDArray[np.float32]:
    """Small, blurred, and without its mean: noise and exposure make no difference."""
    small = cv2.resize(picture, _THUMBNAIL, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    blurred = np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.0), np.float32)
    return np.asarray(blurred - blurred.mean(), np.float32)


def _repeats(frames: Sequence[NDArray[np.float32]]) -> int:
    """The longest run of frames that equal those ``lag`` earlier, while frames between differ."""
    if len(frames) < 2 * MIN_RETURN:
        return 0
    stack = np.stack(frames)
    same = np.abs(stack[:, None] - stack[None]).mean(axis=(2, 3)) < SAME_FRAME
    longest = 0
    for lag in range(2, len(frames) - MIN_RETURN + 1):
        run = 0
        for index in range(len(frames) - lag):
            moved = not same[index, index + 1 : index + lag].all()
            run = run + 1 if same[index, index + lag] and moved else 0
            longest = max(longest, run)
    return longest
