"""What one signed-in person may see, as a condition that every query of theirs carries."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, false, true

from models import Institution, Platform, TrainingClass


@dataclass(frozen=True, slots=True)
class AccessScope:
    """`None` leaves that side open; an empty tuple of counties shows nothing. Sandbox classes are
    there for the platform that tries in them, and for nobody else."""

    counties: tuple[str, ...] | None = None
    platform_id: int | None = None
    institution_id: int | None = None

    @property
    def of_authority(self) -> bool:
        """Neither one platform's nor one institution's people, who are told of decisions but not
        of who works at the authority."""
        return self.platform_id is None and self.institution_id is None

    def covers_class(self) -> ColumnElement[bool]:
        """The condition on `classes`, for queries that join it."""
        condition: ColumnElement[bool] = true()
        if self.counties is not None:
            condition = condition & TrainingClass.county.in_(self.counties)
        if self.platform_id is not None:
            condition = condition & (TrainingClass.platform_id == self.platform_id)
        else:
            condition = condition & TrainingClass.sandbox.is_(False)
        if self.institution_id is not None:
            condition = condition & (TrainingClass.institution_id == self.institution_id)
        return condition

    def counts_class(self) -> ColumnElement[bool]:
        """The condition for figures: those of a platform's own people count no sandbox either."""
        return self.covers_class() & TrainingClass.sandbox.is_(False)

    def covers_platform(self) -> ColumnElement[bool]:
        """The condition on `platforms`: those with a class in scope, and without one a county's,
        the institution's own, or the platform itself."""
        if self == EVERYTHING:
            return true()
        mine: ColumnElement[bool] = false()
        if not self.of_authority:
            mine = mine | (Platform.id == (self.platform_id or -1))
            mine = mine | (Platform.institution_id == (self.institution_id or -1))
        elif self.counties is not None:
            mine = mine | Platform.county.in_(self.counties)
        return mine | exists().where(
            TrainingClass.platform_id == Platform.id, self.covers_class()
        ).correlate(Platform)

    def covers_institution(self) -> ColumnElement[bool]:
        """The condition on `institutions`; a platform sees those whose classes it has, and the one
        that it belongs to."""
        condition: ColumnElement[bool] = true()
        if self.platform_id is not None:
            classes = exists().where(
                TrainingClass.institution_id == Institution.id,
                TrainingClass.platform_id == self.platform_id,
            )
            owner = exists().where(
                Platform.institution_id == Institution.id, Platform.id == self.platform_id
            )
            condition = classes.correlate(Institution) | owner.correlate(Institution)
        if self.counties is not None:
            condition = condition & Institution.county.in_(self.counties)
        if self.institution_id is not None:
            condition = condition & (Institution.id == self.institution_id)
        return condition


EVERYTHING = AccessScope()
