"""A trainee with a telephone and a link: what it says, whether a thumb finds it, and an appeal.

Nothing here needs JavaScript, which old telephones and careful people have switched off.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from models import Appeal
from tests.e2e.conftest import Visitor
from tests.e2e.pages import addresses
from tests.e2e.site import Site

TELEPHONE = {"width": 360, "height": 740}
THUMB = 44  # CSS pixels, the least that WCAG 2.5.5 asks for
STATEMENT = "那天傍晚全村停电，我换了手机接着学，村委会可以证明。"


@pytest.fixture
def trainee(visitor: Callable[..., Visitor], site: Site) -> Visitor:
    own = addresses(site.services)["own"].path
    return visitor(viewport=TELEPHONE, java_script_enabled=False).open(own)


def test_who_waits_for_a_decision_is_told_so_and_is_sent_nowhere(trainee: Visitor) -> None:
    trainee.sees("人工复核中，还没有结论")
    trainee.sees("现在不算您违规")
    for word in ("可直接补课", "服务器", "客户端", "覆盖", "认定成立"):
        trainee.does_not_see(word)


def test_everything_to_press_fits_a_thumb_and_nothing_runs_off_the_screen(
    trainee: Visitor,
) -> None:
    trainee.page.locator("summary").first.click()
    targets = trainee.page.locator("main a, main button:visible, main summary").all()
    small = [
        it.inner_text()
        for it in targets
        if (box := it.bounding_box()) and min(box["width"], box["height"]) < THUMB
    ]
    assert targets and not small
    main = trainee.page.locator("main").bounding_box()
    assert main and main["width"] <= TELEPHONE["width"]


def test_an_appeal_is_filed_waited_for_and_answered(trainee: Visitor, site: Site) -> None:
    page = trainee.page
    page.locator("summary").first.click()
    page.locator("textarea:visible").fill(STATEMENT)
    page.locator("button:visible").click()
    trainee.sees("您的申诉已提交")
    trainee.sees("等待答复")
    expect(page.get_by_text("您的申诉已提交")).to_be_in_viewport()
    with site.services.database.write() as connection:
        assert connection.execute(select(Appeal.statement)).scalar_one() == STATEMENT
        connection.execute(
            update(Appeal).values(
                reply="已向村委会核实，停电属实。",
                outcome="reopened",
                replied_ms=site.services.clock(),
            )
        )
    trainee.open(addresses(site.services)["own"].path)
    trainee.sees("已答复：换人重新审理")
    trainee.sees("停电属实")


def test_words_that_are_too_short_are_not_lost(trainee: Visitor) -> None:
    page = trainee.page
    page.locator("summary").first.click()
    page.locator("textarea:visible").evaluate("it => it.removeAttribute('minlength')")
    page.locator("textarea:visible").fill("冤")
    page.locator("button:visible").click()
    trainee.sees("4至2000个字")
    page.get_by_role("link", name="回到您写的申诉").click()
    expect(page.locator("textarea:visible")).to_have_value("冤")
