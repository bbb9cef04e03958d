"""Corrections of who stands behind an account."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped

from models.base import Base, Blob, Digest, Ms, Name, mapped_column


class IdentityCorrection(Base):
    """What an act of kind `identity_correction` puts in place, and what stood there before it was
    approved. Numbers are encrypted; the act itself tells them masked."""

    __tablename__ = "identity_corrections"

    act_id: Mapped[int] = mapped_column(ForeignKey("acts.id"), primary_key=True)
    name: Mapped[Name | None]
    id_hash: Mapped[Digest | None]
    hash_generation: Mapped[int] = mapped_column(default=1, server_default="1")
    id_number_encrypted: Mapped[Blob | None]
    id_last4: Mapped[Name | None]
    applied_ms: Mapped[Ms | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    former_person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    former_name: Mapped[Name | None]
    former_encrypted: Mapped[Blob | None]
    former_last4: Mapped[Name | None]
