"""What the photos of a sitting prove: each compared, in order, with the enrolled face.

A decision is made on the mean of the sitting's usable photos up to then, and once more on the mean
of all that were taken in the class-hour, over its sittings: many short sittings of one picture each
would otherwise be many weak decisions. Whichever mean doubts goes to a person, and so does a burst
whose own distance is far off while the mean still matches: that is what a change of the person in
front of the camera looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from app.domain.faces import calibration, enrolment_photos
from app.domain.faces.calibration import SiteThresholds
from app.domain.policy.sitting_terms import REPORT_GRACE_MS
from app.security import Unsealable, Vault, unseal
from app.store.controls import controls as control_store
from app.store.faces import face_keys, reference_photos
from app.store.faces import snapshots as rows
from app.store.row import AnyRow
from app.vision import liveness, match
from app.vision.face_reading import FaceReading
from app.vision.feed_signs import FeedSigns
from app.vision.liveness import LIVENESS_LIMITS, Challenge, Frame
from app.vision.match import MatchDecision, Template
from app.vision.model_card import ModelCard
from app.vision.seen import embedding_context, usable, vector
from detectors.trace import Check

_OWN = (Check.MATCH, Check.REVIEW)  # a mismatch is a finding of its own, not this face
_ZONES = {"match": Check.MATCH, "review": Check.REVIEW, "mismatch": Check.MISMATCH}

Embedding = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Beside:
    """What a sitting's pixels say beside the faces: `feeds` of its `bursts`, by the id of the
    control that each answers, and `copies`, by the id of the photo, of photographs seen before."""

    feeds: Mapping[int, FeedSigns] = field(default_factory=dict)
    copies: Mapping[int, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Case:
    """One sitting under decision: what it is compared with, and what its photos gave so far."""

    template: Template | None
    card: ModelCard
    site: SiteThresholds | None
    controls: Mapping[int, AnyRow]
    beside: Beside
    photos: list[tuple[AnyRow, Embedding | None]]  # in order of receipt
    earlier: Sequence[Embedding] = ()  # of the class-hour's sittings before this one

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

    def usable(self) -> list[tuple[AnyRow, Embedding]]:
        """Those with one good face."""
        return [(row, it) for row, it in self.photos if it is not None and usable(row.reading)]


def decide_session(
    connection: Connection,
    vault: Vault,
    session_id: int,
    card_of: Callable[[str], ModelCard],
    now_ms: int,
    beside: Beside | None = None,
) -> bool:
    """Decide the sitting's photos in order of receipt, up to the first that is not read yet.

    `beside` is what else their pixels said (app/jobs/pixels.py).
    True when the sitting is over and its last photo was decided now: it can be judged again.
    """
    session = rows.owner(connection, session_id)
    if reference_photos.waits(connection, session.learner_id):
        return False
    before = rows.before_in_class_hours(connection, session_id)
    if any(photo.status == "pending" for photo in before):
        return False  # what this sitting is worth depends on them
    try:
        key = face_keys.key(connection, vault, session.learner_id)
    except face_keys.KeyDestroyed:
        key = None
    decided = 0
    beside = beside or Beside()
    cases: dict[str, _Case] = {}
    controls = {row.id: row for row in control_store.rows(connection, session_id)}
    for photo in rows.rows(connection, session_id):
        if photo.status == "pending":
            break
        if photo.status == "failed" or photo.late:
            continue
        model = photo.reading["model"]
        if model not in cases:
            card = card_of(model)
            enrolled = None
            if key is not None:
                enrolled = enrolment_photos.template(connection, key, session.learner_id, card)
            site = calibration.in_force(connection, card)
            earlier = [
                embedding
                for row in before
                if row.check in _OWN and row.reading["model"] == model and usable(row.reading)
                if (embedding := _embedding(row, key)) is not None
            ]
            cases[model] = _Case(enrolled, card, site, controls, beside, [], earlier)
        embedding = _embedding(photo, key)
        cases[model].photos.append((photo, embedding))
        if photo.status == "read":
            allowed = key is not None and session.face_consent
            outcome = _decide(cases[model], photo, embedding, allowed)
            rows.decide(connection, photo, checked_ms=now_ms, **outcome)
            decided += 1
    done = rows.undecided(connection, session_id) == 0
    return bool(decided and done and session.state != "open")


def bursts(connection: Connection, session_id: int) -> dict[int, list[AnyRow]]:
    """The sitting's bursts that wait for a decision and are long enough to tell whether they come
    from a live camera: their photos in the order taken, by the id of the control."""
    asked = {
        row.id for row in control_store.rows(connection, session_id) if "actions" in row.demand
    }
    if not asked:
        return {}
    found: dict[int, list[AnyRow]] = {}
    for photo in rows.rows(connection, session_id):
        if photo.control_id in asked and photo.status in ("read", "done") and not photo.late:
            found.setdefault(photo.control_id, []).append(photo)
    return {
        control: sorted(photos, key=_as_taken)
        for control, photos in found.items()
        if len(photos) >= LIVENESS_LIMITS.min_faces and any(it.status == "read" for it in photos)
    }


def _as_taken(photo: AnyRow) -> tuple[int, int]:
    return photo.frame, photo.received_ms


def _embedding(photo: AnyRow, key: bytes | None) -> Embedding | None:
    if photo.embedding_encrypted is None or key is None:
        return None
    try:
        return vector(unseal(key, photo.embedding_encrypted, embedding_context(photo.session_id)))
    except Unsealable:  # sealed with a key that is gone
        return None


def _decide(
    case: _Case, photo: AnyRow, embedding: Embedding | None, allowed: bool
) -> dict[str, Any]:
    """The columns of one photo's decision."""
    reading = dict(photo.reading)
    if photo.id in case.beside.copies:
        reading["near_duplicate"] = case.beside.copies[photo.id]
    if not allowed:
        return _outcome(Check.NO_CONSENT, reading)
    liveness = _liveness(case, photo)
    if liveness is not None:
        reading["liveness"] = liveness
        if "attack_model" in liveness["reasons"] and liveness["outcome"] == "spoof":
            return _outcome(Check.SPOOF, reading)
    if reading["face_count"] == 0 or embedding is None:
        return _outcome(Check.NO_FACE, reading)
    if reading["face_count"] > 1:
        return _outcome(Check.SEVERAL_FACES, reading)
    if reading["reasons"]:
        return _outcome(Check.LOW_QUALITY, reading)
    if case.template is None:
        return _outcome(Check.NO_REFERENCE, reading)
    sitting = [it for _, it in case.usable()]
    burst = [it for other, it in case.usable() if _together(other, photo)]
    decision = case.decide(sitting)
    check = _ZONES[decision.zone]
    reading["decision"] = case.document(decision)
    if case.earlier:
        whole = case.decide([*case.earlier, *sitting])
        reading["class_hour"] = case.document(whole)
        if check is Check.MATCH and whole.zone != "match":
            check, decision = Check.REVIEW, whole
    if check is Check.MATCH and len(burst) < len(sitting):
        own = case.decide(burst)
        if own.distance > own.thresholds.mismatch:
            check, decision = Check.REVIEW, own
            reading["burst"] = case.document(own)
    if check is Check.MATCH and liveness is not None and liveness["outcome"] == "spoof":
        check = Check.REVIEW  # a feed that stands still or repeats is for a person to look at
    limits = decision.thresholds
    limit = limits.mismatch if check is Check.MISMATCH else limits.match
    return _outcome(check, reading, score=round(decision.distance, 6), limit=limit)


def _together(other: AnyRow, photo: AnyRow) -> bool:
    """Both answer one challenge; a photo that answers none stands alone."""
    if photo.control_id is None:
        return bool(other.id == photo.id)
    return bool(other.control_id == photo.control_id)


def _liveness(case: _Case, photo: AnyRow) -> dict[str, Any] | None:
    """Whether the head turns that a face check asked for were seen in its burst so far."""
    control = case.controls.get(photo.control_id)
    if control is None or "actions" not in control.demand:
        return None
    burst = [(row, it) for row, it in case.photos if row.control_id == control.id]
    if len(burst) < LIVENESS_LIMITS.min_faces:
        return {"outcome": "inconclusive", "reasons": ["too_few_faces"], "frames": len(burst)}

    frames = [
        Frame(row.received_ms, FaceReading.from_stored(row.reading, embedding))
        for row, embedding in sorted(burst, key=lambda it: _as_taken(it[0]))
    ]
    actions = tuple(control.demand["actions"])
    challenge = Challenge(actions, control.issued_ms, control.window_ms + REPORT_GRACE_MS)
    judged = liveness.verify(frames, challenge, case.beside.feeds.get(control.id))
    return {
        "outcome": judged.outcome,
        "reasons": list(judged.reasons),
        "signs": judged.signs,
        "frames": len(burst),
    }


def _outcome(
    check: Check,
    reading: dict[str, Any],
    *,
    score: float | None = None,
    limit: float | None = None,
) -> dict[str, Any]:
    return {"check": int(check), "reading": reading, "score": score, "limit": limit}
