"""The live board: who studies now, whose face check waits, incidents first."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from models import Control, Session
from tests.console.conftest import Desk
from tests.console.county import add
from tests.console.stories import MINUTE


def going_on(desk: Desk, sitting: str = "fast", *, heard_ago_ms: int = 0, **check: Any) -> None:
    """Reopen a sitting as heard of so long ago, with a face check of these columns."""
    session_id, now_ms = desk.county.sessions[sitting], desk.clock()
    with desk.services.database.write() as connection:
        connection.execute(
            update(Session)
            .where(Session.id == session_id)
            .values(state="open", closed_ms=None, last_recv_ms=now_ms - heard_ago_ms)
        )
        if check:
            add(
                connection,
                Control,
                session_id=session_id,
                kind="face_check",
                challenge_id="asked-now",
                source="service",
                window_ms=40_000,
                **check,
            )


def test_heads_on_line_stand_against_the_roster(desk: Desk) -> None:
    going_on(desk.sign_in("zhao"))
    assert "1 / 3" in desk.get("/console/live")


def test_who_went_quiet_is_not_on_line_and_is_counted_apart(desk: Desk) -> None:
    going_on(desk.sign_in("zhao"), heard_ago_ms=3 * MINUTE)
    page = desk.get("/console/live")
    assert "0 / 3" in page and '<b class="number">1</b><span>两分钟没有上报' in page


@pytest.mark.parametrize(("asked_ago_ms", "overdue"), [(40_000, False), (40_001, True)])
def test_a_face_check_is_overdue_once_its_window_is_over(
    desk: Desk, asked_ago_ms: int, overdue: bool
) -> None:
    asked_ms = desk.clock() - asked_ago_ms
    going_on(desk.sign_in("zhao"), issued_ms=asked_ms, due_ms=asked_ms)
    page = desk.get("/console/live")
    assert ("先看这些人" in page and "吴强" in page) == overdue


def test_a_check_that_was_answered_is_no_incident(desk: Desk) -> None:
    asked_ms = desk.clock() - MINUTE
    going_on(
        desk.sign_in("zhao"), issued_ms=asked_ms, due_ms=asked_ms, answered_ms=asked_ms + 9_000
    )
    assert "先看这些人" not in desk.get("/console/live")


@pytest.mark.parametrize(("who", "status"), [("qian", 200), ("feng", 403)])
def test_nobody_sees_another_countys_present(desk: Desk, who: str, status: int) -> None:
    asked_ms = desk.clock() - 2 * MINUTE
    going_on(desk, issued_ms=asked_ms, due_ms=asked_ms)
    answer = desk.sign_in(who).client.get("/console/live")
    assert answer.status_code == status and "吴强" not in answer.text
