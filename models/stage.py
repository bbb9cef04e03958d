"""The class from application to payment, and the working days that its clocks run by."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped

from models.base import Base, Document, Key, Ms, Name, Ref, Text, mapped_column


class StageEvent(Base):
    """What somebody did about a step of a class. Only added to."""

    __tablename__ = "stage_events"

    id: Mapped[Key]
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    step: Mapped[Name]  # of detectors/packs/procedures
    deed: Mapped[Name]  # first | second | returned | objection | answer
    body: Mapped[Document]
    remark: Mapped[Text]
    done_by: Mapped[Name]
    done_ms: Mapped[Ms]


class CalendarDay(Base):
    """A day that an administrator entered; what it was before stands in the audit log."""

    __tablename__ = "calendar_days"

    day: Mapped[Name] = mapped_column(primary_key=True)  # ISO date
    works: Mapped[bool]
    name: Mapped[Name]
