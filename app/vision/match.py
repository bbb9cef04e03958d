"""One person's enrolment against one session's snapshots: distance, zone, and how sure.

Single comparisons of dlib embeddings are worthless on a cohort of one sex and region (EER 26 % on
five Japanese women); the mean of three against the mean of three, with the cohort's own mean
subtracted, brings 3 %. So a template is a mean, a decision is made on a mean, and thresholds
carry their source. Figures: docs/model-cards/dlib-resnet-v1.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.vision.model_card import Metric, ModelCard, Thresholds

Embedding = NDArray[np.float32]  # (dim,)
Zone = Literal["match", "review", "mismatch"]
Confidence = Literal["low", "normal"]

WANTED_ENROLMENTS = 3
WANTED_SNAPSHOTS = 3


@dataclass(frozen=True, slots=True)
class Template:
    """The mean of one learner's enrolment embeddings, all made by one model.

    `agrees`: they show one person, as far as the model can tell. Otherwise nobody knows which of
    them is the learner, and the mean proves nothing.
    """

    model: str
    mean: Embedding
    count: int
    agrees: bool = True


@dataclass(frozen=True, slots=True)
class MatchDecision:
    """What stands in a verdict: the zone and everything needed to see why."""

    zone: Zone
    distance: float
    thresholds: Thresholds
    n_enrolments: int
    n_snapshots: int
    model: str
    confidence: Confidence


def template(embeddings: Sequence[Embedding], card: ModelCard) -> Template:
    """The template of 1..n enrolment embeddings; ValueError when empty or of another dim.

    A photo of somebody else, put in by mistake, is left out where most of the others agree.
    """
    mean = _mean(embeddings, card.dim)
    limits = for_counts(card.thresholds, card, 1, 1)
    if len(embeddings) == 1 or limits.centred:
        return Template(card.model, mean, len(embeddings))
    stacked = np.stack(embeddings)
    apart = pairwise(stacked, stacked, card.metric)
    near = apart[apart.sum(axis=1).argmin()] <= limits.mismatch
    if 2 * np.count_nonzero(near) <= len(embeddings):
        return Template(card.model, mean, len(embeddings), agrees=False)
    own = stacked[near]
    return Template(card.model, _mean(list(own), card.dim), len(own))


def decide(
    enrolled: Template,
    snapshots: Sequence[Embedding],
    card: ModelCard,
    thresholds: Thresholds | None = None,
    cohort_mean: Embedding | None = None,
) -> MatchDecision:
    """Judge a session (or class-hour) by the mean of its usable snapshots.

    ``thresholds`` default to the card's and are converted to the numbers of pictures at hand
    (`for_counts`). Thresholds calibrated on centred embeddings need the ``cohort_mean`` they were
    calibrated with, and only they take one; anything else raises ValueError, as does a template
    made by another model.
    """
    base = thresholds or card.thresholds
    if enrolled.model != card.model:
        raise ValueError(f"the template is of {enrolled.model}, the snapshots of {card.model}")
    if base.centred != (cohort_mean is not None):
        raise ValueError("centred thresholds need a cohort mean, and only they take one")
    used = for_counts(base, card, enrolled.count, len(snapshots))
    seen = _mean(snapshots, card.dim)
    measured = distance(enrolled.mean, seen, card.metric, cohort_mean)
    judged = zone(measured, used) if enrolled.agrees else "review"
    fewer = enrolled.count < used.n_enrolments or len(snapshots) < used.n_snapshots
    if judged == "mismatch" and fewer:
        judged = "review"  # fewer pictures lie further apart: that accuses nobody
    enough = enrolled.count > 1 and len(snapshots) >= WANTED_SNAPSHOTS
    return MatchDecision(
        zone=judged,
        distance=measured,
        thresholds=used,
        n_enrolments=enrolled.count,
        n_snapshots=len(snapshots),
        model=card.model,
        confidence="normal" if enough else "low",
    )


def for_counts(
    thresholds: Thresholds, card: ModelCard, n_enrolments: int, n_snapshots: int
) -> Thresholds:
    """The thresholds for means of other numbers of pictures than they were found with.

    A mean of n pictures keeps 1/n of a person's own variance v, so squared Euclidean distances of
    means shrink by v (1/n + 1/m) for friend and stranger alike; a threshold for single pictures
    (0.45 for dlib) would accept 97 % of strangers on the East-Asian set at three against three.
    ``match`` moves both ways. ``mismatch`` only ever grows: snapshots of one sitting are more alike
    than the formula supposes, and the doubt belongs to the learner. Centred or cosine distances,
    and cards without the variance, are left as they are.
    """
    same = (thresholds.n_enrolments, thresholds.n_snapshots) == (n_enrolments, n_snapshots)
    if same or thresholds.centred or card.metric != "euclidean" or card.within_variance is None:
        return thresholds
    kept = 1 / n_enrolments + 1 / n_snapshots
    found_with = 1 / thresholds.n_enrolments + 1 / thresholds.n_snapshots
    shift = card.within_variance * (kept - found_with)

    def moved(threshold: float) -> float:
        return sqrt(max(threshold**2 + shift, (threshold / 2) ** 2))

    return Thresholds(
        match=moved(thresholds.match),
        mismatch=max(thresholds.mismatch, moved(thresholds.mismatch)),
        source=f"{thresholds.source}; for {n_enrolments} against {n_snapshots} pictures",
        n_enrolments=n_enrolments,
        n_snapshots=n_snapshots,
    )


def zone(measured: float, thresholds: Thresholds) -> Zone:
    """Up to ``match`` a match, above ``mismatch`` a mismatch, otherwise a person decides."""
    if measured <= thresholds.match:
        return "match"
    return "review" if measured <= thresholds.mismatch else "mismatch"


def distance(
    first: Embedding,
    second: Embedding,
    metric: Metric = "euclidean",
    cohort_mean: Embedding | None = None,
) -> float:
    """Distance of two (mean) embeddings; centred and normalised when a cohort mean is given."""
    return float(pairwise(first[None], second[None], metric, cohort_mean)[0, 0])


def pairwise(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    metric: Metric = "euclidean",
    cohort_mean: Embedding | None = None,
) -> NDArray[np.float64]:
    """All distances between two stacks of embeddings, (n, dim) and (m, dim) -> (n, m)."""
    left, right = first.astype(np.float64), second.astype(np.float64)
    if cohort_mean is not None:
        left, right = left - cohort_mean, right - cohort_mean
    if cohort_mean is not None or metric == "cosine":
        left, right = _unit(left), _unit(right)
    products = left @ right.T
    if metric == "cosine":
        return 1.0 - products
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None] - 2 * products
    return np.asarray(np.sqrt(np.clip(squares, 0.0, None)))


def _mean(embeddings: Sequence[Embedding], dim: int) -> Embedding:
    if not len(embeddings):
        raise ValueError("no embeddings")
    stacked = np.asarray(embeddings, np.float32)
    if stacked.shape != (len(embeddings), dim):
        raise ValueError(f"embeddings of shape {stacked.shape[1:]}, expected ({dim},)")
    if not np.isfinite(stacked).all():
        raise ValueError("an embedding is not finite")
    return np.asarray(stacked.mean(axis=0), np.float32)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12))
