"""The bits of `photo_code`: cut into bands by which they are found, and counted where they differ.

Two codes that differ in fewer bits than twice the number of bands agree in one band but for a bit
at most, so every such pair is found by `around`; of those farther apart most are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BANDS, BAND_BITS = 6, 21
BITS = BANDS * BAND_BITS
SIZE = 16  # bytes of one code
MOST_APART = 22  # bits; of copies 99 in 100 lie within 16, other photographs from 20 on

_MASK = (1 << BAND_BITS) - 1


def bands(codes: bytes) -> list[int]:
    """What a photo is entered under: the first of its codes, cut up."""
    whole = int.from_bytes(codes[:SIZE], "big")
    return [whole >> (BAND_BITS * number) & _MASK for number in range(BANDS)]


def around(codes: bytes) -> list[list[int]]:
    """What a photo is looked up by, band by band: each of its codes, and all that differ from them
    in one bit."""
    probes = zip(bands(codes[:SIZE]), bands(codes[SIZE:]), strict=True)
    return [sorted({it for value in values for it in _neighbours(value)}) for values in probes]


def apart(codes: bytes, others: Sequence[bytes]) -> NDArray[np.int64]:
    """In how many bits others differ from a photo, or from its mirror image."""
    stored = np.frombuffer(b"".join(it[:SIZE] for it in others), ">u8").reshape(-1, 2)
    asked = np.frombuffer(codes, ">u8").reshape(2, 1, 2)
    return np.asarray(np.bitwise_count(stored[None] ^ asked).sum(axis=2).min(axis=0), np.int64)


def _neighbours(value: int) -> list[int]:
    return [value, *(value ^ (1 << bit) for bit in range(BAND_BITS))]
