"""Codes find a photograph again whatever was done to it, and tell photographs apart."""

from __future__ import annotations

import numpy as np
import pytest

from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision.backends import Backends
from app.vision.code_bits import BANDS, BITS, MOST_APART, SIZE, apart, around, bands
from app.vision.image import Rgb, decode
from app.vision.photo_code import photo_codes
from app.vision.reuse import face_crop
from tests.vision.test_reuse import DISGUISES


@pytest.fixture(scope="module")
def codes_of(backends: Backends):
    def codes_of(picture: Rgb) -> bytes:
        (box, *_) = backends.detector.detect(picture)
        return photo_codes(face_crop(picture, backends.landmarker.locate(picture, box)))

    return codes_of


def found(codes: bytes, stored: bytes) -> bool:
    """Whether a look-up comes by it."""
    pairs = zip(around(codes), bands(stored), strict=True)
    return any(value in values for values, value in pairs)


def test_a_disguised_or_mirrored_photograph_is_found(codes_of) -> None:
    for seed in PORTRAIT_SEEDS[:2]:
        photo = decode(portrait(seed))
        stored = codes_of(photo)
        changed = [disguise(photo) for disguise in DISGUISES.values()]
        for picture in (*changed, photo[:, ::-1]):
            codes = codes_of(np.ascontiguousarray(picture))
            assert apart(codes, [stored])[0] <= MOST_APART and found(codes, stored)


def test_other_people_lie_far_apart(codes_of) -> None:
    stored = [codes_of(decode(portrait(seed))) for seed in PORTRAIT_SEEDS[:6]]
    for at, codes in enumerate(stored):
        others = stored[:at] + stored[at + 1 :]
        assert apart(codes, others).min() > MOST_APART


def test_every_code_that_differs_in_fewer_bits_than_twice_the_bands_is_found() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        code = int.from_bytes(rng.bytes(SIZE), "big") >> (8 * SIZE - BITS)
        other = code
        for bit in rng.choice(BITS, 2 * BANDS - 1, replace=False).tolist():
            other ^= 1 << bit
        assert found(code.to_bytes(SIZE, "big") * 2, other.to_bytes(SIZE, "big") * 2)
