"""xAPI documents: put, changed, listed and removed, each platform's apart."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select

from app.store.row import fetch, fetch_one_or_none
from app.store.upsert import upsert
from models import Session, Statement, XapiAttachment, XapiDocument


class StoredDocument(Protocol):
    media_type: str
    etag: str
    body: bytes
    changed_ms: int


class ListedDocument(Protocol):
    document_id: str
    changed_ms: int


def one(connection: Connection, platform_id: int, address: bytes) -> StoredDocument | None:
    """(media_type, etag, body, changed_ms) of a document."""
    query = select(
        XapiDocument.media_type, XapiDocument.etag, XapiDocument.body, XapiDocument.changed_ms
    ).where(XapiDocument.platform_id == platform_id, XapiDocument.address == address)
    return fetch_one_or_none(connection, query, StoredDocument)


def put(connection: Connection, **values: Any) -> None:
    """Store a document, or what it says now. `values` are all columns but the row's id."""
    upsert(connection, XapiDocument, [values], ["platform_id", "address"])


def listed(
    connection: Connection,
    platform_id: int,
    place: bytes,
    registration: str | None,
    since_ms: int | None,
) -> Sequence[ListedDocument]:
    """(document_id, changed_ms) of a place's documents, changed after `since_ms`."""
    query = select(XapiDocument.document_id, XapiDocument.changed_ms).where(
        *_at(platform_id, place, registration)
    )
    if since_ms is not None:
        query = query.where(XapiDocument.changed_ms > since_ms)
    return fetch(connection, query.order_by(XapiDocument.id), ListedDocument)


def remove(connection: Connection, platform_id: int, address: bytes) -> None:
    connection.execute(
        delete(XapiDocument).where(
            XapiDocument.platform_id == platform_id, XapiDocument.address == address
        )
    )


def clear(connection: Connection, platform_id: int, place: bytes, registration: str | None) -> None:
    """Remove all documents of a place, of one registration if it is given."""
    connection.execute(delete(XapiDocument).where(*_at(platform_id, place, registration)))


def _at(platform_id: int, place: bytes, registration: str | None) -> list[ColumnElement[bool]]:
    found = [XapiDocument.platform_id == platform_id, XapiDocument.place == place]
    if registration is not None:
        found.append(XapiDocument.registration == registration)
    return found


def bytes_of(connection: Connection, platform_id: int) -> int:
    """How much a platform keeps in documents and attached files."""
    total = 0
    for table in (XapiDocument, XapiAttachment):
        query = select(func.coalesce(func.sum(table.size), 0)).where(
            table.platform_id == platform_id
        )
        total += int(connection.scalar(query) or 0)
    return total


def account_digest(name: str) -> bytes:
    """Of an account by its name alone: platforms name learners alike under any home page."""
    return hashlib.sha256(f"account name {name}".encode()).digest()


def erase(connection: Connection, platform_id: int, learner_id: int, external_id: str) -> int:
    """Remove a learner's documents: those of the account that bears the learner's id, and those of
    whoever acted in the learner's sittings. How many."""
    mine = select(Session.external_id).where(Session.learner_id == learner_id)
    acted = select(Statement.actor).where(
        Statement.platform_id == platform_id,
        Statement.session.in_(mine),
        Statement.actor.is_not(None),
    )
    return connection.execute(
        delete(XapiDocument).where(
            XapiDocument.platform_id == platform_id,
            or_(XapiDocument.account == account_digest(external_id), XapiDocument.agent.in_(acted)),
        )
    ).rowcount


def forget(connection: Connection, before_ms: int) -> int:
    """Remove documents that nobody changed since; how many."""
    old = XapiDocument.changed_ms < before_ms
    return connection.execute(delete(XapiDocument).where(old)).rowcount
