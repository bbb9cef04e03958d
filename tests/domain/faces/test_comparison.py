"""A sitting is decided once, on all of its moments; a change of person still reaches a person."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.domain.faces.calibration import SiteThresholds
from app.domain.faces.comparison import Compared, Comparison, OtherSitting
from app.domain.faces.moments import TOGETHER_MS, SeenMoment, moments
from app.vision import match
from app.vision.match import Embedding, Moment, Yardstick
from app.vision.model_card import DLIB_RESNET, read_card
from app.vision.spread import Spread
from detectors.trace import Check

CARD = read_card(DLIB_RESNET)
SPREAD = Spread(
    strangers=(0.25, 0.35, 0.45),
    picture=0.09,
    frame=0.02,
    sitting=0.02,
    freedom=35,
    own_tail=2.4,
    people=60,
)
SITE = SiteThresholds(7, Yardstick(SPREAD, "test"))
ALIKE = SiteThresholds(8, Yardstick(replace(SPREAD, strangers=(0.07, 0.09)), "test"))


class Faces:
    """Embeddings of people about 0.6 apart."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        middle = self.rng.normal(0, 0.1, CARD.dim)
        self.people = {name: self._around(middle, 0.18) for name in ("lin", "wu")}

    def of(self, name: str, count: int) -> list[Embedding]:
        return [self._around(self.people[name], 0.09).astype(np.float32) for _ in range(count)]

    def _around(self, where: np.ndarray, variance: float) -> Any:
        return where + self.rng.normal(0, np.sqrt(variance / CARD.dim), CARD.dim)

    def comparison(self, enrolled: int = 5, **more: Any) -> Comparison:
        return Comparison(match.template(self.of("lin", enrolled), CARD), CARD, SITE, **more)


def seen(*embeddings: Embedding) -> list[SeenMoment]:
    return [SeenMoment((at,), (it,)) for at, it in enumerate(embeddings)]


def row(at_ms: int, control: int | None = None, photo: int = 0) -> Any:
    return SimpleNamespace(id=photo or at_ms, control_id=control, received_ms=at_ms)


def test_hardly_any_sitting_of_a_stranger_is_a_match_however_many_photos_it_has() -> None:
    for count in (1, 3, 12):
        found = [
            faces.comparison().of(seen(*faces.of("wu", count))).check
            for faces in (Faces(seed) for seed in range(60))
        ]
        assert found.count(Check.MATCH) <= 2


def test_more_moments_let_more_learners_through() -> None:
    """Among people whom the model can hardly tell apart."""

    def passes(faces: Faces, count: int) -> bool:
        comparison = replace(faces.comparison(), site=ALIKE)
        return comparison.of(seen(*faces.of("lin", count))).check is Check.MATCH

    passed = [sum(passes(Faces(seed), count) for seed in range(40)) for count in (1, 5)]
    assert passed[0] < 36 and passed[1] >= 38


def test_a_change_of_person_goes_to_a_person_with_the_moment_named() -> None:
    faces = Faces(3)
    sitting = seen(*faces.of("lin", 6), *faces.of("wu", 1))
    compared = faces.comparison().of(sitting)
    assert compared.check is Check.REVIEW
    assert list(compared.documents_of) == [6]
    assert compared.decision.distance > compared.decision.thresholds.match


def test_a_long_sitting_of_the_learner_is_doubted_no_more_often_than_a_short_one() -> None:
    """Of many moments one lies far off by chance."""
    tail = SiteThresholds(9, Yardstick(replace(ALIKE.yardstick.spread, own_tail=1.35), "test"))
    found = [
        replace(faces.comparison(), site=tail).of(seen(*faces.of("lin", 20))).check
        for faces in (Faces(seed) for seed in range(40))
    ]
    assert found.count(Check.MATCH) >= 39


def sittings(faces: Faces, name: str, count: int, *, matched: bool = True) -> list[OtherSitting]:
    return [OtherSitting([Moment(it) for it in faces.of(name, 3)], matched) for _ in range(count)]


def in_doubt(faces: Faces, others: int, *, matched: bool = True) -> Compared:
    """One moment of Lin, among people whom the model can hardly tell apart."""
    comparison, sitting = faces.comparison(), seen(*faces.of("lin", 1))
    course = sittings(faces, "lin", others, matched=matched)
    return replace(comparison, site=ALIKE, others=lambda: course).of(sitting)


def test_the_course_settles_sittings_that_the_enrolled_face_leaves_in_doubt() -> None:
    alone = [in_doubt(Faces(seed), 0) for seed in range(40)]
    found = [in_doubt(Faces(seed), 6) for seed in range(40)]
    doubted = [at for at, it in enumerate(alone) if it.check is Check.REVIEW]
    settled = [found[at] for at in doubted if found[at].check is Check.MATCH]
    assert len(settled) > len(doubted) / 4 > 2
    assert all(it.documents["course"]["zone"] == "match" for it in settled)
    assert all(it.decision.distance <= it.limit for it in settled)
    assert all(it.check is Check.MATCH for at, it in enumerate(found) if at not in doubted)


def test_a_friend_in_one_sitting_is_not_settled_by_the_learners_others() -> None:
    near = SiteThresholds(9, Yardstick(replace(SPREAD, own_tail=40.0), "test"))
    found = []
    for seed in range(40):
        faces = Faces(seed)
        others = sittings(faces, "lin", 8)
        comparison = replace(faces.comparison(others=lambda it=others: it), site=near)
        found.append(comparison.of(seen(*faces.of("wu", 3))))
    assert [it.check for it in found].count(Check.MATCH) <= 1
    assert any(it.documents["course"]["zone"] == "match" for it in found)


def test_a_friend_in_nearly_all_sittings_is_not_settled_by_the_friends_own() -> None:
    """Even where one of them passed by chance."""
    near = SiteThresholds(9, Yardstick(replace(SPREAD, own_tail=40.0), "test"))
    faces = Faces(4)
    others = [*sittings(faces, "lin", 1), *sittings(faces, "wu", 8)]
    compared = replace(faces.comparison(others=lambda: others), site=near).of(
        seen(*faces.of("wu", 3))
    )
    assert compared.check is Check.REVIEW
    assert compared.documents["course"]["zone"] == "review"


def test_sittings_that_are_doubted_themselves_settle_nothing() -> None:
    faces = Faces(8)
    compared = faces.comparison(others=lambda: sittings(faces, "wu", 3)).of(
        seen(*faces.of("wu", 1))
    )
    assert "with_others" not in compared.documents
    found = [in_doubt(Faces(seed), 6, matched=False) for seed in range(20)]
    assert not any("with_others" in it.documents for it in found)


def test_what_a_class_hour_of_several_sittings_comes_to_can_only_doubt() -> None:
    faces = Faces(9)
    friend = [[Moment(it) for it in faces.of("wu", 3)] for _ in range(10)]
    compared = faces.comparison(class_hour=friend).of(seen(*faces.of("lin", 4)))
    assert compared.check is Check.REVIEW
    assert compared.documents["class_hour"]["snapshots"] == 34


def test_fewer_strangers_may_pass_where_the_pack_says_so() -> None:
    faces = Faces(2)
    sitting = seen(*faces.of("lin", 3))
    limits = [faces.comparison(fmr=fmr).of(sitting).limit for fmr in (0.01, 0.001)]
    assert limits[1] < limits[0]


@pytest.mark.parametrize(
    ("rows", "groups"),
    [
        ([row(0, 1), row(400, 1), row(60_000, 1)], [3]),  # one challenge is one moment
        ([row(0), row(TOGETHER_MS), row(TOGETHER_MS + 1)], [2, 1]),
        ([row(at * 4_000) for at in range(6)], [2, 2, 2]),  # no chain of seconds
        ([row(0, 1), row(1_000, 2), row(90_000, 3)], [2, 1]),
        ([row(0, 1), row(60_000), row(61_000, 1)], [2, 1]),
    ],
)
def test_what_was_taken_together_is_one_moment(rows: list[Any], groups: list[int]) -> None:
    nothing = np.zeros(CARD.dim, np.float32)
    found = moments([(it, nothing) for it in rows])
    assert [len(it.photos) for it in found] == groups


def test_a_moment_is_the_mean_of_its_frames() -> None:
    pair = np.eye(2, CARD.dim, dtype=np.float32)
    (found,) = moments([(row(0, 1, photo=1), pair[0]), (row(9, 1, photo=2), pair[1])])
    assert found.moment.frames == 2 and found.moment.mean[:2].tolist() == [0.5, 0.5]
    assert found.scatter == pytest.approx(1.0)
