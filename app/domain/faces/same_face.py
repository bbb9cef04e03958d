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
from app.domain.faces.calibration import Faces
from app.errors import Conflict
from app.store.accounts import audit
from app.store.faces import face_sets
from app.vault import Vault
from app.vision import crowd
from app.vision.match import features, thresholds_for, unit_length
from app.vision.model_card import ModelCard
from app.vision.spread import Means

Scope = Literal["class", "institution", "everyone"]
MOMENTS = 3  # of each account, the first ones
FMR = 0.001  # among all pairs of a class; product default
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
    """Compare (learner, person) accounts with each other, as means of MOMENTS moments each. Raises
    NotCalibrated."""
    site = calibration.in_force(connection, card)
    if site is None:
        raise NotCalibrated(
            "not_calibrated", "no calibration is in force: `zhenxue calibrate --apply` makes one"
        )
    seen = calibration.seen_faces(connection, vault, accounts, card)
    faces = [each for each in seen if len(each.moments) >= MOMENTS]
    yardstick = site.yardstick
    three = Means.of(MOMENTS)
    limit = thresholds_for(yardstick, card, three, three, FMR).match
    found: list[crowd.SameFace] = []
    if len(faces) > 1:
        unit = yardstick.spread.unit
        pictures = np.stack([[it.mean for it in each.moments[:MOMENTS]] for each in faces])
        flat = features(pictures.reshape(-1, card.dim), unit, yardstick.cohort_mean)
        means = flat.reshape(len(faces), MOMENTS, card.dim).mean(axis=1)
        found = crowd.same_faces(unit_length(means) if unit else means, limit, card.metric)
    pairs = [
        _pair(faces[it.first], faces[it.second], it.distance)
        for it in found
        if faces[it.first].person_id != faces[it.second].person_id
    ]
    return Searched(len(faces), card.model, site.calibration_id, limit, pairs[:MOST_PAIRS])


def _pair(one: Faces, other: Faces, distance: float) -> Pair:
    first, second = sorted((one.learner_id, other.learner_id))
    return Pair(first, second, distance, min(len(one.moments), len(other.moments)))


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
