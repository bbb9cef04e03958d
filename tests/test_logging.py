"""What the service writes to its log."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from app.db import Database
from app.logging import configure
from models import Platform


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    configured = structlog.get_config()
    yield
    structlog.configure(**configured)
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_fault_is_told_with_its_place_and_without_what_was_in_hand(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    configure(as_json=as_json)
    password = "".join(("sword", "fish"))
    try:
        raise RuntimeError(f"no password of {len(password)} letters")
    except RuntimeError:
        structlog.get_logger("test").exception("broken")
    told = capsys.readouterr().err
    assert "test_logging.py" in told and "no password of 9 letters" in told
    assert password not in told


@pytest.mark.both_databases
@pytest.mark.parametrize("as_json", [False, True])
def test_a_row_that_the_database_refuses_is_not_told(
    database: Database, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    configure(as_json=as_json)
    row = {"slug": "x", "name": "林一", "county": "潢川县\n[无]", "created_ms": 1}
    try:
        with database.write() as connection:
            connection.execute(insert(Platform), row)
            connection.execute(insert(Platform), row)
    except IntegrityError:
        structlog.get_logger("test").exception("broken")
    told = capsys.readouterr().err
    assert "test_logging.py" in told and "INSERT INTO platforms" in told
    assert "林一" not in told and "潢川" not in told and "(x)" not in told


@pytest.mark.parametrize(
    "fault",
    ["raise it", "threading.Thread(target=thrown, args=(it,)).start()", 'log.exception("broken")'],
)
def test_a_command_tells_of_a_fault_without_what_was_in_hand(fault: str) -> None:
    """Mails of cron and the journal held a refused row, or every variable of every frame."""
    lines = f"""
import sys, threading, structlog
from app.cli import main
log = structlog.get_logger("test")
def broken():
    secret = "sword" + "fish"
    it = RuntimeError("no such number of a person\\nDETAIL:  Failing row contains (%s)." % secret)
    try:
        raise it
    except RuntimeError as it:
        {fault}
def thrown(it):
    raise it
main.app = lambda *_, **__: broken()
main.main([])
"""
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True)
    assert "no such number of a person" in done.stderr and "line" in done.stderr
    assert "swordfish" not in done.stdout + done.stderr


def test_a_log_follows_standard_error_when_it_is_exchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    closed, current = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", closed)
    configure(as_json=False)
    closed.close()
    monkeypatch.setattr(sys, "stderr", current)
    logging.getLogger("uvicorn.error").info("started")
    assert "started" in current.getvalue()
    assert "Logging error" not in current.getvalue()
