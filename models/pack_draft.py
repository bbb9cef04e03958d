"""Policy packs that are being written; published ones are files."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from models.base import Base, Items, Key, Ms, Name, mapped_column


class PackDraft(Base):
    """A pack in the making: its text, who wrote at it, and who published it."""

    __tablename__ = "pack_drafts"

    id: Mapped[Key]
    county: Mapped[Name]
    pack_id: Mapped[Name]
    version: Mapped[Name]
    text: Mapped[str] = mapped_column(sa.Text)
    clauses: Mapped[str] = mapped_column(sa.Text)
    writers: Mapped[Items]  # usernames, in the order of their first edit
    state: Mapped[Name]  # draft | published | discarded
    changed_ms: Mapped[Ms]
    published_by: Mapped[Name | None]
    published_ms: Mapped[Ms | None]
    digest: Mapped[Name | None]  # of the published pack
