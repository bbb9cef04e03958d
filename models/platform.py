"""Learning platforms (the tenants), their keys, and where they want to be notified."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Blob, Digest, Document, Items, Key, Ms, Name, Ref, Text, mapped_column


class Platform(Base):
    __tablename__ = "platforms"

    id: Mapped[Key]
    slug: Mapped[Name] = mapped_column(unique=True)
    name: Mapped[Name]
    county: Mapped[Name]
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institutions.id"), index=True)
    created_ms: Mapped[Ms]
    statement_mapping: Mapped[Document | None]  # app/domain/exchange/xapi_mapping.py


class ApiKey(Base):
    """A platform's key. Only the SHA-256 of its secret is kept."""

    __tablename__ = "api_keys"

    id: Mapped[Key]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id"))
    label: Mapped[Name]
    digest: Mapped[Digest] = mapped_column(unique=True)
    scopes: Mapped[Items]
    created_ms: Mapped[Ms]
    expires_ms: Mapped[Ms | None]
    revoked_ms: Mapped[Ms | None]


class KeyUse(Base):
    """How many requests came with a key in one minute at one service: kept for two minutes, so that
    all services hold a key to one limit. `minute` counts from the epoch."""

    __tablename__ = "key_uses"

    minute: Mapped[Ms] = mapped_column(primary_key=True)
    key_id: Mapped[int] = mapped_column(ForeignKey("api_keys.id"), primary_key=True)
    service: Mapped[Name] = mapped_column(primary_key=True)
    count: Mapped[int]


class PlatformUse(Base):
    """How many bytes a platform's keys and browsers sent in one day at one service: kept for two
    days, so that all services hold a platform to one share. `day` counts from the epoch."""

    __tablename__ = "platform_uses"

    day: Mapped[Ms] = mapped_column(primary_key=True)
    platform_id: Mapped[int] = mapped_column(ForeignKey("platforms.id"), primary_key=True)
    service: Mapped[Name] = mapped_column(primary_key=True)
    bytes: Mapped[Ms]


class Webhook(Base):
    __tablename__ = "webhooks"

    id: Mapped[Key]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id"))
    url: Mapped[Text]
    events: Mapped[Items]
    secret_encrypted: Mapped[Blob]
    former_encrypted: Mapped[Blob | None]  # signs too until `former_until_ms`
    former_until_ms: Mapped[Ms | None]
    created_ms: Mapped[Ms]
    disabled_ms: Mapped[Ms | None]


class WebhookDelivery(Base):
    __tablename__ = "webhook_deliveries"
    __table_args__ = (UniqueConstraint("webhook_id", "message_id"),)

    id: Mapped[Key]
    webhook_id: Mapped[Ref] = mapped_column(ForeignKey("webhooks.id"))
    message_id: Mapped[Name]
    event: Mapped[Name]
    payload: Mapped[Document]
    created_ms: Mapped[Ms]
    attempts: Mapped[int]
    next_attempt_ms: Mapped[Ms | None] = mapped_column(index=True)
    delivered_ms: Mapped[Ms | None]
    last_status: Mapped[int | None]
    last_error: Mapped[Text | None]


class RefusedRequest(Base):
    """What a platform was refused in one minute for one reason, so that its developers see it. No
    body, no id and nothing of a person: `detail` is masked (app/domain/accounts/refused_requests).
    `kind` is the digest of what makes it one reason; without `key_id` a learner's browser asked."""

    __tablename__ = "refused_requests"
    __table_args__ = (UniqueConstraint("platform_id", "minute", "kind"),)

    id: Mapped[Key]
    platform_id: Mapped[int] = mapped_column(ForeignKey("platforms.id"))
    minute: Mapped[Ms]
    kind: Mapped[Digest]
    at_ms: Mapped[Ms] = mapped_column(index=True)
    count: Mapped[int]
    method: Mapped[Name]
    route: Mapped[Text]
    status: Mapped[int]
    code: Mapped[Name]
    field: Mapped[Name]
    detail: Mapped[Text]
    request_id: Mapped[Name]
    key_id: Mapped[int | None] = mapped_column(ForeignKey("api_keys.id"))
