"""Opening a sitting asks the database for little, however much is on record."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, update

from app.domain.sittings import sittings
from app.domain.sittings.sittings import Opened, Opening
from app.services import Services
from models import Session
from tests.api.test_sessions import school  # noqa: F401
from tests.people import County, TestClock

MOST = 19
FOR_A_RIVAL = 5  # more, where another sitting of this person ends for it
WORST = 25  # that, and a lesson that had to be studied before
LESSON_MS = 45 * 60_000


def opened(services: Services, county: County, now_ms: int, **changes: Any) -> tuple[Opened, int]:
    """A sitting that is opened, and how many statements that took."""
    said: list[str] = []
    asked = {"learner": "lin", "klass": "c1", "lesson": "l1", "device": "d1", "window": "w1"}
    with services.database.write() as connection:

        @event.listens_for(connection, "before_cursor_execute")
        def note(_c: Any, _d: Any, sql: str, *_: Any) -> None:
            said.append(sql)

        where = (connection, services.vault, services.controls, county.huang.platform.id)
        made = sittings.open_sitting(*where, Opening(client={}, **{**asked, **changes}), now_ms)
    return made, len(said)


@pytest.mark.both_databases
def test_an_opening_asks_little(
    client: TestClient,
    school: County,  # noqa: F811
    services: Services,
    clock: TestClock,
) -> None:
    first, asked = opened(services, school, clock(), session="s1")
    assert first.created and asked <= MOST
    clock.advance(minutes=45)
    with services.database.write() as connection:  # she has studied it all
        played = {"learning_ms": LESSON_MS, "play_pos_ms": LESSON_MS, "last_recv_ms": clock()}
        connection.execute(update(Session).values(**played, lease_expires_ms=clock() + 9_000))
    next_one, asked = opened(services, school, clock(), session="s2", lesson="l2")
    assert next_one.ended == (first.id,) and asked <= WORST
    same, asked = opened(services, school, clock(), session="s2", lesson="l2")
    assert not same.created and asked <= MOST


@pytest.mark.both_databases
def test_however_often_somebody_came_back_an_opening_asks_no_more(
    client: TestClient,
    school: County,  # noqa: F811
    services: Services,
    clock: TestClock,
) -> None:
    numbers = []
    for n in range(6):
        clock.advance(seconds=20)
        numbers.append(opened(services, school, clock(), session=f"r{n}")[1])
    assert max(numbers[1:]) == numbers[1] <= MOST + FOR_A_RIVAL
