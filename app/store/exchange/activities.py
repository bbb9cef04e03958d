"""What statements told about activities, and the files that came with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from sqlalchemy import Connection, select

from app.store.row import fetch
from app.store.upsert import insert_new, upsert
from models import XapiActivity, XapiAttachment

_AT_ONCE = 500


def definitions(
    connection: Connection, platform_id: int, activities: Collection[bytes]
) -> dict[bytes, bytes]:
    """What is known of these: JSON by digest."""
    found: dict[bytes, bytes] = {}
    wanted = list(activities)
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(XapiActivity.activity, XapiActivity.body).where(
            XapiActivity.platform_id == platform_id,
            XapiActivity.activity.in_(wanted[start : start + _AT_ONCE]),
        )
        found.update((bytes(row.activity), row.body) for row in connection.execute(query))
    return found


def define(connection: Connection, platform_id: int, bodies: dict[bytes, bytes]) -> None:
    rows = [
        {"platform_id": platform_id, "activity": key, "body": body} for key, body in bodies.items()
    ]
    upsert(connection, XapiActivity, rows, ["platform_id", "activity"])


class StoredAttachment(Protocol):
    sha2: str
    body: bytes


def files(
    connection: Connection, platform_id: int, names: Collection[str]
) -> Sequence[StoredAttachment]:
    """(sha2, body) of those that are kept."""
    query = select(XapiAttachment.sha2, XapiAttachment.body).where(
        XapiAttachment.platform_id == platform_id, XapiAttachment.sha2.in_(names)
    )
    return fetch(connection, query.order_by(XapiAttachment.id), StoredAttachment)


def known_files(connection: Connection, platform_id: int, names: Collection[str]) -> set[str]:
    query = select(XapiAttachment.sha2).where(
        XapiAttachment.platform_id == platform_id, XapiAttachment.sha2.in_(names)
    )
    return set(connection.scalars(query))


def keep(
    connection: Connection, platform_id: int, bodies: dict[str, bytes], stored_ms: int
) -> None:
    """Keep files, by their SHA-2; those that are kept stay as they are."""
    rows = [
        {
            "platform_id": platform_id,
            "sha2": sha2,
            "body": body,
            "size": len(body),
            "stored_ms": stored_ms,
        }
        for sha2, body in bodies.items()
    ]
    insert_new(connection, XapiAttachment, rows, ["platform_id", "sha2"])
