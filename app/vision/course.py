"""One person over a course: which sitting stands out from the others, and whether they are of two.

Simple statistics on the means of sittings. A sitting is held against the enrolled face and all
other sittings together. It stands out when it lies further off than the learner's sittings do (the
more sittings are asked, the further off one of them lies by chance) and would not be taken for the
learner; of few sittings, where hardly any of a person's lie at all. Two people are proposed where
the sittings fall into two groups, of two at least, whose means would not be taken for one person,
and which lie much further apart than sittings lie within their group. And all sittings together are
held against the enrolled face, with the limit of somebody's own for that many sittings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.vision.match import Moment, Yardstick, features, means, unit_length
from app.vision.model_card import ModelCard
from app.vision.spread import FMR, Means, furthest_of

Floats = NDArray[np.float64]

LEAST_SITTINGS = 4  # fewer say nothing of what is usual for somebody
APART = 4.0  # times what sittings of one person come to, split as they fall apart most
_ROUNDS = 20  # of moving sittings between two groups; they settle in a few


@dataclass(frozen=True, slots=True)
class SittingApart:
    """One sitting against all else that is known of the learner, in squared distance."""

    squared: float
    limit: float

    @property
    def odd(self) -> bool:
        return self.squared > self.limit


@dataclass(frozen=True, slots=True)
class Split:
    """Two groups of sittings; ``second`` are the places of those in the smaller one."""

    second: tuple[int, ...]
    squared: float
    limit: float

    @property
    def two(self) -> bool:
        return self.squared > self.limit


@dataclass(frozen=True, slots=True)
class CourseFaces:
    """`whole`: all sittings against the enrolled face. `sittings` in the order given; `split` None
    below four sittings."""

    whole: SittingApart
    sittings: tuple[SittingApart, ...]
    split: Split | None


def over_course(
    enrolled: Sequence[Moment],
    sittings: Sequence[Sequence[Moment]],
    card: ModelCard,
    yardstick: Yardstick,
    fmr: float = FMR,
) -> CourseFaces:
    """Compare each sitting, of a moment at least, with everything else."""
    course = _Course(enrolled, sittings, card, yardstick, fmr)
    return CourseFaces(course.whole(), course.apart(), course.split())


class _Course:
    def __init__(
        self,
        enrolled: Sequence[Moment],
        sittings: Sequence[Sequence[Moment]],
        card: ModelCard,
        yardstick: Yardstick,
        fmr: float,
    ) -> None:
        self._spread = yardstick.spread
        self._fmr = fmr
        self._frames = [tuple(it.frames for it in sitting) for sitting in sittings]
        self._enrolled = means(enrolled)
        unit = card.metric == "cosine" or yardstick.cohort_mean is not None
        self._unit = unit

        def total(moments: Sequence[Moment]) -> Floats:
            pictures = np.stack([it.mean for it in moments])
            return np.asarray(features(pictures, unit, yardstick.cohort_mean).sum(axis=0))

        self._known = total(enrolled)
        self._totals = np.stack([total(it) for it in sittings])
        self._counts = np.array([len(it) for it in sittings])

    def whole(self) -> SittingApart:
        seen = Means(tuple(it for frames in self._frames for it in frames))
        squared = self._squared(
            self._known / self._enrolled.moments, self._totals.sum(axis=0) / seen.moments
        )
        own = self._spread.own_limit(self._enrolled, seen, len(self._frames))
        return SittingApart(
            squared, max(own, self._spread.match_limit(self._fmr, self._enrolled, seen))
        )

    def apart(self) -> tuple[SittingApart, ...]:
        whole = self._known + self._totals.sum(axis=0)
        number = self._enrolled.moments + int(self._counts.sum())
        squared, expected, absolute, match = [], [], [], []
        for at, (total, count) in enumerate(zip(self._totals, self._counts, strict=True)):
            rest = self._rest(at)
            mine = Means(self._frames[at])
            squared.append(self._squared(total / count, (whole - total) / (number - count)))
            expected.append(
                self._spread.own_mean(self._spread.variance(rest), self._spread.variance(mine))
            )
            absolute.append(self._spread.own_limit(rest, mine, among=len(self._counts)))
            match.append(self._spread.match_limit(self._fmr, rest, mine))
        ratios = np.array(squared) / np.maximum(expected, 1e-9)
        found = []
        for at, value in enumerate(squared):
            limit = absolute[at]
            if len(squared) >= LEAST_SITTINGS:
                usual = float(np.median(np.delete(ratios, at)))
                own = self._spread.own_tail * furthest_of(len(squared)) * usual * expected[at]
                limit = max(match[at], own)
            found.append(SittingApart(value, limit))
        return tuple(found)

    def split(self) -> Split | None:
        number = len(self._counts)
        if number < LEAST_SITTINGS:
            return None
        points = self._totals / self._counts[:, None]
        if self._unit:
            points = unit_length(points)
        second = _two_groups(points, self._counts)
        sizes = int(np.count_nonzero(second)), int(np.count_nonzero(~second))
        if min(sizes) < 2:
            return None
        if sizes[0] > sizes[1]:
            second = ~second
        sides = [self._side(~second), self._side(second)]
        squared = self._squared(*(total / means.moments for total, means in sides))
        within = 0.0
        for side in (second, ~second):
            off = points[side] - points[side].mean(axis=0)
            within += float(self._counts[side] @ (off**2).sum(axis=1)) / (number - 2)
        usual = within * sum(1 / self._counts[side].sum() for side in (second, ~second))
        match = self._spread.match_limit(self._fmr, sides[0][1], sides[1][1])
        return Split(
            tuple(int(at) for at in np.flatnonzero(second)), squared, max(match, APART * usual)
        )

    def _rest(self, at: int) -> Means:
        others = [it for place, it in enumerate(self._frames) if place != at]
        return Means((*self._enrolled.frames, *(it for frames in others for it in frames)))

    def _side(self, chosen: NDArray[np.bool_]) -> tuple[Floats, Means]:
        frames = [self._frames[at] for at in np.flatnonzero(chosen)]
        return self._totals[chosen].sum(axis=0), Means(tuple(it for own in frames for it in own))

    def _squared(self, first: Floats, second: Floats) -> float:
        if self._unit:
            first, second = unit_length(np.stack([first, second]))
        return float(((first - second) ** 2).sum())


def _two_groups(points: Floats, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which points belong to the second of two groups: two means, from the two furthest apart."""
    squares = (points**2).sum(axis=1)
    apart = squares[:, None] + squares[None] - 2 * points @ points.T
    ends = np.unravel_index(int(apart.argmax()), apart.shape)
    middles = points[list(ends)]
    second = np.zeros(len(points), bool)
    for _ in range(_ROUNDS):
        distances = ((points[:, None] - middles[None]) ** 2).sum(axis=-1)
        now = distances[:, 1] < distances[:, 0]
        if not now.any() or now.all() or np.array_equal(now, second):
            break
        second = now
        middles = np.stack(
            [np.average(points[side], axis=0, weights=counts[side]) for side in (~second, second)]
        )
    return second
