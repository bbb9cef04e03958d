"""What happened outside the online lessons, as reported by platforms and institutions."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Document, Key, Ms, Name, Ref, mapped_column


class OfflineAttendance(Base):
    __tablename__ = "offline_attendance"
    __table_args__ = (UniqueConstraint("class_id", "learner_id", "held_on", "item"),)

    id: Mapped[Key]
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    learner_id: Mapped[int] = mapped_column(ForeignKey("learners.id"))
    held_on: Mapped[Name]
    item: Mapped[Name]  # the platform's id of the attendance, or a number
    hours: Mapped[float]
    body: Mapped[Document]
    created_ms: Mapped[Ms]


class LeaveRecord(Base):
    __tablename__ = "leave_records"
    __table_args__ = (UniqueConstraint("class_id", "learner_id", "item"),)

    id: Mapped[Key]
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    learner_id: Mapped[int] = mapped_column(ForeignKey("learners.id"))
    item: Mapped[Name]
    from_on: Mapped[Name]
    to_on: Mapped[Name]
    written: Mapped[bool]
    approved: Mapped[bool]
    body: Mapped[Document]
    created_ms: Mapped[Ms]


class SatisfactionRecord(Base):
    __tablename__ = "satisfaction_records"
    __table_args__ = (UniqueConstraint("class_id", "item"),)

    id: Mapped[Key]
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    item: Mapped[Name]
    satisfied: Mapped[int]
    answered: Mapped[int]
    surveyed_on: Mapped[Name]
    body: Mapped[Document]
    created_ms: Mapped[Ms]


class AssessmentRecord(Base):
    __tablename__ = "assessment_records"
    __table_args__ = (UniqueConstraint("class_id", "learner_id", "held_on"),)

    id: Mapped[Key]
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    learner_id: Mapped[int] = mapped_column(ForeignKey("learners.id"))
    held_on: Mapped[Name]
    passed: Mapped[bool | None]
    body: Mapped[Document]
    created_ms: Mapped[Ms]


class Certificate(Base):
    """A certificate's number, held by one learner of one class."""

    __tablename__ = "certificates"

    id: Mapped[Key]
    number: Mapped[Name] = mapped_column(unique=True)
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    learner_id: Mapped[int] = mapped_column(ForeignKey("learners.id"))
    created_ms: Mapped[Ms]


class RecordingRecord(Base):
    """One film of teaching in person, wherever it lies."""

    __tablename__ = "recordings"
    __table_args__ = (UniqueConstraint("class_id", "item"),)

    id: Mapped[Key]
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    item: Mapped[Name]
    held_on: Mapped[Name]
    body: Mapped[Document]
    created_ms: Mapped[Ms]


class HistoryRecord(Base):
    """An earlier training of a person, from the official system's register."""

    __tablename__ = "history_records"
    __table_args__ = (UniqueConstraint("person_id", "platform_id", "item"),)

    id: Mapped[Key]
    person_id: Mapped[Ref] = mapped_column(ForeignKey("persons.id"))
    platform_id: Mapped[int] = mapped_column(ForeignKey("platforms.id"))
    item: Mapped[Name]
    occupation: Mapped[Name]
    level: Mapped[Name | None]
    started_on: Mapped[Name]
    assessed_on: Mapped[Name | None]
    subsidised: Mapped[bool]
    body: Mapped[Document]
    created_ms: Mapped[Ms]
