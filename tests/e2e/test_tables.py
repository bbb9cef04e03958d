"""A clerk with an Excel file and a browser brings thirty people into a class, and mends one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect
from sqlalchemy import func, select

from app.simulation.entities import invented_id_number
from models import TrainingClass
from tests.domain.catalogue.test_tables import book
from tests.e2e.conftest import Visitor
from tests.e2e.test_accessibility import grave_issues

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

NUMBERS = [invented_id_number(900_000 + n) for n in range(31)]
SURNAMES, NAMES = "赵钱孙李周吴", "一二三四五"


def roster() -> list[list[Any]]:
    people = [[f"{family}{name}民"] for family in SURNAMES for name in NAMES]
    rows = [[n, *who, f"'{NUMBERS[n]}", "示例厂"] for n, who in enumerate(people)]
    rows.append([30, "郑末民", 4.1152619800202e17, "示例厂"])  # as Excel keeps it
    return [["2026年花名册"], ["序号", "学员姓名", "身份证号码", "单位"], *rows, ["合计", "31人"]]


def test_thirty_people_come_into_a_class_from_excel(
    visitor: Callable[..., Visitor], tmp_path: Path
) -> None:
    clerk = visitor("zhao")
    page, site = clerk.page, clerk.site
    with site.services.database.read() as connection:
        klass = connection.scalars(select(func.max(TrainingClass.id))).one()
    file = tmp_path / "花名册.xlsx"
    file.write_bytes(book(("名单", roster())))
    clerk.open(f"/console/classes/{klass}").follow("上传表格")
    page.get_by_label("文件").set_input_files(file)
    page.get_by_role("button", name="预览").click()
    clerk.sees("还没有存入任何内容")
    clerk.sees("末几位已经丢失")
    assert grave_issues(page) == []
    page.get_by_role("button", name="确认接收30行").click()
    clerk.sees("已接收30行，退回1行")
    with page.expect_download() as download:
        page.get_by_role("button", name="下载退回的1行").click()
    mended = tmp_path / "改好.xlsx"
    download.value.save_as(mended)
    sheet = (opened := load_workbook(mended)).worksheets[0]
    sheet["D2"] = NUMBERS[30]
    opened.save(mended)
    clerk.follow("上传另一个文件")
    page.get_by_label("文件").set_input_files(mended)
    page.get_by_role("button", name="预览").click()
    page.get_by_role("button", name="确认接收1行").click()
    clerk.sees("已接收1行，退回0行")
    clerk.follow("回到班级")
    expect(page.get_by_role("link", name="郑末民")).to_be_visible()
