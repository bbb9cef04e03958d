"""Platforms and API keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

from sqlalchemy import Connection, insert, select, update

from models import ApiKey, Platform


class PlatformRow(Protocol):
    id: int
    slug: str
    name: str
    county: str


class KeyRow(Protocol):
    id: int
    platform_id: int
    label: str
    digest: bytes
    scopes: list[str]
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None


def by_slug(connection: Connection, slug: str) -> PlatformRow | None:
    row = connection.execute(select(Platform).where(Platform.slug == slug)).one_or_none()
    return cast(PlatformRow | None, row)


def by_id(connection: Connection, platform_id: int) -> PlatformRow:
    row = connection.execute(select(Platform).where(Platform.id == platform_id)).one()
    return cast(PlatformRow, row)


def all_platforms(connection: Connection) -> Sequence[PlatformRow]:
    rows = connection.execute(select(Platform).order_by(Platform.slug)).all()
    return cast(Sequence[PlatformRow], rows)


def insert_platform(connection: Connection, **values: Any) -> int:
    return connection.execute(insert(Platform).values(**values).returning(Platform.id)).scalar_one()


def key(connection: Connection, key_id: int) -> KeyRow | None:
    row = connection.execute(select(ApiKey).where(ApiKey.id == key_id)).one_or_none()
    return cast(KeyRow | None, row)


def key_by_digest(connection: Connection, digest: bytes) -> KeyRow | None:
    row = connection.execute(select(ApiKey).where(ApiKey.digest == digest)).one_or_none()
    return cast(KeyRow | None, row)


def keys(connection: Connection, platform_id: int | None) -> Sequence[KeyRow]:
    query = select(ApiKey).order_by(ApiKey.id)
    if platform_id is not None:
        query = query.where(ApiKey.platform_id == platform_id)
    return cast(Sequence[KeyRow], connection.execute(query).all())


def insert_key(connection: Connection, **values: Any) -> int:
    return connection.execute(insert(ApiKey).values(**values).returning(ApiKey.id)).scalar_one()


def update_key(connection: Connection, key_id: int, **values: Any) -> None:
    connection.execute(update(ApiKey).where(ApiKey.id == key_id).values(**values))
