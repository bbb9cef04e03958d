"""One picture becomes one reading that travels between processes."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision.backends import Backends
from app.vision.face_reading import FaceReading
from app.vision.image_header import ImageLimits, ImageRejected
from app.vision.landmarks import ratios
from app.vision.reading import read, read_picture

ANNA = PORTRAIT_SEEDS[0]


def without_embedding(reading: FaceReading) -> FaceReading:
    return dataclasses.replace(reading, embedding=None)


def test_a_portrait_is_read(reading_of: Callable[..., FaceReading]) -> None:
    reading = reading_of(ANNA)
    assert (reading.width, reading.height, reading.face_count) == (640, 480, 1)
    assert reading.usable and reading.reasons == ()
    assert reading.embedding is not None
    assert reading.embedding.shape == (128,)
    assert reading.embedding.dtype == np.dtype(np.float32)
    assert (reading.detector, reading.model) == ("dlib-hog@1", "dlib-resnet@1")
    assert reading.live_score is None and reading.anti_spoof is None


def test_reading_twice_gives_the_same_numbers(backends: Backends) -> None:
    first, second = (read(portrait(ANNA), backends) for _ in range(2))
    assert first.as_json() == second.as_json()
    assert np.array_equal(first.embedding, second.embedding)


def test_a_reading_survives_pickle_and_json(reading_of: Callable[..., FaceReading]) -> None:
    reading = reading_of(ANNA)
    pickled = pickle.loads(pickle.dumps(reading))
    assert without_embedding(pickled) == without_embedding(reading)
    again = FaceReading.from_json(json.loads(json.dumps(reading.as_json())), reading.embedding)
    assert again == dataclasses.replace(reading, codes=None)


def test_json_never_carries_the_embedding_or_the_codes(
    reading_of: Callable[..., FaceReading],
) -> None:
    assert reading_of(ANNA).codes is not None
    assert not {"embedding", "codes"} & reading_of(ANNA).as_json().keys()


def test_a_picture_without_a_face_is_read_too(backends: Backends) -> None:
    import cv2

    wall = cv2.imencode(".png", np.full((480, 640, 3), 90, np.uint8))[1].tobytes()
    reading = read(wall, backends)
    assert (reading.face_count, reading.box, reading.embedding) == (0, None, None)
    assert reading.reasons == ("no_face",) and not reading.usable
    assert FaceReading.from_json(json.loads(json.dumps(reading.as_json()))) == reading


@pytest.mark.parametrize("data", [b"", b"not a picture", portrait(1)[:2000]])
def test_a_broken_upload_is_rejected_not_read(data: bytes, backends: Backends) -> None:
    with pytest.raises(ImageRejected):
        read(data, backends)


def test_limits_are_arguments(backends: Backends) -> None:
    with pytest.raises(ImageRejected, match="image_pixels"):
        read(portrait(1), backends, image_limits=ImageLimits(max_pixels=1000))


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (1, 8_192), (8_192, 1), (40, 8_000), (64, 64)])
def test_noise_of_any_shape_is_read_without_error(
    shape: tuple[int, int], backends: Backends
) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    reading = read_picture(noise, backends)
    assert (reading.height, reading.width) == shape


def test_a_larger_picture_of_the_same_person_matches(
    reading_of: Callable[..., FaceReading],
) -> None:
    small, large = reading_of(ANNA), reading_of(ANNA, size=(1280, 720))
    assert small.embedding is not None and large.embedding is not None
    assert np.linalg.norm(small.embedding - large.embedding) < 0.3


def test_ratios_stay_finite_when_landmarks_collapse() -> None:
    for points in (np.zeros((68, 2)), np.full((68, 2), 1e6)):
        assert np.isfinite(dataclasses.astuple(ratios(points))).all()
