"""Is the picture good enough, and if not, what can the person in front of the camera do?"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from app.vision.detector import crop
from app.vision.face_reading import Box, FaceRatios, Quality
from app.vision.image import Rgb
from app.vision.landmarks import Points, interocular
from app.vision.reasons import QUALITY

REASONS = QUALITY  # the texts, for callers that have OpenCV loaded anyway

_CROP = 160  # blur and light are measured on the face at this size, so cameras compare


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """What is still usable; every number is a product default."""

    min_interocular: float
    min_sharpness: float
    min_brightness: float
    max_brightness: float
    min_contrast: float
    max_jaw_ratio: float
    max_roll: float


ENROLMENT = QualityLimits(
    min_interocular=48,
    min_sharpness=0.025,
    min_brightness=50,
    max_brightness=220,
    min_contrast=12,
    max_jaw_ratio=0.35,
    max_roll=15,
)
SNAPSHOT = QualityLimits(
    min_interocular=32,
    min_sharpness=0.008,
    min_brightness=35,
    max_brightness=230,
    min_contrast=7,
    max_jaw_ratio=0.6,
    max_roll=25,
)


def measure(picture: Rgb, box: Box, points: Points, ratios: FaceRatios) -> Quality:
    """The values of one face; ``box`` may reach outside the picture."""
    grey = cv2.cvtColor(crop(picture, box), cv2.COLOR_RGB2GRAY)
    shrinks = grey.shape[1] > _CROP
    face = cv2.resize(
        grey, (_CROP, _CROP), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    return Quality(
        interocular=interocular(points),
        sharpness=float(cv2.Laplacian(face, cv2.CV_32F).var() / max(1.0, float(face.var()))),
        brightness=float(face.mean()),
        contrast=float(face.std()),
        clipped=float(np.mean((face < 8) | (face > 247))),
        jaw_ratio=ratios.jaw_ratio,
        roll=ratios.roll,
    )


def reasons(
    face_count: int,
    quality: Quality | None,
    limits: QualityLimits,
    *,
    cut_off: bool = False,
) -> tuple[str, ...]:
    """Ids into REASONS of all that stands against the picture; empty when it is good."""
    if quality is None:
        return ("no_face",)
    found = {
        "several_faces": face_count > 1,
        "face_too_small": quality.interocular < limits.min_interocular,
        "face_cut_off": cut_off,
        "too_dark": quality.brightness < limits.min_brightness,
        "too_bright": quality.brightness > limits.max_brightness,
        "low_contrast": quality.contrast < limits.min_contrast,
        "blurred": quality.sharpness < limits.min_sharpness,
        "turned_away": abs(quality.jaw_ratio) > limits.max_jaw_ratio,
        "tilted": abs(quality.roll) > limits.max_roll,
    }
    return tuple(reason for reason, applies in found.items() if applies)
