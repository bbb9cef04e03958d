"""Links by which learners see their own record without an account."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped

from models.base import Base, Key, Ms, Name, Ref, mapped_column


class LearnerLink(Base):
    """A signed link for one enrolment. The token itself is kept nowhere: it is signed anew."""

    __tablename__ = "learner_links"

    id: Mapped[Key]
    enrolment_id: Mapped[Ref] = mapped_column(ForeignKey("enrolments.id"))
    issued_by: Mapped[Name]
    created_ms: Mapped[Ms]
    expires_ms: Mapped[Ms]
    revoked_ms: Mapped[Ms | None]
    opened_ms: Mapped[Ms | None]  # the last time
