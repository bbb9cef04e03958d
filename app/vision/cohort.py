"""The statistics of a cohort, from its own pictures and without labels, by persons.

Between accounts of different people every distance is one of strangers, and within an account most
are its own. What varies from cohort to cohort is who the people are, so intervals come from drawing
*people* again with replacement (not pictures: a thousand pictures of five people are five people),
and whatever is fitted is tried on other people than it was fitted on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from app.vision.match import Embedding, Moment, Yardstick, apart, features, thresholds_for
from app.vision.model_card import ModelCard
from app.vision.spread import FMR, OWN_QUANTILE, Means, Spread, summary

Floats = NDArray[np.float64]

LEAST_PEOPLE = 30
LEAST_TAIL = 2.2  # of own distances over their mean: 2.1-2.6 on all sets measured so far
DRAWS = 200  # of people, for intervals
COUNTS = ((1, 1), (1, 3), (3, 3), (5, 1), (5, 3), (5, 5))  # enrolled photos, moments of a sitting
MOST_SITTINGS = 12  # of each person; what is drawn again are people
_MOST_TRIED = 120  # people, of whom every two are compared
_CAUTION = 0.05  # the share of drawn cohorts by whose thresholds more strangers would pass
_SPLITS = 10  # into two halves of people, one to fit and one to try
_WON = 8  # of them, before anything is decided on centred embeddings
_HELD = 1.5  # times the FMR aimed at that the half which was tried may show


class TooFewPeople(ValueError):
    """No threshold can be told from so few people; the card's stay."""


@dataclass(frozen=True, slots=True)
class Person:
    """Moments of one account: of the enrolment first, where there is one, then of each sitting.

    ``scatter``: variance of frames about their moment, of those moments that have several.
    """

    sittings: Sequence[Sequence[Moment]]
    scatter: Sequence[float] = ()

    @property
    def moments(self) -> list[Moment]:
        return [moment for sitting in self.sittings for moment in sitting]


@dataclass(frozen=True, slots=True)
class MeasuredCohort:
    """Statistics of a cohort: as estimated, the ones to decide by, and of cohorts drawn anew."""

    estimate: Spread
    decides: Spread
    drawn: Sequence[Spread]
    own: int  # comparisons of one person's own sittings

    def interval(self, counts: tuple[int, int], fmr: float) -> tuple[float, float]:
        """95 % interval of the squared distance up to which that share of strangers lies."""
        enrolled, seen = (Means.of(count) for count in counts)
        limits = [spread.match_limit(fmr, enrolled, seen) for spread in self.drawn]
        low, high = np.quantile(limits, [0.025, 0.975])
        return float(low), float(high)


@dataclass(frozen=True, slots=True)
class TriedOnOthers:
    """How thresholds of one half of the people did on the other half: shares of comparisons of
    strangers that were a match, and of own ones that were not."""

    fmr: float
    fnmr: float


def measure(
    people: Sequence[Person], card: ModelCard, cohort_mean: Embedding | None = None
) -> MeasuredCohort:
    """Statistics of at least LEAST_PEOPLE persons with two moments or more. Raises TooFewPeople."""
    able = [person for person in people if len(person.moments) > 1]
    if len(able) < LEAST_PEOPLE:
        raise TooFewPeople(f"{len(able)} persons with two moments or more")
    return of_any(able, card, cohort_mean)


def of_any(
    people: Sequence[Person], card: ModelCard, cohort_mean: Embedding | None = None
) -> MeasuredCohort:
    """As `measure`, however few they are: for experiments."""
    cohort = _Cohort(people, card, cohort_mean)
    rng = np.random.default_rng(0)
    drawn = [cohort.spread(cohort.draw(rng)) for _ in range(DRAWS)]
    three = Means.of(3)
    ordered = sorted(drawn, key=lambda spread: spread.match_limit(FMR, three, three))
    estimate = cohort.spread()
    decides = replace(ordered[int(_CAUTION * DRAWS)], own_tail=estimate.own_tail)
    return MeasuredCohort(estimate, decides, drawn, len(cohort.own))


def centre(people: Sequence[Person]) -> Embedding:
    """The cohort's mean: every person counts once."""
    means = [np.mean([it.mean for it in person.moments], axis=0) for person in people]
    return np.asarray(np.mean(means, axis=0), np.float32)


def centring_holds(people: Sequence[Person], card: ModelCard, fmr: float = FMR) -> bool:
    """Whether embeddings centred on some people tell *other* people apart better than plain ones.

    Thresholds and centre of one half of the people are tried on the other half: in nearly all of
    the splits fewer own comparisons must fail, and about as many strangers pass as were aimed at.
    """
    able = [person for person in people if len(person.moments) > 1]
    rng = np.random.default_rng(1)
    won, passed = 0, []
    for _ in range(_SPLITS):
        order = rng.permutation(len(able))[:_MOST_TRIED]
        half = len(order) // 2
        fitted = [able[row] for row in order[:half]]
        others = [able[row] for row in order[half:]]
        plain = tried(fitted, others, card, None, fmr)
        centred = tried(fitted, others, card, centre(fitted), fmr)
        won += centred.fnmr < plain.fnmr
        passed.append(centred.fmr)
    return won >= _WON and float(np.mean(passed)) <= _HELD * fmr


def tried(
    fitted: Sequence[Person],
    others: Sequence[Person],
    card: ModelCard,
    cohort_mean: Embedding | None,
    fmr: float,
) -> TriedOnOthers:
    """Decide on ``others`` by what ``fitted`` tell: first against last sitting of each."""
    found = _Cohort(fitted, card, cohort_mean).spread()
    yardstick = Yardstick(found, "", cohort_mean)
    ends = [(person.sittings[0][:3], person.sittings[-1][:3]) for person in others]
    strangers: list[bool] = []
    own: list[bool] = []
    for row, (first, _) in enumerate(ends):
        for column, (_, last) in enumerate(ends):
            if row == column and len(others[row].sittings) < 2:
                continue
            counts = Means.of(len(first)), Means.of(len(last))
            limit = thresholds_for(yardstick, card, *counts, fmr).match
            accepted = apart(first, last, card, cohort_mean) <= limit
            (own if row == column else strangers).append(accepted)
    return TriedOnOthers(
        fmr=float(np.mean(strangers)) if strangers else 0.0,
        fnmr=1 - float(np.mean(own)) if own else 0.0,
    )


class _Cohort:
    """Sums over people from which the statistics of any drawing of them follow."""

    def __init__(
        self, people: Sequence[Person], card: ModelCard, cohort_mean: Embedding | None
    ) -> None:
        self._unit = card.metric == "cosine" or cohort_mean is not None
        self._count = len(people)
        self._sittings = [
            [
                self._features(sitting, cohort_mean)
                for sitting in person.sittings[:MOST_SITTINGS]
                if len(sitting)
            ]
            for person in people
        ]
        self._frames = np.array([np.mean([1 - 1 / it.frames for it in p.moments]) for p in people])
        scale = self._lengths(people, cohort_mean)
        self._scatter = np.array(
            [np.mean(person.scatter) if person.scatter else np.nan for person in people]
        )
        self._scatter *= scale
        self._apart = np.array([_between_sittings(it) for it in self._sittings])
        self._within = np.array([_within_sittings(it) for it in self._sittings])
        self._prepare()

    def draw(self, rng: np.random.Generator) -> Floats:
        """How often each person is in a cohort drawn anew, with replacement; two at least."""
        while True:
            times = np.bincount(rng.integers(0, self._count, self._count), minlength=self._count)
            if np.count_nonzero(times) > 1:
                return times.astype(np.float64)

    def spread(self, times: Floats | None = None) -> Spread:
        """Of the people as they are, or each as often as told."""
        weights = np.ones(self._count) if times is None else times
        moment, sitting = self._variances(weights)
        frame = min(moment, _mean(self._scatter, weights) or 0.0)
        picture = moment + frame * (_mean(self._frames, weights) or 0.0)
        if self._unit:
            picture = min(picture, 0.99)
        pairs = weights[self._rows] * weights[self._columns]
        there = pairs > 0
        return Spread(
            strangers=summary(np.maximum(self._strangers[there], 1e-4), pairs[there]),
            picture=picture,
            frame=min(frame, picture),
            sitting=min(sitting, picture),
            freedom=self._freedom,
            own_tail=self._tail,
            people=self._count,
            unit=self._unit,
            strict=self._strict,
        )

    def _prepare(self) -> None:
        ones = np.ones(self._count)
        moment, sitting = self._variances(ones)
        means = np.stack([np.concatenate(it).mean(axis=0) for it in self._sittings])
        moments = np.array([sum(len(s) for s in it) for it in self._sittings])
        sittings = np.array([len(it) for it in self._sittings])
        error = sitting / sittings + (moment - sitting) / moments  # of each person's mean
        self._freedom = self._directions(means, moments)
        self._rows, self._columns = np.triu_indices(self._count, 1)
        both = error[self._rows] + error[self._columns]
        squares = (means**2).sum(axis=1)
        between = squares[:, None] + squares[None] - 2 * means @ means.T
        raw = between[self._rows, self._columns] - both
        # Errors of the means make some pairs look closer, others further, than they are.
        noise = float(np.mean((4 * np.abs(raw) * both + 2 * both**2) / self._freedom))
        seen = float(np.var(raw))
        kept = sqrt(max(0.0, 1 - noise / seen)) if seen > 0 else 1.0
        self._strangers = raw.mean() + kept * (raw - raw.mean())
        self._tail, self.own = self._own(moment, sitting)
        self._strict = 1.0
        self._strict = self._strictness()

    def _strictness(self) -> float:
        """Limits of these statistics hold for these very people, or are moved to where they do:
        everybody's first sitting against everybody else's last."""
        ends = [[groups[0], groups[-1]] for groups in self._sittings]
        means = np.stack([[it.mean(axis=0) for it in two] for two in ends])
        if self._unit:
            means = means / np.maximum(np.linalg.norm(means, axis=-1, keepdims=True), 1e-12)
        first, last = means[:, 0], means[:, 1]
        products = first @ last.T
        squared = (first**2).sum(axis=1)[:, None] + (last**2).sum(axis=1)[None] - 2 * products
        counts = [(len(one), len(other)) for one, other in ends]
        known: dict[tuple[int, int], float] = {}
        spread = self.spread()
        for one, _ in counts:
            for _, other in counts:
                if (one, other) not in known:
                    known[one, other] = spread.match_limit(FMR, Means.of(one), Means.of(other))
        limits = np.array([[known[one, other] for _, other in counts] for one, _ in counts])
        strangers = ~np.eye(self._count, dtype=bool)
        return min(1.0, float(np.quantile((squared / limits)[strangers], FMR)))

    def _own(self, moment: float, sitting: float) -> tuple[float, list[float]]:
        """The tail of own distances, and each over what is expected of its numbers."""
        plain = Spread((1.0,), min(moment, 0.99), 0.0, 0.0, 1.0, 1.0, self._count, self._unit)
        found = []
        for groups in self._sittings:
            for other in groups[1:]:
                ends = [it.mean(axis=0) for it in (groups[0], other)]
                if self._unit:
                    ends = [it / max(float(np.linalg.norm(it)), 1e-12) for it in ends]
                variances = [sitting + (moment - sitting) / len(it) for it in (groups[0], other)]
                expected = plain.own_mean(*variances)
                found.append(float(((ends[0] - ends[1]) ** 2).sum()) / max(expected, 1e-9))
        if not found:
            return LEAST_TAIL, found
        return max(LEAST_TAIL, float(np.quantile(found, OWN_QUANTILE))), found

    def _variances(self, weights: Floats) -> tuple[float, float]:
        """Of one moment about its person, and the part that moments of a sitting share."""
        across, inside = _mean(self._apart, weights), _mean(self._within, weights)
        if across is None:  # nobody was seen twice: all of it may be the day's
            return (inside or 1e-6), (inside or 1e-6)
        moment = max(across, 1e-6)
        return moment, min(moment, max(0.0, moment - inside)) if inside is not None else moment

    def _directions(self, means: Floats, moments: NDArray[np.int64]) -> float:
        """How many dimensions the variance of moments about their people fills: the fewer of those
        counted over all directions and along those in which people differ."""
        inner = np.concatenate([np.concatenate(it) for it in self._sittings])
        inner = inner - np.repeat(means, moments, axis=0)
        left = max(1, len(inner) - self._count)
        covariance = inner.T @ inner / left
        trace = float(np.trace(covariance))
        squared = max(float((covariance**2).sum()) - trace**2 / left, 1e-12)
        people = means - means.mean(axis=0)
        along = float(((people @ covariance) * people).sum()) / max(float((people**2).sum()), 1e-12)
        counted = [trace**2 / squared, trace / max(along, 1e-12)]
        return float(np.clip(min(counted), 2.0, means.shape[1]))

    def _features(self, sitting: Sequence[Moment], cohort_mean: Embedding | None) -> Floats:
        return features(np.stack([it.mean for it in sitting]), self._unit, cohort_mean)

    def _lengths(self, people: Sequence[Person], cohort_mean: Embedding | None) -> Floats:
        """What squared distances are multiplied by when embeddings are brought to length one."""
        if not self._unit:
            return np.ones(len(people))
        means = np.stack([np.mean([it.mean for it in p.moments], axis=0) for p in people])
        from_there = means if cohort_mean is None else means - cohort_mean
        return np.asarray(1 / np.maximum((from_there**2).sum(axis=1), 1e-12))


def _between_sittings(groups: Sequence[Floats]) -> float:
    """Half the mean squared distance of moments of different sittings; nan with one sitting."""
    found = [
        ((one[:, None] - other[None]) ** 2).sum(axis=-1).mean() / 2 for one, other in _pairs(groups)
    ]
    return float(np.mean(found)) if found else np.nan


def _within_sittings(groups: Sequence[Floats]) -> float:
    """Variance of moments about their sitting; nan without a sitting of two."""
    found = [((it - it.mean(axis=0)) ** 2).sum() / (len(it) - 1) for it in groups if len(it) > 1]
    return float(np.mean(found)) if found else np.nan


def _pairs(groups: Sequence[Floats]) -> Iterator[tuple[Floats, Floats]]:
    for at, one in enumerate(groups):
        for other in groups[at + 1 :]:
            yield one, other


def _mean(values: Floats, weights: Floats) -> float | None:
    """Weighted, of those that are known; None without any."""
    known = ~np.isnan(values) & (weights > 0)
    if not known.any():
        return None
    return float(np.average(values[known], weights=weights[known]))
