"""What a night asks for a class costs as much as the class, not as much as all there ever was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from app.jobs import face_worker, nightly
from app.services import Services
from tests.jobs.test_nightly import hold
from tests.people import County

# Everything else is as long as a county has classes, courses or people, or is asked once a night.
GROWING = (
    "controls",
    "event_batches",
    "event_logs",
    "findings",
    "runs",
    "sessions",
    "snapshots",
    "verdicts",
)

ONLY_WAITING = "ix_sessions_unsettled"  # holds what waits to be settled and nothing else


@contextmanager
def asked(engine: Engine) -> Iterator[dict[str, Any]]:
    """The statements that the engine is given meanwhile, with values of one time."""
    statements: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        if sql.split(maxsplit=1)[0] in ("SELECT", "UPDATE", "DELETE"):
            statements.setdefault(sql, values)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_no_question_of_a_night_reads_a_whole_table_of_what_was_studied(
    services: Services, county: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_worker, "run_pending", lambda *_, **__: 0)
    hold(services, county, tmp_path, 3)
    services.settings.executor = "processes:1"
    engine = services.database.engine
    with asked(engine) as statements:
        summary = nightly.perform(services, "test")
    assert summary["classes_done"] == 3
    read_whole = {}
    with engine.connect() as connection:
        for sql, values in statements.items():
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
            steps = [row[3] for row in plan if reads_all(row[3])]
            if steps:
                read_whole[sql] = steps
    assert not read_whole


def reads_all(step: str) -> bool:
    """Whether a step of SQLite's plan visits every row of a growing table, or all of one kind."""
    words = step.split()
    if step.endswith(f"USING INDEX {ONLY_WAITING}"):
        return False
    if words[0] not in ("SCAN", "SEARCH") or words[1] not in GROWING:
        return False
    return words[0] == "SCAN" or step.endswith("(subject_kind=?)")
