"""Who is on the photos of a sitting: their mean face against the learner's enrolled face.

A decision is made on the mean of the sitting's usable photos up to then, and once more on the mean
of all that were taken in the class-hour, over its sittings: many short sittings of one picture each
would otherwise be many weak decisions. Whichever mean doubts goes to a person, and so does a burst
whose own distance is far off while the mean still matches: that is what a change of the person in
front of the camera looks like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.faces.calibration import SiteThresholds
from app.store.row import AnyRow
from app.vision import match
from app.vision.match import MatchDecision, Template
from app.vision.model_card import ModelCard
from app.vision.seen import usable
from detectors.trace import Check

_ZONES = {"match": Check.MATCH, "review": Check.REVIEW, "mismatch": Check.MISMATCH}

Embedding = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Compared:
    """What the comparison makes of one photo; `documents` are kept with its reading."""

    check: Check
    decision: MatchDecision
    documents: dict[str, Any]

    @property
    def limit(self) -> float:
        limits = self.decision.thresholds
        return limits.mismatch if self.check is Check.MISMATCH else limits.match


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one sitting's photos are compared with, and by what thresholds."""

    template: Template | None
    card: ModelCard
    site: SiteThresholds | None
    earlier: Sequence[Embedding] = ()  # of the class-hour's sittings before this one

    def of(self, photo: AnyRow, seen: Sequence[tuple[AnyRow, Embedding | None]]) -> Compared:
        """The decision that `photo` carries; `seen` are the sitting's photos up to it."""
        good = [(row, it) for row, it in seen if it is not None and usable(row.reading)]
        sitting = [it for _, it in good]
        burst = [it for row, it in good if _together(row, photo)]
        decision = self.decide(sitting)
        check = _ZONES[decision.zone]
        documents = {"decision": self.document(decision)}
        if self.earlier:
            whole = self.decide([*self.earlier, *sitting])
            documents["class_hour"] = self.document(whole)
            if check is Check.MATCH and whole.zone != "match":
                check, decision = Check.REVIEW, whole
        if check is Check.MATCH and len(burst) < len(sitting):
            own = self.decide(burst)
            if own.distance > own.thresholds.mismatch:
                check, decision = Check.REVIEW, own
                documents["burst"] = self.document(own)
        return Compared(check, decision, documents)

    def decide(self, snapshots: Sequence[Embedding]) -> MatchDecision:
        """On the mean of some photos, by the site's thresholds if it has any, else the card's."""
        assert self.template is not None
        if self.site is None:
            return match.decide(self.template, snapshots, self.card)
        limits, mean = self.site.chosen(self.template.count, len(snapshots))
        return match.decide(self.template, snapshots, self.card, limits, mean)

    def document(self, decision: MatchDecision) -> dict[str, Any]:
        """Everything that a decision was made by, as it stays with the photo."""
        return {
            "zone": decision.zone,
            "distance": round(decision.distance, 6),
            "match": decision.thresholds.match,
            "mismatch": decision.thresholds.mismatch,
            "centred": decision.thresholds.centred,
            "source": decision.thresholds.source,
            "calibration": None if self.site is None else self.site.calibration_id,
            "enrolments": decision.n_enrolments,
            "snapshots": decision.n_snapshots,
            "model": decision.model,
            "confidence": decision.confidence,
        }


def _together(other: AnyRow, photo: AnyRow) -> bool:
    """Both answer one challenge; a photo that answers none stands alone."""
    if photo.control_id is None:
        return bool(other.id == photo.id)
    return bool(other.control_id == photo.control_id)
