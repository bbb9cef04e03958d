"""Artificial people behave like people towards the default backends, and are marked as such."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision.backends import Backends
from app.vision.face_reading import FaceReading
from app.vision.image import decode
from app.vision.image_header import verify
from app.vision.quality import ENROLMENT
from app.vision.reading import read

Reader = Callable[..., FaceReading]

SAMPLE = PORTRAIT_SEEDS[::4]
SNAPSHOTS = (
    {"noise_seed": 1, "pose": 0.0, "light": 1.0},
    {"noise_seed": 2, "pose": 0.2, "light": 0.8},
    {"noise_seed": 3, "pose": -0.2, "light": 1.15},
)


def mean_embedding(reading_of: Reader, seed: int) -> np.ndarray:
    readings = [reading_of(seed, **options) for options in SNAPSHOTS]
    return np.mean([each.embedding for each in readings if each.embedding is not None], axis=0)


def test_there_are_enough_people_for_a_county() -> None:
    assert len(set(PORTRAIT_SEEDS)) == len(PORTRAIT_SEEDS) >= 70


def test_the_same_arguments_give_the_same_bytes() -> None:
    arguments = {"pose": 0.3, "light": 0.9, "noise_seed": 4, "size": (320, 240)}
    assert portrait(5, **arguments) == portrait(5, **arguments)  # type: ignore[arg-type]
    assert portrait(5) != portrait(6) and portrait(5) != portrait(5, noise_seed=1)


def test_the_size_is_the_one_asked_for() -> None:
    header = verify(portrait(1, size=(1280, 720)))
    assert (header.media_type, header.width, header.height) == ("image/jpeg", 1280, 720)


def test_every_picture_carries_its_caption() -> None:
    for seed in PORTRAIT_SEEDS[:5]:
        strip = decode(portrait(seed))[464:478].astype(int)
        assert np.median(strip) < 30  # a black strip over the whole width ...
        assert (strip[:, :400].min(axis=2) > 180).sum() > 300  # ... with white letters on it


@pytest.mark.thorough
def test_the_detector_finds_them(reading_of: Reader) -> None:
    readings = [reading_of(seed, **options) for seed in SAMPLE for options in SNAPSHOTS]
    found = [reading for reading in readings if reading.face_count == 1]
    assert len(found) / len(readings) >= 0.97
    assert sum(reading.usable for reading in readings) / len(readings) >= 0.97


@pytest.mark.thorough
def test_they_pass_the_quality_gate_of_enrolment(backends: Backends) -> None:
    readings = [read(portrait(seed), backends, ENROLMENT) for seed in PORTRAIT_SEEDS[::2]]
    assert sum(not reading.reasons for reading in readings) >= 0.97 * len(readings)


@pytest.mark.thorough
def test_one_person_stays_close_to_themselves(reading_of: Reader) -> None:
    for seed in SAMPLE:
        vectors = [reading_of(seed, **options).embedding for options in SNAPSHOTS]
        for first, second in combinations([each for each in vectors if each is not None], 2):
            assert np.linalg.norm(first - second) < 0.45


def test_two_people_are_mostly_as_far_apart_as_strangers(reading_of: Reader) -> None:
    means = [mean_embedding(reading_of, seed) for seed in SAMPLE]
    apart = np.array([np.linalg.norm(a - b) for a, b in combinations(means, 2)])
    assert np.mean(apart > 0.6) >= 0.75
    assert apart.min() > 0.42


@pytest.mark.thorough
def test_a_turned_head_changes_the_jaw_ratio_as_a_challenge_wants(reading_of: Reader) -> None:
    enough = 0
    for seed in PORTRAIT_SEEDS[:16]:
        frontal = reading_of(seed).ratios
        assert frontal is not None
        for pose in (-1.0, 1.0):
            turned = reading_of(seed, pose=pose).ratios
            enough += turned is not None and (turned.jaw_ratio - frontal.jaw_ratio) * pose >= 0.8
    assert enough >= 0.85 * 32


@pytest.mark.thorough
def test_an_open_mouth_mostly_opens_and_shut_eyes_mostly_shut(reading_of: Reader) -> None:
    opened = shut = 0
    for seed in SAMPLE:
        plain = reading_of(seed).ratios
        mouth, eyes = (
            reading_of(seed, mouth_open=1.0).ratios,
            reading_of(seed, eyes_open=0.05).ratios,
        )
        opened += bool(plain and mouth and mouth.mouth_opening > plain.mouth_opening + 0.1)
        shut += bool(plain and eyes and eyes.eye_aspect < plain.eye_aspect)
    assert opened >= 0.8 * len(SAMPLE)
    assert shut >= 0.8 * len(SAMPLE)
