"""A platform's people try a course in a class of their own, and move its clock."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlalchemy import select

from app.domain.accounts import users
from models import Course, Platform, TrainingClass
from tests.console.conftest import Desk


def test_a_platforms_people_open_a_sandbox_and_move_its_clock_and_the_authority_sees_none(
    new_desk: Callable[[], Desk],
) -> None:
    desk = new_desk().sign_in("feng")
    assert desk.client is not None
    with desk.services.database.read() as connection:
        platform_id = users.named(connection, "feng").platform_id
        mine = Platform.id == platform_id
        slug = connection.scalars(select(Platform.slug).where(mine)).one()
        course = connection.scalars(
            select(Course.external_id).where(Course.platform_id == platform_id)
        ).first()
    page = f"/console/platforms/{slug}"
    form = {"csrf": desk.csrf(page), "course": course}
    opened = desk.client.post(f"{page}/sandboxes", data=form)
    found = re.search(r"sandboxes/(\d+)/clock", opened.text)
    assert opened.status_code == 200 and found
    clock = f"{page}/sandboxes/{found[1]}/clock"
    moved = desk.client.post(clock, data=form | {"advance_s": "86400"})
    assert moved.status_code == 200
    with desk.services.database.read() as connection:
        row = connection.execute(
            select(TrainingClass).where(TrainingClass.id == int(found[1]))
        ).one()
    assert row.sandbox and row.ahead_ms == 86_400_000
    assert desk.client.post(clock, data=form | {"advance_s": "-60"}).status_code == 422
    assert "沙箱" in desk.get(f"/console/classes/{found[1]}")
    for other in ("root", "zhao"):
        seen = new_desk().sign_in(other)
        assert "沙箱" not in seen.get(page) and row.external_id not in seen.get(page)
        assert seen.client.get(f"/console/classes/{found[1]}").status_code == 404
