"""Decisions are made on means of moments, in three zones, and say what they rest on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vision.match import (
    Embedding,
    Moment,
    Template,
    Yardstick,
    apart,
    card_yardstick,
    decide,
    distance,
    for_counts,
    template,
    thresholds_for,
    zone,
)
from app.vision.model_card import DLIB_RESNET, ModelCard, Thresholds, read_card
from app.vision.spread import Means

CARD = read_card(DLIB_RESNET)
COUNTS = [(1, 1), (1, 3), (3, 3), (5, 3), (5, 5), (5, 20)]


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
    assert zone(measured, Thresholds(0.45, 0.60, "test")) == expected


def test_one_against_one_uses_the_thresholds_of_the_card() -> None:
    decision = decide(template([at(0)], CARD), [at(0.3)], CARD)
    assert decision.zone == "match"
    assert decision.thresholds == CARD.thresholds
    assert decision.distance == pytest.approx(0.3)


def test_one_enrolment_photo_lowers_the_confidence_that_is_shown() -> None:
    assert decide(template([at(0)], CARD), three(0.1), CARD).confidence == "low"
    assert decide(template(three(0), CARD), three(0.1), CARD).confidence == "normal"
    assert decide(template(three(0), CARD), [at(0.1)], CARD).confidence == "low"


def test_a_decision_names_everything_it_rests_on() -> None:
    decision = decide(template(three(0), CARD), three(0.8), CARD)
    assert (decision.n_enrolments, decision.n_snapshots) == (3, 3)
    assert decision.model == "dlib-resnet@1"
    assert "product default" in decision.thresholds.source
    assert (decision.thresholds.fmr, decision.thresholds.people) == (0.01, 5)
    assert decision.zone == "mismatch"


def test_the_mean_of_the_moments_is_what_counts() -> None:
    scattered = [at(0, 0.9), at(0, -0.9), at(0, 0.0)]
    assert decide(template(three(0), CARD), scattered, CARD).distance == pytest.approx(0, abs=1e-6)


def cohort(unit: bool, between: float = 0.045, people: int = 60, moments: int = 26) -> np.ndarray:
    """(people, moments, 128): faces that a model tells apart about as badly as dlib East-Asian
    women, their mean far from nothing; of length one if wanted."""
    rng = np.random.default_rng(11)
    middle = rng.normal(0, 1, 128)
    middle *= 1.2 / np.linalg.norm(middle)
    faces = middle + rng.normal(0, np.sqrt(between / 128), (people, 1, 128))
    seen = faces + rng.normal(0, np.sqrt(0.09 / 128), (people, moments, 128))
    if unit:
        seen /= np.linalg.norm(seen, axis=-1, keepdims=True)
    return seen.astype(np.float32)


def strangers(
    faces: np.ndarray, card: ModelCard, enrolled: int, seen: int, centre: Embedding | None = None
) -> np.ndarray:
    """Distances of every two people's means."""
    found = []
    for one in range(len(faces)):
        for other in range(len(faces)):
            if one != other:
                first = [Moment(it) for it in faces[one, :enrolled]]
                second = [Moment(it) for it in faces[other, enrolled : enrolled + seen]]
                found.append(apart(first, second, card, centre))
    return np.array(found)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["euclidean", "cosine", "centred"])
def test_as_many_strangers_pass_whatever_the_numbers_of_moments(kind: str) -> None:
    from app.vision import cohort as cohorts
    from app.vision.cohort import Person

    card = replace(CARD, metric="cosine" if kind == "cosine" else "euclidean")
    faces = cohort(unit=kind == "cosine")
    people = [
        Person([[Moment(it) for it in own[:13]], [Moment(it) for it in own[13:]]]) for own in faces
    ]
    centre = cohorts.centre(people) if kind == "centred" else None
    spread = cohorts.measure(people, card, centre).estimate
    yardstick = Yardstick(spread, "test", centre)
    for enrolled, seen in COUNTS:
        limits = thresholds_for(yardstick, card, Means.of(enrolled), Means.of(seen), 0.05)
        passed = np.mean(strangers(faces, card, enrolled, seen, centre) <= limits.match)
        assert 0.008 < passed < 0.08, (enrolled, seen, passed)


def test_more_moments_never_lower_the_limit_below_what_strangers_reach() -> None:
    limits = [
        thresholds_for(card_yardstick(CARD), CARD, Means.of(n), Means.of(m)) for n, m in COUNTS
    ]
    assert [round(it.match, 3) for it in limits] == sorted(
        (round(it.match, 3) for it in limits), reverse=True
    )
    assert limits[0].match == pytest.approx(0.352, abs=0.01)
    assert limits[2].match == pytest.approx(0.263, abs=0.01)


def test_frames_of_one_second_are_hardly_more_than_one_picture() -> None:
    def limit(*frames: int) -> float:
        used = thresholds_for(card_yardstick(CARD), CARD, Means.of(5), Means(frames))
        return used.match

    assert limit(15) > limit(1, 1) > limit(*[1] * 15)
    assert limit(1) > limit(15)


@pytest.mark.thorough
def test_a_threshold_of_single_pictures_is_converted_for_a_cosine_card_too(tmp_path: Path) -> None:
    """At 1 v 1 one stranger in a hundred passes; unconverted it would be many more at 3 v 3."""
    faces = cohort(unit=True, between=0.12)
    plain = read_card(_cosine(tmp_path, match=0.1))
    stated = float(np.quantile(strangers(faces, plain, 1, 1), 0.01))
    card = read_card(_cosine(tmp_path, match=stated, more="fmr = 0.01"))
    for enrolled, seen in COUNTS[1:]:
        unchanged = np.mean(strangers(faces, card, enrolled, seen) <= card.thresholds.match)
        used = for_counts(card.thresholds, card, enrolled, seen)
        assert unchanged > 0.03
        assert np.mean(strangers(faces, card, enrolled, seen) <= used.match) <= 0.01


def test_nobody_matches_by_a_card_that_does_not_say_how_many_strangers_pass(tmp_path: Path) -> None:
    card = read_card(_cosine(tmp_path, match=0.2))
    assert decide(template([at(1)], card), [at(1)], card).zone == "review"
    assert decide(template([at(1)], card), [at(-1)], card).zone == "review"
    told = read_card(_cosine(tmp_path, match=0.2, more="fmr = 0.01"))
    assert decide(template([at(1)], told), [at(1)], told).zone == "match"


def _cosine(folder: Path, match: float, more: str = "") -> Path:
    path = folder / "card.toml"
    path.write_text(
        f"""
        id = "other"
        version = "1"
        dim = 128
        metric = "cosine"
        licence = "none"
        [thresholds]
        match = {match}
        mismatch = {match + 0.3}
        cohort_alarm_below = 0.01
        source = "test"
        {more}
        """,
        "utf-8",
    )
    return path


def test_what_one_sitting_shares_is_never_averaged_away_for_an_accusation() -> None:
    """Moments of one day are alike, so many of them are hardly more than one against somebody."""
    yardstick = card_yardstick(CARD)
    few, many = (thresholds_for(yardstick, CARD, Means.of(5), Means.of(count)) for count in (1, 20))
    assert many.mismatch == pytest.approx(few.mismatch)
    days = thresholds_for(yardstick, CARD, Means.of(5), Means.of(20), sittings=5)
    assert days.mismatch < many.mismatch


def test_converting_thresholds_there_and_back_changes_nothing() -> None:
    there = for_counts(CARD.thresholds, CARD, 3, 3)
    assert for_counts(there, CARD, 1, 1).match == pytest.approx(CARD.thresholds.match, abs=1e-3)


def test_a_template_of_another_model_is_refused() -> None:
    foreign = Template("other@1", (Moment(at(0)),) * 3)
    with pytest.raises(ValueError, match="other@1"):
        decide(foreign, three(0), CARD)


@pytest.mark.parametrize("vectors", [[], [np.zeros(64, np.float32)], [at(float("nan"))]])
def test_broken_embeddings_are_refused(vectors: list[Embedding]) -> None:
    with pytest.raises(ValueError):
        template(vectors, CARD)


def test_cosine_distances_ignore_length() -> None:
    assert distance(at(1), at(7), "cosine") == pytest.approx(0)
    assert distance(at(1), at(0, 3), "cosine") == pytest.approx(1)


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


@pytest.mark.parametrize("seen", [0.0, 0.45, 1.2, 3.0])
def test_two_enrolled_photos_of_two_people_prove_nothing_for_or_against_anybody(
    seen: float,
) -> None:
    enrolled = template([at(0), at(1.2)], CARD)
    assert not enrolled.agrees
    assert decide(enrolled, three(seen), CARD).zone == "review"
