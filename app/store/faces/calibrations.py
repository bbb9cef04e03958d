"""Rows of `calibrations`: thresholds measured on this site, added and never changed."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import Connection, insert, select

from app.store.row import fetch_one_or_none
from models import Calibration


def add(connection: Connection, **values: Any) -> int:
    query = insert(Calibration).values(**values).returning(Calibration.id)
    return int(connection.execute(query).scalar_one())


class CalibrationRow(Protocol):
    id: int
    cohort_mean: bytes | None
    body: dict[str, Any]


def in_force(connection: Connection, model: str) -> CalibrationRow | None:
    """The calibration that decides for a model; None: the model card does."""
    return fetch_one_or_none(
        connection,
        select(Calibration)
        .where(Calibration.model == model, Calibration.applied.is_(True))
        .order_by(Calibration.id.desc())
        .limit(1),
        CalibrationRow,
    )


def latest(connection: Connection, model: str) -> CalibrationRow | None:
    """The last measurement, whether or not it decides."""
    return fetch_one_or_none(
        connection,
        select(Calibration)
        .where(Calibration.model == model)
        .order_by(Calibration.id.desc())
        .limit(1),
        CalibrationRow,
    )
