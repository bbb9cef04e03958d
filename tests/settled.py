"""What `sessions.settled` promises, held against the evidence itself."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, exists, select

from app.db import Database
from app.store.events import event_log
from app.store.judging import facts
from models import EventBatch, Session


def assert_logs_hold_all(database: Database) -> None:
    """No sitting passes for settled whose log is missing or behind; asked after every test, so
    that no way of changing evidence is forgotten."""
    with database.read() as connection:
        assert list(_behind(connection)) == []


def _behind(connection: Connection) -> Iterator[tuple[str, str]]:
    late = exists().where(EventBatch.session_id == Session.id)
    query = select(Session.id, Session.external_id, Session.opened_ms, late.label("late"))
    rows = connection.execute(query.where(Session.settled)).all()
    logs = {it.session_id: it for it in event_log.sealed(connection, {row.id for row in rows})}
    for row in rows:
        log = logs.get(row.id)
        if log is None or row.late:
            yield row.external_id, "log"
            continue
        controls, photos = facts.ledger_columns(connection, row.id, row.opened_ms)
        if controls.tobytes() != log.controls:
            yield row.external_id, "controls"
        if photos.tobytes() != log.photos:
            yield row.external_id, "photos"
