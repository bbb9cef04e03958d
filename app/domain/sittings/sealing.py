"""Sealing: the evidence of a sitting that is over becomes one log."""

from __future__ import annotations

from sqlalchemy import Connection

from app.store.events import event_log
from app.store.events.event_log import EndedSitting
from app.store.judging import facts


def seal_ended(connection: Connection, session_id: int, now_ms: int) -> EndedSitting | None:
    """Seal a session whose class is judged as a whole afterwards; None while it is still open."""
    row = event_log.ended(connection, session_id)
    if row is not None:
        controls, photos = facts.ledger_columns(connection, session_id, row.opened_ms)
        event_log.seal(connection, session_id, controls, photos, now_ms)
    return row
