"""One picture to one FaceReading: the entry point of the worker processes.

backends = load(BackendFiles())
reading = read(jpeg_bytes, backends)
"""

from __future__ import annotations

import cv2
import numpy as np

from app.vision import quality as quality_
from app.vision.backends import Backends
from app.vision.face_reading import Box, FaceReading
from app.vision.image import Rgb, decode
from app.vision.image_header import IMAGE_LIMITS, ImageLimits
from app.vision.landmarks import ratios
from app.vision.passive import passive_cues
from app.vision.photo_code import photo_codes
from app.vision.quality import SNAPSHOT, QualityLimits
from app.vision.reuse import face_crop, face_hashes, perceptual_hashes


def read(
    data: bytes,
    backends: Backends,
    quality_limits: QualityLimits = SNAPSHOT,
    image_limits: ImageLimits = IMAGE_LIMITS,
) -> FaceReading:
    """Read one JPEG or PNG; raises ImageRejected. Pass quality.ENROLMENT for reference photos.

    The largest face is read when there are several, and ``reasons`` says that there are.
    """
    return read_picture(decode(data, image_limits), backends, quality_limits)


def read_picture(
    picture: Rgb, backends: Backends, quality_limits: QualityLimits = SNAPSHOT
) -> FaceReading:
    """As `read`, for a picture already decoded: uint8 (height, width, 3) RGB."""
    boxes = backends.detector.detect(picture)
    box = boxes[0] if boxes else None
    quality = face_ratios = live_score = embedding = codes = None
    cues: dict[str, float] = {}
    hashes = None
    if box is not None:
        points = backends.landmarker.locate(picture, box)
        face_ratios = ratios(points)
        quality = quality_.measure(picture, box, points, face_ratios)
        embedding = backends.embedder.embed(picture, points)
        cues = passive_cues(picture, box)
        face = face_crop(picture, points)
        hashes, codes = face_hashes(face), photo_codes(face)
        if backends.anti_spoof is not None:
            live_score = backends.anti_spoof.live_score(picture, box)
    if hashes is None:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        hashes = perceptual_hashes(np.asarray(grey, np.uint8))
    height, width = picture.shape[:2]
    return FaceReading(
        width=width,
        height=height,
        face_count=len(boxes),
        box=box,
        quality=quality,
        reasons=quality_.reasons(
            len(boxes), quality, quality_limits, cut_off=box is not None and _cut_off(box, picture)
        ),
        ratios=face_ratios,
        passive=cues,
        live_score=live_score,
        perceptual_hash=hashes[0],
        mirrored_hash=hashes[1],
        detector=backends.detector.model,
        model=backends.embedder.card.model,
        anti_spoof=None if backends.anti_spoof is None else backends.anti_spoof.model,
        embedding=embedding,
        codes=codes,
    )


def _cut_off(box: Box, picture: Rgb) -> bool:
    """More than a tenth of the face box lies outside the picture."""
    height, width = picture.shape[:2]
    inside_width = min(box.right, width) - max(box.left, 0)
    inside_height = min(box.bottom, height) - max(box.top, 0)
    return bool(inside_width * inside_height < 0.9 * box.area)
