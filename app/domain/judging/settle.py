"""After a sitting is over: seal its evidence into one log, then judge it."""

from __future__ import annotations

from sqlalchemy import Connection

from app.domain.judging import assess
from app.domain.judging.assess import Judgement
from app.domain.sittings import sealing


def settle(connection: Connection, session_id: int, now_ms: int) -> Judgement | None:
    """Seal an ended session and judge its learner's sittings; None while it is still open.

    May be repeated: late batches and finished face checks only add to the evidence.
    """
    row = sealing.seal_ended(connection, session_id, now_ms)
    if row is None:
        return None
    return assess.judge_learner(connection, row.class_id, row.learner_id, now_ms)
