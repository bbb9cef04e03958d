"""What one signed-in person may see, as a condition that every query of theirs carries."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, true

from models import TrainingClass


@dataclass(frozen=True, slots=True)
class AccessScope:
    """`None` leaves that side open; an empty tuple of counties shows nothing."""

    counties: tuple[str, ...] | None = None
    platform_id: int | None = None

    def covers_class(self) -> ColumnElement[bool]:
        """The condition on `classes`, for queries that join it."""
        condition: ColumnElement[bool] = true()
        if self.counties is not None:
            condition = condition & TrainingClass.county.in_(self.counties)
        if self.platform_id is not None:
            condition = condition & (TrainingClass.platform_id == self.platform_id)
        return condition


EVERYTHING = AccessScope()
