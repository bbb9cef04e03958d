"""Sittings like the open one: the same problem, the same device, only where one may look."""

from __future__ import annotations

import re

from sqlalchemy import select, update

from models import Finding, Session, TrainingClass
from tests.console.conftest import Desk

SAME_PROBLEM, SAME_DEVICE = "同一平台上其他学员的同类问题", "同一平台上其他学员在同一台设备上的学习"


def section(page: str, heading: str) -> str:
    """The part of the page under that heading, "" when there is none."""
    found = re.search(rf"<h2>{heading}</h2>(.*?)</section>", page, re.S)
    return found[1] if found else ""


def page(desk: Desk, sitting: str) -> str:
    return desk.get(f"/console/sessions/{desk.county.sessions[sitting]}")


def share(desk: Desk, *sittings: str) -> None:
    with desk.services.database.write() as connection:
        ids = [desk.county.sessions[it] for it in sittings]
        connection.execute(update(Session).where(Session.id.in_(ids)).values(device_id="shared"))


def test_another_learners_same_problem_is_named_with_its_rule(desk: Desk) -> None:
    told = section(page(desk.sign_in("zhao"), "fast"), SAME_PROBLEM)
    assert f"/console/sessions/{desk.county.sessions['gap']}" in told
    assert "连续5分钟内无弹窗管控" in told and "同一课" in told
    assert f"/console/sessions/{desk.county.sessions['fast']}" not in told


def test_a_sitting_without_problems_resembles_none(desk: Desk) -> None:
    assert not section(page(desk.sign_in("zhao"), "honest"), SAME_PROBLEM)


def test_what_people_overturned_is_no_longer_a_likeness(desk: Desk) -> None:
    with desk.services.database.write() as connection:
        gap = desk.county.sessions["gap"]
        connection.execute(
            update(Finding).where(Finding.session_id == gap).values(status="overturned")
        )
    told = section(page(desk.sign_in("zhao"), "fast"), SAME_PROBLEM)
    assert f"/console/sessions/{desk.county.sessions['gap']}" not in told


def test_a_shared_device_is_told_with_a_warning_not_to_accuse(desk: Desk) -> None:
    desk.sign_in("zhao")
    assert not section(page(desk, "fast"), SAME_DEVICE)
    share(desk, "fast", "honest")
    told = section(page(desk, "fast"), SAME_DEVICE)
    assert "林静" in told and "不能认定违规" in told


def test_sittings_of_another_county_are_not_named(desk: Desk) -> None:
    with desk.services.database.write() as connection:
        elsewhere = select(TrainingClass.id).where(TrainingClass.county != "潢川县").limit(1)
        connection.execute(
            update(Session)
            .where(Session.id == desk.county.sessions["gap"])
            .values(class_id=elsewhere.scalar_subquery())
        )
    told = section(page(desk.sign_in("zhao"), "fast"), SAME_PROBLEM)
    assert f"/console/sessions/{desk.county.sessions['gap']}" not in told


def move(desk: Desk, sitting: str, klass: str) -> None:
    with desk.services.database.write() as connection:
        connection.execute(
            update(Session)
            .where(Session.id == desk.county.sessions[sitting])
            .values(class_id=desk.county.classes[klass])
        )


def test_a_device_is_followed_into_the_platforms_other_classes(desk: Desk) -> None:
    share(desk, "fast", "honest")
    move(desk, "honest", "HC-2026-015")
    told = section(page(desk.sign_in("zhao"), "fast"), SAME_DEVICE)
    assert "林静" in told and "另一个班" in told and "HC-2026-015" in told


def test_within_the_class_the_class_is_not_told(desk: Desk) -> None:
    share(desk, "fast", "honest")
    assert "另一个班" not in section(page(desk.sign_in("zhao"), "fast"), SAME_DEVICE)


def test_who_shares_a_device_in_another_county_is_told_only_to_who_may_look_there(
    desk: Desk,
) -> None:
    """A platform may teach in several counties."""
    share(desk, "fast", "honest")
    move(desk, "honest", "GS-2026-003")
    assert not section(page(desk.sign_in("zhao"), "fast"), SAME_DEVICE)
    desk.client.cookies.clear()
    assert "林静" in section(page(desk.sign_in("root"), "fast"), SAME_DEVICE)


def test_another_platforms_device_of_that_name_is_another_device(desk: Desk) -> None:
    share(desk, "fast", "honest")
    with desk.services.database.write() as connection:
        connection.execute(
            update(Session)
            .where(Session.id == desk.county.sessions["honest"])
            .values(platform_id=desk.county.platforms[1])
        )
    assert not section(page(desk.sign_in("root"), "fast"), SAME_DEVICE)


def test_where_the_order_is_in_question_the_lessons_stand_in_the_order_of_time(desk: Desk) -> None:
    heading = "该学员在本班按时间先后学习的课"
    assert not section(page(desk.sign_in("zhao"), "fast"), heading)
    with desk.services.database.write() as connection:
        fast = Finding.session_id == desk.county.sessions["fast"]
        connection.execute(update(Finding).where(fast).values(rule="lesson_order"))
    assert "本次" in section(page(desk, "fast"), heading)
