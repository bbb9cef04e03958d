"""Links that learners were given: listed to those who see the class, and ended one by one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from models import AuditEntry
from tests.console.conftest import Clock, Desk
from tests.console.test_self_service_page import given

DAY_MS = 86_400_000


def path(desk: Desk) -> str:
    return f"/console/classes/{desk.county.classes['HC-2026-014']}/links"


def revoke(desk: Desk, link_id: int, klass: str = "HC-2026-014") -> int:
    form = {"csrf": desk.csrf("/console")}
    where = f"/console/classes/{desk.county.classes[klass]}/links/{link_id}/revoke"
    return desk.client.post(where, data=form, follow_redirects=False).status_code


def test_a_link_is_listed_with_who_gave_it_until_when_and_whether_it_was_opened(
    desk: Desk, new_desk: Callable[[], Desk], clock: Clock
) -> None:
    link = given(desk)
    page = desk.sign_in("sun").get(path(desk))
    assert "吴强" in page and "赵明" in page and "没有打开过" in page and "可以打开" in page
    assert link.rpartition("-")[2] not in page, "the token is shown once and nowhere else"
    new_desk().get(link)
    assert "没有打开过" not in desk.get(path(desk))
    clock.now_ms += 60 * DAY_MS
    assert "已到期" in desk.sign_in("sun").get(path(desk))


def test_who_looks_at_a_link_from_the_console_is_not_taken_for_the_learner(desk: Desk) -> None:
    link = given(desk)
    assert "这是您的学习记录" in desk.sign_in("sun").get(link)
    assert "没有打开过" in desk.get(path(desk))


def test_one_link_is_ended_and_the_other_stays_good(desk: Desk) -> None:
    first, second = given(desk), given(desk)
    desk.sign_in("zhao")
    assert revoke(desk, 1) == 303 and revoke(desk, 1) == 303
    assert "已停用" in desk.get(path(desk))
    assert desk.client.get(first).status_code == 404
    assert desk.client.get(second).status_code == 200
    with desk.services.database.read() as connection:
        ended = select(AuditEntry.detail).where(AuditEntry.action == "link.revoked")
        assert connection.execute(ended).scalars().all() == [{"link": 1}], "once, and which"


@pytest.mark.parametrize(
    ("username", "looks", "ends"),
    [("qian", 404, 404), ("feng", 200, 403), ("root", 200, 403), ("sun", 200, 303)],
)
def test_who_sees_links_and_who_ends_them(desk: Desk, username: str, looks: int, ends: int) -> None:
    given(desk)
    desk.sign_in(username)
    assert desk.client.get(path(desk)).status_code == looks
    assert revoke(desk, 1) == ends


def test_a_link_is_ended_only_by_way_of_its_own_class(desk: Desk) -> None:
    link = given(desk)
    desk.sign_in("zhao")
    assert revoke(desk, 1, "HC-2026-015") == 404 and revoke(desk, 99) == 404
    assert desk.client.get(link).status_code == 200


def test_terms_and_appeals_are_the_operator_s_to_set(desk: Desk, clock: Clock) -> None:
    desk.services.settings.learner_link_days = 7
    desk.services.settings.learner_appeals_a_day = 1
    link = given(desk)
    assert "每天最多1次" in desk.get(link)
    form = {"finding": desk.county.findings["fast:fast_forward"], "statement": "那天停电了"}
    answers = [desk.client.post(f"{link}/appeals", data=form).status_code for _ in range(2)]
    assert answers == [200, 429]
    clock.now_ms += 7 * DAY_MS
    assert desk.client.get(link).status_code == 404
