"""What a county enters for its reports: the year's targets, and which task a class serves."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped

from models.base import Base, Id, Name, mapped_column


class CountyTarget(Base):
    """How many people (人次) a county is to train for one task of
    detectors/packs/tasks."""

    __tablename__ = "county_targets"

    county: Mapped[Name] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    task: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    people: Mapped[int]


class ClassTask(Base):
    """The task that a class counts for; what it was before stands in the audit log."""

    __tablename__ = "class_tasks"

    class_id: Mapped[int] = mapped_column(
        Id, ForeignKey("classes.id"), primary_key=True, autoincrement=False
    )
    task: Mapped[int]
