"""Pictures to pixels: for workers only, and only what `image_header.verify` lets through.

Metadata (EXIF, comments, profiles) does not survive decoding, except that the EXIF orientation is
applied.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.vision.image_header import IMAGE_LIMITS, ImageLimits, ImageRejected, verify

Rgb = NDArray[np.uint8]  # (height, width, 3)


def decode(data: bytes, limits: ImageLimits = IMAGE_LIMITS) -> Rgb:
    """The picture as uint8 (height, width, 3) RGB, upright; raises ImageRejected."""
    header = verify(data, limits)
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as broken:
        raise ImageRejected("image_unreadable", f"the decoder refused it: {broken.err}") from broken
    if picture is None:
        raise ImageRejected("image_unreadable", "the decoder refused it")
    if sorted(picture.shape[:2]) != sorted((header.width, header.height)):
        raise ImageRejected("image_unreadable", "the picture is not the size its header says")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
