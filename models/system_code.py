"""What official systems call our classes and learners."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Id, Key, Ms, Name, Ref, mapped_column


class SystemCode(Base):
    """The number of a learner of a class, or of the class itself (`learner_id` 0), in a system of
    detectors/packs/systems."""

    __tablename__ = "system_codes"
    __table_args__ = (UniqueConstraint("system", "class_id", "learner_id"),)

    id: Mapped[Key]
    system: Mapped[Name]
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    learner_id: Mapped[int] = mapped_column(Id)
    code: Mapped[Name]
    entered_ms: Mapped[Ms]
