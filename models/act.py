"""Recorded acts: what a person decided or attested, and judging takes into account."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped

from models.base import Base, Document, Key, Ms, Name, Text, mapped_column


class Act(Base):
    """One act. Rows are never changed but by approval and revocation, each of which names who."""

    __tablename__ = "acts"
    __table_args__ = (Index("ix_acts_class", "class_id", "kind", "id"),)

    id: Mapped[Key]
    kind: Mapped[Name]
    class_id: Mapped[int] = mapped_column(ForeignKey("classes.id"))
    learner_id: Mapped[int | None] = mapped_column(ForeignKey("learners.id"), index=True)
    body: Mapped[Document]
    reason: Mapped[Text]
    document: Mapped[Name]  # the paper it rests on: title or number; may be empty
    recorded_by: Mapped[Name]
    recorded_ms: Mapped[Ms]
    approved_by: Mapped[Name | None]
    approved_ms: Mapped[Ms | None]
    revoked_by: Mapped[Name | None]
    revoked_ms: Mapped[Ms | None]
    revoked_reason: Mapped[Text | None]
