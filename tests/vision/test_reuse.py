"""The same photograph of a face is recognised after the usual disguises; a similar one is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.simulation.entities import Photo
from app.simulation.photos import artificial_photograph
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision.backends import Backends
from app.vision.image import Rgb, decode
from app.vision.reuse import MAX_RESIDUAL, FaceCrop, face_crop, face_hashes, residual
from tests.thorough import later

PEOPLE = PORTRAIT_SEEDS[:6]
CANDIDATE_BITS = 18


@pytest.fixture(scope="module")
def face_of(backends: Backends):
    def face_of(picture: Rgb) -> FaceCrop:
        (box, *_) = backends.detector.detect(picture)
        return face_crop(picture, backends.landmarker.locate(picture, box))

    return face_of


def reencoded(picture: Rgb, quality: int = 40) -> Rgb:
    encoded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return decode(encoded.tobytes())


def moved(picture: Rgb, degrees: float, scale: float, right: float, down: float) -> Rgb:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    matrix[:, 2] += np.array([right, down])
    warped = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return reencoded(np.asarray(warped, np.uint8), 80)


def noisy(picture: Rgb) -> Rgb:
    noise = np.random.default_rng(0).normal(0, 6, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def before_another_wall(picture: Rgb) -> Rgb:
    """The head cut out and put before stripes."""
    height, width = picture.shape[:2]
    stripes = np.full_like(picture, 90)
    stripes[:, ::48] = (200, 40, 90)
    stripes[::64] = (20, 180, 60)
    mask = np.zeros((height, width), np.uint8)
    centre = (round(width * 0.5), round(height * 0.52))
    cv2.ellipse(mask, centre, (round(height * 0.3), round(height * 0.42)), 0, 0, 360, 255, -1)
    return np.where(mask[..., None] > 0, picture, stripes).astype(np.uint8)


DISGUISES = {
    "re-encoded": reencoded,
    "resized": lambda it: cv2.resize(it, (400, 300), interpolation=cv2.INTER_AREA),
    "brighter": lambda it: np.clip(it * 1.15 + 10, 0, 255).astype(np.uint8),
    "noisy": noisy,
    "cropped": lambda it: cv2.resize(it[10:-10, 13:-13], (640, 480)),
    "shifted": lambda it: moved(it, 0, 1, 17, -9),
    "turned by a hair": lambda it: moved(it, 2.5, 1, 0, 0),
    "nearer": lambda it: moved(it, 0, 1.1, 0, 0),
    "before another wall": before_another_wall,
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_disguised_photograph_is_proposed_and_proved(face_of, disguise: str) -> None:
    for seed in PEOPLE[:3]:
        photo = decode(portrait(seed))
        first, again = face_of(photo), face_of(np.ascontiguousarray(DISGUISES[disguise](photo)))
        found = residual(first, again)
        assert found.same_photograph and not found.mirrored, (seed, found)
        apart = (face_hashes(first)[0] ^ face_hashes(again)[0]).bit_count()
        assert apart <= CANDIDATE_BITS


def test_a_mirrored_photograph_is_proposed_and_proved(face_of) -> None:
    photo = decode(portrait(PEOPLE[0]))
    first, mirrored = face_of(photo), face_of(np.ascontiguousarray(photo[:, ::-1]))
    apart = (face_hashes(first)[0] ^ face_hashes(mirrored)[1]).bit_count()
    found = residual(first, mirrored)
    assert apart <= CANDIDATE_BITS and found.same_photograph


def test_snapshots_of_one_person_are_not_the_same_photograph(face_of) -> None:
    for seed in PEOPLE:
        faces = [
            face_of(decode(artificial_photograph(Photo(seed, take)))) for take in (0, 11, 12, 13)
        ]
        for at, first in enumerate(faces):
            for second in faces[at + 1 :]:
                assert residual(first, second).value > MAX_RESIDUAL


@pytest.mark.parametrize("seed", [4079, *later(*PORTRAIT_SEEDS[:14])])
def test_no_photo_of_a_sitting_passes_for_the_enrolled_one(face_of, seed: int) -> None:
    enrolled, *taken = (
        face_of(decode(artificial_photograph(Photo(seed, take)))) for take in range(8)
    )
    assert min(residual(enrolled, it).value for it in taken) > 1.25 * MAX_RESIDUAL


def test_two_people_before_one_wall_are_not_the_same_photograph(face_of) -> None:
    one, other = (
        face_of(before_another_wall(decode(portrait(seed)))) for seed in PORTRAIT_SEEDS[:2]
    )
    assert residual(one, other).value > 0.2


def dim(picture: Rgb, light: float) -> Rgb:
    return (picture * light).astype(np.uint8)


@pytest.mark.parametrize("light", [0.6, 0.4])
def test_a_dark_room_neither_makes_copies_nor_hides_them(face_of, light: float) -> None:
    """Lin studies by a small lamp: all grey differences shrink with the light."""
    for seed in PEOPLE[:2]:
        now, later = (dim(decode(artificial_photograph(Photo(seed, it))), light) for it in (11, 12))
        assert not residual(face_of(now), face_of(later)).same_photograph
        assert residual(face_of(now), face_of(reencoded(now, 70))).same_photograph


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_picture_of_nothing_proves_nothing(grey: int) -> None:
    nothing = np.full((128, 128), grey, np.uint8)
    assert not residual(nothing, nothing.copy()).same_photograph
