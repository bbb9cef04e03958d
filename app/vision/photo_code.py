"""126 bits by which a photograph of a face is looked up among all photographs of an installation.

The hash in `reuse.py` tells little between people, since all faces have much in common: of a
million photographs tens of thousands lie near any one. This code holds signs of random mixtures of
the face's finer structure, each against what it is in the mean of many people. Copies differ in few
bits, and two photographs of one person in as many as those of two people: nobody is known by it.
A close code only finds candidates, as a close hash does. Figures: docs/model-cards/photo-reuse.md.
"""

from __future__ import annotations

import hashlib
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from app.vision.code_bits import BITS, SIZE
from app.vision.reuse import FACE, FaceCrop

_LOCAL, _FINE = 8.0, 2.0  # blurs: light goes with the first, noise with the second
_SOFT_EDGE = 5.0
_WAVES = (4, 24)  # half waves over the crop
_SEED = b"face code"  # of the mixtures; with another one, stored codes would mean nothing
# Thousandths: what the mixtures come to in the mean over 90 photographs of some 50 people and their
# mirror images.
# fmt: off
_MEAN = (
    -735, -212, -226, -898, -281, -1076, -306, -900, 28, -482, -429, 175, -228, -378, 287, -19,
    -215, 1378, -1046, 945, -431, -220, 531, -1348, 72, -641, 1, -855, -411, 1266, -1070, 710,
    -373, -154, -485, -202, 254, 176, -1467, 338, 51, -837, 157, 1061, -867, 907, -576, -653,
    -366, 554, 264, 494, -464, -1971, -1368, 144, -4, 1282, 421, -135, -244, 508, -698, -842,
    -199, -826, -230, -118, -884, 420, 274, 873, -65, 83, 297, 175, 582, -369, 62, 1595, -1213,
    649, 728, -350, 202, -464, 42, 68, -226, 982, 677, -1482, -35, -4, 61, -308, -163, -246,
    -1160, -1178, -267, -250, -323, -79, 620, 465, 92, -342, -352, -818, -305, 330, -405, 666,
    -395, 452, -1248, 574, -1314, 87, 191, -835, 1132, -733, 1159, 453,
)
# fmt: on


def photo_codes(face: FaceCrop) -> bytes:
    """The code of a face and that of its mirror image, to look up beside it, end to end."""
    return _code(face) + _code(np.ascontiguousarray(face[:, ::-1]))


def _code(face: FaceCrop) -> bytes:
    mixed = _structure(face) @ _mixtures() > np.array(_MEAN) / 1000
    return np.packbits(np.pad(mixed, (8 * SIZE - BITS, 0))).tobytes()


def _structure(face: FaceCrop) -> NDArray[np.float32]:
    grey = face.astype(np.float32)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), _LOCAL)
    spread = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), _LOCAL)) + 4
    even = cv2.GaussianBlur(detail / spread, (0, 0), _FINE) * _mask()
    waves = cv2.dct(np.asarray(even, np.float32))[_chosen()]
    return np.asarray(waves / max(float(np.linalg.norm(waves)), 1e-6), np.float32)


@cache
def _mask() -> NDArray[np.float32]:
    soft = cv2.GaussianBlur(FACE.astype(np.float32), (0, 0), _SOFT_EDGE)
    return np.where(FACE, soft, 0).astype(np.float32)


@cache
def _chosen() -> NDArray[np.bool_]:
    down, across = np.mgrid[: FACE.shape[0], : FACE.shape[1]]
    waves = np.hypot(across, down)
    return np.asarray((waves >= _WAVES[0]) & (waves < _WAVES[1]))


@cache
def _mixtures() -> NDArray[np.float32]:
    count = int(_chosen().sum())
    stream = hashlib.shake_256(_SEED).digest(-(-count * BITS // 8))
    bits = np.unpackbits(np.frombuffer(stream, np.uint8))[: count * BITS]
    return bits.reshape(count, BITS).astype(np.float32) * 2 - 1
