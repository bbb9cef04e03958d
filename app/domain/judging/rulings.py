"""What people decide takes effect: the learner, or the class, is judged again at once."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from app.domain.judging import assess, eligibility, settle
from app.store.catalogue import people
from app.store.review import findings as store
from app.store.scope import EVERYTHING


def follow(connection: Connection, finding_ids: Iterable[int], now_ms: int) -> None:
    """Bring every verdict up to date that the findings bear on, each once.

    A decision enters the facts of its learner's sittings, and of those whom a finding on the class
    names; a finding on the class enters the class's own verdict. A first of two reviews changes
    nothing yet but who has spoken.
    """
    rows = [store.one(connection, EVERYTHING, it) for it in finding_ids]
    found = [row for row in rows if row is not None]
    assert len(found) == len(rows)
    sittings = {row.session_id for row in found if row.session_id is not None}
    settle.settle_all(connection, sorted(sittings), now_ms)
    named: dict[tuple[int, int], None] = {}
    for row in found:
        accounts = people.learners(
            connection, row.platform_id, [it.learner_id for it in row.body.members or ()]
        )
        for learner in sorted(accounts.values(), key=lambda it: it.external_id):
            named[row.class_id, learner.id] = None
    for class_id, learner_id in named:
        assess.judge_learner(connection, class_id, learner_id, now_ms)
    for class_id in dict.fromkeys(row.class_id for row in found):
        eligibility.conclude(connection, class_id, now_ms)
