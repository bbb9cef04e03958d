"""Over a course one odd sitting stands out, and two people fall into two groups."""

from __future__ import annotations

import numpy as np
import pytest

from app.vision.course import CourseFaces, over_course
from app.vision.match import Moment, Yardstick
from app.vision.model_card import DLIB_RESNET, read_card
from app.vision.spread import Spread

CARD = read_card(DLIB_RESNET)
SITE = Yardstick(
    Spread(
        strangers=(0.2, 0.3, 0.4),
        picture=0.09,
        frame=0.02,
        sitting=0.02,
        freedom=35,
        own_tail=2.4,
        people=60,
    ),
    "test",
)


def course(who: str, *, seed: int = 1, moments: int = 3) -> CourseFaces:
    """Sittings of Lin (l) and Wu (w), strangers about 0.55 apart, in changing light."""
    rng = np.random.default_rng(seed)

    def around(where: np.ndarray, variance: float) -> np.ndarray:
        return where + rng.normal(0, np.sqrt(variance / CARD.dim), CARD.dim)

    middle = rng.normal(0, 0.1, CARD.dim)
    faces = {name: around(middle, 0.15) for name in "lw"}

    def shown(name: str, count: int) -> list[Moment]:
        day = around(faces[name], 0.02)
        return [Moment(around(day, 0.07).astype(np.float32)) for _ in range(count)]

    enrolled = [moment for _ in range(5) for moment in shown("l", 1)]
    return over_course(enrolled, [shown(name, moments) for name in who], CARD, SITE)


def odd(found: CourseFaces) -> list[int]:
    return [at for at, it in enumerate(found.sittings) if it.odd]


def test_one_odd_sitting_among_many_stands_out() -> None:
    assert odd(course("llllwlllll")) == [4]


def test_two_who_share_a_course_fall_into_two_groups() -> None:
    found = course("lwllwlwl")
    assert found.split is not None and found.split.two
    assert found.split.second == (1, 4, 6)


@pytest.mark.parametrize("sittings", [2, 4, 8, 20])
def test_hardly_any_honest_course_stands_out(sittings: int) -> None:
    found = [course("l" * sittings, seed=seed) for seed in range(40)]
    assert sum(bool(odd(it)) for it in found) <= 2
    assert not any(it.split is not None and it.split.two for it in found)


def test_somebody_else_in_every_sitting_is_off_the_enrolled_face() -> None:
    """No sitting stands out of the others then."""
    found = course("w" * 8)
    assert found.whole.odd and odd(found) == []
    assert not any(course("l" * 8, seed=seed).whole.odd for seed in range(40))


def test_nothing_is_split_below_four_sittings() -> None:
    assert course("lwl").split is None
