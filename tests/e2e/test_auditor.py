"""Zhao audits: finds what is grave, understands it, decides, and goes on to the next."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from app.cli.demo import COUNTY
from tests.console import county as rows
from tests.e2e.conftest import OFFICE_PC, Visitor
from tests.e2e.pages import addresses
from tests.e2e.site import PASSWORD, Site
from tests.thorough import later

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
SCROLLBAR = 17  # pixels, as Windows draws it


def test_zhao_goes_from_the_login_to_a_decision_and_on_to_the_next(visitor: Visit) -> None:
    zhao = visitor("zhao").follow(re.compile("^问题$"))
    zhao.page.get_by_role("complementary", name="筛选").get_by_role("link", name="疑似违规").click()
    zhao.row("播放进度前进了").get_by_role("link", name=re.compile("快进播放")).click()

    expect(zhao.page.locator(".picture-card svg.session-picture").first).to_be_visible()
    card = zhao.page.locator(".finding").first
    expect(card).to_contain_text("快进播放")
    expect(card.locator("blockquote")).to_contain_text("快进播放")
    expect(card).to_contain_text("实测")
    expect(card).to_contain_text("限值")

    card.get_by_role("radio", name="认定").check()
    card.get_by_label(re.compile("理由（必填")).fill("播放进度与服务器时间不符，已核对原始记录")
    card.get_by_role("button", name="提交决定").click()
    zhao.sees("决定已记录")
    expect(zhao.page.locator(".finding").filter(has_text="已核对原始记录")).to_contain_text(
        "已认定"
    )

    before = zhao.page.url
    zhao.follow(re.compile("下一条"))
    assert zhao.page.url != before
    expect(zhao.page.get_by_role("button", name="提交决定").first).to_be_visible()


def test_a_decision_without_a_reason_is_not_taken(visitor: Visit) -> None:
    zhao = visitor("zhao").open("/console/findings?rule=fast_forward")
    zhao.row("播放进度").locator("[data-open]").click()
    card = zhao.page.locator(".finding").first
    card.get_by_text("撤销").first.click()
    card.get_by_role("button", name="提交决定").click()
    reason = card.get_by_label(re.compile("理由（必填"))
    assert reason.evaluate("field => field.validity.valueMissing")
    zhao.does_not_see("决定已记录")


def test_the_usual_reasons_need_no_typing(visitor: Visit) -> None:
    zhao = visitor("zhao").open("/console/findings?rule=popup_gap")
    zhao.row("弹窗").locator("[data-open]").click()
    card = zhao.page.locator(".finding").first
    card.get_by_text("认定", exact=False).first.click()
    usual = card.get_by_label("常用理由")
    usual.select_option(index=1)
    expect(card.get_by_label(re.compile("理由（必填"))).not_to_have_value("")
    card.get_by_role("button", name="提交决定").click()
    zhao.sees("决定已记录")


def test_a_point_of_the_picture_leads_to_its_row_of_evidence(visitor: Visit) -> None:
    zhao = visitor("zhao").open("/console/findings?rule=popup_gap&about=learner")
    zhao.row("弹窗").locator("[data-open]").click()
    mark = zhao.page.locator(
        ".session-picture a[href^='#control-'], .session-picture a[href^='#photo-']"
    ).first
    target = mark.get_attribute("href")
    assert target
    mark.dispatch_event("click")
    expect(zhao.page.locator(target)).to_be_visible()


def test_a_class_is_judged_now_and_tells_how_far_it_is(visitor: Visit) -> None:
    zhao = visitor("zhao").follow("班级").follow("dianshang-01")
    zhao.page.get_by_role("button", name="立即校验").click()
    expect(zhao.page.locator("main")).to_contain_text("校验完成")
    zhao.sees("学时矩阵")


def test_everything_can_be_done_from_the_keyboard(visitor: Visit) -> None:
    zhao = visitor()
    zhao.open("/").page.locator("[name=username]").focus()
    zhao.page.keyboard.type("zhao")
    zhao.press("Tab")
    zhao.page.keyboard.type(PASSWORD)
    zhao.press("Enter")
    expect(zhao.page.get_by_role("button", name="退出")).to_be_visible()
    zhao.open("/console/findings")
    zhao.press("j", "j", "k")
    current = zhao.page.locator("[data-row].current")
    expect(current).to_have_count(1)
    zhao.press("Enter")
    zhao.page.wait_for_url(re.compile("/console/(sessions|findings)/"))
    zhao.press("u")
    zhao.page.keyboard.type("已核对服务器记录，情况属实")
    zhao.press("Tab", "Enter")
    zhao.sees("决定已记录")
    before = zhao.page.url
    zhao.press("n")
    zhao.page.wait_for_url(lambda url: url != before)
    zhao.press("o")
    expect(zhao.page.locator("[data-decision=overturn]").first).to_be_checked()


def test_the_matrix_is_walked_by_keyboard_and_shows_the_sittings_behind_a_cell(
    visitor: Visit,
) -> None:
    zhao = visitor("zhao").open("/console/classes")
    zhao.follow("dianshang-01")
    cells = zhao.page.locator(".matrix a.hour")
    expect(zhao.page.locator('.matrix a.hour:not([tabindex="-1"])')).to_have_count(1)
    cells.first.focus()
    zhao.press("ArrowDown", "ArrowRight", "Enter")  # the second learner's second class-hour
    card = zhao.page.locator(".beside")
    expect(card).to_contain_text("第2课时")
    expect(card.get_by_role("link").first).to_be_focused()
    zhao.press("Escape")
    expect(card).to_be_hidden()
    expect(cells.nth(3)).to_be_focused()
    zhao.press("Enter")
    card.locator("td a").first.click()
    expect(zhao.page).to_have_url(re.compile(r"/console/sessions/\d+$"))


@pytest.mark.parametrize("language", ["en", *later("zh")])  # whose words are shorter
def test_a_full_class_fits_an_office_screen(visitor: Visit, language: str) -> None:
    zhao = visitor("zhao").open(f"/console/language/{language}")
    with zhao.site.services.database.write() as connection:
        klass = rows.full_class(connection, rows.County(platforms=[1]), 80, 40, COUNTY)
    zhao.open(f"/console/classes/{klass}")
    page, scroller = zhao.page, zhao.page.locator(".matrix-scroll")
    assert page.evaluate("document.documentElement.scrollWidth") <= OFFICE_PC["width"]
    spare = scroller.evaluate("it => it.clientWidth - it.firstElementChild.scrollWidth")
    assert spare >= 2 * SCROLLBAR  # the page's and the matrix's, where they take room
    scroller.evaluate("it => it.scrollTo(0, 900)")
    top = scroller.bounding_box()["y"]
    assert abs(page.locator(".matrix thead th").first.bounding_box()["y"] - top) < 2


@pytest.mark.parametrize("language", ["en", *later("zh")])
def test_the_queue_fits_an_office_screen(visitor: Visit, language: str) -> None:
    zhao = visitor("zhao").open(f"/console/language/{language}").open("/console/findings")
    spare = zhao.page.locator(".scroll").first.evaluate(
        "it => it.clientWidth - it.firstElementChild.scrollWidth"
    )
    assert spare >= 0


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", ["case", "class-finding"])
def test_no_decision_is_cut_off_at_the_side(
    visitor: Visit, site: Site, language: str, name: str
) -> None:
    zhao = visitor("zhao").open(f"/console/language/{language}")
    zhao.open(addresses(site.services)[name].path)
    beyond = """its => its.map(it =>
        it.getBoundingClientRect().right - it.closest(".card").getBoundingClientRect().right)"""
    choices = zhao.page.locator("fieldset .choice:visible").evaluate_all(beyond)
    assert len(choices) >= 3 and max(choices) < 0
