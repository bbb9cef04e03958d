"""What the photos of a sitting prove.

Who is on them is decided in `comparison.py`, once for the sitting; whether a burst shows somebody
live is judged in `burst_liveness.py`. Here both are run and come to one check a photo. While the
sitting goes on the decision is the one on what is there so far, and photos decided before take it
over. Sittings that were left in doubt are settled where a later one of the course makes them a
match.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection

from app.domain.faces import burst_liveness, calibration, course_faces, enrolment_photos
from app.domain.faces.burst_liveness import Beside, PhotoGroup
from app.domain.faces.comparison import (
    DOCUMENTS,
    Compared,
    Comparison,
    Embedding,
    OtherSitting,
)
from app.domain.faces.moments import moments
from app.domain.policy import sitting_terms
from app.security import Unsealable, unseal
from app.store.controls import controls as control_store
from app.store.faces import course_faces as course_rows
from app.store.faces import face_keys, reference_photos
from app.store.faces import snapshots as rows
from app.store.faces.snapshots import PhotoRow, SittingToDecide, reading_of
from app.vault import Vault
from app.vision.match import Moment
from app.vision.model_card import ModelCard
from app.vision.seen import embedding_context, usable, vector
from detectors.trace import Check

_OWN = (Check.MATCH, Check.REVIEW)  # a mismatch is a finding of its own, not this face
_COMPARED = (Check.MATCH, Check.REVIEW, Check.MISMATCH)


@dataclass(frozen=True, slots=True)
class _Case:
    """One sitting under decision, of photos read by one model."""

    comparison: Comparison
    beside: Beside
    live: dict[int, dict[str, Any]] = field(default_factory=dict)  # judged now, by photo
    # In order of receipt.
    seen: list[tuple[PhotoRow, Embedding | None]] = field(default_factory=list)

    def add(self, group: PhotoGroup, embeddings: Sequence[Embedding | None]) -> None:
        """Photos that are decided together, with what they show of a living person."""
        together = list(zip(group.photos, embeddings, strict=True))
        self.seen.extend(together)
        waiting = [photo.id for photo in group.photos if photo.status == "read"]
        judged = burst_liveness.judged(group, together, self.beside) if waiting else None
        if judged is not None:
            self.live.update(dict.fromkeys(waiting, judged))

    def compared(self) -> Compared | None:
        """The decision on the sitting so far; None without an enrolled or a usable face."""
        good = [(row, it) for row, it in self.seen if it is not None and usable(row.reading)]
        return self.comparison.of(moments(good)) if good and self.comparison.template else None


def decide_session(
    connection: Connection,
    vault: Vault,
    session_id: int,
    card_of: Callable[[str], ModelCard],
    now_ms: int,
    beside: Beside | None = None,
) -> bool:
    """Decide the sitting's photos, as far as they can be decided.

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
    compare = partial(_comparison, connection, session_id, session, key, before)
    cases = _cases(connection, session_id, compare, card_of, key, beside or Beside(), now_ms)
    allowed = key is not None and session.face_consent
    replaced_ms = reference_photos.replaced_ms(connection, session.learner_id)
    decided = sum(
        _decide_all(connection, case, allowed, replaced_ms, now_ms) for case in cases.values()
    )
    done = rows.undecided(connection, session_id) == 0
    if decided and done and session.state != "open":
        for case in cases.values():
            course_faces.measure(
                connection,
                session.learner_id,
                session.class_id,
                case.comparison,
                lambda row: _embedding(row, key),
                now_ms,
            )
        if allowed:
            _settle_others(connection, session_id, session, card_of, key, now_ms)
    return bool(decided and done and session.state != "open")


def _settle_others(
    connection: Connection,
    session_id: int,
    session: SittingToDecide,
    card_of: Callable[[str], ModelCard],
    key: bytes | None,
    now_ms: int,
) -> None:
    """Let a sitting that was left in doubt match where the course, with this one, settles it."""
    replaced_ms = reference_photos.replaced_ms(connection, session.learner_id)
    for other in course_rows.doubted(connection, session.learner_id, session.class_id):
        before = rows.before_in_class_hours(connection, other)
        if other == session_id or any(photo.status in ("pending", "read") for photo in before):
            continue
        owner = rows.owner(connection, other)
        compare = partial(_comparison, connection, other, owner, key, before)
        for case in _cases(connection, other, compare, card_of, key, Beside(), now_ms).values():
            compared = case.compared()
            if compared is not None and compared.check is Check.MATCH:
                _carry(connection, case, compared, replaced_ms, now_ms)


def _cases(
    connection: Connection,
    session_id: int,
    compare: Callable[[ModelCard], Comparison],
    card_of: Callable[[str], ModelCard],
    key: bytes | None,
    beside: Beside,
    now_ms: int,
) -> dict[str, _Case]:
    """A sitting's photos as far as they can be decided, by the model that read them."""
    cases: dict[str, _Case] = {}
    for group in decidable(connection, session_id, now_ms):
        model = reading_of(group.photos[0])["model"]
        if model not in cases:
            cases[model] = _Case(compare(card_of(model)), beside)
        cases[model].add(group, [_embedding(photo, key) for photo in group.photos])
    return cases


def _comparison(
    connection: Connection,
    session_id: int,
    session: SittingToDecide,
    key: bytes | None,
    before: Sequence[PhotoRow],
    card: ModelCard,
) -> Comparison:
    """What a sitting's faces are held against; without a key (erased) there is nothing enrolled.
    `before`: photos of earlier sittings on its class-hours."""
    enrolled = None
    if key is not None:
        enrolled = enrolment_photos.template(connection, key, session.learner_id, card)
    return Comparison(
        enrolled,
        card,
        calibration.in_force(connection, card),
        sitting_terms.of_pack(session.pack_id, session.pack_version).match_fmr,
        partial(_others, connection, session_id, session, card.model, key),
        list(_sittings([row for row in before if row.check in _OWN], card.model, key).values()),
    )


def _others(
    connection: Connection,
    session_id: int,
    session: SittingToDecide,
    model: str,
    key: bytes | None,
) -> list[OtherSitting]:
    """The rest of the course, without photos that look like an attack."""
    photos = [
        row
        for row in course_rows.photos(connection, session.learner_id, session.class_id)
        if row.session_id != session_id and not _attack(row)
    ]
    doubted = {row.session_id for row in photos if row.check != Check.MATCH}
    return [
        OtherSitting(seen, matched=other not in doubted)
        for other, seen in _sittings(photos, model, key).items()
    ]


def decidable(connection: Connection, session_id: int, now_ms: int) -> Iterator[PhotoGroup]:
    """The sitting's photos that can be decided at `now_ms`, and those decided before them."""
    return burst_liveness.to_decide(
        rows.rows(connection, session_id),
        control_store.rows(connection, session_id),
        open_now=rows.state(connection, session_id) == "open",
        now_ms=now_ms,
    )


def _decide_all(
    connection: Connection, case: _Case, allowed: bool, replaced_ms: int, now_ms: int
) -> int:
    """Decide the photos that wait, and let the others carry what is decided now; how many did.

    What was decided by an enrolled photo that has been replaced since is for people to overturn.
    """
    if not any(photo.status == "read" for photo, _ in case.seen):
        return 0
    compared = case.compared()
    decided = 0
    for photo, embedding in case.seen:
        if photo.status == "read":
            reading = _reading(case, photo, case.live.get(photo.id))
            outcome = _decide(photo, embedding, reading, compared, allowed)
            rows.decide(connection, photo, checked_ms=now_ms, **outcome)
            decided += 1
    if allowed and compared is not None:
        decided += _carry(connection, case, compared, replaced_ms, now_ms)
    return decided


def _carry(
    connection: Connection, case: _Case, compared: Compared, replaced_ms: int, now_ms: int
) -> int:
    """Let photos that were decided before carry what the sitting comes to now; how many changed."""
    changed = 0
    for photo, _ in case.seen:
        if (
            photo.status == "done"
            and photo.check in _COMPARED
            and (photo.checked_ms or 0) > replaced_ms
        ):
            outcome = _carried(photo, dict(reading_of(photo)), compared)
            if any(outcome[name] != getattr(photo, name) for name in outcome):
                rows.decide_anew(connection, photo, checked_ms=now_ms, **outcome)
                changed += 1
    return changed


def _sittings(photos: Iterable[PhotoRow], model: str, key: bytes | None) -> dict[int, list[Moment]]:
    """The moments of usable photos of other sittings, sitting by sitting."""
    found: dict[int, list[tuple[PhotoRow, Embedding]]] = defaultdict(list)
    for row in photos:
        if reading_of(row)["model"] == model and usable(row.reading):
            embedding = _embedding(row, key)
            if embedding is not None:
                found[row.session_id].append((row, embedding))
    return {
        session_id: [it.moment for it in moments(sitting)] for session_id, sitting in found.items()
    }


def _attack(photo: PhotoRow) -> bool:
    live = reading_of(photo).get("liveness")
    return live is not None and _doubted(live)


def _embedding(photo: PhotoRow, key: bytes | None) -> Embedding | None:
    if photo.embedding_encrypted is None or key is None:
        return None
    try:
        return vector(unseal(key, photo.embedding_encrypted, embedding_context(photo.session_id)))
    except Unsealable:  # sealed with a key that is gone
        return None


def _reading(case: _Case, photo: PhotoRow, liveness: dict[str, Any] | None) -> dict[str, Any]:
    """What is known of a photo, with what its sitting's pixels said beside the faces."""
    reading = dict(reading_of(photo))
    if photo.id in case.beside.copies:
        reading["near_duplicate"] = case.beside.copies[photo.id]
    if liveness is not None:
        reading["liveness"] = liveness
    return reading


def _decide(
    photo: PhotoRow,
    embedding: Embedding | None,
    reading: dict[str, Any],
    compared: Compared | None,
    allowed: bool,
) -> dict[str, Any]:
    """The columns of one photo's decision."""
    liveness = reading.get("liveness")
    if not allowed:
        reading.pop("liveness", None)
        return _outcome(Check.NO_CONSENT, reading)
    if liveness and "attack_model" in liveness["reasons"] and liveness["outcome"] == "spoof":
        return _outcome(Check.SPOOF, reading)
    if reading["face_count"] == 0 or embedding is None:
        return _outcome(Check.NO_FACE, reading)
    if reading["face_count"] > 1:
        return _outcome(Check.SEVERAL_FACES, reading)
    if reading["reasons"]:
        return _outcome(Check.LOW_QUALITY, reading)
    if compared is None:
        return _outcome(Check.NO_REFERENCE, reading)
    return _carried(photo, reading, compared)


def _carried(photo: PhotoRow, reading: dict[str, Any], compared: Compared) -> dict[str, Any]:
    """The sitting's decision, as a usable photo carries it."""
    kept = {name: value for name, value in reading.items() if name not in DOCUMENTS}
    kept |= compared.documents | compared.documents_of.get(photo.id, {})
    check = compared.check
    if check is Check.MATCH and "liveness" in kept and _doubted(kept["liveness"]):
        check = Check.REVIEW
    score = round(compared.decision.distance, 6)
    return _outcome(check, kept, score=score, limit=compared.limit)


def _doubted(live: Mapping[str, Any]) -> bool:
    """What looks like an attack is for a person to look at, whoever it shows."""
    return live["outcome"] == "spoof" or "attack_model" in live["reasons"]


def _outcome(
    check: Check,
    reading: dict[str, Any],
    *,
    score: float | None = None,
    limit: float | None = None,
) -> dict[str, Any]:
    return {"check": int(check), "reading": reading, "score": score, "limit": limit}
