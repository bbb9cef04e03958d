"""Rows of `refused_requests`: what platforms were refused, by the minute and the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.store.row import fetch, fetch_one
from models import ApiKey, RefusedRequest, Session


class RefusedRequestRow(Protocol):
    at_ms: int
    count: int
    method: str
    route: str
    status: int
    code: str
    field: str
    detail: str
    request_id: str
    key_id: int | None
    key_label: str | None


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert them; what stands there for the same minute and reason is counted on."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(RefusedRequest)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["platform_id", "minute", "kind"],
        set_={
            "count": RefusedRequest.count + new.count,
            "at_ms": new.at_ms,
            "request_id": new.request_id,
            "detail": new.detail,
        },
    )
    connection.execute(statement, list(rows))


def keep_newest(connection: Connection, platform_id: int, most: int) -> None:
    """Remove all but the newest `most` of a platform."""
    mine = RefusedRequest.platform_id == platform_id
    newest = select(RefusedRequest.id).where(mine).order_by(RefusedRequest.id.desc())
    first_over = newest.offset(most).limit(1).scalar_subquery()
    connection.execute(delete(RefusedRequest).where(mine, RefusedRequest.id <= first_over))


def newest(connection: Connection, platform_id: int, since_ms: int) -> Sequence[RefusedRequestRow]:
    """A platform's rows since then, newest first, with the key's name."""
    query = (
        select(*RefusedRequest.__table__.columns, ApiKey.label.label("key_label"))
        .join(ApiKey, ApiKey.id == RefusedRequest.key_id, isouter=True)
        .where(RefusedRequest.platform_id == platform_id, RefusedRequest.at_ms >= since_ms)
        .order_by(RefusedRequest.at_ms.desc(), RefusedRequest.id.desc())
    )
    return fetch(connection, query, RefusedRequestRow)


def forget(connection: Connection, before_ms: int) -> None:
    connection.execute(delete(RefusedRequest).where(RefusedRequest.at_ms < before_ms))


def add_over(connection: Connection, counts: Mapping[int, int], now_ms: int) -> None:
    """By session row: so many events came though it was over."""
    for session_id, count in sorted(counts.items()):
        connection.execute(
            update(Session)
            .where(Session.id == session_id)
            .values(refused_count=Session.refused_count + count, refused_ms=now_ms)
        )


class OverCount(Protocol):
    events: int | None
    sessions: int
    last_ms: int | None


def over_of_learner(connection: Connection, learner_id: int, since_ms: int) -> OverCount:
    """(events, sessions, last_ms) of what came of late for a learner's sittings that were over."""
    query = select(
        func.sum(Session.refused_count).label("events"),
        func.count().label("sessions"),
        func.max(Session.refused_ms).label("last_ms"),
    ).where(Session.learner_id == learner_id, Session.refused_ms >= since_ms)
    return fetch_one(connection, query, OverCount)
