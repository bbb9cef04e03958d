"""A site's own people give the statistics that its thresholds follow from, without labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from app.vision import cohort
from app.vision.cohort import Person, TooFewPeople, centring_holds, measure
from app.vision.match import Moment
from app.vision.model_card import DLIB_RESNET, read_card
from app.vision.spread import Means

CARD = read_card(DLIB_RESNET)
THREE = Means.of(3)


def invented(
    people: int,
    *,
    apart: float = 0.2,
    sitting: float = 0.0,
    moment: float = 0.09,
    frame: float = 0.0,
    frames: int = 1,
    seed: int = 5,
) -> Iterator[Person]:
    """People `apart` from one another (squared), seen in three sittings of four moments; the
    others are variances, summed over dimensions."""
    rng = np.random.default_rng(seed)
    middle = rng.normal(0, 0.1, CARD.dim)

    def around(where: np.ndarray, variance: float) -> np.ndarray:
        return where + rng.normal(0, np.sqrt(variance / CARD.dim), CARD.dim)

    for _ in range(people):
        face = around(middle, apart / 2)
        sittings, scatter = [], []
        for _ in range(3):
            day = around(face, sitting)
            moments = []
            for _ in range(4):
                here = around(day, moment)
                burst = np.stack([around(here, frame) for _ in range(frames)])
                moments.append(Moment(burst.mean(axis=0).astype(np.float32), frames))
                if frames > 1:
                    scatter.append(float(burst.var(axis=0, ddof=1).sum()))
            sittings.append(moments)
        yield Person(sittings, scatter)


def test_what_was_put_in_is_found_again() -> None:
    found = measure(
        list(invented(120, apart=0.3, sitting=0.03, moment=0.05, frame=0.02, frames=5)), CARD
    ).estimate
    assert np.mean(found.strangers) == pytest.approx(0.3, rel=0.1)
    assert found.picture == pytest.approx(0.10, rel=0.1)
    assert found.sitting == pytest.approx(0.03, rel=0.35)
    assert found.frame == pytest.approx(0.02, rel=0.1)
    assert (found.people, found.pairs) == (120, 7140)


def test_thirty_people_are_enough_and_their_interval_is_wide() -> None:
    few, many = (measure(list(invented(count)), CARD) for count in (30, 240))
    widths = [high - low for low, high in (it.interval((3, 3), 0.01) for it in (few, many))]
    assert widths[0] > 1.5 * widths[1]
    assert few.estimate.pairs == 435
    with pytest.raises(TooFewPeople, match="29 persons"):
        measure(list(invented(29)), CARD)


def test_decisions_take_the_cautious_end_of_the_interval() -> None:
    found = measure(list(invented(40)), CARD)
    assert found.decides.match_limit(0.01, THREE, THREE) < found.estimate.match_limit(
        0.01, THREE, THREE
    )


def test_a_thousand_pictures_of_few_people_do_not_narrow_the_interval() -> None:
    """What is drawn again are people: a longer course of the same tells no more of others."""
    once = list(invented(30))
    often = [Person([*it.sittings, *it.sittings, *it.sittings], it.scatter) for it in once]
    widths = [
        high - low
        for low, high in (measure(it, CARD).interval((5, 5), 0.01) for it in (once, often))
    ]
    assert widths[1] > 0.6 * widths[0]


def test_nobody_seen_twice_is_taken_to_look_the_same_all_day() -> None:
    once = [Person(it.sittings[:1]) for it in invented(30)]
    found = measure(once, CARD)
    assert found.own == 0 and found.estimate.sitting == found.estimate.picture
    alike = found.decides
    assert alike.own_limit(THREE, Means.of(20)) == pytest.approx(
        alike.own_limit(THREE, Means.of(1))
    )


def test_centring_that_helps_only_those_it_was_fitted_on_is_not_used() -> None:
    """Without a drift towards the average face there is nothing that centring could mend."""
    assert not centring_holds(list(invented(40, apart=1.0)), CARD)


def test_centring_that_holds_on_other_people_is_used() -> None:
    """Poor pictures drift towards the average face: along that direction people look alike."""
    rng = np.random.default_rng(3)
    people = list(invented(60, apart=0.2, moment=0.3))
    middle = cohort.centre(people)

    def drifted(moment: Moment) -> Moment:
        clarity = rng.uniform(0.5, 1.0)
        return Moment(np.asarray(middle + clarity * (moment.mean - middle), np.float32))

    poor = [Person([[drifted(it) for it in sitting] for sitting in p.sittings]) for p in people]
    assert centring_holds(poor, CARD)
