"""Who is on the photos of a sitting: one decision on all of its moments, which every photo carries.

Photo by photo, one of an impostor's photos would pass sooner or later. So the mean of all usable
moments is compared with the learner's face: as it was enrolled, and as sittings that matched before
showed it, which never weigh more than the enrolled photos. Where the sitting so matches, two things
still take it to a person: the mean of all moments of the class-hour, over its sittings, doubts; or
one moment is far off while the rest match, which is what a change of the person in front of the
camera looks like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.faces.calibration import SiteThresholds
from app.domain.faces.moments import SeenMoment
from app.vision import match
from app.vision.match import MatchDecision, Moment, Template
from app.vision.model_card import ModelCard
from app.vision.spread import FMR
from detectors.trace import Check

DOCUMENTS = ("decision", "with_earlier", "class_hour", "moment")  # kept with a photo's reading
_ZONES = {"match": Check.MATCH, "review": Check.REVIEW, "mismatch": Check.MISMATCH}

Embedding = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Compared:
    """What the comparison makes of a sitting; `documents` are kept with the reading of each photo,
    `documents_of` beside them with those of the photos named by id."""

    check: Check
    decision: MatchDecision
    documents: dict[str, Any]
    documents_of: dict[int, dict[str, Any]]

    @property
    def limit(self) -> float:
        limits = self.decision.thresholds
        return limits.mismatch if self.check is Check.MISMATCH else limits.match


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one sitting is compared with, and by what thresholds."""

    template: Template | None
    card: ModelCard
    site: SiteThresholds | None
    fmr: float = FMR
    earlier: Sequence[Moment] = ()  # of sittings that matched, the latest last
    class_hour: Sequence[Sequence[Moment]] = ()  # sittings before this one in its class-hours

    def of(self, sitting: Sequence[SeenMoment]) -> Compared:
        """The decision on all moments that there are so far; one at least."""
        assert self.template is not None
        seen = [it.moment for it in sitting]
        enrolled = self.decide(self.template, seen)
        documents = {"decision": self.document(enrolled)}
        decision = enrolled
        known = self._known()
        if known.count > self.template.count and enrolled.zone != "mismatch":
            decision = self.decide(known, seen)
            documents["with_earlier"] = self.document(decision)
        check = _ZONES[decision.zone]
        if check is Check.MISMATCH and decision is not enrolled:
            check = Check.REVIEW  # only the enrolled face may speak against somebody
        if check is Check.MATCH and self.class_hour:
            moments = [moment for other in self.class_hour for moment in other]
            whole = self.decide(self.template, [*moments, *seen], len(self.class_hour) + 1)
            documents["class_hour"] = self.document(whole)
            if whole.zone != "match":
                check, decision = Check.REVIEW, whole
        odd = self._odd(seen) if check is Check.MATCH else {}
        documents_of: dict[int, dict[str, Any]] = {}
        for at, alone in odd.items():
            check, decision = Check.REVIEW, alone
            documents_of |= {
                photo: {"moment": self.document(alone)} for photo in sitting[at].photos
            }
        return Compared(check, decision, documents, documents_of)

    def decide(
        self, template: Template, moments: Sequence[Moment], sittings: int = 1
    ) -> MatchDecision:
        """On the mean of some moments, by the site's yardstick if it has one, else the card's."""
        yardstick = None if self.site is None else self.site.yardstick
        return match.decide(
            template, moments, self.card, yardstick, fmr=self.fmr, sittings=sittings
        )

    def document(self, decision: MatchDecision) -> dict[str, Any]:
        """Everything that a decision was made by, as it stays with the photo."""
        return {
            "zone": decision.zone,
            "distance": round(decision.distance, 6),
            "match": decision.thresholds.match,
            "mismatch": decision.thresholds.mismatch,
            "centred": decision.thresholds.centred,
            "source": decision.thresholds.source,
            "fmr": decision.thresholds.fmr,
            "people": decision.thresholds.people,
            "calibration": None if self.site is None else self.site.calibration_id,
            "enrolments": decision.n_enrolments,
            "snapshots": decision.n_snapshots,
            "model": decision.model,
            "confidence": decision.confidence,
        }

    def _known(self) -> Template:
        """The enrolled face with at most as many earlier moments as it has photos."""
        assert self.template is not None
        return self.template.with_moments(self.earlier[-self.template.count :])

    def _odd(self, seen: Sequence[Moment]) -> dict[int, MatchDecision]:
        """Moments as far from the enrolled face, or from the rest of the sitting, as hardly any
        of a person's own are."""
        assert self.template is not None
        found = {}
        for at, moment in enumerate(seen) if len(seen) > 1 else ():
            rest = Template(self.card.model, (*seen[:at], *seen[at + 1 :]))
            for face in (self.template, rest):
                alone = self.decide(face, [moment])
                if alone.distance > alone.thresholds.mismatch:
                    found[at] = alone
        return found
