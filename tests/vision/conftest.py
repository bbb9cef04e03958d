"""What the vision tests share: loaded models, and readings of artificial people."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from app.simulation.portraits.portrait import portrait
from app.vision.backends import Backends, load
from app.vision.face_reading import FaceReading
from app.vision.reading import read


@pytest.fixture(scope="session")
def backends() -> Backends:
    return load()


@pytest.fixture(scope="session")
def reading_of(backends: Backends) -> Callable[..., FaceReading]:
    """``reading_of(seed, pose=..., ...)``: the reading of a portrait, each drawn once."""

    @functools.cache
    def reading_of(seed: int, **options: Any) -> FaceReading:
        return read(portrait(seed, **options), backends)

    return reading_of
