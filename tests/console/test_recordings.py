"""Recordings of teaching in person: uploaded as a table, checked hour by hour, drawn at random."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from app.domain.catalogue import films
from app.domain.review.inspections import drawn
from app.store.catalogue import catalogue
from models import Inspection, InspectionCheck, OfflineAttendance, TrainingClass
from tests.console.conftest import Desk
from tests.console.test_acts import class_of
from tests.console.test_tables import agree, hand_in

SHA = "ab" * 32
TABLE: list[list[Any]] = [
    ["某班教学录像清单"],
    ["文件名", "上课日期", "类型", "学时", "录像时长", "存放地点", "SHA256", "录制人"],
    ["theory.mp4", "2026-04-02", "理论", "1至2", "81分钟", "机构档案室硬盘3号", SHA, "示例教师"],
    ["practice.mp4", "2026-04-02", "实操", "1", 12, "机构档案室硬盘3号", SHA, "示例教师"],
    ["bad.mp4", "2026-04-02", "实操", "2至1", 15, "机构档案室硬盘3号", SHA, "示例教师"],
]


def attended(desk: Desk, hours: float, practical: bool, item: str) -> None:
    with desk.services.database.write() as connection:
        learner = desk.county.learners["吴强"]
        values = {"class_id": class_of(desk), "learner_id": learner, "held_on": "2026-04-02"}
        connection.execute(
            insert(OfflineAttendance).values(
                **values, item=item, hours=hours, body={"practical": practical}, created_ms=0
            )
        )


@pytest.fixture
def page(desk: Desk) -> str:
    desk.sign_in("zhao")
    with desk.services.database.write() as connection:
        terms = {"starts_on": "2026-04-01", "ends_on": "2026-04-20"}
        mine = TrainingClass.id == class_of(desk)
        connection.execute(update(TrainingClass).where(mine).values(terms=terms))
    attended(desk, 2, False, "am")
    attended(desk, 1, True, "pm")
    path = f"/console/classes/{class_of(desk)}"
    shown = hand_in(desk, f"{path}/tables", TABLE, kind="recordings")
    assert "学时序号从1起" in shown.text and "将退回" in shown.text
    agree(desk, f"{path}/tables", shown)
    return f"{path}/recordings"


def test_each_class_hour_is_held_against_its_films(desk: Desk, page: str) -> None:
    told = desk.get(page)
    assert told.count("录像达标") == 2 and told.count("录像时长不足") == 1
    with desk.services.database.read() as connection:
        hours = films.recorded(connection, catalogue.class_by_id(connection, class_of(desk)))
    assert [(it.practical, it.result.value) for it in hours] == [
        (False, "pass"),
        (False, "pass"),
        (True, "fail"),
    ]


def test_films_are_drawn_at_random_and_what_was_found_is_kept(desk: Desk, page: str) -> None:
    form = {"csrf": desk.csrf("/console"), "frame": "recordings", "count": 1}
    answer = desk.client.post(page.replace("recordings", "inspections"), data=form)
    assert "录像抽查" in answer.text and "机构档案室硬盘3号" in answer.text and SHA in answer.text
    with desk.services.database.read() as connection:
        made = connection.execute(select(Inspection)).one()
    assert made.frame == ["2026-04-02 practice.mp4", "2026-04-02 theory.mp4"]
    assert made.drawn == drawn(made.seed, made.frame, 1)
    wrong = {"csrf": desk.csrf("/console"), "result-1": "present"}
    checks = f"/console/inspections/{made.id}/checks"
    assert desk.client.post(checks, data=wrong).status_code == 422
    desk.client.post(checks, data=wrong | {"result-1": "intact", "remark-1": "摘要一致"})
    with desk.services.database.read() as connection:
        (found,) = connection.execute(select(InspectionCheck)).all()
    assert (found.learner, found.result) == (made.drawn[0], "intact")
    assert "与登记一致" in desk.get(page)
    assert "还没有巡查过" in desk.get(page.replace("recordings", "inspections"))


def test_a_spot_check_is_no_inspection_of_learners_on_annex_2(desk: Desk, page: str) -> None:
    form = {"csrf": desk.csrf("/console"), "frame": "recordings", "count": 2}
    desk.client.post(page.replace("recordings", "inspections"), data=form)
    with desk.services.database.read() as connection:
        made = connection.execute(select(Inspection)).all()
    assert len(made) == 1
    assert re.search(r"抽查记录.*?1", desk.get(page), re.S)


def test_platforms_are_not_told_what_was_drawn(desk: Desk, page: str) -> None:
    form = {"csrf": desk.csrf("/console"), "frame": "recordings", "count": 1}
    desk.client.post(page.replace("recordings", "inspections"), data=form)
    desk.client.cookies.clear()
    desk.sign_in("feng")
    told = desk.get(page)
    assert "theory.mp4" in told and "抽查记录" not in told
