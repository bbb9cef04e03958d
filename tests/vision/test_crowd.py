"""Accounts that share a face are listed for a person to look at."""

from __future__ import annotations

import numpy as np

from app.vision.crowd import same_faces


def accounts(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, (count, 128)).astype(np.float32)


def test_two_accounts_with_one_face_are_found_wherever_they_stand() -> None:
    means = accounts(1_300)
    means[1_250] = means[3] + 0.001
    means[700] = means[699]
    found = same_faces(means, 0.3)
    assert [(pair.first, pair.second) for pair in found] == [(699, 700), (3, 1_250)]
    assert found[0].distance < found[1].distance < 0.02


def test_strangers_are_not_listed() -> None:
    assert same_faces(accounts(200), 0.3) == []


def test_nobody_is_compared_with_themselves() -> None:
    assert same_faces(accounts(1), 10.0) == []
    assert same_faces(np.zeros((0, 128), np.float32), 10.0) == []
