"""A folder of labelled attacks becomes error rates; drawn attacks test only the counting."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision.attack_set import judge_all, presentations
from app.vision.backends import Backends

OBEYED = (0, 0, 0.6, 1, 1, 1, 0, -1, -1, -1, -0.3, 0)
ASKED = {"actions": ["turn_left", "turn_right"], "frame_ms": 300}


def record(folder: Path, poses: tuple[float, ...], asked: object = ASKED) -> None:
    folder.mkdir(parents=True)
    for index, pose in enumerate(poses):
        picture = portrait(PORTRAIT_SEEDS[0], pose=pose, noise_seed=index)
        (folder / f"{index:03}.jpg").write_bytes(picture)
    if asked:
        (folder / "challenge.json").write_text(json.dumps(asked))


@pytest.fixture(scope="module")
def attacks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("attacks")
    record(directory / "live" / "anna", OBEYED)
    record(directory / "live" / "no-challenge", (0, 0), asked=None)
    record(directory / "replay" / "turns-by-chance", OBEYED)
    record(directory / "replay" / "turns-the-other-way", tuple(-pose for pose in OBEYED))
    still = portrait(PORTRAIT_SEEDS[0])
    frozen = directory / "print" / "held-still"
    frozen.mkdir(parents=True)
    for index in range(9):
        (frozen / f"{index:03}.jpg").write_bytes(still)
    (frozen / "challenge.json").write_text(json.dumps(ASKED))
    (directory / "print" / "single.jpg").write_bytes(still)
    (directory / "print" / "notes.txt").write_text("not a picture")
    return directory


def test_presentations_are_found_in_order(attacks: Path) -> None:
    found = [(each.species, each.name, len(each.pictures)) for each in presentations(attacks)]
    assert found == [
        ("live", "anna", 12),
        ("live", "no-challenge", 2),
        ("print", "held-still", 9),
        ("print", "single.jpg", 1),
        ("replay", "turns-by-chance", 12),
        ("replay", "turns-the-other-way", 12),
    ]


def test_each_species_is_counted_apart_and_silence_is_no_success(
    attacks: Path, backends: Backends
) -> None:
    report = judge_all(attacks, backends)
    assert report.apcer["print"].errors == 0 and report.apcer["print"].trials == 2
    assert report.attack_non_response["print"].errors == 1  # the single picture
    assert report.apcer["replay"].errors == 1  # a replay that turns as asked passes: known limit
    assert report.worst_species == "replay"
    assert report.bpcer.errors == 0
    assert (report.live_non_response.errors, report.live_non_response.trials) == (1, 2)
