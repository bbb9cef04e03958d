"""Rows of `calibrations`: thresholds measured on this site, added and never changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, select

from app.store.row import AnyRow
from models import Calibration


def add(connection: Connection, **values: Any) -> int:
    query = insert(Calibration).values(**values).returning(Calibration.id)
    return int(connection.execute(query).scalar_one())


def in_force(connection: Connection, model: str) -> AnyRow | None:
    """The calibration that decides for a model; None: the model card does."""
    return connection.execute(
        select(Calibration)
        .where(Calibration.model == model, Calibration.applied.is_(True))
        .order_by(Calibration.id.desc())
        .limit(1)
    ).one_or_none()


def latest(connection: Connection, model: str) -> AnyRow | None:
    """The last measurement, whether or not it decides."""
    return connection.execute(
        select(Calibration)
        .where(Calibration.model == model)
        .order_by(Calibration.id.desc())
        .limit(1)
    ).one_or_none()
