"""Who did what, and who looked at whom. Append-only, each row chained to the one before."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped

from models.base import Base, Digest, Document, Id, Key, Ms, Name, Ref, Text, mapped_column


class AuditEntry(Base):
    __tablename__ = "audit_entries"

    id: Mapped[Key]
    at_ms: Mapped[Ms]
    actor: Mapped[Name] = mapped_column(index=True)  # user:<name>, key:<label>, system
    action: Mapped[Name]
    subject: Mapped[Name] = mapped_column(index=True)
    detail: Mapped[Document]
    chain: Mapped[Digest]
    seal: Mapped[Digest | None]  # keyed, over the chain; entries of earlier versions have none


class PhotoAccess(Base):
    __tablename__ = "photo_accesses"

    id: Mapped[Key]
    at_ms: Mapped[Ms]
    user_id: Mapped[Ref] = mapped_column(ForeignKey("users.id"))
    snapshot_id: Mapped[int | None] = mapped_column(Id, index=True)  # its row may be archived
    reference_photo_id: Mapped[int | None] = mapped_column(ForeignKey("reference_photos.id"))
    purpose: Mapped[Text]
