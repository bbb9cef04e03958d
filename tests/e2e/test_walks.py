"""The longer ways through the console, each from its first click to what comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.e2e.conftest import Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
PHONE = {"width": 390, "height": 844}


def appeals(learner: Visitor, about: str, words: str) -> Locator:
    """The finding on the learner's own page, appealed against in these words."""
    accused = learner.page.locator(".own-finding").filter(has_text=about).first
    accused.get_by_text("我认为不对").click()
    accused.get_by_role("textbox").fill(words)
    accused.get_by_role("button", name="提交申诉").click()
    return accused


def test_a_learner_appeals_on_the_phone_and_reads_the_reply(visitor: Visit) -> None:
    zhao = visitor("zhao").open("/console/findings?rule=fast_forward")
    zhao.page.locator("[data-row] a[href*='/learners/']").first.click()
    zhao.page.get_by_role("button", name="生成学员本人链接").click()
    link = zhao.page.get_by_role("status").get_by_role("link").get_attribute("href")
    assert link

    learner = visitor(viewport=PHONE)
    learner.page.goto(link)
    accused = appeals(learner, "播得太快", "当天停电，恢复后播放器自己跳到了后面")
    learner.sees("您的申诉已提交")
    expect(accused.locator(".appeal")).to_have_count(1)
    learner.does_not_see("请补学该课时")

    sun = visitor("sun").open("/console/findings").follow("待答复的申诉")
    sun.page.locator("[data-row] [data-open]").first.click()
    sun.sees("恢复后播放器自己跳到了后面")
    appeal = sun.page.locator(".appeal").first
    appeal.get_by_text("答复申诉").click()
    appeal.get_by_label("维持原决定").check()
    appeal.get_by_role("textbox").fill("服务器记录显示当时没有中断，请补学该课时")
    appeal.get_by_role("button", name="提交答复").click()
    sun.sees("请补学该课时")

    learner.page.goto(link)
    learner.sees("服务器记录显示当时没有中断，请补学该课时")


def test_a_platforms_key_works_until_it_is_revoked(visitor: Visit) -> None:
    admin = visitor("admin").follow("平台").follow(re.compile("启航"))
    admin.page.get_by_label("名称", exact=True).fill("夜间上报")
    admin.page.locator("#keys").get_by_role("button", name="新增").click()
    secret = admin.page.locator(".secret").inner_text()

    def answer() -> int:
        asked = f"{admin.site}/v1/findings"
        return admin.page.request.get(asked, headers={"Authorization": f"Bearer {secret}"}).status

    assert answer() == 200
    admin.follow("平台").follow(re.compile("启航"))
    admin.does_not_see(secret)
    key = admin.page.locator("#keys tr").filter(has_text="夜间上报")
    key.get_by_role("link", name="吊销").click()
    admin.sees("一律被拒：报送学习数据")
    admin.page.get_by_label(re.compile("理由")).fill("平台更换密钥管理人")
    admin.page.get_by_role("button", name="吊销").click()
    expect(key).to_contain_text("已吊销")
    assert answer() == 401


def test_a_view_is_saved_and_used_again(visitor: Visit) -> None:
    zhao = visitor("zhao").open("/console/findings?rule=popup_gap&order=old")
    zhao.page.get_by_text("保存当前筛选").click()
    zhao.page.get_by_label("视图名称").fill("弹窗，先来先办")
    zhao.page.get_by_role("button", name="保存").click()
    zhao.open("/console/findings").follow("弹窗，先来先办")
    expect(zhao.page).to_have_url(re.compile("rule=popup_gap.*order=old"))
    expect(zhao.page.get_by_role("link", name="弹窗，先来先办")).to_have_attribute(
        "aria-current", "true"
    )


def test_the_sample_of_an_inspection_is_drawn_and_what_was_found_is_noted(visitor: Visit) -> None:
    zhao = visitor("zhao").follow("班级").follow("dianshang-01").follow("远程巡查")
    zhao.page.get_by_label("范围").select_option(label="全班学员")
    zhao.page.get_by_label("人数").fill("2")
    asked: list[Route] = []
    zhao.page.route("**/inspections", lambda it: asked.append(it))  # the line is slow
    button = zhao.page.get_by_role("button", name="抽取")
    button.evaluate("it => (it.click(), setTimeout(() => it.click(), 200))")
    zhao.page.wait_for_timeout(500)
    assert len(asked) == 1, "pressed once more, it draws nobody else"
    asked[0].continue_()
    drawn = zhao.page.locator("tbody tr")
    expect(drawn).to_have_count(2)
    drawn.first.get_by_label("未在学").check()
    drawn.first.get_by_label("备注").fill("电话无人接听")
    zhao.page.get_by_role("button", name="登记巡查结果").click()
    expect(drawn.first).to_contain_text("未在学")
    expect(drawn.first).to_contain_text("电话无人接听")
    expect(drawn.last).to_contain_text("未登记")


@pytest.mark.thorough
def test_another_pack_is_tried_and_nothing_changes_by_it(visitor: Visit) -> None:
    zhao = visitor("zhao").follow("规则包")
    zhao.page.get_by_label("规则包").last.select_option("huangchuan-2021-literal@1.0.0")
    zhao.page.get_by_role("button", name="试算").click()
    zhao.sees("不写入任何结论")
    expect(zhao.page.locator("main")).to_contain_text("会改变的结论")
    zhao.open("/console/packs")
    tried = zhao.page.locator(".plain-list li").first
    expect(tried).to_contain_text("按字面处理")
    expect(tried).to_contain_text("校验完成")


def test_the_usual_reason_chooses_the_decision_that_it_is_for(visitor: Visit) -> None:
    zhao = visitor("zhao").open("/console/findings?rule=fast_forward")
    zhao.page.locator("[data-row] [data-open]").first.click()
    card = zhao.page.locator(".finding").first
    card.get_by_label("常用理由").select_option(label="现有记录不足以认定。")
    expect(card.locator("[data-decision=overturn]")).to_be_checked()
    zhao.page.keyboard.press("Escape")
    zhao.press("m")
    expect(card.locator("[data-decision=need_more]")).to_be_checked()
    card.get_by_role("button", name="提交决定").click()
    zhao.sees("尚无定论，仍在待办")


def test_many_alike_are_decided_at_once(visitor: Visit) -> None:
    zhao = visitor("zhao").open("/console/findings?rule=forged_telemetry")
    alike = zhao.page.locator("[data-row]").filter(has_text="脚本点击")
    expect(alike).to_have_count(2)
    for row in alike.all():
        row.get_by_role("checkbox").check()
    zhao.page.get_by_text("处理所选问题").click()
    many = zhao.page.locator(".many")
    many.get_by_label("撤销").check()
    many.get_by_label(re.compile("理由")).fill("两人使用读屏软件，已当面核实")
    many.get_by_role("button", name="一并决定").click()
    zhao.sees("已一并决定2条")
    expect(alike).to_have_count(0)


@pytest.mark.thorough
def test_lists_that_two_people_signed_are_corrected_once_somebody_appeals(visitor: Visit) -> None:
    zhao = visitor("zhao").open("/console/findings?rule=popup_gap")
    zhao.row("钱四").locator("[data-open]").click()
    zhao.page.locator("input[name=decision][value=uphold]").first.check()
    zhao.page.get_by_label(re.compile("理由（必填")).first.fill(
        "已核对时间轴与服务器记录，事实清楚。"
    )
    zhao.page.get_by_role("button", name="提交决定").first.click()
    zhao.sees("决定已记录")
    zhao.open("/console/findings?rule=popup_gap&status=upheld")
    zhao.row("钱四").locator("a[href*='/learners/']").click()
    zhao.page.get_by_role("button", name="生成学员本人链接").click()
    link = zhao.page.get_by_role("status").get_by_role("link").get_attribute("href")
    assert link
    lists = "/console/classes/1/sign-off"
    zhao.open(lists).page.get_by_role("button", name="送签").click()
    zhao.sees("请另一位审核员或复核员签发")
    sun = visitor("sun").open(lists)
    sun.page.get_by_role("button", name="我已核对，签发").click()
    sun.sees("与签发时一致")

    learner = visitor(viewport=PHONE)
    learner.page.goto(link)
    appeals(learner, "弹窗", "当天停电，换了手机，弹窗没有出来")
    learner.sees("已经签发的名单，由人社部门另出更正")

    zhao.open(lists).sees("签发之后有1人变动")
    expect(zhao.page.locator("main tr").filter(has_text="钱四")).to_contain_text(
        re.compile("不接受.*未审结", re.S)
    )
    zhao.page.get_by_label(re.compile("更正理由")).fill("钱四申诉未答复")
    zhao.page.get_by_role("button", name="送签更正第1号").click()
    sun.open(lists).page.get_by_role("button", name="我已核对，签发").click()
    sun.sees("更正第1号")
    asked = f"{sun.site}/v1/classes/dianshang-01/exports/refused.csv?platform=qihang"
    paper = sun.page.request.get(asked).text()
    assert "更正第1号" in paper and "由不接受改为未审结" in paper and "钱四申诉未答复" in paper
