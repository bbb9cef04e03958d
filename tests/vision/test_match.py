"""Decisions are made on means, in three zones, and say what they rest on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vision.match import Embedding, Template, decide, distance, for_counts, template, zone
from app.vision.model_card import DLIB_RESNET, Thresholds, read_card

CARD = read_card(DLIB_RESNET)


def at(x: float, y: float = 0.0) -> Embedding:
    """An embedding on a plane, so that distances can be read off."""
    return np.array([x, y, *[0.0] * 126], np.float32)


def three(x: float) -> list[Embedding]:
    return [at(x)] * 3


@pytest.mark.parametrize(
    ("measured", "expected"),
    [(0.0, "match"), (0.45, "match"), (0.4501, "review"), (0.60, "review"), (0.6001, "mismatch")],
)
def test_the_zones_are_closed_above(measured: float, expected: str) -> None:
    assert zone(measured, CARD.thresholds) == expected


def test_one_against_one_uses_the_thresholds_of_the_card() -> None:
    decision = decide(template([at(0)], CARD), [at(0.44)], CARD)
    assert decision.zone == "match"
    assert decision.thresholds == CARD.thresholds
    assert decision.distance == pytest.approx(0.44)


def test_one_enrolment_photo_lowers_the_confidence_that_is_shown() -> None:
    assert decide(template([at(0)], CARD), three(0.1), CARD).confidence == "low"
    assert decide(template(three(0), CARD), three(0.1), CARD).confidence == "normal"
    assert decide(template(three(0), CARD), [at(0.1)], CARD).confidence == "low"


def test_a_decision_names_everything_it_rests_on() -> None:
    decision = decide(template(three(0), CARD), three(0.8), CARD)
    assert (decision.n_enrolments, decision.n_snapshots) == (3, 3)
    assert decision.model == "dlib-resnet@1"
    assert "product default" in decision.thresholds.source
    assert decision.zone == "mismatch"


def test_the_mean_of_the_snapshots_is_what_counts() -> None:
    scattered = [at(0, 0.9), at(0, -0.9), at(0, 0.0)]
    assert decide(template(three(0), CARD), scattered, CARD).distance == pytest.approx(0, abs=1e-6)


def test_more_pictures_make_a_match_harder_but_an_accusation_never_easier() -> None:
    averaged = for_counts(CARD.thresholds, CARD, 3, 3)
    assert averaged.match == pytest.approx(0.31, abs=0.005)
    assert averaged.mismatch == CARD.thresholds.mismatch


def test_fewer_pictures_than_calibrated_for_never_accuse() -> None:
    site = Thresholds(0.3, 0.4, "site", n_enrolments=3, n_snapshots=3, centred=True)
    mean = at(5, 5)
    enrolled = template(three(0), CARD)
    far = [at(9, -4)]
    assert decide(enrolled, far * 3, CARD, site, mean).zone == "mismatch"
    assert decide(enrolled, far, CARD, site, mean).zone == "review"


def test_converting_thresholds_there_and_back_changes_nothing() -> None:
    site = Thresholds(0.3, 0.5, "site", n_enrolments=3, n_snapshots=3)
    back = for_counts(for_counts(site, CARD, 1, 1), CARD, 3, 3)
    assert back.match == pytest.approx(site.match)


def test_a_template_of_another_model_is_refused() -> None:
    foreign = Template("other@1", at(0), 3)
    with pytest.raises(ValueError, match="other@1"):
        decide(foreign, three(0), CARD)


def test_centred_thresholds_and_a_cohort_mean_come_only_together() -> None:
    enrolled = template(three(0), CARD)
    with pytest.raises(ValueError, match="cohort mean"):
        decide(enrolled, three(0), CARD, Thresholds(1.0, 1.3, "site", centred=True))
    with pytest.raises(ValueError, match="cohort mean"):
        decide(enrolled, three(0), CARD, cohort_mean=at(1))


@pytest.mark.parametrize("vectors", [[], [np.zeros(64, np.float32)], [at(float("nan"))]])
def test_broken_embeddings_are_refused(vectors: list[Embedding]) -> None:
    with pytest.raises(ValueError):
        template(vectors, CARD)


def test_cosine_distances_ignore_length() -> None:
    assert distance(at(1), at(7), "cosine") == pytest.approx(0)
    assert distance(at(1), at(0, 3), "cosine") == pytest.approx(1)


def test_a_card_without_the_variance_leaves_its_thresholds_alone() -> None:
    plain = dataclasses.replace(CARD, within_variance=None)
    assert for_counts(CARD.thresholds, plain, 5, 5) == CARD.thresholds


@given(st.floats(0, 2), st.integers(1, 10), st.integers(1, 10))
def test_zones_keep_their_order_for_any_counts(measured: float, enrolled: int, seen: int) -> None:
    used = for_counts(CARD.thresholds, CARD, enrolled, seen)
    assert 0 < used.match <= used.mismatch
    assert zone(measured, used) in {"match", "review", "mismatch"}


def test_a_photo_of_somebody_else_among_the_enrolled_is_left_out() -> None:
    lin = [at(0), at(0.1), at(0, 0.1)]
    enrolled = template([at(0.9), *lin], CARD)
    assert enrolled.agrees and enrolled.count == 3
    assert enrolled.mean == pytest.approx(template(lin, CARD).mean)


@pytest.mark.parametrize("seen", [0.0, 0.45, 0.9, 3.0])
def test_two_enrolled_photos_of_two_people_prove_nothing_for_or_against_anybody(
    seen: float,
) -> None:
    enrolled = template([at(0), at(0.9)], CARD)
    assert not enrolled.agrees
    assert decide(enrolled, three(seen), CARD).zone == "review"
