"""Error rates of labelled sets come with intervals."""

from __future__ import annotations

import numpy as np
import pytest

from app.vision.calibrate import (
    PadOutcome,
    Rate,
    equal_error,
    grouped_comparisons,
    operating_point,
    pad_report,
    point_at_fmr,
    roc,
    wilson,
)

RNG = np.random.default_rng(7)


def cohort(
    learners: int, spread: float, pictures: int = 8
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings, identities and per-learner means of people ``spread`` apart from one another."""
    centres = RNG.normal(0, spread / np.sqrt(2 * 128), (learners, 128)) + 0.1
    noise = RNG.normal(0, np.sqrt(0.08 / 128), (learners, pictures, 128))
    vectors = (centres[:, None] + noise).astype(np.float32)
    identities = np.repeat(np.arange(learners), pictures)
    return vectors.reshape(-1, 128), identities, vectors[:, :3].mean(axis=1)


def test_centring_undoes_that_poor_pictures_drift_towards_the_average_face() -> None:
    vectors, identities, _ = cohort(12, spread=0.4)
    mean = vectors.mean(axis=0)
    clarity = RNG.uniform(0.3, 1.0, (len(vectors), 1)).astype(np.float32)
    drifted = (mean + clarity * (vectors - mean)).astype(np.float32)

    def error(subtracted: np.ndarray | None) -> float:
        rng = np.random.default_rng(1)
        genuine, impostor = grouped_comparisons(
            drifted, identities, 3, 3, rng, draws=60, cohort_mean=subtracted
        )
        assert len(genuine) == 12 * 60 and len(impostor) == 12 * 11 * 60
        return equal_error(genuine, impostor)[0]

    assert error(mean) < 0.8 * error(None)


def test_the_error_rates_of_a_known_set_are_exact() -> None:
    genuine, impostor = np.array([0.1, 0.2, 0.3, 0.6]), np.array([0.4, 0.5, 0.7, 0.8])
    point = operating_point(genuine, impostor, 0.5)
    assert (point.fmr.value, point.fnmr.value) == (0.5, 0.25)
    assert equal_error(genuine, impostor)[0] == pytest.approx(0.25)
    strict = point_at_fmr(genuine, impostor, 0.0)
    assert strict.fmr.errors == 0 and strict.fnmr.errors == 1
    assert point_at_fmr(genuine, impostor, 1.0).fmr.value == 1.0
    curve = roc(genuine, impostor)
    assert (np.diff(curve[:, 1]) >= 0).all() and (np.diff(curve[:, 2]) <= 0).all()


def test_an_identity_with_too_few_pictures_is_named() -> None:
    vectors, identities, _ = cohort(3, spread=0.5, pictures=4)
    with pytest.raises(ValueError, match="identity 0 has only 4"):
        grouped_comparisons(vectors, identities, 3, 3, np.random.default_rng(0))


def test_attacks_are_reported_per_species_with_the_worst_one_named() -> None:
    def times(count: int, outcome: PadOutcome) -> list[PadOutcome]:
        return [outcome] * count

    attacks = {
        "print": times(9, "spoof") + times(1, "inconclusive"),
        "replay": times(2, "live") + times(3, "spoof"),
    }
    people = times(18, "live") + times(1, "spoof") + times(1, "inconclusive")
    report = pad_report(attacks, people)
    assert report.worst_species == "replay"
    assert report.apcer["replay"].value == 0.4
    assert report.apcer["print"].value == 0.0
    assert report.attack_non_response["print"].value == 0.1
    assert (report.bpcer.value, report.live_non_response.value) == (0.05, 0.05)


def test_no_error_in_few_trials_is_no_proof() -> None:
    low, high = Rate(0, 5).interval
    assert low == 0 and high == pytest.approx(0.434, abs=0.001)
    assert wilson(0, 0) == (0.0, 1.0)
    assert Rate(0, 0).value is None
