"""What people decide takes effect: the learner, or the class, is judged again at once."""

from __future__ import annotations

from sqlalchemy import Connection

from app.domain import eligibility, settle
from app.store import findings as store
from app.store.scope import EVERYTHING


def follow(connection: Connection, finding_id: int, now_ms: int) -> None:
    """Bring every verdict up to date that the finding bears on.

    A decision enters the facts of its learner's sittings; a finding on the class enters the
    class's own verdict. A first of two reviews changes nothing yet but who has spoken.
    """
    row = store.one(connection, EVERYTHING, finding_id)
    assert row is not None
    if row.session_id is not None:
        settle.settle(connection, row.session_id, now_ms)
    eligibility.conclude(connection, row.class_id, now_ms)
