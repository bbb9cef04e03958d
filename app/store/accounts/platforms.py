"""Platforms and API keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

from sqlalchemy import Connection, func, insert, select, update

from app.store.review.finding_queue import TO_DO
from app.store.scope import AccessScope
from models import ApiKey, Finding, Platform, Session, TrainingClass


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


def with_counts(connection: Connection, scope: AccessScope) -> Sequence[Any]:
    """The platforms that have a class in scope: classes, findings that wait, last sign of life."""
    covered = select(TrainingClass.id).where(
        TrainingClass.platform_id == Platform.id, scope.covers_class()
    )

    waiting = (
        select(func.count())
        .select_from(Finding)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(
            Finding.platform_id == Platform.id,
            Finding.status.in_(TO_DO),
            Finding.shadow.is_(False),
            scope.covers_class(),
        )
        .scalar_subquery()
    )
    seen = (
        select(func.max(Session.last_recv_ms))
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .where(Session.platform_id == Platform.id, scope.covers_class())
        .scalar_subquery()
    )
    classes = (
        select(func.count())
        .select_from(TrainingClass)
        .where(TrainingClass.platform_id == Platform.id, scope.covers_class())
        .scalar_subquery()
    )
    return connection.execute(
        select(
            Platform.id,
            Platform.slug,
            Platform.name,
            Platform.county,
            classes.label("classes"),
            waiting.label("waiting"),
            seen.label("seen_ms"),
        )
        .where(covered.exists())
        .order_by(Platform.name)
    ).all()


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
