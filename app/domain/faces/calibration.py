"""Thresholds from the site's own faces, without labels, and which of them decide.

Between accounts of different persons every distance is one of strangers; within an account most
are its own. Whole faces are never compared by hand here: what is read are the sealed embeddings of
photos that people agreed to, and what is kept are thresholds and one mean over the whole cohort.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from app.errors import Conflict
from app.security import Unsealable, Vault, unseal
from app.store.accounts import audit
from app.store.faces import calibrations, face_keys, face_sets
from app.vision import calibrate as measure
from app.vision import match
from app.vision.calibrate import Distances, TooFewComparisons
from app.vision.match import Embedding
from app.vision.model_card import ModelCard, Thresholds
from app.vision.seen import embedding_context, usable, vector

PICTURES = 3  # a mean of as many as are wanted for a decision
MOST_PERSONS = 2_000  # two million pairs of strangers: enough for any quantile asked for

Means = NDArray[np.float32]


class NotEnoughFaces(Conflict):
    """Too few people were photographed for a threshold; the model card's stays."""


@dataclass(frozen=True, slots=True)
class Faces:
    """What was seen of one account: its embeddings, sitting by sitting, in order of receipt."""

    learner_id: int
    person_id: int
    sittings: list[list[Embedding]]

    @property
    def pictures(self) -> list[Embedding]:
        return [picture for sitting in self.sittings for picture in sitting]

    def mean(self) -> Embedding:
        return np.asarray(np.mean(self.pictures, axis=0), np.float32)


@dataclass(frozen=True, slots=True)
class SiteThresholds:
    """The calibration in force. `raw` for distances as they are; `centred` after the cohort's
    mean is subtracted, for decisions on as many pictures as it was measured with."""

    calibration_id: int
    raw: Thresholds
    centred: Thresholds
    cohort_mean: Embedding

    def chosen(self, enrolments: int, snapshots: int) -> tuple[Thresholds, Embedding | None]:
        """What `match.decide` takes for so many pictures."""
        if min(enrolments, snapshots) >= self.centred.n_snapshots:
            return self.centred, self.cohort_mean
        return self.raw, None


def in_force(connection: Connection, card: ModelCard) -> SiteThresholds | None:
    """The site's own thresholds for a model; None: those of its card."""
    row = calibrations.in_force(connection, card.model)
    if row is None:
        return None
    return SiteThresholds(
        row.id,
        Thresholds(**row.body["raw"]["thresholds"]),
        Thresholds(**row.body["centred"]["thresholds"]),
        vector(row.cohort_mean),
    )


def seen_faces(
    connection: Connection,
    vault: Vault,
    accounts: Sequence[tuple[int, int]],
    card: ModelCard,
) -> list[Faces]:
    """The faces of (learner, person) accounts, of those that have any for the model."""
    keys: dict[int, bytes | None] = {}
    found: dict[int, dict[int, list[Embedding]]] = defaultdict(lambda: defaultdict(list))
    for row in face_sets.pictures(connection, [learner for learner, _ in accounts]):
        if not usable(row.reading) or row.reading.get("model") != card.model:
            continue
        if row.learner_id not in keys:
            keys[row.learner_id] = _key(connection, vault, row.learner_id)
        key = keys[row.learner_id]
        if key is None:
            continue
        try:
            opened = unseal(key, row.embedding_encrypted, embedding_context(row.session_id))
        except Unsealable:  # sealed with a key that is gone
            continue
        found[row.learner_id][row.session_id].append(vector(opened))
    persons = dict(accounts)
    return [
        Faces(learner, persons[learner], list(sittings.values()))
        for learner, sittings in found.items()
    ]


def _key(connection: Connection, vault: Vault, learner_id: int) -> bytes | None:
    try:
        return face_keys.key(connection, vault, learner_id)
    except face_keys.KeyDestroyed:
        return None


def measured(card: ModelCard, faces: Iterable[Faces]) -> tuple[dict[str, Any], Embedding]:
    """The body of a calibration, and the cohort's mean. Raises NotEnoughFaces.

    One account a person, and means of PICTURES each. Own distances lie between different sittings.
    """
    cohort: dict[int, Faces] = {}
    for each in faces:
        if len(each.pictures) >= PICTURES:
            cohort.setdefault(each.person_id, each)
    chosen = sorted(cohort.values(), key=lambda each: -each.learner_id)[:MOST_PERSONS]
    if len(chosen) < 2:
        raise NotEnoughFaces("not_enough_faces", _too_few(len(chosen)))
    means = np.stack([np.mean(each.pictures[:PICTURES], axis=0) for each in chosen])
    own = [(_mean(it.sittings[0]), _mean(it.sittings[-1])) for it in chosen if _twice(it)]
    centre = measure.cohort_mean(means)
    try:
        raw = _calibrated(card, means, own, None)
        centred = _calibrated(card, means, own, centre)
    except TooFewComparisons as few:
        raise NotEnoughFaces("not_enough_faces", _too_few(len(chosen))) from few
    body = {"persons": len(chosen), "pictures": PICTURES, "raw": asdict(raw)}
    return body | {"centred": asdict(centred), "alarm": raw.alarm}, centre


def _calibrated(
    card: ModelCard,
    means: Means,
    own: Sequence[tuple[Embedding, Embedding]],
    centre: Embedding | None,
) -> measure.Calibration:
    distances: Distances = np.array(
        [match.distance(one, other, card.metric, centre) for one, other in own]
    )
    return measure.calibrate(
        card,
        measure.cross_distances(means, card.metric, centre),
        distances,
        n_pictures=PICTURES,
        centred=centre is not None,
    )


def _twice(faces: Faces) -> bool:
    sittings = faces.sittings
    return len(sittings) > 1 and min(len(sittings[0]), len(sittings[-1])) >= PICTURES


def _mean(pictures: Sequence[Embedding]) -> Embedding:
    return np.asarray(np.mean(pictures[:PICTURES], axis=0), np.float32)


def _too_few(persons: int) -> str:
    return (
        f"{persons} persons with at least {PICTURES} good photos each; 78 are needed for a "
        "threshold at FMR 0.1 %. The model card's thresholds stay."
    )


def record(
    connection: Connection,
    card: ModelCard,
    body: dict[str, Any],
    cohort_mean: Embedding,
    *,
    actor: str,
    apply: bool,
    now_ms: int,
) -> int:
    """Keep a measurement; with `apply` it decides from now on. Its id."""
    calibration_id = calibrations.add(
        connection,
        model=card.model,
        created_ms=now_ms,
        actor=actor,
        applied=apply,
        cohort_mean=np.asarray(cohort_mean, "<f4").tobytes(),
        body=body,
    )
    if apply:
        audit.append(
            connection,
            at_ms=now_ms,
            actor=actor,
            action="calibration.applied",
            subject=f"calibration:{calibration_id}",
            detail={"model": card.model, "thresholds": body["raw"]["thresholds"]},
        )
    return calibration_id
