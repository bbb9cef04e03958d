"""Measuring the face model on the site's own people: nightly, and by `zhenxue calibrate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog

from app.domain.faces import calibration
from app.services import Services
from app.store.faces import face_sets
from app.vision.spread import FMR

log = structlog.get_logger("zhenxue.calibration")


@dataclass(frozen=True, slots=True)
class Measured:
    """A calibration as it was stored."""

    id: int
    model: str
    applied: bool
    body: dict[str, Any]


def calibrate(services: Services, *, actor: str, apply: bool, fmr: float = FMR) -> Measured:
    """Measure and keep thresholds of the model in use. Raises NotEnoughFaces."""
    card = services.settings.model_files.card()
    with services.database.read() as connection:
        accounts = face_sets.accounts(connection)
        faces = calibration.seen_faces(connection, services.vault, accounts, card)
    body, cohort_mean = calibration.measured(card, faces, fmr)
    with services.database.write() as connection:
        made = calibration.record(
            connection, card, body, cohort_mean, actor=actor, apply=apply, now_ms=services.clock()
        )
    if body["alarm"]:
        log.warning("the face model does not fit", alarm=body["alarm"], calibration=made)
    return Measured(made, card.model, apply, body)


def nightly(services: Services) -> Measured | None:
    """The night's by-product: a measurement that decides nothing until somebody applies it."""
    try:
        return calibrate(services, actor="system:nightly", apply=False)
    except calibration.NotEnoughFaces as few:
        log.info("no calibration yet", reason=few.detail)
        return None
