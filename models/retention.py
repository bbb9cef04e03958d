"""What must not be removed although its term is over."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped

from models.base import Base, Key, Ms, Name, Ref, Text, mapped_column


class LegalHold(Base):
    """Keeps the photos and templates of a class or of a learner until it is lifted."""

    __tablename__ = "legal_holds"

    id: Mapped[Key]
    class_id: Mapped[Ref | None] = mapped_column(ForeignKey("classes.id"))
    learner_id: Mapped[Ref | None] = mapped_column(ForeignKey("learners.id"))
    reason: Mapped[Text]
    placed_by: Mapped[Name]
    placed_ms: Mapped[Ms]
    lifted_ms: Mapped[Ms | None]
