"""Photos are deterministic, and what befell a picture changes its bytes."""

from __future__ import annotations

import io
from typing import get_args

import pytest
from PIL import Image

from app.simulation.entities import Condition, Photo
from app.simulation.photos import SIZE, develop

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
