"""What an installation keeps of itself."""

from __future__ import annotations

from sqlalchemy.orm import Mapped

from models.base import Base, Blob, Ms, Name, mapped_column


class InstallationFact(Base):
    """A fact by name, such as the sealed word that tells the right master key from others."""

    __tablename__ = "installation"

    name: Mapped[Name] = mapped_column(primary_key=True)
    value: Mapped[Blob]
    set_ms: Mapped[Ms]
