"""Class-hours with photographs of a folder: here with drawn ones, since none of anybody is kept."""

from __future__ import annotations

import pytest

from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision.backends import load
from app.vision.readers import FaceReaders
from benchmarks.hostile import Told, able_to, empty_database, models, played
from benchmarks.shown import PLAYS, Model

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def lin(tmp_path_factory: pytest.TempPathFactory) -> Model:
    own = tmp_path_factory.mktemp("people") / "lin"
    own.mkdir()
    for take, light in enumerate((1.0, 0.85, 1.15, 0.95, 1.05, 0.9)):
        picture = portrait(
            PORTRAIT_SEEDS[4], noise_seed=take, pose=0.07 * (take % 3 - 1), light=light
        )
        (own / f"{take}.jpg").write_bytes(picture)
    (found,) = models(own.parent, load())
    return found


@pytest.mark.parametrize("hour", ["A01", "A02", "A05", "A07", "A12"])
def test_no_picture_earns_a_class_hour_without_a_person(lin: Model, hour: str) -> None:
    told = class_hour(lin, hour)
    assert told.hour in ("pending_review", "not_proven") and not told.accused


def test_who_does_as_asked_earns_it_and_who_does_nothing_is_not_accused(lin: Model) -> None:
    assert class_hour(lin, "H1").hour == "valid"
    watched = class_hour(lin, "H2")
    assert watched.hour in ("pending_review", "not_proven") and not watched.accused


def class_hour(model: Model, name: str) -> Told:
    (play,) = (it for it in PLAYS if it.id == name)
    assert able_to(model, play)
    return played(model, play, FaceReaders(0), empty_database())
