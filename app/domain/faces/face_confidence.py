"""How sure comparisons with a learner's enrolled photos are: told wherever a comparison is."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from app.domain.faces.enrolment_photos import EnrolmentConfidence, confidence
from app.store.bodies import Body
from app.store.faces import reference_photos
from app.vision import match

FACE_RULES = frozenset({"face_liveness", "one_face_several_accounts", "person_over_course"})


class FaceEnrolment(Body, frozen=True, kw_only=True):
    """How many photos of how many wanted a learner is compared with now."""

    photos: int
    photos_wanted: int
    confidence: EnrolmentConfidence

    @property
    def low(self) -> bool:
        return self.confidence is EnrolmentConfidence.LOW


def of_learners(
    connection: Connection, learner_ids: Collection[int | None]
) -> dict[int, FaceEnrolment]:
    """By learner; who agreed to no face processing is not in it."""
    found = reference_photos.in_use(connection, {it for it in learner_ids if it is not None})
    return {
        learner_id: FaceEnrolment(
            photos=photos, photos_wanted=match.WANTED_ENROLMENTS, confidence=confidence(photos)
        )
        for learner_id, photos in found.items()
    }


def of_findings(
    connection: Connection, findings: Collection[tuple[str, int | None]]
) -> dict[int, FaceEnrolment]:
    """Of the learners of those (rule, learner) that rest on a comparison of faces."""
    return of_learners(connection, {learner for rule, learner in findings if rule in FACE_RULES})
