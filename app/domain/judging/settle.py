"""After a sitting is over: seal its evidence into one log, then judge it."""

from __future__ import annotations

from sqlalchemy import Connection

from app.domain.judging import assess
from app.domain.judging.assess import Judgement
from app.store.events import event_log
from app.store.judging import facts
from app.store.row import AnyRow


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
    row = event_log.ended(connection, session_id)
    if row is not None:
        controls, photos = facts.ledger_columns(connection, session_id, row.opened_ms)
        event_log.seal(connection, session_id, controls, photos, now_ms)
    return row
