"""Where the faces are: dlib's HOG detector by default, YuNet when its file is supplied."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from app.vision import dlib_models
from app.vision.errors import ModelFileRejected
from app.vision.face_reading import Box
from app.vision.image import Rgb


class FaceDetector(Protocol):
    """Finds faces; ``model`` is stored with every reading."""

    @property
    def model(self) -> str: ...

    def detect(self, picture: Rgb) -> list[Box]:
        """All faces, the largest first; boxes as dlib's landmark model expects them."""
        ...

    def find_again(self, picture: Rgb, near: Box) -> Box | None:
        """The face that was at `near` in another picture of the burst, and is turned too far for
        `detect`."""
        ...


class HogDetector:
    """dlib's frontal face detector on a picture reduced to ``width``, then to ``retry_width``.

    At 400 pixels it costs about a tenth of face_recognition's default (full size, upsampled once)
    and finds faces from a fifth of the picture's width; the retry finds them from an eighth.
    """

    model = "dlib-hog@1"

    # Of its five filters, those for heads turned to the left and to the right; how sure they are
    # of heads that the detector itself, which asks for 0, does not report.
    _ASIDE, _LEAST_SCORE = (1, 2), -0.9

    def __init__(self, width: int = 400, retry_width: int = 640) -> None:
        self._widths = (width, retry_width)
        self._detector: Any = dlib_models.face_recognition_api().face_detector

    def detect(self, picture: Rgb) -> list[Box]:
        for width in self._widths:
            scale = min(1.0, width / picture.shape[1])
            grey = cv2.cvtColor(reduce(picture, scale), cv2.COLOR_RGB2GRAY)
            found = self._detector(grey, 0)  # a quarter faster than in colour, as many found
            if found:
                edges = ((r.left(), r.top(), r.right(), r.bottom()) for r in found)
                boxes = (Box(*(round(edge / scale) for edge in each)) for each in edges)
                return _one_a_face(boxes)
            if scale == 1.0:
                break
        return []

    def find_again(self, picture: Rgb, near: Box) -> Box | None:
        scale = min(1.0, self._widths[0] / picture.shape[1])
        grey = cv2.cvtColor(reduce(picture, scale), cv2.COLOR_RGB2GRAY)
        found, scores, looks = self._detector.run(grey, 0, self._LEAST_SCORE)
        for rectangle, _, look in sorted(zip(found, scores, looks, strict=True), key=_score):
            edges = (rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom())
            box = Box(*(round(edge / scale) for edge in edges))
            if look in self._ASIDE and _beside(box, near):
                return box
        return None


class YunetDetector:
    """OpenCV's YuNet (``cv2.FaceDetectorYN``) from a user-supplied ONNX file, at 320 pixels."""

    _WIDTH = 320
    # YuNet frames the head from the hairline to the chin, dlib a square from the brows to the
    # chin: the square's side and the rise of its centre, in heights of YuNet's box.
    _SIDE, _CENTRE_Y = 0.80, 0.56

    def __init__(self, path: Path, version: str, min_score: float = 0.7) -> None:
        self.model = f"yunet@{version}"
        try:
            self._detector = cv2.FaceDetectorYN.create(str(path), "", (320, 320), min_score)
        except cv2.error as broken:
            raise ModelFileRejected(f"{path.name} is no YuNet model: {broken.err}") from broken

    def detect(self, picture: Rgb) -> list[Box]:
        scale = min(1.0, self._WIDTH / picture.shape[1])
        small = cv2.cvtColor(reduce(picture, scale), cv2.COLOR_RGB2BGR)
        self._detector.setInputSize((small.shape[1], small.shape[0]))
        _, found = self._detector.detect(small)
        if found is None:
            return []
        boxes = [self._dlib_box(np.asarray(face[:4], float) / scale) for face in found]
        return sorted(boxes, key=lambda box: -box.area)

    def find_again(self, picture: Rgb, near: Box) -> Box | None:
        return None  # it sees heads in profile

    def _dlib_box(self, face: np.ndarray[Any, np.dtype[np.float64]]) -> Box:
        x, y, width, height = face
        half = self._SIDE * height / 2
        centre_x, centre_y = x + width / 2, y + self._CENTRE_Y * height
        return Box(
            round(centre_x - half),
            round(centre_y - half),
            round(centre_x + half),
            round(centre_y + half),
        )


def _one_a_face(boxes: Iterable[Box]) -> list[Box]:
    """The largest first, without those whose middle lies in a larger one: one face at two sizes."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda it: -it.area):
        x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
        if not any(it.left < x < it.right and it.top < y < it.bottom for it in kept):
            kept.append(box)
    return kept


def _score(found: tuple[Any, float, int]) -> float:
    return -found[1]


def _beside(box: Box, near: Box) -> bool:
    """Whether a face at `near` may be at `box` after a turn."""
    across = abs(box.left + box.right - near.left - near.right) / 2
    down = abs(box.top + box.bottom - near.top - near.bottom) / 2
    alike = 0.6 <= box.width / max(1, near.width) <= 1.4
    return alike and across < 0.6 * near.width and down < 0.4 * near.height


def crop(picture: Rgb, box: Box) -> Rgb:
    """The part of the box that lies in the picture; at least one pixel, whatever the box."""
    height, width = picture.shape[:2]
    top, left = min(max(0, box.top), height - 1), min(max(0, box.left), width - 1)
    return picture[top : max(top + 1, box.bottom), left : max(left + 1, box.right)]


def reduce(picture: Rgb, scale: float) -> Rgb:
    """The picture scaled down by area averaging; unchanged when ``scale`` is 1."""
    if scale >= 1.0:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
