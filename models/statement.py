"""xAPI statements, as platforms sent them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Blob, Digest, Key, Ms, Name, Ref, mapped_column


class Statement(Base):
    """One statement, kept whole; rows are never changed.

    `body` is the JSON as it is handed out. `actor`, `verb` and `object` are SHA-256 digests of
    what the filters compare (app/domain/exchange/xapi_keys.py): IRIs may be long, digests are not.
    `session` is the session id that the statement names, whether or not there is such a session.
    """

    __tablename__ = "statements"
    __table_args__ = (
        UniqueConstraint("platform_id", "statement_id"),
        Index("ix_statements_account", "platform_id", "account"),
        Index("ix_statements_actor", "platform_id", "actor", "id"),
        Index("ix_statements_fate", "platform_id", "fate", "stored_ms"),
        Index("ix_statements_object", "platform_id", "object", "id"),
        Index("ix_statements_registration", "platform_id", "registration"),
        Index("ix_statements_refers", "platform_id", "refers"),
        Index("ix_statements_session", "platform_id", "session"),
        Index("ix_statements_verb", "platform_id", "verb", "id"),
        Index("ix_statements_voids", "platform_id", "voids"),
    )

    id: Mapped[Key]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id"))
    statement_id: Mapped[Name]  # lower case
    stored_ms: Mapped[Ms]
    body: Mapped[Blob]
    actor: Mapped[Digest | None]  # None: a group that only its members identify
    account: Mapped[Digest | None]  # of the actor's account name alone, without its home page
    verb: Mapped[Digest]
    object: Mapped[Digest | None]
    registration: Mapped[Name | None]
    session: Mapped[Name | None]
    refers: Mapped[Name | None]  # the statement that is this one's object
    voids: Mapped[Name | None]  # the statement that this one takes back
    fate: Mapped[Name | None]  # app/domain/exchange/xapi.py; None: stored before fates were
