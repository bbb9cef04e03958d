"""Remote inspections: who was drawn out of a class, with which seed, and what was found. Only added
to."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped

from models.base import Base, Document, Items, Key, Ms, Name, Ref, Text, mapped_column


class Inspection(Base):
    """One draw. Learners are named by the platform's ids, which is what the seed was applied to;
    `frame` holds all who could be drawn, so that the draw can be done again at any time."""

    __tablename__ = "inspections"

    id: Mapped[Key]
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    frame_kind: Mapped[Name]  # roster | online
    frame: Mapped[Items]
    seed: Mapped[Name]
    drawn: Mapped[Items]
    online: Mapped[Items]  # sittings that were going on
    drawn_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    drawn_ms: Mapped[Ms]


class InspectionCheck(Base):
    """What somebody found of one who was drawn; the latest row of each counts."""

    __tablename__ = "inspection_checks"

    id: Mapped[Key]
    inspection_id: Mapped[Ref] = mapped_column(ForeignKey("inspections.id"))
    learner: Mapped[Name]
    result: Mapped[Name]  # present | absent | other
    remark: Mapped[Text]
    session_id: Mapped[int | None] = mapped_column(ForeignKey("sessions.id"))  # going on just then
    checked_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    checked_ms: Mapped[Ms]


class InspectionNote(Base):
    """What an inspection found as a whole; the latest row of each counts."""

    __tablename__ = "inspection_notes"

    id: Mapped[Key]
    inspection_id: Mapped[Ref] = mapped_column(ForeignKey("inspections.id"))
    body: Mapped[Document]  # see app.domain.review.inspections.Noted
    noted_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    noted_ms: Mapped[Ms]


class SpotCheck(Base):
    """Somebody of the authority asked for a face check of a sitting that was going on.
    `challenge_id` is the control that answers it, once the learner's page was told of one."""

    __tablename__ = "spot_checks"

    id: Mapped[Key]
    session_id: Mapped[Ref] = mapped_column(ForeignKey("sessions.id"))
    person_id: Mapped[Ref] = mapped_column(ForeignKey("persons.id"))
    asked_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    asked_ms: Mapped[Ms] = mapped_column(index=True)
    challenge_id: Mapped[Name | None]
    issued_ms: Mapped[Ms | None]
