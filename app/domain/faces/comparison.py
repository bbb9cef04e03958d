"""Who is on the photos of a sitting: one decision on all of its moments, which every photo carries.

Photo by photo, one of an impostor's photos would pass sooner or later. So the mean of all usable
moments is compared with the learner's face as it was enrolled. A sitting that this leaves in doubt
is settled by the course: it lies as close as a match must to the enrolled face and the sittings
that match it by themselves, taken together, and all sittings together match the enrolled face. A
friend in one sitting fails the first, a friend in all of them the second. Where the sitting so
matches, two things still take it to a person: the mean of all moments of the class-hour, over its
sittings, doubts; or one moment is far off while the rest match, which is what a change of the
person in front of the camera looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

# Kept with a photo's reading.
DOCUMENTS = ("decision", "with_others", "course", "class_hour", "moment")
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
class OtherSitting:
    """Moments of another sitting of the learner in the class; `matched`: nothing speaks against it
    as it was decided."""

    moments: Sequence[Moment]
    matched: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one sitting is compared with, and by what thresholds.

    `others`: the course but for this sitting, asked for where it may settle a doubt.
    """

    template: Template | None
    card: ModelCard
    site: SiteThresholds | None
    fmr: float = FMR
    others: Callable[[], Sequence[OtherSitting]] = tuple
    class_hour: Sequence[Sequence[Moment]] = ()  # sittings before this one in its class-hours

    def of(self, sitting: Sequence[SeenMoment]) -> Compared:
        """The decision on all moments that there are so far; one at least."""
        assert self.template is not None
        seen = [it.moment for it in sitting]
        enrolled = self.decide(self.template, seen)
        documents = {"decision": self.document(enrolled)}
        check, decision = _ZONES[enrolled.zone], enrolled
        if check is Check.REVIEW:
            by_course = self._by_course(seen)
            documents |= {name: self.document(it) for name, it in by_course.items()}
            if by_course and all(it.zone == "match" for it in by_course.values()):
                check, decision = Check.MATCH, by_course["with_others"]
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
        self, template: Template, moments: Sequence[Moment], sittings: int = 1, among: int = 1
    ) -> MatchDecision:
        """On the mean of some moments, by the site's yardstick if it has one, else the card's."""
        yardstick = None if self.site is None else self.site.yardstick
        return match.decide(
            template,
            moments,
            self.card,
            yardstick,
            fmr=self.fmr,
            sittings=sittings,
            among=among,
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

    def _by_course(self, seen: Sequence[Moment]) -> dict[str, MatchDecision]:
        """What the learner's other sittings make of one in doubt; nothing where none of them
        matches the enrolled face by itself."""
        assert self.template is not None
        others = self.others()
        known = [
            moment
            for other in others
            if other.matched and self.decide(self.template, other.moments).zone == "match"
            for moment in other.moments
        ]
        if not known:
            return {}
        course = [moment for other in others for moment in other.moments]
        return {
            "with_others": self.decide(self.template.with_moments(known), seen),
            "course": self.decide(self.template, [*course, *seen], len(others) + 1),
        }

    def _odd(self, seen: Sequence[Moment]) -> dict[int, MatchDecision]:
        """Moments as far from the enrolled face, or from the rest of the sitting, as the furthest
        of a person's own hardly ever is."""
        assert self.template is not None
        found = {}
        for at, moment in enumerate(seen) if len(seen) > 1 else ():
            rest = Template(self.card.model, (*seen[:at], *seen[at + 1 :]))
            for face in (self.template, rest):
                alone = self.decide(face, [moment], among=len(seen))
                if alone.distance > alone.thresholds.mismatch:
                    found[at] = alone
        return found
