"""The same photograph twice: a perceptual hash finds candidates, aligned residuals prove it.

A close hash alone proves nothing: at 10 bits it flags 60 % of genuinely different snapshots of one
person at one desk. So a candidate is aligned with the original (also mirrored) and the remaining
differences are measured block by block: 0.23 % false, 97-100 % found after re-encoding, resizing,
cropping or mirroring. Identical bytes are a plain SHA-256 comparison and not this module's matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.vision.image import Rgb

CANDIDATE_BITS = 10
MAX_RESIDUAL = 0.06

_HASH_SIDE, _HASH_BLOCK = 32, 8
_WIDTH, _MAX_HEIGHT = 320, 640
_MIN_SIDE = 64  # ORB fails on strips that its pyramid shrinks to nothing
_BLOCK = 16
_FEATURES = 800
_MIN_INLIERS = 25
_MIN_OVERLAP = 0.5
_BLUR = 2.0
_LIT = 0.2  # standard deviation of the grey values; what is paler or darker differs less by itself


@dataclass(frozen=True, slots=True)
class Residual:
    """What is left after aligning one picture with another.

    value: 95th percentile over 16-pixel blocks of the mean absolute grey difference, 0-1, of a
    picture with the contrast of a lit room; 1 when no alignment was found. overlap: share of the
    picture that the other covers.
    """

    value: float
    overlap: float
    mirrored: bool

    @property
    def same_photograph(self) -> bool:
        return self.value <= MAX_RESIDUAL


def perceptual_hashes(picture: Rgb) -> tuple[int, int]:
    """The 64-bit DCT hash of a picture and of its mirror image, to look up beside it.

    The signs of the 8x8 lowest frequencies against their median.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_HASH_SIDE, _HASH_SIDE), interpolation=cv2.INTER_AREA)
    return _dct_hash(small.astype(np.float32)), _dct_hash(small[:, ::-1].astype(np.float32))


def _dct_hash(small: NDArray[np.float32]) -> int:
    low = cv2.dct(np.ascontiguousarray(small))[:_HASH_BLOCK, :_HASH_BLOCK].ravel()
    return int.from_bytes(np.packbits(low > np.median(low[1:])).tobytes(), "big")


def candidates(
    wanted: int, stored: Sequence[int] | NDArray[np.uint64], max_bits: int = CANDIDATE_BITS
) -> list[tuple[int, int]]:
    """(index, bits apart) of all stored hashes within ``max_bits``, the closest first."""
    hashes = np.asarray(stored, np.uint64)
    apart = np.bitwise_count(hashes ^ np.uint64(wanted)).astype(int)
    near = np.flatnonzero(apart <= max_bits)
    return [
        (int(index), int(apart[index])) for index in near[np.argsort(apart[near], kind="stable")]
    ]


def residual(first: Rgb, second: Rgb) -> Residual:
    """Compare two pictures, the second also mirrored; about 27 ms a pair."""
    base, other = _prepare(first), _prepare(second)
    plain = _aligned_residual(base, other, mirrored=False)
    if plain.same_photograph:
        return plain
    flipped = _aligned_residual(base, np.ascontiguousarray(other[:, ::-1]), mirrored=True)
    return min(plain, flipped, key=lambda each: each.value)


def _prepare(picture: Rgb) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    scale = min(_WIDTH / width, _MAX_HEIGHT / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _aligned_residual(
    base: NDArray[np.uint8], other: NDArray[np.uint8], mirrored: bool
) -> Residual:
    matrix = _alignment(base, other)
    if matrix is None:
        return Residual(1.0, 0.0, mirrored)
    size = (base.shape[1], base.shape[0])
    moved = cv2.warpAffine(other, matrix, size)
    covered = cv2.warpAffine(np.full_like(other, 255), matrix, size)
    covered = cv2.erode(covered, np.ones((9, 9), np.uint8)) == 255
    overlap = float(covered.mean())
    if overlap < _MIN_OVERLAP:
        return Residual(1.0, overlap, mirrored)
    left = cv2.GaussianBlur(base, (0, 0), _BLUR).astype(np.float32)
    right = cv2.GaussianBlur(moved, (0, 0), _BLUR).astype(np.float32)
    gain, offset = np.polyfit(right[covered], left[covered], 1)
    contrast = min(1.0, float(left[covered].std()) / 255 / _LIT)
    difference = np.where(covered, np.abs(left - (gain * right + offset)) / 255, 0)
    blocks, weights = _block_means(difference), _block_means(covered.astype(np.float32))
    inside = weights > 0.5
    left_over = float(np.quantile(blocks[inside] / weights[inside], 0.95))
    return Residual(min(1.0, left_over / max(contrast, 1e-3)), overlap, mirrored)


def _alignment(base: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """Rotation, uniform scale and shift taking ``other`` onto ``base``, from ORB features."""
    if min(*base.shape, *other.shape) < _MIN_SIDE:
        return None
    orb = cv2.ORB.create(_FEATURES, fastThreshold=10)
    base_points, base_features = orb.detectAndCompute(base, None)
    other_points, other_features = orb.detectAndCompute(other, None)
    if base_features is None or other_features is None:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(other_features, base_features)
    if len(pairs) < _MIN_INLIERS:
        return None
    source = np.array([other_points[pair.queryIdx].pt for pair in pairs], np.float32)
    target = np.array([base_points[pair.trainIdx].pt for pair in pairs], np.float32)
    cv2.setRNGSeed(0)  # RANSAC draws from OpenCV's global generator: the same pair, the same value
    matrix, inliers = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=3.0)
    if matrix is None or int(inliers.sum()) < _MIN_INLIERS:
        return None
    return np.asarray(matrix, np.float64)


def _block_means(values: NDArray[np.generic]) -> NDArray[np.float64]:
    rows, columns = values.shape[0] // _BLOCK, values.shape[1] // _BLOCK
    blocks = values[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float64))
