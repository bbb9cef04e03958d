"""After a sitting is over: seal its evidence into one log, then judge it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from app.domain.judging import assess
from app.domain.judging.assess import Judgement
from app.domain.sittings import sealing
from app.store.judging import facts


def settle(connection: Connection, session_id: int, now_ms: int) -> Judgement | None:
    """Seal an ended session and judge its learner's sittings; None while it is still open.

    May be repeated: late batches and finished face checks only add to the evidence.
    """
    row = sealing.seal_ended(connection, session_id, now_ms)
    if row is None:
        return None
    judge_elsewhere(connection, [session_id], now_ms)
    return assess.judge_learner(connection, row.class_id, row.learner_id, now_ms)


def settle_all(connection: Connection, session_ids: Iterable[int], now_ms: int) -> None:
    """Seal ended sessions and judge each of their learners once a class."""
    sessions = list(session_ids)
    ended = [sealing.seal_ended(connection, it, now_ms) for it in sessions]
    judge_elsewhere(connection, sessions, now_ms)
    for class_id, learner_id in dict.fromkeys((it.class_id, it.learner_id) for it in ended if it):
        assess.judge_learner(connection, class_id, learner_id, now_ms)


def judge_elsewhere(connection: Connection, session_ids: Sequence[int], now_ms: int) -> None:
    """Judge again what was judged before these sittings were known: of two that one person had at
    one time the later one is to blame, and it may be of another class, or another platform."""
    for class_id, learner_id in facts.judged_meanwhile(connection, session_ids):
        assess.judge_learner(connection, class_id, learner_id, now_ms)
