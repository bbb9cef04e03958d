"""Lists of a class that two persons signed, as they stood then."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped

from models.base import Base, Blob, Document, Key, Ms, Name, Ref, Text, mapped_column


class SignOff(Base):
    """One submission for signature. It is signed by another person or withdrawn, once, and never
    changed after that. The n-th signed one of a class is correction n - 1."""

    __tablename__ = "sign_offs"

    id: Mapped[Key]
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    digest: Mapped[Name]  # of what the lists say
    counts: Mapped[Document]  # learners by outcome
    lists: Mapped[Blob]  # the lists and what changed since those signed before, sealed
    reason: Mapped[Text]  # why they are corrected; empty for the first
    prepared_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    prepared_ms: Mapped[Ms]
    signed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    signed_ms: Mapped[Ms | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    withdrawn_ms: Mapped[Ms | None]
    withdrawn_reason: Mapped[Text | None]
