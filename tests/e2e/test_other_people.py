"""What the others come for: the second reviewer, a platform's own people, the administrator."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.site import PASSWORD

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]

OTHER_PERSON = "/console/findings?rule=face_liveness&status=all"


def decide(somebody: Visitor, decision: str, reason: str) -> None:
    """Decide the finding that is shown first."""
    card = somebody.page.locator(".finding").first
    unseen = card.get_by_text("不看影像，直接作出决定")
    if unseen.count():
        unseen.click()
    card.locator(f"[data-decision={decision}]").check()
    card.locator("textarea[name=reason]").fill(reason)
    card.get_by_role("button", name="提交决定").click()
    somebody.sees("决定已记录")


def open_first(somebody: Visitor, queue: str) -> None:
    somebody.open(queue).page.locator("[data-row] [data-open]").first.click()


def test_the_second_reviewer_learns_the_first_ones_reason_only_after_deciding(
    visitor: Visit,
) -> None:
    zhao, sun = visitor("zhao"), visitor("sun")
    open_first(zhao, OTHER_PERSON)
    decide(zhao, "uphold", "两张照片明显不是同一人")
    zhao.sees("等待另一人复核")

    open_first(sun, OTHER_PERSON)
    sun.sees("其决定与理由在您作出决定后显示")
    sun.does_not_see("两张照片明显不是同一人")
    decide(sun, "uphold", "同意初审意见，脸型不同")
    sun.sees("两张照片明显不是同一人")
    expect(sun.page.locator(".finding").first).to_contain_text("已认定")


def test_one_person_cannot_decide_twice_what_needs_two(visitor: Visit) -> None:
    zhao = visitor("zhao")
    open_first(zhao, OTHER_PERSON)
    decide(zhao, "uphold", "两张照片明显不是同一人")
    expect(
        zhao.page.locator(".finding").first.get_by_role("button", name="提交决定")
    ).to_have_count(0)


def test_a_photo_is_shown_beside_the_reference_once_a_purpose_is_named(visitor: Visit) -> None:
    zhao = visitor("zhao")
    open_first(zhao, OTHER_PERSON)
    zhao.page.locator("#photos summary").click()
    zhao.page.locator("#photos").get_by_role("link", name="查看").first.click()
    expect(zhao.page.locator("main img")).to_have_count(0)
    purpose = zhao.page.locator("[name=purpose]").first
    if purpose.evaluate("field => field.tagName") == "SELECT":
        purpose.select_option(index=1)
    else:
        purpose.fill("核对是否本人")
    zhao.page.locator("main form").get_by_role("button").first.click()
    pictures = zhao.page.locator("main img")
    expect(pictures).to_have_count(2)
    for picture in pictures.all():
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0

    admin = visitor("admin").open("/console/audit")
    admin.sees("查看影像")


def test_a_platforms_people_see_only_their_own_platform(visitor: Visit) -> None:
    feng = visitor("feng").open("/console/classes")
    feng.sees("shouyin-03")
    feng.does_not_see("dianshang-01")
    feng.open("/console/findings?status=all")
    expect(feng.page.locator("[data-row]").first).to_be_visible()
    feng.does_not_see("dianshang-01")
    open_first(feng, "/console/findings?status=all")
    expect(feng.page.get_by_role("button", name="提交决定")).to_have_count(0)
    assert feng.page.goto(f"{feng.site}/console/users").status == 403


def test_the_administrator_lets_somebody_in_and_shuts_them_out_again(visitor: Visit) -> None:
    admin = visitor("admin").follow("用户")
    admin.page.locator("[name=username]").fill("li")
    admin.page.locator("[name=display_name]").fill("李新")
    admin.page.locator("[name=role]").select_option("auditor")
    admin.page.locator("[name=counties]").fill("示例县")
    form = admin.page.locator("form").filter(has=admin.page.locator("[name=username]"))
    form.locator("[name=reason]").fill("新到岗的审核员")
    form.get_by_role("button").click()
    admin.sees("李新")
    admin.open("/console/audit?action=user.")
    admin.sees("新增用户")


def test_somebody_changes_their_own_password(visitor: Visit) -> None:
    sun = visitor("sun").follow(re.compile("孙丽"))
    sun.page.get_by_label("当前口令").fill(PASSWORD)
    sun.page.get_by_label("新口令", exact=True).fill("another-horse-8")
    sun.page.get_by_label("再次输入新口令").fill("another-horse-8")
    sun.page.get_by_role("button", name="修改口令").click()
    sun.sees("口令已修改")
    sun.page.reload()
    expect(sun.page.get_by_role("button", name="退出")).to_be_visible()

    again = visitor().open("/")
    again.page.get_by_label("用户名").fill("sun")
    again.page.get_by_label("口令").fill("another-horse-8")
    again.page.get_by_role("button", name="登录").click()
    again.sees("总览")


def test_the_administrator_reads_two_packs(visitor: Visit) -> None:
    admin = visitor("admin").follow("规则包").follow(re.compile("huangchuan-2021-graded|分级"))
    admin.sees("max_gap_s")


def test_the_language_is_switched_and_stays_so(visitor: Visit) -> None:
    zhao = visitor("zhao")
    zhao.page.get_by_role("link", name="EN").click()
    expect(zhao.page.locator("html")).to_have_attribute("lang", "en")
    zhao.open("/console/findings")
    expect(zhao.page.get_by_role("heading", level=1)).not_to_contain_text("待办")
    expect(zhao.page.get_by_role("button", name="Sign out")).to_be_visible()
    zhao.page.get_by_role("link", name="中文").click()
    expect(zhao.page.get_by_role("heading", level=1)).to_contain_text("待办")


def test_a_printed_sitting_leaves_out_what_is_only_for_the_screen(visitor: Visit) -> None:
    zhao = visitor("zhao")
    open_first(zhao, "/console/findings?rule=fast_forward")
    zhao.page.emulate_media(media="print")
    expect(zhao.page.locator(".picture-card svg.session-picture").first).to_be_visible()
    expect(zhao.page.locator(".finding blockquote").first).to_be_visible()
    expect(zhao.page.get_by_role("navigation")).to_be_hidden()
    expect(zhao.page.locator(".finding form.decide").first).to_be_hidden()


def test_what_was_typed_outlives_a_login_that_ended(visitor: Visit) -> None:
    zhao = visitor("zhao").open("/console/findings")
    zhao.page.locator("[data-open]").last.click()
    card = zhao.page.locator(".finding").first
    card.locator("[data-decision=overturn]").check()
    card.locator("textarea[name=reason]").fill("打了一半的理由，还没有提交")
    zhao.page.context.clear_cookies()
    card.get_by_role("button", name="提交决定").click()
    zhao.sign_in_again("zhao")
    card = zhao.page.locator(".finding").first
    expect(card.locator("textarea[name=reason]")).to_have_value("打了一半的理由，还没有提交")
    expect(card.locator("[data-decision=overturn]")).to_be_checked()
    zhao.page.get_by_role("button", name="退出").click()
    assert zhao.page.evaluate("sessionStorage.length") == 0
