"""The keys of this installation that follow one another, wrapped by the master key."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Blob, Document, Key, Ms, Name, mapped_column


class VaultKey(Base):
    """One generation of a purpose's key. A purpose without a row has its first key from the master
    key alone.

    `standing` is `current`, `former` (still opens what it sealed) or `kept` (needed to verify, or
    as a link in the chain of keyed hashes). `swept` says how far the exchange that made it has
    come: the last row's id by table and column.
    """

    __tablename__ = "vault_keys"
    __table_args__ = (UniqueConstraint("purpose", "generation"),)

    id: Mapped[Key]
    purpose: Mapped[Name]
    generation: Mapped[int]
    suite: Mapped[Name]  # international | national
    standing: Mapped[Name]
    made_ms: Mapped[Ms]
    superseded_ms: Mapped[Ms | None]
    swept: Mapped[Document]


class VaultKeyWrap(Base):
    """A key as one master key wrapped it; two wraps while the master key is exchanged. `master` is
    the fingerprint of that master key."""

    __tablename__ = "vault_key_wraps"

    key_id: Mapped[int] = mapped_column(ForeignKey("vault_keys.id"), primary_key=True)
    master: Mapped[Name] = mapped_column(primary_key=True)
    wrapped: Mapped[Blob]
