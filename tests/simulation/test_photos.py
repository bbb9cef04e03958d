"""Photos are deterministic, and what befell a picture changes its bytes."""

from __future__ import annotations

import io
from itertools import combinations
from typing import get_args

import pytest
from PIL import Image

from app.simulation.entities import Condition, Photo
from app.simulation.photos import SIZE, develop
from app.simulation.portraits.portrait import PORTRAIT_SEEDS
from app.vision.image import decode
from app.vision.reuse import residual

CONDITIONS = get_args(Condition)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_equal_photos_become_equal_bytes(condition):
    photo = Photo(5, 9, condition)
    jpeg = develop(photo)
    assert jpeg == develop(Photo(5, 9, condition))
    with Image.open(io.BytesIO(jpeg)) as picture:
        assert (picture.format, picture.size) == ("JPEG", SIZE)


def test_every_condition_gives_other_bytes():
    assert len({develop(Photo(5, 9, condition)) for condition in CONDITIONS}) == len(CONDITIONS)


def test_two_moments_of_one_person_differ():
    assert develop(Photo(5, 9)) != develop(Photo(5, 10))


def test_an_honest_learners_photos_are_not_taken_for_one_photograph() -> None:
    taken = [
        [decode(develop(Photo(seed, variation))) for variation in range(1, 5)]
        for seed in PORTRAIT_SEEDS[:10]
    ]
    pairs = [pair for photos in taken for pair in combinations(photos, 2)]
    assert sum(residual(*pair).same_photograph for pair in pairs) <= len(pairs) // 100
