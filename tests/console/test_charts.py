"""The overview's charts: long names wrap, scales have steps, nothing found is said in words."""

from __future__ import annotations

from sqlalchemy import update

from app.console.charts import Bar, columns, rows
from app.console.language import language
from models import Finding
from tests.console.conftest import Desk

ZH = language("zh")
LONG = "国家职业技能提升行动线上培训公共服务平台（河南省信阳市潢川县分平台）"


def test_a_long_name_takes_two_lines_and_is_told_whole_by_hovering() -> None:
    drawn = rows([Bar(LONG, {"violation": 3})], ZH, "按平台")
    assert drawn.count("tick end name") == 2
    assert f"<title>{LONG}</title>" in drawn


def test_a_name_of_several_words_is_cut_between_them() -> None:
    drawn = rows([Bar("Five minutes without a pop-up", {"review": 1})], ZH, "By rule")
    assert ">Five minutes without a<" in drawn and ">pop-up<" in drawn


def test_a_scale_has_more_steps_than_its_foot_and_one_line() -> None:
    for tallest in (1, 5, 9, 24, 49, 63, 92, 130, 999, 5_000):
        drawn = columns([Bar("11-22", {"violation": tallest})], ZH, "每日新增问题")
        assert 3 <= drawn.count("tick end") <= 6, tallest


def test_nothing_found_is_said_in_words_instead_of_empty_axes(desk: Desk) -> None:
    desk.sign_in("zhao")
    assert "每日新增问题</title>" in desk.get("/console")
    with desk.services.database.write() as connection:
        connection.execute(update(Finding).values(status="gone"))
    page = desk.get("/console")
    assert "每日新增问题</title>" not in page
    assert page.count("近28天没有发现问题") == 3
