"""Thresholds and error rates, from the site's own distances or from labelled sets.

Without labels: distances between *different* learners are impostor distances, whoever they are, and
distances between one learner's own pictures are mostly genuine. Terms are those of ISO/IEC 19795-1
(FMR, FNMR) and 30107-3 (APCER, BPCER, non-response).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.vision.match import Embedding, for_counts, pairwise
from app.vision.model_card import Metric, ModelCard, Thresholds

Distances = NDArray[np.float64]
PadOutcome = Literal["live", "spoof", "inconclusive"]

MATCH_FMR, MISMATCH_FMR = 0.001, 0.01
_PAIRS_PER_EVENT = 3  # "rule of three": with fewer pairs a quantile at this FMR is a guess
_OWN_QUANTILE = 0.995


class TooFewComparisons(ValueError):
    """Not enough distances for the wanted quantile; the card's thresholds stay."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Thresholds of one site and model.

    ``alarm`` is None when all is well, otherwise why the model does not fit the cohort.
    fnmr_at_match: share of the learners' own distances above ``match``, None when none were given.
    """

    thresholds: Thresholds
    n_cross: int
    n_own: int
    fnmr_at_match: float | None
    alarm: str | None


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of trials, with Wilson's 95 % interval."""

    errors: int
    trials: int

    @property
    def value(self) -> float | None:
        return self.errors / self.trials if self.trials else None

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.errors, self.trials)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """FMR and FNMR at a distance up to which pairs are accepted."""

    threshold: float
    fmr: Rate
    fnmr: Rate


@dataclass(frozen=True, slots=True)
class PadReport:
    """Presentation attack detection, per attack species.

    apcer: attacks taken for live. bpcer: live people taken for attacks. The non-response rates
    count "inconclusive". Shares of all presentations of that kind.
    """

    apcer: dict[str, Rate]
    attack_non_response: dict[str, Rate]
    bpcer: Rate
    live_non_response: Rate

    @property
    def worst_species(self) -> str | None:
        """The species with the highest APCER: the one figure ISO 30107-3 wants reported."""
        return max(self.apcer, key=lambda name: self.apcer[name].value or 0.0, default=None)


def cohort_mean(learner_means: NDArray[np.float32]) -> Embedding:
    """What to subtract before comparing, from one mean embedding a learner, (n, dim)."""
    return np.asarray(learner_means.mean(axis=0), np.float32)


def cross_distances(
    learner_means: NDArray[np.float32],
    metric: Metric = "euclidean",
    cohort_mean: Embedding | None = None,
) -> Distances:
    """Distances between all pairs of different learners, (n * (n - 1) / 2,)."""
    table = pairwise(learner_means, learner_means, metric, cohort_mean)
    return table[np.triu_indices(len(table), 1)]


def calibrate(
    card: ModelCard,
    cross: Distances,
    own: Distances | None = None,
    *,
    n_pictures: int = 3,
    centred: bool = False,
) -> Calibration:
    """Thresholds without labels, from distances of the same kind as will be decided on: between
    means of ``n_pictures`` each.

    ``match`` is the cross-learner quantile at FMR 0.1 %, ``mismatch`` the one at 1 %. Because a
    mismatch accuses, it is never put where learners still look like themselves: not below the
    99.5 % quantile of ``own`` (distances between one learner's own means), or without those not
    below the card's value (raw distances) or the cross-learner median (centred ones).
    Raises TooFewComparisons below 3,000 pairs, which 78 learners give.
    """
    needed = round(_PAIRS_PER_EVENT / MATCH_FMR)
    if len(cross) < needed:
        raise TooFewComparisons(f"{len(cross)} cross-learner pairs; {needed} are needed")
    match, strict = (float(np.quantile(cross, fmr)) for fmr in (MATCH_FMR, MISMATCH_FMR))
    if own is not None and len(own):
        floor = float(np.quantile(own, _OWN_QUANTILE))
    else:
        floor = float(np.median(cross)) if centred else card.thresholds.mismatch
    thresholds = Thresholds(
        match=match,
        mismatch=max(match, strict, floor),
        source=f"site calibration: {len(cross)} cross-learner pairs, FMR 0.1 % and 1 %",
        n_enrolments=n_pictures,
        n_snapshots=n_pictures,
        centred=centred,
    )
    return Calibration(
        thresholds=thresholds,
        n_cross=len(cross),
        n_own=0 if own is None else len(own),
        fnmr_at_match=float(np.mean(own > match)) if own is not None and len(own) else None,
        alarm=None if centred else _alarm(card, strict, n_pictures),
    )


def _alarm(card: ModelCard, strict: float, n_pictures: int) -> str | None:
    """Why the model does not fit; the card's alarm value is one of single, uncentred pictures."""
    start = Thresholds(card.cohort_alarm_below, card.cohort_alarm_below, "alarm value of the card")
    limit = for_counts(start, card, n_pictures, n_pictures).match
    if strict >= limit:
        return None
    return (
        f"{card.model} does not fit this cohort: strangers reach FMR 1 % at a distance of "
        f"{strict:.2f}, below {limit:.2f}"
    )


def operating_point(genuine: Distances, impostor: Distances, threshold: float) -> OperatingPoint:
    """Both error rates when distances up to ``threshold`` are accepted."""
    return OperatingPoint(
        threshold,
        fmr=Rate(int(np.sum(impostor <= threshold)), len(impostor)),
        fnmr=Rate(int(np.sum(genuine > threshold)), len(genuine)),
    )


def point_at_fmr(genuine: Distances, impostor: Distances, wanted_fmr: float) -> OperatingPoint:
    """The largest threshold whose FMR does not exceed ``wanted_fmr``."""
    ordered = np.sort(impostor)
    allowed = int(np.floor(wanted_fmr * len(ordered)))
    threshold = np.nextafter(ordered[allowed], -np.inf) if allowed < len(ordered) else ordered[-1]
    return operating_point(genuine, impostor, float(threshold))


def roc(genuine: Distances, impostor: Distances) -> NDArray[np.float64]:
    """Rows of (threshold, FMR, FNMR) at every distance that occurs, ascending, (n, 3)."""
    thresholds = np.unique(np.concatenate([genuine, impostor]))
    fmr = np.searchsorted(np.sort(impostor), thresholds, side="right") / len(impostor)
    fnmr = 1 - np.searchsorted(np.sort(genuine), thresholds, side="right") / len(genuine)
    return np.stack([thresholds, fmr, fnmr], axis=1)


def equal_error(genuine: Distances, impostor: Distances) -> tuple[float, float]:
    """(EER, threshold) where FMR and FNMR are closest; the EER is their mean there."""
    curve = roc(genuine, impostor)
    threshold, fmr, fnmr = curve[np.argmin(np.abs(curve[:, 1] - curve[:, 2]))]
    return float((fmr + fnmr) / 2), float(threshold)


def grouped_comparisons(
    embeddings: NDArray[np.float32],
    identities: NDArray[np.integer],
    n_enrolments: int,
    n_snapshots: int,
    rng: np.random.Generator,
    *,
    draws: int = 400,
    metric: Metric = "euclidean",
    cohort_mean: Embedding | None = None,
) -> tuple[Distances, Distances]:
    """Genuine and impostor distances of mean against mean on a labelled set.

    For each identity ``draws`` disjoint pairs of an enrolment and a session are drawn; genuine
    compares them, impostor compares an enrolment with the sessions of all others.
    """
    names = np.unique(identities)
    enrolled, seen = [], []
    for name in names:
        own = np.flatnonzero(identities == name)
        if len(own) < n_enrolments + n_snapshots:
            raise ValueError(f"identity {name} has only {len(own)} embeddings")
        picks = [rng.permutation(own)[: n_enrolments + n_snapshots] for _ in range(draws)]
        vectors = embeddings[np.array(picks)]  # (draws, n, dim)
        enrolled.append(vectors[:, :n_enrolments].mean(axis=1))
        seen.append(vectors[:, n_enrolments:].mean(axis=1))
    genuine: list[Distances] = []
    impostor: list[Distances] = []
    for i, template in enumerate(enrolled):
        for j, session in enumerate(seen):
            # Row k of one against row k of the other: independent draws, linear in their number.
            distances = np.array(
                [
                    pairwise(a[None], b[None], metric, cohort_mean)[0, 0]
                    for a, b in zip(template, session, strict=True)
                ]
            )
            (genuine if i == j else impostor).append(distances)
    return np.concatenate(genuine), np.concatenate(impostor)


def pad_report(
    attacks: Mapping[str, Sequence[PadOutcome]], live: Sequence[PadOutcome]
) -> PadReport:
    """Count outcomes per attack species (print, replay, mask, ...) and for live people."""

    def share(outcomes: Sequence[PadOutcome], wrong: PadOutcome) -> Rate:
        return Rate(sum(outcome == wrong for outcome in outcomes), len(outcomes))

    return PadReport(
        apcer={species: share(seen, "live") for species, seen in attacks.items()},
        attack_non_response={
            species: share(seen, "inconclusive") for species, seen in attacks.items()
        },
        bpcer=share(live, "spoof"),
        live_non_response=share(live, "inconclusive"),
    )


def wilson(errors: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share; (0, 1) without trials."""
    if not trials:
        return 0.0, 1.0
    share = errors / trials
    centre = share + z**2 / (2 * trials)
    margin = z * sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    scale = 1 + z**2 / trials
    return max(0.0, (centre - margin) / scale), min(1.0, (centre + margin) / scale)
