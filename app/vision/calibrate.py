"""Error rates of labelled sets, in the terms of ISO/IEC 19795-1 (FMR, FNMR) and 30107-3 (APCER,
BPCER, non-response). Statistics of a site's own people, without labels: cohort.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.vision.match import Embedding, features, unit_length
from app.vision.model_card import Metric

Distances = NDArray[np.float64]
PadOutcome = Literal["live", "spoof", "inconclusive"]


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
    unit = metric == "cosine" or cohort_mean is not None
    pictures = features(embeddings, unit, cohort_mean)
    enrolled, seen = [], []
    for name in names:
        own = np.flatnonzero(identities == name)
        if len(own) < n_enrolments + n_snapshots:
            raise ValueError(f"identity {name} has only {len(own)} embeddings")
        picks = [rng.permutation(own)[: n_enrolments + n_snapshots] for _ in range(draws)]
        vectors = pictures[np.array(picks)]  # (draws, n, dim)
        means = vectors[:, :n_enrolments].mean(axis=1), vectors[:, n_enrolments:].mean(axis=1)
        enrolled.append(unit_length(means[0]) if unit else means[0])
        seen.append(unit_length(means[1]) if unit else means[1])
    genuine: list[Distances] = []
    impostor: list[Distances] = []
    for i, template in enumerate(enrolled):
        for j, sitting in enumerate(seen):
            # Row k of one against row k of the other: independent draws, linear in their number.
            squared = ((template - sitting) ** 2).sum(axis=1)
            distances = squared / 2 if metric == "cosine" else np.sqrt(squared)
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


def wilson(errors: float, trials: float, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share; (0, 1) without trials, which may be effective ones."""
    if not trials:
        return 0.0, 1.0
    share = errors / trials
    centre = share + z**2 / (2 * trials)
    margin = z * sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    scale = 1 + z**2 / trials
    return max(0.0, (centre - margin) / scale), min(1.0, (centre + margin) / scale)
