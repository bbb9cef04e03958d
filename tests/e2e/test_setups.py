"""A school's clerk with Excel files and a browser: from nothing to the first sitting; and the
office that acts next, which finds that on its first page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from app.cli import demo as cli_demo
from app.domain.accounts import users
from app.simulation.entities import invented_id_number
from tests.console.test_setups import LESSONS
from tests.domain.catalogue.test_tables import book
from tests.e2e.conftest import Visitor
from tests.e2e.pages import addresses
from tests.e2e.site import PASSWORD
from tests.e2e.test_accessibility import grave_issues

pytestmark = pytest.mark.browser

SURNAMES, NAMES = "赵钱孙李周吴", "一二三四五"
PEOPLE = [f"{family}{name}民" for family in SURNAMES for name in NAMES]


def roster() -> list[list[Any]]:
    """As schools have it: a title, a number column, an apostrophe before each ID number; nothing of
    consent."""
    rows = [
        [n, who, f"'{invented_id_number(800_000 + n)}", "示例厂", "企业职工", "00000000000", None]
        for n, who in enumerate(PEOPLE)
    ]
    titles = ["序号", "姓名", "身份证号", "工作单位", "人员类别", "联系电话", "备注"]
    return [["2026年第17期电子商务师五级培训班学员花名册"], titles, *rows]


def saved(folder: Path, name: str, rows: list[list[Any]]) -> Path:
    file = folder / name
    file.write_bytes(book(("表一", rows)))
    return file


def make_course(clerk: Visitor, folder: Path) -> None:
    page = clerk.page
    clerk.follow("新建课程")
    page.get_by_label("课程名称").fill("电子商务师线上课程")
    page.get_by_label("课程目录表格").set_input_files(saved(folder, "课程.xlsx", LESSONS))
    page.get_by_role("button", name="读入到下面").click()
    clerk.sees("读入10个小节")
    assert grave_issues(page) == []
    page.get_by_role("button", name="保存课程").click()
    clerk.sees("电子商务师线上课程")


def open_class(clerk: Visitor) -> None:
    """Filled in with a mistake, which is told beside the field, and mended."""
    page = clerk.page
    clerk.follow("填写班级")
    expect(page.get_by_label("电子商务师线上课程")).to_be_checked()
    page.get_by_label("班级编号").fill("sl-2026-17")
    page.get_by_label("开班日期").fill("2026-11-22")
    page.get_by_label("结束日期").fill("2026-11-21")
    page.locator("[name=occupation]").select_option("电子商务师")
    page.locator("[name=level]").select_option("五级/初级工")
    page.locator("[name=certificate_type]").select_option("职业技能等级证书")
    page.get_by_label("教师 1", exact=True).fill("沈教员")
    page.get_by_label("专职 1").check()
    page.get_by_role("button", name="开班").click()
    clerk.sees("结束日期不能早于开始日期")
    expect(page.get_by_label("教师 1", exact=True)).to_have_value("沈教员")
    assert grave_issues(page) == []
    page.get_by_label("结束日期").fill("2026-12-12")
    page.get_by_role("button", name="开班").click()


def hand_in_roster(clerk: Visitor, folder: Path) -> None:
    page = clerk.page
    clerk.follow("上传花名册")
    page.get_by_label("文件").set_input_files(saved(folder, "花名册.xlsx", roster()))
    page.get_by_role("button", name="预览").click()
    page.get_by_role("button", name="确认接收30行").click()
    clerk.follow("回到开办向导")
    clerk.sees("有30人还没有登记“同意人脸核验”")
    clerk.follow("登记同意书")
    page.get_by_label("全选").check()
    page.get_by_label("同意书名称或编号").fill("人脸信息处理单独同意书")
    assert grave_issues(page) == []
    page.get_by_role("button", name="登记所选学员已同意").click()
    clerk.follow("开班向导")
    clerk.sees("同意人脸核验的30人中，0人已有登记照片")
    assert grave_issues(page) == []


def test_a_clerk_sets_up_a_class_of_thirty_and_its_first_learner_studies(
    visitor: Callable[..., Visitor], tmp_path: Path
) -> None:
    clerk = visitor("han")
    page = clerk.page
    clerk.follow("开办班级")
    page.get_by_role("button", name="开始").click()
    page.get_by_label("学员在哪个平台上学习").select_option("本校自己的平台（新建）")
    assert grave_issues(page) == []
    page.get_by_role("button", name="选定").click()
    make_course(clerk, tmp_path)
    open_class(clerk)
    hand_in_roster(clerk, tmp_path)

    page.get_by_role("button", name="生成密钥").click()
    secret = page.locator("code.secret").text_content()
    page.get_by_text("学员编号（learner_id）").click()
    row = page.locator("#access tr").filter(has_text=PEOPLE[0])
    sitting = {
        "session_id": "first",
        "learner_id": row.locator("td").first.text_content(),
        "class_id": "sl-2026-17",
        "lesson_id": "L01",
        "device_id": "phone",
        "window_id": "w",
    }
    key = {"authorization": f"Bearer {secret}"}
    opened = httpx2.post(f"{clerk.site.url}/v1/sessions", json=sitting, headers=key)
    assert opened.is_success, opened.text
    page.reload()
    clerk.sees("已收到1次学习")
    clerk.does_not_see(secret or "?")
    take_the_application_in(visitor)


def take_the_application_in(visitor: Callable[..., Visitor]) -> None:
    """The department in charge, with two clicks from its first page."""
    somebody = visitor()
    services = somebody.site.services
    with services.database.write() as connection:
        users.add_user(
            connection,
            username="wei",
            display_name="魏审核",
            password=PASSWORD,
            role="auditor",
            counties=[cli_demo.COUNTY],
            office="industry",
            actor="system:test",
            now_ms=services.clock(),
        )
    wei = somebody.sign_in("wei")
    wei.page.locator("#steps").get_by_role("link", name="sl-2026-17").click()
    expect(wei.page.get_by_label("受理日期")).to_have_value("2026-11-22")
    wei.page.get_by_role("button", name="登记受理").click()
    expect(wei.page.locator("#opening_filed")).to_contain_text("已办结")


def test_a_class_that_is_half_filled_in_outlives_the_login(
    visitor: Callable[..., Visitor],
) -> None:
    clerk = visitor("han")
    clerk.open(addresses(clerk.site.services)["class-new"].path)
    page = clerk.page
    page.get_by_label("班级编号").fill("sl-2026-18")
    page.get_by_label("开班日期").fill("2026-11-23")
    page.get_by_label("结束日期").fill("2026-12-12")
    page.locator("[name=occupation]").select_option("电子商务师")
    page.locator("[name=mode]").select_option("blended")
    page.get_by_label("教师 1", exact=True).fill("沈教员")
    page.get_by_label("专职 1").check()
    page.context.clear_cookies()
    page.get_by_role("button", name="开班").click()
    clerk.sign_in_again("han")
    expect(page.get_by_label("班级编号")).to_have_value("sl-2026-18")
    expect(page.get_by_label("开班日期")).to_have_value("2026-11-23")
    expect(page.locator("[name=mode]")).to_have_value("blended")
    expect(page.get_by_label("教师 1", exact=True)).to_have_value("沈教员")
    expect(page.get_by_label("专职 1")).to_be_checked()


def test_a_course_that_is_half_filled_in_outlives_the_login(
    visitor: Callable[..., Visitor],
) -> None:
    clerk = visitor("han")
    page = clerk.open("/console/courses/new").page
    page.locator("[name=platform]").select_option(index=1)
    page.get_by_label("课程编号").fill("kc-dianshang")
    page.get_by_label("课程名称").fill("网店运营基础")
    page.get_by_label("小节名称 2", exact=True).fill("客户服务")
    page.get_by_label("按顺序学").check()
    page.context.clear_cookies()
    page.get_by_role("button", name="保存课程").click()
    clerk.sign_in_again("han")
    expect(page.get_by_label("课程编号")).to_have_value("kc-dianshang")
    expect(page.get_by_label("课程名称")).to_have_value("网店运营基础")
    expect(page.get_by_label("小节名称 2", exact=True)).to_have_value("客户服务")
    expect(page.get_by_label("按顺序学")).to_be_checked()


def test_what_was_changed_of_a_course_outlives_the_login_unless_somebody_else_changed_it(
    visitor: Callable[..., Visitor],
) -> None:
    clerk, colleague = visitor("zhao"), visitor("zhao")

    def opened(by: Visitor) -> Page:
        return by.open(addresses(by.site.services)["course"].path).page

    def interrupted(page: Page) -> None:
        page.context.clear_cookies()
        page.get_by_role("button", name="保存课程").click()
        clerk.sign_in_again("zhao")

    page = opened(clerk)
    page.get_by_label("课程名称").fill("网店运营基础（修订）")
    page.get_by_label("按顺序学").set_checked(not page.get_by_label("按顺序学").is_checked())
    locked = page.get_by_label("按顺序学").is_checked()
    interrupted(page)
    expect(page.get_by_label("课程名称")).to_have_value("网店运营基础（修订）")
    assert page.get_by_label("按顺序学").is_checked() == locked

    theirs = opened(colleague)
    theirs.get_by_label("课程名称").fill("同事改过的名称")
    theirs.get_by_role("button", name="保存课程").click()
    interrupted(page)
    expect(page.get_by_label("课程名称")).to_have_value("同事改过的名称")


def test_a_reason_that_outlives_the_login_stays_with_the_act_it_was_for(
    visitor: Callable[..., Visitor],
) -> None:
    zhao = visitor("zhao")
    acts = addresses(zhao.site.services)["acts"].path
    page = zhao.open(acts).page
    form = page.locator("details", has_text="延长弹窗应答时限").last
    form.locator("summary").click()
    form.locator("textarea").fill("使用读屏软件")
    page.context.clear_cookies()
    zhao.open(acts).sign_in_again("zhao")
    typed = page.locator("textarea").evaluate_all("all => all.map(it => it.value).filter(Boolean)")
    assert typed == ["使用读屏软件"]
    expect(page.locator("details[open] textarea")).to_have_value("使用读屏软件")

    other = page.context.new_page()  # a login of its own, after which this form is none of it
    other.goto(zhao.site.url)
    other.get_by_role("button", name="退出").click()
    Visitor(other, zhao.site).sign_in_again("zhao")
    page.locator("details[open] form").evaluate("it => it.submit()")
    page.wait_for_load_state()
    zhao.sees("页面已过期")
    zhao.open(acts)
    expect(page.locator("details[open] textarea")).to_have_value("使用读屏软件")
