"""Platforms and API keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import (
    Connection,
    Subquery,
    func,
    insert,
    literal_column,
    select,
    union_all,
    update,
)

from app.store.review.finding_queue import TO_DO
from app.store.row import fetch, fetch_one, fetch_one_or_none
from app.store.scope import AccessScope
from models import ApiKey, Finding, Platform, Session, TrainingClass


class PlatformRow(Protocol):
    id: int
    slug: str
    name: str
    county: str
    institution_id: int | None


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
    return fetch_one_or_none(connection, select(Platform).where(Platform.slug == slug), PlatformRow)


def by_id(connection: Connection, platform_id: int) -> PlatformRow:
    return fetch_one(connection, select(Platform).where(Platform.id == platform_id), PlatformRow)


def of_institution(connection: Connection, institution_id: int) -> PlatformRow | None:
    """The platform that is the institution's own."""
    query = select(Platform).where(Platform.institution_id == institution_id)
    return fetch_one_or_none(connection, query.order_by(Platform.id).limit(1), PlatformRow)


def all_platforms(connection: Connection) -> Sequence[PlatformRow]:
    return fetch(connection, select(Platform).order_by(Platform.slug), PlatformRow)


class PlatformWithCounts(Protocol):
    """A platform with its classes, findings that wait, and last sign of life in the scope."""

    id: int
    slug: str
    name: str
    county: str
    classes: int
    waiting: int
    seen_ms: int | None


def with_counts(connection: Connection, scope: AccessScope) -> Sequence[PlatformWithCounts]:
    """The platforms in scope: classes, findings that wait, last sign of life. The time it takes
    grows with classes, with findings that wait and sittings that are open, not with all there
    ever were."""
    classes, waiting, heard = _classes(scope), _waiting(scope), _heard(scope)
    return fetch(
        connection,
        select(
            Platform.id,
            Platform.slug,
            Platform.name,
            Platform.county,
            func.coalesce(classes.c.classes, 0).label("classes"),
            func.coalesce(waiting.c.waiting, 0).label("waiting"),
            heard.c.seen_ms,
        )
        .join(classes, classes.c.platform_id == Platform.id, isouter=True)
        .join(waiting, waiting.c.platform_id == Platform.id, isouter=True)
        .join(heard, heard.c.platform_id == Platform.id, isouter=True)
        .where(scope.covers_platform())
        .order_by(Platform.name),
        PlatformWithCounts,
    )


def _classes(scope: AccessScope) -> Subquery:
    query = select(TrainingClass.platform_id, func.count().label("classes"))
    return query.where(scope.counts_class()).group_by(TrainingClass.platform_id).subquery()


def _waiting(scope: AccessScope) -> Subquery:
    return (
        select(TrainingClass.platform_id, func.count().label("waiting"))
        .join(Finding, Finding.class_id == TrainingClass.id)
        .where(Finding.status.in_(TO_DO), Finding.shadow.is_(False), scope.counts_class())
        .group_by(TrainingClass.platform_id)
        .subquery()
    )


def _heard(scope: AccessScope) -> Subquery:
    """When each platform was heard last: of the ended sittings the last of each class, which an
    index tells, and all that are open."""
    # Spelt out, or a database does not see that its index holds just these.
    ended = Session.state != literal_column("'open'")
    last = (
        select(func.max(Session.last_recv_ms))
        .where(Session.class_id == TrainingClass.id, ended)
        .scalar_subquery()
    )
    of_class = select(TrainingClass.platform_id, last.label("at_ms")).where(scope.counts_class())
    still_open = (
        select(TrainingClass.platform_id, Session.last_recv_ms.label("at_ms"))
        .join(Session, Session.class_id == TrainingClass.id)
        .where(Session.state == "open", scope.counts_class())
    )
    told = union_all(of_class, still_open).subquery()
    latest = func.max(told.c.at_ms).label("seen_ms")
    return select(told.c.platform_id, latest).group_by(told.c.platform_id).subquery()


def seen(connection: Connection, scope: AccessScope, slug: str) -> PlatformRow | None:
    """The platform of that slug, if the scope covers it."""
    query = select(Platform).where(Platform.slug == slug, scope.covers_platform())
    return fetch_one_or_none(connection, query, PlatformRow)


def update_platform(connection: Connection, platform_id: int, **values: Any) -> None:
    connection.execute(update(Platform).where(Platform.id == platform_id).values(**values))


def insert_platform(connection: Connection, **values: Any) -> int:
    return connection.execute(insert(Platform).values(**values).returning(Platform.id)).scalar_one()


def key(connection: Connection, key_id: int) -> KeyRow | None:
    return fetch_one_or_none(connection, select(ApiKey).where(ApiKey.id == key_id), KeyRow)


def key_by_digest(connection: Connection, digest: bytes) -> KeyRow | None:
    return fetch_one_or_none(connection, select(ApiKey).where(ApiKey.digest == digest), KeyRow)


def keys(connection: Connection, platform_id: int | None) -> Sequence[KeyRow]:
    query = select(ApiKey).order_by(ApiKey.id)
    if platform_id is not None:
        query = query.where(ApiKey.platform_id == platform_id)
    return fetch(connection, query, KeyRow)


def names_of_keys(connection: Connection) -> dict[str, str]:
    """By `key:<id>`, as records keep who did something: the platform that has it."""
    query = select(ApiKey.id, Platform.name).join(Platform, Platform.id == ApiKey.platform_id)
    return {f"key:{key_id}": name for key_id, name in connection.execute(query)}


def insert_key(connection: Connection, **values: Any) -> int:
    return connection.execute(insert(ApiKey).values(**values).returning(ApiKey.id)).scalar_one()


def update_key(connection: Connection, key_id: int, **values: Any) -> None:
    connection.execute(update(ApiKey).where(ApiKey.id == key_id).values(**values))


def open_sittings(connection: Connection, platform_id: int) -> int:
    """How many sittings on the platform are going on."""
    query = (
        select(func.count())
        .select_from(Session)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .where(TrainingClass.platform_id == platform_id, Session.state == "open")
    )
    return connection.scalar(query) or 0
