"""How people share out the queue: views they saved, and who looks after which case."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Key, Ms, Name, Text, mapped_column


class SavedView(Base):
    """Filters of the queue that somebody keeps under a name of their own."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[Name]
    query: Mapped[Text]  # the filters as in the queue's address
    created_ms: Mapped[Ms]


class Assignment(Base):
    """Who looks after a case now; the audit log holds who did before."""

    __tablename__ = "assignments"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    assigned_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    assigned_ms: Mapped[Ms]
