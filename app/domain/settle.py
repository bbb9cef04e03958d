"""After a sitting is over: seal its evidence into one log, then judge it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, exists, select

from app.domain import assess
from app.domain.assess import Judgement
from app.store import events as event_store
from app.store import facts
from app.store.row import AnyRow
from models import EventBatch, EventLog, Session


def settle(connection: Connection, session_id: int, now_ms: int) -> Judgement | None:
    """Seal an ended session and judge its learner's sittings; None while it is still open.

    May be repeated: late batches and finished face checks only add to the evidence.
    """
    row = seal_ended(connection, session_id, now_ms)
    if row is None:
        return None
    return assess.judge_learner(connection, row.class_id, row.learner_id, now_ms)


def seal_ended(connection: Connection, session_id: int, now_ms: int) -> AnyRow | None:
    """Seal a session whose class is judged as a whole afterwards; None while it is still open."""
    row = connection.execute(
        select(Session.state, Session.class_id, Session.learner_id, Session.opened_ms)
        .where(Session.id == session_id)
        .with_for_update()
    ).one()
    if row.state == "open":
        return None
    seal(connection, session_id, row.opened_ms, now_ms)
    return row


def seal(connection: Connection, session_id: int, opened_ms: int, now_ms: int) -> None:
    """Join a session's batches and its ledger into its log."""
    controls, photos = facts.ledger_columns(connection, session_id, opened_ms)
    event_store.seal(connection, session_id, controls, photos, now_ms)


def unsettled(connection: Connection, limit: int = 500) -> Sequence[int]:
    """Ended sessions that were not sealed yet, or got batches since: a crash leaves some behind."""
    no_log = ~exists().where(EventLog.session_id == Session.id)
    late = exists().where(EventBatch.session_id == Session.id)
    query = (
        select(Session.id)
        .where(Session.state != "open", no_log | late)
        .order_by(Session.id)
        .limit(limit)
    )
    return connection.execute(query).scalars().all()
