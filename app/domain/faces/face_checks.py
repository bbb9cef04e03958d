"""What the photos of a sitting prove, decided in order of receipt.

Who is on them is compared in `comparison.py`, whether a burst shows somebody live is judged in
`burst_liveness.py`; here both are run over a sitting and come to one check a photo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from app.domain.faces import burst_liveness, calibration, enrolment_photos
from app.domain.faces.burst_liveness import Beside
from app.domain.faces.comparison import Comparison, Embedding
from app.security import Unsealable, Vault, unseal
from app.store.controls import controls as control_store
from app.store.faces import face_keys, reference_photos
from app.store.faces import snapshots as rows
from app.store.row import AnyRow
from app.vision.model_card import ModelCard
from app.vision.seen import embedding_context, usable, vector
from detectors.trace import Check

_OWN = (Check.MATCH, Check.REVIEW)  # a mismatch is a finding of its own, not this face


@dataclass(frozen=True, slots=True)
class _Case:
    """One sitting under decision, of photos read by one model."""

    comparison: Comparison
    controls: Mapping[int, AnyRow]
    beside: Beside
    seen: list[tuple[AnyRow, Embedding | None]] = field(default_factory=list)  # in order of receipt


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
            cases[model] = _Case(Comparison(enrolled, card, site, earlier), controls, beside)
        embedding = _embedding(photo, key)
        cases[model].seen.append((photo, embedding))
        if photo.status == "read":
            allowed = key is not None and session.face_consent
            outcome = _decide(cases[model], photo, embedding, allowed)
            rows.decide(connection, photo, checked_ms=now_ms, **outcome)
            decided += 1
    done = rows.undecided(connection, session_id) == 0
    return bool(decided and done and session.state != "open")


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
    liveness = burst_liveness.judged(case.seen, case.controls.get(photo.control_id), case.beside)
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
    if case.comparison.template is None:
        return _outcome(Check.NO_REFERENCE, reading)
    compared = case.comparison.of(photo, case.seen)
    reading |= compared.documents
    check = compared.check
    if check is Check.MATCH and liveness is not None and liveness["outcome"] == "spoof":
        check = Check.REVIEW  # a feed that stands still or repeats is for a person to look at
    score = round(compared.decision.distance, 6)
    return _outcome(check, reading, score=score, limit=compared.limit)


def _outcome(
    check: Check,
    reading: dict[str, Any],
    *,
    score: float | None = None,
    limit: float | None = None,
) -> dict[str, Any]:
    return {"check": int(check), "reading": reading, "score": score, "limit": limit}
