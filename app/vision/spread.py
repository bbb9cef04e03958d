"""How a model's embeddings lie apart in one cohort, and what follows for means of any numbers.

All in squared Euclidean distance, where the parts of a comparison add up: the distance of two
means is what lies between the two people, plus each person's own variance over the number of
moments that were averaged. A moment is one picture, or the mean of the frames of one burst: frames
of one second repeat each other and count as little more than one of them.

For a cosine model, and for embeddings centred on a cohort, means are brought to length one before
they are compared (`unit`). Averaging makes the mean of a person's unit vectors shorter than one;
bringing it back stretches what two means have in common, so a threshold for single pictures accepts
more and more strangers the more pictures are averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import log, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FMR = 0.01  # product default, for callers without a pack: packs name theirs (match_fmr)
OWN_QUANTILE = 0.995  # of a person's own distances; beyond it a machine may doubt
_LEAST_PART = 0.02  # of the expected distance: no threshold comes closer to nothing than this
_STEPS = 40  # of bisection: far below the precision of any estimate


@dataclass(frozen=True, slots=True)
class Means:
    """What an enrolment or a sitting was averaged from. ``frames`` holds how many pictures make up
    each moment, so its length is the number of moments."""

    frames: tuple[int, ...]

    @classmethod
    def of(cls, moments: int) -> Means:
        """Moments of one picture each."""
        return cls((1,) * moments)

    @property
    def moments(self) -> int:
        return len(self.frames)


@dataclass(frozen=True, slots=True)
class Spread:
    """Statistics of one cohort and model.

    ``strangers``: squared distances between the true faces of two people, equally likely values
    over all pairs. ``picture``: variance of one picture about its person, summed over dimensions.
    ``frame``: the part of it in which frames of one moment differ. ``sitting``: the part that all
    moments of one sitting share (light, camera, day). ``freedom``: how many dimensions the
    variance fills. ``own_tail``: the 99.5 % quantile of a person's own squared distances over
    their mean. ``people``: how many it was measured on. ``unit``: means are brought to length one.
    ``strict``: what limits for strangers are multiplied by, where a cohort's own strangers come
    closer than these statistics have it (as where some pictures are much poorer than others).
    """

    strangers: tuple[float, ...]
    picture: float
    frame: float
    sitting: float
    freedom: float
    own_tail: float
    people: int
    unit: bool = False
    strict: float = 1.0

    def __post_init__(self) -> None:
        if not self.strangers or min(self.strangers) <= 0 or self.freedom <= 0:
            raise ValueError("a spread needs distances of strangers, and dimensions, above 0")
        if not 0 <= self.frame <= self.picture or not 0 <= self.sitting <= self.picture:
            raise ValueError("frames and sittings vary within what pictures vary")
        if self.unit and self.picture >= 1:
            raise ValueError("unit vectors vary by less than 1")

    @property
    def pairs(self) -> int:
        """Pairs of people that the distances of strangers rest on."""
        return self.people * (self.people - 1) // 2

    def variance(self, means: Means) -> float:
        """Of a mean about its person, taking its moments as independent."""
        frames = np.asarray(means.frames, np.float64)
        return float((self.picture - self.frame * (1 - 1 / frames)).sum() / len(frames) ** 2)

    def fmr(self, squared: float, enrolled: Means, seen: Means) -> float:
        """The share of strangers whose means lie at most so far apart, squared."""
        return float(_below(squared / self.strict, *self.strangers_apart(enrolled, seen)).mean())

    def match_limit(self, fmr: float, enrolled: Means, seen: Means) -> float:
        """The squared distance up to which that share of strangers lies.

        Moments of one sitting that are more alike than independent ones put strangers further
        apart than is reckoned here, so the true share is at most this.
        """
        return self.strict * _match_limit(self, fmr, enrolled, seen)

    def own_limit(self, enrolled: Means, seen: Means, sittings: int = 1, among: int = 1) -> float:
        """The squared distance that 99.5 % of learners' means lie within of their own enrolment;
        with `among`, the furthest of so many does."""
        shared = self.sitting / sittings
        rest = self.variance(seen) * (1 - self.sitting / self.picture if self.picture else 1.0)
        tail = self.own_tail * furthest_of(among)
        return tail * self.own_mean(self.variance(enrolled), shared + rest)

    def own_mean(self, enrolled: float, seen: float) -> float:
        """Expected squared distance of two means of one person with these variances."""
        if not self.unit:
            return enrolled + seen
        true = 1 - self.picture
        return 2 - 2 * true / sqrt((true + enrolled) * (true + seen))

    def strangers_apart(self, enrolled: Means, seen: Means) -> tuple[Floats, Floats]:
        """Expected squared distance and its deviation, for each of ``strangers``."""
        first, second = self.variance(enrolled), self.variance(seen)
        apart = np.asarray(self.strangers)
        if not self.unit:
            both = first + second
            return apart + both, np.sqrt((4 * apart * both + 2 * both**2) / self.freedom)
        true = 1 - self.picture
        lengths = true + first, true + second
        alike = (true - apart / 2) / sqrt(lengths[0] * lengths[1])
        shares = first / lengths[0], second / lengths[1]
        noise = (1 - alike**2) * sum(shares) + shares[0] * shares[1]
        return 2 - 2 * alike, 2 * np.sqrt(noise / self.freedom)


def furthest_of(count: int) -> float:
    """How many times further than the tail of one the furthest of so many lies by chance, if tails
    fall off exponentially."""
    rare = 1 / (1 - OWN_QUANTILE)
    return log(rare * count) / log(rare)


@lru_cache(maxsize=4096)
def _match_limit(spread: Spread, fmr: float, enrolled: Means, seen: Means) -> float:
    expected, deviation = spread.strangers_apart(enrolled, seen)
    low, high = _LEAST_PART * float(expected.min()), float(expected.max())
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if float(_below(middle, expected, deviation).mean()) > fmr:
            high = middle
        else:
            low = middle
    return low


def summary(values: Floats, weights: Floats | None = None, points: int = 25) -> tuple[float, ...]:
    """Equally likely values that stand for many, of (n,) values with weights."""
    order = np.argsort(values)
    weighed = np.ones(len(values)) if weights is None else weights[order]
    reached = np.cumsum(weighed) - weighed / 2
    wanted = (np.arange(points) + 0.5) / points * weighed.sum()
    found = np.interp(wanted, reached, values[order])
    return tuple(float(value) for value in found)


def _below(squared: float, expected: Floats, deviation: Floats) -> Floats:
    """The probability of at most ``squared``, of gamma-distributed squared distances (the cube
    root of a gamma variable is almost normal: Wilson and Hilferty, 1931)."""
    shape = (expected / deviation) ** 2
    root = np.cbrt(max(squared, 0.0) / expected)
    standard = (root - (1 - 1 / (9 * shape))) * 3 * np.sqrt(shape)
    return np.array([_NORMAL.cdf(float(value)) for value in standard])


_NORMAL = NormalDist()
