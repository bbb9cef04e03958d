"""One face under several accounts: an exact search over mean faces, by calibrated thresholds only.

Without a calibration in force nothing is searched: with the defaults of a model that does not know
the cohort, half a class would look alike. Accounts of one ID number are one person and no finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sqlalchemy import Connection

from app.domain.faces import calibration
from app.domain.faces.calibration import PICTURES, Faces
from app.errors import Conflict
from app.security import Vault
from app.store.accounts import audit
from app.store.faces import face_sets
from app.vision import crowd
from app.vision.model_card import ModelCard

Scope = Literal["class", "institution", "everyone"]
MOST_PAIRS = 50  # the closest; more in one search says something of the threshold, not of people


class NotCalibrated(Conflict):
    """No calibration of the model is in force: its distances mean nothing here yet."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two accounts whose faces are alike; `learner_id` is the smaller id."""

    learner_id: int
    other_id: int
    distance: float
    pictures: int


@dataclass(frozen=True, slots=True)
class Searched:
    """How many accounts were compared, by what, and the pairs up to `limit`, the closest first."""

    accounts: int
    model: str
    calibration_id: int
    limit: float
    pairs: list[Pair]


def search(
    connection: Connection, vault: Vault, card: ModelCard, accounts: Sequence[tuple[int, int]]
) -> Searched:
    """Compare (learner, person) accounts with each other, as means of as many pictures as the
    thresholds were measured with. Raises NotCalibrated."""
    site = calibration.in_force(connection, card)
    if site is None:
        raise NotCalibrated(
            "not_calibrated", "no calibration is in force: `zhenxue calibrate --apply` makes one"
        )
    seen = calibration.seen_faces(connection, vault, accounts, card)
    faces = [each for each in seen if len(each.pictures) >= PICTURES]
    found: list[crowd.SameFace] = []
    if len(faces) > 1:
        means = np.stack([np.mean(each.pictures[:PICTURES], axis=0) for each in faces])
        found = crowd.same_faces(means, site.centred.match, card.metric, site.cohort_mean)
    pairs = [
        _pair(faces[it.first], faces[it.second], it.distance)
        for it in found
        if faces[it.first].person_id != faces[it.second].person_id
    ]
    return Searched(
        len(faces), card.model, site.calibration_id, site.centred.match, pairs[:MOST_PAIRS]
    )


def _pair(one: Faces, other: Faces, distance: float) -> Pair:
    first, second = sorted((one.learner_id, other.learner_id))
    return Pair(first, second, distance, min(len(one.pictures), len(other.pictures)))


def keep(connection: Connection, searched: Searched, scope: Scope, now_ms: int) -> int:
    """Note the pairs for the next runs of their classes; how many were not known."""
    return sum(
        face_sets.put_pair(
            connection,
            pair.learner_id,
            pair.other_id,
            model=searched.model,
            distance=pair.distance,
            limit=searched.limit,
            pictures=pair.pictures,
            calibration_id=searched.calibration_id,
            scope=scope,
            found_ms=now_ms,
        )
        for pair in searched.pairs
    )


def log_search(
    connection: Connection, *, scope: Scope, actor: str, reason: str, accounts: int, now_ms: int
) -> None:
    """Who had everybody's faces compared, and why, goes into the audit log."""
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action="faces.searched",
        subject=scope,
        detail={"reason": reason, "accounts": accounts},
    )
