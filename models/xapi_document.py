"""What an xAPI record store keeps besides statements: documents, definitions, attached files."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Blob, Digest, Key, Ms, Name, Ref, Text, mapped_column


class XapiDocument(Base):
    """A state, agent profile or activity profile, as a player or course put it there.

    `place` is the SHA-256 of what holds documents (their kind, activity and agent), `address` that
    of one document there. `agent` and `account` are digests too, by which a learner's are found.
    """

    __tablename__ = "xapi_documents"
    __table_args__ = (
        UniqueConstraint("platform_id", "address"),
        Index("ix_xapi_documents_place", "platform_id", "place"),
        Index("ix_xapi_documents_agent", "platform_id", "agent"),
        Index("ix_xapi_documents_account", "platform_id", "account"),
        Index("ix_xapi_documents_size", "platform_id", "size"),
        Index("ix_xapi_documents_changed_ms", "changed_ms"),
    )

    id: Mapped[Key]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id"))
    address: Mapped[Digest]
    place: Mapped[Digest]
    agent: Mapped[Digest | None]
    account: Mapped[Digest | None]  # of the account's name alone, without its home page
    registration: Mapped[Name | None]
    document_id: Mapped[Text]
    media_type: Mapped[Name]
    etag: Mapped[Name]
    body: Mapped[Blob]
    size: Mapped[int]
    changed_ms: Mapped[Ms]


class XapiActivity(Base):
    """All that a platform's statements told about an activity, put together: `body` is its
    definition as JSON."""

    __tablename__ = "xapi_activities"
    __table_args__ = (UniqueConstraint("platform_id", "activity"),)

    id: Mapped[Key]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id"))
    activity: Mapped[Digest]
    body: Mapped[Blob]


class XapiAttachment(Base):
    """A file that came with statements, kept once a platform."""

    __tablename__ = "xapi_attachments"
    __table_args__ = (
        UniqueConstraint("platform_id", "sha2"),
        Index("ix_xapi_attachments_size", "platform_id", "size"),
    )

    id: Mapped[Key]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id"))
    sha2: Mapped[Name]  # lower-case hex
    body: Mapped[Blob]
    size: Mapped[int]
    stored_ms: Mapped[Ms]


class StatementLink(Base):
    """An agent or activity that a statement names elsewhere than as its actor or object."""

    __tablename__ = "statement_links"
    __table_args__ = (
        Index("ix_statement_links_related", "platform_id", "related", "statement_id"),
    )

    id: Mapped[Key]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id"))
    statement_id: Mapped[Ref] = mapped_column(ForeignKey("statements.id"))
    related: Mapped[Digest]
