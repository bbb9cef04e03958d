"""The same photograph of a face twice: a perceptual hash finds candidates, aligned crops prove it.

Both look at the face alone, brought upright and to one size by its landmarks: a new background
neither hides a photograph nor makes one, and people at one desk differ. A close hash proves
nothing; crops are aligned to a fraction of a pixel, and what proves is how far the fine structure
of the face agrees. Figures: docs/model-cards/photo-reuse.md. Identical bytes are a plain SHA-256
comparison and not this module's matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.vision.image import Rgb
from app.vision.landmarks import Points, eye_centres

MAX_RESIDUAL = 0.04

_HASH_SIDE, _HASH_BLOCK = 32, 8
_SIDE = 128
# Where the eyes and the middle of the mouth come to lie.
_PLACES = np.array([(40, 48), (88, 48), (64, 96)], np.float64)
_MOUTH_CORNERS = (48, 54)
_ALIGNING_BLUR = 1.5
_FINE, _COARSE = 1.0, 4.0  # what agrees lies between these blurs; noise is finer, light coarser
_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)

FaceCrop = NDArray[np.uint8]  # (128, 128), grey


def _ellipse() -> NDArray[np.bool_]:
    y, x = np.mgrid[:_SIDE, :_SIDE]
    return np.asarray(((x - 64) / 44) ** 2 + ((y - 70) / 52) ** 2 < 1)


FACE = _ellipse()


@dataclass(frozen=True, slots=True)
class Residual:
    """What two faces differ in after alignment: 1 less the correlation of their fine structure, 0
    when equal, 1 when nothing agrees or they cannot be aligned."""

    value: float
    mirrored: bool

    @property
    def same_photograph(self) -> bool:
        return self.value <= MAX_RESIDUAL


def face_crop(picture: Rgb, points: Points) -> FaceCrop:
    """The face upright at one size, by its 68 landmarks."""
    seen = np.vstack([eye_centres(points), points[list(_MOUTH_CORNERS)].mean(axis=0)])
    matrix = _similarity(seen, _PLACES)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.7:
        grey = cv2.GaussianBlur(grey, (0, 0), 0.4 / scale)
    size = (_SIDE, _SIDE)
    return np.asarray(cv2.warpAffine(grey, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def perceptual_hashes(grey: NDArray[np.uint8]) -> tuple[int, int]:
    """The 64-bit DCT hash of a grey picture and of its mirror image, to look up beside it.

    The signs of the 8x8 lowest frequencies against their median.
    """
    small = cv2.resize(grey, (_HASH_SIDE, _HASH_SIDE), interpolation=cv2.INTER_AREA)
    return _dct_hash(small.astype(np.float32)), _dct_hash(small[:, ::-1].astype(np.float32))


def face_hashes(face: FaceCrop) -> tuple[int, int]:
    """`perceptual_hashes` of a face, whatever is around it."""
    alone = np.where(FACE, face, round(float(face[FACE].mean())))
    return perceptual_hashes(alone.astype(np.uint8))


def residual(first: FaceCrop, second: FaceCrop) -> Residual:
    """Compare two faces, the second also mirrored; about 15 ms a pair."""
    plain = Residual(_residual(first, second), mirrored=False)
    if plain.same_photograph:
        return plain
    flipped = Residual(_residual(first, np.ascontiguousarray(second[:, ::-1])), mirrored=True)
    return min(plain, flipped, key=lambda each: each.value)


def _dct_hash(small: NDArray[np.float32]) -> int:
    low = cv2.dct(np.ascontiguousarray(small))[:_HASH_BLOCK, :_HASH_BLOCK].ravel()
    return int.from_bytes(np.packbits(low > np.median(low[1:])).tobytes(), "big")


def _similarity(source: Points, target: Points) -> NDArray[np.float64]:
    """Rotation, one scale and shift that take ``source`` nearest to ``target``, (2, 3)."""
    rows = [row for x, y in source for row in ((x, -y, 1, 0), (y, x, 0, 1))]
    a, b, right, down = np.linalg.lstsq(np.array(rows), target.ravel(), rcond=None)[0]
    return np.array([[a, -b, right], [b, a, down]])


def _residual(base: FaceCrop, other: FaceCrop) -> float:
    first, second = base.astype(np.float32), other.astype(np.float32)
    mask = FACE.astype(np.uint8) * 255
    start = np.eye(2, 3, dtype=np.float32)
    try:
        _, matrix = cv2.findTransformECC(
            cv2.GaussianBlur(first, (0, 0), _ALIGNING_BLUR),
            cv2.GaussianBlur(second, (0, 0), _ALIGNING_BLUR),
            start,
            cv2.MOTION_AFFINE,
            _STEPS,
            mask,
            3,
        )
    except cv2.error:  # it does not converge: they are not alike
        return 1.0
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(
        second, matrix, (_SIDE, _SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    left, right = _structure(first), _structure(np.asarray(moved, np.float32))
    spread = float(left.std() * right.std())
    if spread < 1e-3:  # nothing in the picture: nothing to prove by
        return 1.0
    agreement = float(((left - left.mean()) * (right - right.mean())).mean()) / spread
    return min(1.0, max(0.0, 1 - agreement))


def _structure(face: NDArray[np.float32]) -> NDArray[np.float32]:
    fine = cv2.GaussianBlur(face, (0, 0), _FINE) - cv2.GaussianBlur(face, (0, 0), _COARSE)
    return np.asarray(fine[FACE], np.float32)
