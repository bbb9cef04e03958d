"""Is what turned a head, or a flat picture that was tilted, bent or pulled?

When a head turns, its nose, which stands before the face, moves further than the eyes, the mouth
and the rim of the face between which it lies. A flat picture moves as a whole: a smooth map of the
plane takes the landmarks of the frontal frame to those of the turned one, nose and all. What such
maps leave over is weighed here against how far the face turned. Weights were fitted by
`python -m benchmarks.liveness --fit` (docs/model-cards/liveness.md says on what).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.vision.landmarks import Points, eye_centres, interocular, ratios

Floats = NDArray[np.float64]

TURNED = 0.5  # change of the jaw ratio from which on depth can be told
_STRAIGHT = 0.35
_NASION, _NOSE_TIP = 27, 30
_INNER_EYES, _OUTER_EYES = (39, 42), (36, 45)
_RIM_EYES_MOUTH = [*range(17), *range(36, 48), 48, 54]
_WITHOUT_NOSE = [*range(27), *range(36, 68)]
_RIDGE = 1e-2
_PIXELS = 100  # between the eyes; `ratios` takes pixels

_MEAN = np.array([0.1328, 0.3058, 0.2048, 0.1656, 0.1901, 0.0409, 1.0271])
_SPREAD = np.array([0.0718, 0.133, 0.0839, 0.0642, 0.0988, 0.0203, 0.434])
_ALONE = [3.742, -1.4458, 1.5183, -0.2749, 0.2671, -0.006, 0.6032]
_TIMES_CHANGE = [0.2598, 0.6613, 0.4421, -0.9175, -2.0086, 0.9543, 0.131]
_WEIGHTS = np.array([*_ALONE, *_TIMES_CHANGE, 0.9294])
_LENIENCY = 0.5  # log-odds by which fewer frames of heads are called flat


def depths(landmarks: Sequence[Points | None]) -> tuple[float | None, ...]:
    """Log-odds of each frame of a burst that its turn is a head's, above 0 for one; None where no
    face is seen, or it does not look far enough aside, or no frame looks straight ahead.

    landmarks: (68, 2) in pixels, or None without a face.
    """
    jaw = [None if it is None else ratios(it).jaw_ratio for it in landmarks]
    straight = [
        points
        for points, ratio in zip(landmarks, jaw, strict=True)
        if points is not None and ratio is not None and abs(ratio) < _STRAIGHT
    ]
    if not straight:
        return (None,) * len(landmarks)
    front = np.mean([_upright(points) for points in straight], axis=0)
    found: list[float | None] = []
    for points in landmarks:
        values = None if points is None else features(front, points)
        found.append(None if values is None else _log_odds(values))
    return tuple(found)


def features(front: Points, turned: Points) -> Floats | None:
    """What is weighed, (7,), positive for a head whichever way it turns: shift of the nose's tip
    against its root, against the eyes, of its root between the eyes; what an affine map and a
    quadratic one leave over; how far the tip is from where the quadratic one takes it; the change
    of the jaw ratio. None when that is too small. `front` as of `_upright`."""
    before, after = front, _upright(turned)
    change = ratios(after * _PIXELS).jaw_ratio - ratios(before * _PIXELS).jaw_ratio
    if abs(change) < TURNED:
        return None
    side = float(np.sign(change))
    _, flat_left = _mapped(before, after, _WITHOUT_NOSE, 3)
    bent, bent_left = _mapped(before, after, _RIM_EYES_MOUTH, 6)
    root, tip = (after - before)[[_NASION, _NOSE_TIP], 0]
    eyes = (after - before)[list(_OUTER_EYES), 0].mean()
    return np.array(
        [
            side * (tip - root),
            side * (tip - eyes),
            side * (_between_eyes(after) - _between_eyes(before)),
            flat_left,
            side * (after - bent)[_NOSE_TIP, 0],
            bent_left,
            abs(change),
        ]
    )


def _log_odds(values: Floats) -> float:
    scaled = (values - _MEAN) / _SPREAD
    return float(np.concatenate([scaled, scaled * scaled[-1], [1.0]]) @ _WEIGHTS) + _LENIENCY


def _upright(points: Points) -> Floats:
    """In eye distances from the point between the eyes, with the eyes level."""
    left, right = eye_centres(points)
    along = (right - left) / max(1e-6, interocular(points))
    across = np.array([-along[1], along[0]])
    moved = points - (left + right) / 2
    return np.stack([moved @ along, moved @ across], axis=1) / max(1e-6, interocular(points))


def _between_eyes(points: Points) -> float:
    """Where the root of the nose lies between the inner corners of the eyes, 0 to 1."""
    left, right = points[list(_INNER_EYES), 0]
    return float((points[_NASION, 0] - left) / max(1e-3, right - left))


def _mapped(before: Points, after: Points, known: list[int], terms: int) -> tuple[Floats, float]:
    """`before` under the polynomial map (3 terms: affine, 6: quadratic) that takes the known
    points nearest to `after`, and the root mean square of what it misses them by."""
    x, y = before.T
    basis = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)[:, :terms]
    rows = np.vstack([basis[known], _RIDGE * np.eye(terms)])
    wanted = np.vstack([after[known], np.zeros((terms, 2))])
    mapped = basis @ np.linalg.lstsq(rows, wanted, rcond=None)[0]
    missed = ((after - mapped)[known] ** 2).sum(axis=1)
    return mapped, float(np.sqrt(missed.mean()))
