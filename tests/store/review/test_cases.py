"""The queue of cases, the same on both databases."""

from __future__ import annotations

import pytest

from app.db import Database
from app.domain.accounts import users
from app.domain.review import cases
from app.store.review import cases as store
from app.store.review.cases import CaseFilter
from app.store.review.finding_queue import QueueFilter
from app.store.scope import AccessScope
from tests.console import county as rows
from tests.console.county import NOW


@pytest.mark.both_databases
def test_cases_come_gravest_first_and_are_decided_at_once(database: Database) -> None:
    here, wanted = AccessScope(counties=(rows.HERE,)), CaseFilter(QueueFilter(), "2026-04-09")
    with database.write() as connection:
        county = rows.build(connection)
        rows.crowd(connection, county, 600)
        zhao = users.check_password(connection, "zhao", rows.PASSWORD)
        assert zhao is not None
        found = store.page(connection, here, wanted, None, 100)
        assert [it.gravity for it in found] == sorted(it.gravity for it in found)
        assert store.count(connection, here, wanted)["todo"] == len(found)
        assert {it.id for it in store.shown_by(connection, [store.first_of(found[0])])} == {
            store.first_of(found[0])
        }
        largest = max(found, key=lambda it: it.waiting)
        made = cases.decide(connection, largest.id, zhao, "uphold", "已核对服务器记录", now_ms=NOW)
        assert len(made.decided) == largest.waiting > 50
