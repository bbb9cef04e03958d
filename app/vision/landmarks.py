"""The 68 landmarks of a face (iBUG 300-W order) and the ratios read off them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.vision import dlib_models
from app.vision.face_reading import Box, FaceRatios
from app.vision.image import Rgb

Points = NDArray[np.float64]  # (68, 2), x and y in pixels of the picture

_NOSE_TIP = 30
_JAW_LEFT, _JAW_RIGHT = 1, 15  # left and right in the picture, at the height of the nose
_EYE_LEFT, _EYE_RIGHT = slice(36, 42), slice(42, 48)
_INNER_LIP_CORNERS = (60, 64)
_INNER_LIP_PAIRS = ((61, 67), (62, 66), (63, 65))


class Landmarker:
    """dlib's 68-point shape predictor, which face_recognition ships."""

    model = "dlib-68@1"

    def __init__(self) -> None:
        self._predictor: Any = dlib_models.face_recognition_api().pose_predictor_68_point

    def locate(self, picture: Rgb, box: Box) -> Points:
        rectangle = dlib_models.dlib().rectangle(box.left, box.top, box.right, box.bottom)
        shape = self._predictor(picture, rectangle)
        return np.array([(point.x, point.y) for point in shape.parts()], np.float64)


def eye_centres(points: Points) -> Points:
    """Centres of the eye on the left and on the right of the picture, (2, 2)."""
    return np.array([points[_EYE_LEFT].mean(axis=0), points[_EYE_RIGHT].mean(axis=0)])


def interocular(points: Points) -> float:
    """Distance between the eye centres in pixels."""
    left, right = eye_centres(points)
    return float(np.linalg.norm(right - left))


def ratios(points: Points) -> FaceRatios:
    """The ratios of one face; finite for any landmarks."""
    left, right = eye_centres(points)
    return FaceRatios(
        jaw_ratio=float(
            np.log(
                _distance(points, _NOSE_TIP, _JAW_LEFT) / _distance(points, _NOSE_TIP, _JAW_RIGHT)
            )
        ),
        eye_aspect=(_eye_aspect(points[_EYE_LEFT]) + _eye_aspect(points[_EYE_RIGHT])) / 2,
        mouth_opening=sum(_distance(points, *pair) for pair in _INNER_LIP_PAIRS)
        / (3 * _distance(points, *_INNER_LIP_CORNERS)),
        roll=float(np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0]))),
    )


def _eye_aspect(eye: Points) -> float:
    return (_distance(eye, 1, 5) + _distance(eye, 2, 4)) / (2 * _distance(eye, 0, 3))


def _distance(points: Points, first: int, second: int) -> float:
    """At least one pixel: neighbouring landmarks can coincide."""
    return max(1.0, float(np.linalg.norm(points[first] - points[second])))
