"""The same photograph is recognised after the usual disguises; a similar one is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision.image import Rgb, decode
from app.vision.reuse import MAX_RESIDUAL, candidates, perceptual_hashes, residual


@pytest.fixture(scope="module")
def photo() -> Rgb:
    return decode(portrait(PORTRAIT_SEEDS[0]))


def reencoded(picture: Rgb) -> Rgb:
    return decode(
        cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 40])[1].tobytes()
    )


def noisy(picture: Rgb) -> Rgb:
    noise = np.random.default_rng(0).normal(0, 8, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


DISGUISES = {
    "re-encoded": reencoded,
    "resized": lambda picture: cv2.resize(picture, (500, 375)),
    "brighter": lambda picture: np.clip(picture * 1.15 + 10, 0, 255).astype(np.uint8),
    "noisy": noisy,
    "cropped": lambda picture: cv2.resize(picture[10:-10, 13:-13], (640, 480)),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_disguised_photograph_is_proved(photo: Rgb, disguise: str) -> None:
    again = np.ascontiguousarray(DISGUISES[disguise](photo))
    found = residual(photo, again)
    assert found.same_photograph and not found.mirrored


@pytest.mark.parametrize("disguise", sorted(DISGUISES.keys() - {"cropped"}))
def test_the_hash_proposes_every_disguise_but_a_crop(photo: Rgb, disguise: str) -> None:
    again = np.ascontiguousarray(DISGUISES[disguise](photo))
    assert candidates(perceptual_hashes(again)[0], [perceptual_hashes(photo)[0]])


def test_a_mirrored_photograph_is_found_and_proved(photo: Rgb) -> None:
    mirrored = np.ascontiguousarray(photo[:, ::-1])
    assert perceptual_hashes(mirrored)[1] == perceptual_hashes(photo)[0]
    found = residual(photo, mirrored)
    assert found.same_photograph and found.mirrored


def test_another_snapshot_of_the_same_person_is_not_the_same_photograph(photo: Rgb) -> None:
    later = decode(portrait(PORTRAIT_SEEDS[0], noise_seed=1, pose=0.15))
    assert residual(photo, later).value > MAX_RESIDUAL


def dim(picture: Rgb, light: float) -> Rgb:
    return (picture * light).astype(np.uint8)


@pytest.mark.parametrize("light", [0.5, 0.2])
def test_a_dark_room_makes_no_copies_of_two_snapshots(light: float) -> None:
    """Lin studies by a small lamp: all grey differences shrink with the light."""
    for seed in PORTRAIT_SEEDS[:6]:
        now, later = (decode(portrait(seed, noise_seed=it, pose=it * 0.05)) for it in (1, 2))
        assert not residual(dim(now, light), dim(later, light)).same_photograph


@pytest.mark.parametrize("light", [0.5, 0.2])
@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_dark_photograph_is_proved_to_be_the_same(
    photo: Rgb, disguise: str, light: float
) -> None:
    dark = dim(photo, light)
    assert residual(dark, np.ascontiguousarray(DISGUISES[disguise](dark))).same_photograph


def test_a_dark_mirrored_photograph_is_proved_as_mirrored(photo: Rgb) -> None:
    dark = dim(photo, 0.3)
    found = residual(dark, np.ascontiguousarray(dark[:, ::-1]))
    assert found.same_photograph and found.mirrored


def test_another_person_is_not_the_same_photograph(photo: Rgb) -> None:
    assert residual(photo, decode(portrait(PORTRAIT_SEEDS[1]))).value > MAX_RESIDUAL


def test_pictures_without_features_prove_nothing() -> None:
    grey = np.full((480, 640, 3), 128, np.uint8)
    assert not residual(grey, grey).same_photograph


def test_the_closest_candidates_come_first_and_distant_ones_not_at_all() -> None:
    stored = [0b1111, 0b0, 0b1, (1 << 64) - 1]
    assert candidates(0, stored) == [(1, 0), (2, 1), (0, 4)]
    assert candidates(0, []) == []


def test_a_hash_has_sixty_four_bits_and_does_not_depend_on_size(photo: Rgb) -> None:
    plain, mirrored = perceptual_hashes(photo)
    assert 0 <= plain < 1 << 64 and 0 <= mirrored < 1 << 64
    larger = np.asarray(cv2.resize(photo, (1280, 960)), np.uint8)
    assert (perceptual_hashes(larger)[0] ^ plain).bit_count() <= 2
