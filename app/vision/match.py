"""One person's enrolment against what was seen of a sitting: distance, zone, and how sure.

Single comparisons of dlib embeddings are worthless on a cohort of one sex and region (EER 26 % on
five Japanese women); five enrolled photos against three moments bring 4 %, against a whole course
less than 1 %. So a template is a mean, a decision is made on a mean of moments, and its thresholds
are those of just these numbers (`spread.py`). Figures: docs/model-cards/dlib-resnet-v1.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.vision.model_card import Metric, ModelCard, Thresholds
from app.vision.spread import FMR, Means, Spread

Embedding = NDArray[np.float32]  # (dim,)
Zone = Literal["match", "review", "mismatch"]
Confidence = Literal["low", "normal"]

WANTED_ENROLMENTS = 5
WANTED_MOMENTS = 3


@dataclass(frozen=True, slots=True)
class Moment:
    """One picture, or the mean of ``frames`` pictures that were taken together."""

    mean: Embedding
    frames: int = 1


@dataclass(frozen=True, slots=True)
class Template:
    """One learner's enrolment embeddings, all made by one model.

    `agrees`: they show one person, as far as the model can tell. Otherwise nobody knows which of
    them is the learner, and the mean proves nothing.
    """

    model: str
    moments: tuple[Moment, ...]
    agrees: bool = True

    @property
    def count(self) -> int:
        return len(self.moments)

    @property
    def mean(self) -> Embedding:
        return np.asarray(np.mean([it.mean for it in self.moments], axis=0), np.float32)

    def with_moments(self, more: Sequence[Moment]) -> Template:
        """The face as it was enrolled and has been seen since."""
        return Template(self.model, (*self.moments, *more), self.agrees)


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What distances are held against: the statistics of a cohort, and the mean that is subtracted
    first where they are of centred embeddings. `card_yardstick` where a site has none of its own.

    ``source`` says in words where it comes from; ``shown``: somebody measured that it holds.
    """

    spread: Spread
    source: str
    cohort_mean: Embedding | None = None
    shown: bool = True


@dataclass(frozen=True, slots=True)
class MatchDecision:
    """What stands in a verdict: the zone and everything needed to see why."""

    zone: Zone
    distance: float
    thresholds: Thresholds
    n_enrolments: int
    n_snapshots: int  # moments
    model: str
    confidence: Confidence


def card_yardstick(card: ModelCard) -> Yardstick:
    """That of the model card: cautious, since it knows nothing of the site's people."""
    return Yardstick(card.spread, card.thresholds.source, shown=card.thresholds.fmr is not None)


def template(embeddings: Sequence[Embedding], card: ModelCard) -> Template:
    """The template of 1..n enrolment embeddings; ValueError when empty or of another dim.

    A photo of somebody else, put in by mistake, is left out where most of the others agree.
    """
    stacked = _checked(embeddings, card.dim)
    moments = tuple(Moment(it) for it in stacked)
    if len(moments) == 1:
        return Template(card.model, moments)
    alone = Means.of(1)
    limit = _distance(card.spread.own_limit(alone, alone), card.metric)
    apart = pairwise(stacked, stacked, card.metric)
    near = apart[apart.sum(axis=1).argmin()] <= limit
    if 2 * np.count_nonzero(near) <= len(moments):
        return Template(card.model, moments, agrees=False)
    return Template(card.model, tuple(it for it, own in zip(moments, near, strict=True) if own))


def decide(
    enrolled: Template,
    seen: Sequence[Moment | Embedding],
    card: ModelCard,
    yardstick: Yardstick | None = None,
    *,
    fmr: float = FMR,
    sittings: int = 1,
    among: int = 1,
) -> MatchDecision:
    """Judge what was seen of a sitting, or of several, by the mean of its usable moments; `among`
    so many that are judged one by one.

    At most ``fmr`` of strangers are a match. Nobody is one by a yardstick that is not shown to hold
    that, nor a mismatch: a person decides. Raises ValueError for nothing seen, for embeddings of
    another dimension, and for a template made by another model.
    """
    if enrolled.model != card.model:
        raise ValueError(f"the template is of {enrolled.model}, the snapshots of {card.model}")
    moments = [it if isinstance(it, Moment) else Moment(it) for it in seen]
    used = yardstick or card_yardstick(card)
    limits = thresholds_for(
        used, card, means(enrolled.moments), means(moments), fmr, sittings, among
    )
    measured = apart(enrolled.moments, moments, card, used.cohort_mean)
    sure = enrolled.agrees and used.shown
    enough = enrolled.count > 1 and len(moments) >= WANTED_MOMENTS
    return MatchDecision(
        zone=zone(measured, limits) if sure else "review",
        distance=measured,
        thresholds=limits,
        n_enrolments=enrolled.count,
        n_snapshots=len(moments),
        model=card.model,
        confidence="normal" if enough else "low",
    )


def thresholds_for(
    yardstick: Yardstick,
    card: ModelCard,
    enrolled: Means,
    seen: Means,
    fmr: float = FMR,
    sittings: int = 1,
    among: int = 1,
) -> Thresholds:
    """The distances that split the zones for means of so many pictures.

    ``match`` lets at most ``fmr`` of strangers in. ``mismatch`` is where hardly any learner (0.5 %)
    comes from their own enrolment, the furthest of ``among`` comparisons that are made beside one
    another, and never below ``match``.
    """
    spread = yardstick.spread
    match = spread.match_limit(fmr, enrolled, seen)
    mismatch = max(match, spread.own_limit(enrolled, seen, sittings, among))
    return Thresholds(
        match=_distance(match, card.metric),
        mismatch=_distance(mismatch, card.metric),
        source=yardstick.source,
        n_enrolments=enrolled.moments,
        n_snapshots=seen.moments,
        centred=yardstick.cohort_mean is not None,
        fmr=fmr if yardstick.shown else None,
        people=spread.people,
    )


def for_counts(
    thresholds: Thresholds, card: ModelCard, n_enrolments: int, n_snapshots: int
) -> Thresholds:
    """The thresholds of a card for means of other numbers of pictures than they were found with.

    Averaging takes a person's own variance out of distances, of friend and stranger alike: at the
    threshold for single pictures 97 % of strangers of the East-Asian set would pass at three
    against three. So ``match`` moves to where as many strangers pass as before.
    """
    found = Means.of(thresholds.n_enrolments), Means.of(thresholds.n_snapshots)
    wanted = Means.of(n_enrolments), Means.of(n_snapshots)
    if found == wanted:
        return thresholds
    passed = card.spread.fmr(_squared(thresholds.match, card.metric), *found)
    return thresholds_for(card_yardstick(card), card, *wanted, fmr=passed)


def zone(measured: float, thresholds: Thresholds) -> Zone:
    """Up to ``match`` a match, above ``mismatch`` a mismatch, otherwise a person decides."""
    if measured <= thresholds.match:
        return "match"
    return "review" if measured <= thresholds.mismatch else "mismatch"


def apart(
    enrolled: Sequence[Moment],
    seen: Sequence[Moment],
    card: ModelCard,
    cohort_mean: Embedding | None = None,
) -> float:
    """The distance of two means of moments."""
    unit = cohort_mean is not None or card.metric == "cosine"
    faces = []
    for moments in (enrolled, seen):
        pictures = features(_checked([it.mean for it in moments], card.dim), unit, cohort_mean)
        mean = pictures.mean(axis=0)
        faces.append(unit_length(mean[None])[0] if unit else mean)
    return _distance(float(((faces[0] - faces[1]) ** 2).sum()), card.metric)


def features(
    embeddings: NDArray[np.floating], unit: bool, cohort_mean: Embedding | None = None
) -> NDArray[np.float64]:
    """What is averaged of (n, dim) embeddings: themselves, or their directions from a point."""
    pictures = embeddings.astype(np.float64)
    if cohort_mean is not None:
        pictures = pictures - cohort_mean
    return unit_length(pictures) if unit else pictures


def distance(
    first: Embedding,
    second: Embedding,
    metric: Metric = "euclidean",
    cohort_mean: Embedding | None = None,
) -> float:
    """Distance of two (mean) embeddings; centred and normalised when a cohort mean is given."""
    return float(pairwise(first[None], second[None], metric, cohort_mean)[0, 0])


def pairwise(
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    metric: Metric = "euclidean",
    cohort_mean: Embedding | None = None,
) -> NDArray[np.float64]:
    """All distances between two stacks of embeddings, (n, dim) and (m, dim) -> (n, m)."""
    unit = cohort_mean is not None or metric == "cosine"
    left, right = (features(it, unit, cohort_mean) for it in (first, second))
    products = left @ right.T
    if metric == "cosine":
        return np.asarray(1.0 - products)
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None] - 2 * products
    return np.asarray(np.sqrt(np.clip(squares, 0.0, None)))


def means(moments: Sequence[Moment]) -> Means:
    """What their mean was averaged from."""
    return Means(tuple(it.frames for it in moments))


def _distance(squared: float, metric: Metric) -> float:
    """Of means of length one the squared distance is twice the cosine distance."""
    return squared / 2 if metric == "cosine" else sqrt(max(squared, 0.0))


def _squared(measured: float, metric: Metric) -> float:
    return 2 * measured if metric == "cosine" else measured**2


def _checked(embeddings: Sequence[Embedding], dim: int) -> NDArray[np.float32]:
    if not len(embeddings):
        raise ValueError("no embeddings")
    stacked = np.asarray(embeddings, np.float32)
    if stacked.shape != (len(embeddings), dim):
        raise ValueError(f"embeddings of shape {stacked.shape[1:]}, expected ({dim},)")
    if not np.isfinite(stacked).all():
        raise ValueError("an embedding is not finite")
    return stacked


def unit_length(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, dim) directions; a vector of nothing stays nothing."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12))
