"""What people are told of, which way they chose, and the outbox of what goes there."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Blob, Items, Key, Ms, Name, Ref, Text, mapped_column


class NoticeChoice(Base):
    """What one person wants to be told of outside the console, and where."""

    __tablename__ = "notice_choices"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    kinds: Mapped[Items]
    daily: Mapped[bool]  # one message in the morning instead of each at once
    ways_encrypted: Mapped[Blob]  # JSON: email, robot, robot_url, robot_secret


class Notice(Base):
    """That something waits for a person, with how much of it; one row a kind and day."""

    __tablename__ = "notices"
    __table_args__ = (UniqueConstraint("user_id", "kind", "day"),)

    id: Mapped[Key]
    user_id: Mapped[Ref] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[Name]
    day: Mapped[Name]  # ISO date
    count: Mapped[int]
    told_ms: Mapped[Ms]
    read_ms: Mapped[Ms | None]


class NoticeDelivery(Base):
    """A message on its way to one person."""

    __tablename__ = "notice_deliveries"
    __table_args__ = (UniqueConstraint("user_id", "way", "message_id"),)

    id: Mapped[Key]
    user_id: Mapped[Ref] = mapped_column(ForeignKey("users.id"))
    way: Mapped[Name]  # email | robot
    message_id: Mapped[Name]
    body: Mapped[Text]
    created_ms: Mapped[Ms]
    attempts: Mapped[int]
    next_attempt_ms: Mapped[Ms | None] = mapped_column(index=True)
    delivered_ms: Mapped[Ms | None]
    last_error: Mapped[Text | None]
