"""Who a bureau's sign-on service says somebody is."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Key, Ms, Name, Text, mapped_column


class ForeignIdentity(Base):
    """Somebody as the sign-on service names them. Nobody's until an administrator gives it to a
    user; `told_name` is what the service calls them, for the administrator to read."""

    __tablename__ = "foreign_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[Key]
    issuer: Mapped[Text]
    subject: Mapped[str] = mapped_column(String(255))
    told_name: Mapped[Name]
    first_ms: Mapped[Ms]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    linked_by: Mapped[Name | None]
    linked_ms: Mapped[Ms | None]
