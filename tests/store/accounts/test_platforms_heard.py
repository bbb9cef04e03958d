"""When a platform was heard last: right, and told without a look at all its sittings."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, event, func, select, text, update

from app.db import Database
from app.store.accounts import platforms
from app.store.scope import EVERYTHING, AccessScope
from models import Session, TrainingClass
from tests.console import county as rows

HERE, THERE = AccessScope(counties=(rows.HERE,)), AccessScope(counties=(rows.THERE,))


def heard(connection: Connection, scope: AccessScope) -> dict[str, int | None]:
    return {it.slug: it.seen_ms for it in platforms.with_counts(connection, scope)}


def sitting(connection: Connection, name: str, state: str, heard_ms: int) -> None:
    of_that_name = update(Session).where(Session.external_id == name)
    connection.execute(of_that_name.values(state=state, last_recv_ms=heard_ms))


@pytest.mark.both_databases
def test_the_last_sign_of_life_is_that_of_an_open_or_an_ended_sitting_in_scope(
    database: Database,
) -> None:
    with database.write() as connection:
        county = rows.build(connection)
        for name in ("s-honest", "s-fast", "s-gap", "s-other"):
            sitting(connection, name, "closed", rows.NOW)
        sitting(connection, "s-far", "expired", rows.NOW + 7)
        assert heard(connection, HERE) == {"yunke": rows.NOW}
        assert heard(connection, THERE) == {"zhixue": rows.NOW + 7}
        sitting(connection, "s-fast", "superseded", rows.NOW + 1)
        assert heard(connection, EVERYTHING) == {"yunke": rows.NOW + 1, "zhixue": rows.NOW + 7}
        sitting(connection, "s-gap", "open", rows.NOW + 2)
        assert heard(connection, HERE) == {"yunke": rows.NOW + 2}
        theirs = TrainingClass.id == county.classes["HC-2026-014"]
        connection.execute(update(TrainingClass).where(theirs).values(sandbox=True))
        assert heard(connection, HERE) == {"yunke": rows.NOW}
        connection.execute(update(TrainingClass).values(sandbox=True))
        assert heard(connection, EVERYTHING) == {"yunke": None, "zhixue": None}


@pytest.mark.both_databases
def test_each_class_is_looked_up_in_an_index(database: Database) -> None:
    seen: list[tuple[str, Any]] = []
    with database.write() as connection:
        rows.build(connection)

        @event.listens_for(connection, "before_cursor_execute")
        def note(_c: Any, _d: Any, sql: str, values: Any, _e: Any, _f: Any) -> None:
            seen.append((sql, values))

        platforms.with_counts(connection, HERE)
        event.remove(connection, "before_cursor_execute", note)
        if not database.sqlite:  # so few rows that it would rather read them all
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN " if database.sqlite else "EXPLAIN "
        ((sql, values),) = seen
        plan = connection.exec_driver_sql(explain + sql, values).all()
        assert connection.scalar(select(func.count()).select_from(Session)) == 5
    assert "ix_sessions_heard" in "\n".join(str(it) for it in plan)
