"""What is asked of one old class or sitting reads its rows, however many came after them.

PostgreSQL takes a newest row by walking back over all ids where it believes that one turns up soon;
for what is old it reads the whole table. So the rows that a question fetched are counted.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from fastapi.testclient import TestClient
from msgspec import DecodeError
from sqlalchemy import Connection, text

from app.db import Database
from app.store.catalogue import class_file
from app.store.judging import verdicts
from app.store.scope import EVERYTHING
from app.store.sittings import progress
from tests.api.test_sessions import found_school
from tests.people import County

CLASSES, EACH = 200, 25
_FETCHED = text(
    "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0) FROM pg_stat_xact_user_tables"
    " WHERE relname = 'verdicts'"
)
_INSERT = text(
    "INSERT INTO verdicts (subject_kind, subject_id, hour, class_id, outcome, pack, pack_digest,"
    " facts_digest, body, digest, created_ms)"
    " SELECT kind, CASE WHEN kind = 'class' THEN class ELSE class * 1000 + n END,"
    " CASE WHEN kind = 'class_hour' THEN 1 ELSE 0 END, class, 'valid', 'p@1', '', '', '', '', 0"
    " FROM generate_series(1, :classes) AS class, generate_series(1, :each) AS n,"
    " unnest(ARRAY['session', 'class_hour', 'enrolment', 'class']) AS kind ORDER BY class"
)
ASKED: dict[str, Callable[[Connection], Any]] = {
    "the newest verdict of a class": lambda it: verdicts.newest(it, 1),
    "the verdict on a class": lambda it: verdicts.on_class(it, 1),
    "the verdict on a sitting": lambda it: progress.verdict_on(it, 1001),
    "a list of classes": lambda it: class_file.page(it, EVERYTHING, "", None, 50),
    "classes of the same person": lambda it: class_file.other_classes(it, 1, 99, EVERYTHING),
}


@pytest.fixture
def backend() -> str:
    return "postgresql"


@pytest.fixture
def many(database: Database, client: TestClient, county: County) -> Database:
    """The oldest class is one that people are in."""
    found_school(client, county)
    with database.write() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(_INSERT, {"classes": CLASSES, "each": EACH})
        connection.execute(text("ANALYZE verdicts"))
    return database


@pytest.mark.parametrize("what", ASKED)
def test_old_rows_are_found_without_a_look_at_the_newer_ones(what: str, many: Database) -> None:
    with many.read() as connection:
        before = connection.scalar(_FETCHED)
        with suppress(DecodeError):  # of a verdict without a body
            ASKED[what](connection)
        assert connection.scalar(_FETCHED) - before <= 4 * EACH
