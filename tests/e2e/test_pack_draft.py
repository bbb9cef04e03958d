"""A county writes a pack in the browser, tries it on last month, and somebody else publishes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.domain.policy import packs
from tests.e2e.conftest import Visitor
from tests.e2e.test_accessibility import grave_issues

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
IDLE = """
[rules.idle_limit]
clause = "huangchuan-2021/false_training"
title = { zh = "长时间无操作", en = "Nobody at the page" }
status = "active"
reach = "L1"
curable = true

[rules.idle_limit.parameters]
max_idle_minutes = { value = 6, unit = "min", source = "default", \
note_zh = "无操作分钟数", note_en = "minutes" }
report_allowance_s = { value = 60, unit = "s", source = "default", \
note_zh = "延迟", note_en = "delay" }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZHENXUE_PACKS_DIR", str(tmp_path))
    return tmp_path


def written(zhao: Visitor) -> None:
    """Begun, with a mistake that is named and mended, and a number set by the form."""
    page = zhao.page
    zhao.open("/console/packs").follow("起草与公布")
    page.get_by_label("名称").fill("潢川县2026年方案")
    page.get_by_label("编号").fill("huangchuan-2026")
    expect(page.get_by_label("以哪个规则包为底")).to_have_value("huangchuan-2021-graded@1.3.0")
    page.get_by_role("button", name="起草", exact=True).click()
    text = page.get_by_label("规则包文本")
    text.fill(text.input_value() + IDLE)
    page.get_by_role("button", name="保存并检查").click()
    zhao.sees("max_idle_minutes")
    assert grave_issues(page) == []
    text.fill(text.input_value().replace("max_idle_minutes", "max_idle_min"))
    page.get_by_role("button", name="保存并检查").click()
    zhao.sees("检查通过")
    page.get_by_label("参数").select_option("enrolment.required_share")
    page.get_by_label("新值").fill("0.9")
    page.get_by_role("button", name="写入文本").click()
    zhao.sees("的不同")
    assert grave_issues(page) == []


def test_two_people_make_a_pack_that_a_class_can_take(
    folder: Path, visitor: Callable[..., Visitor]
) -> None:
    zhao = visitor().sign_in("zhao")
    written(zhao)
    page = zhao.page
    zhao.sees("您写过这份草稿，须由另一人公布")
    page.get_by_role("button", name="试算").click()
    zhao.sees("试算")
    draft = "/console/pack-drafts"
    sun = visitor().sign_in("sun").open(draft)
    sun.follow("huangchuan-2026@1.0.0")
    sun.page.get_by_role("link", name="公布", exact=True).click()
    sun.page.get_by_label("理由").fill("县里已研究通过")
    sun.page.get_by_role("button", name=re.compile("公布")).click()
    sun.sees("潢川县2026年方案")
    assert packs.load("huangchuan-2026").policy["idle_limit"]["max_idle_min"] == 6
    sun.open("/console/packs")
    sun.sees("潢川县2026年方案")
    expect(sun.page.locator("main")).to_contain_text("huangchuan-2026")
