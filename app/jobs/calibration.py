"""Measuring the face model on the site's own people: nightly, and by `zhenxue calibrate`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog

from app.clock import day
from app.domain.faces import calibration
from app.domain.id_numbers import ID_NUMBER_PURPOSE, birthday, sex
from app.services import Services
from app.store.faces import face_sets
from app.vision.spread import FMR

_AGES = ((30, "under 30"), (45, "30 to 44"), (60, "45 to 59"))

log = structlog.get_logger("zhenxue.calibration")


@dataclass(frozen=True, slots=True)
class Measured:
    """A calibration as it was stored."""

    id: int
    model: str
    applied: bool
    body: dict[str, Any]


def calibrate(
    services: Services, *, actor: str, apply: bool, fmr: float = FMR, by_group: bool = False
) -> Measured:
    """Measure and keep thresholds of the model in use. Raises NotEnoughFaces.

    `by_group` tells errors by sex and age too. Both are read from the ID numbers in memory, and
    nothing of them is kept but the rates of groups.
    """
    card = services.settings.model_files.card()
    with services.database.read() as connection:
        accounts = face_sets.accounts(connection)
        numbers = {}
        if by_group:
            numbers = face_sets.sealed_numbers(connection, [learner for learner, _ in accounts])
        today = day(services.clock())

        def groups_of(learner_id: int) -> tuple[str, ...]:
            sealed = numbers.get(learner_id)
            if sealed is None:
                return ()
            return groups(services.vault.open(sealed, ID_NUMBER_PURPOSE).decode(), today)

        faces = calibration.seen_faces(connection, services.vault, accounts, card, groups_of)
    body, cohort_mean = calibration.measured(card, faces, fmr)
    with services.database.write() as connection:
        made = calibration.record(
            connection, card, body, cohort_mean, actor=actor, apply=apply, now_ms=services.clock()
        )
    if body["alarm"]:
        log.warning("the face model does not fit", alarm=body["alarm"], calibration=made)
    return Measured(made, card.model, apply, body)


def groups(number: str, today: date) -> tuple[str, ...]:
    """Sex and age on a day, as an ID number tells them; nothing of other documents."""
    told, born = sex(number), birthday(number)
    if told is None or born is None:
        return ()
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    band = next((name for below, name in _AGES if age < below), "60 and over")
    return told, band


def nightly(services: Services) -> Measured | None:
    """The night's by-product: a measurement that decides nothing until somebody applies it."""
    try:
        return calibrate(services, actor="system:nightly", apply=False)
    except calibration.NotEnoughFaces as few:
        log.info("no calibration yet", reason=few.detail)
        return None
