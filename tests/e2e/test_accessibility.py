"""Every page for everyone: axe finds nothing serious, focus is seen, colour is never alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select

from models import Finding
from tests.e2e.conftest import Visitor
from tests.e2e.pages import ADMIN, AUDITOR, CLERK, NOBODY, addresses

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
GRAVE = ("serious", "critical")
# What axe is asked. In English what hangs on the words: the markup and the colours are the same.
ALL: dict[str, Any] = {}
WORDS = "cat.name-role-value", "cat.text-alternatives", "cat.language", "cat.forms"
ON_WORDS = {"runOnly": {"type": "tag", "values": list(WORDS)}}
AXE = Axe()
CUT_OFF = """() => [...document.querySelectorAll(".scroll")]
    .filter(it => document.body.clientWidth > 1200 && it.scrollWidth > it.clientWidth + 1)
    .map(it => it.getAttribute("aria-label") || it.innerText.slice(0, 40))"""


def grave_issues(page: Page, asked: dict[str, Any] = ALL) -> list[str]:
    options = {"resultTypes": ["violations"], "preload": False, **asked}
    issues = AXE.run(page, options=options).response["violations"]
    return [
        f"{it['id']} {it['help']} {[node['target'] for node in it['nodes'][:3]]}"
        for it in issues
        if it["impact"] in GRAVE
    ]


@pytest.mark.parametrize(
    ("language", "asked"),
    [
        pytest.param("zh", ALL, id="zh with colours", marks=pytest.mark.thorough),
        pytest.param("en", ON_WORDS, id="en", marks=pytest.mark.thorough),
    ],
)
def test_axe_finds_nothing_serious_and_no_table_is_cut_off_on_any_page(
    visitor: Visit, language: str, asked: dict[str, Any]
) -> None:
    people = {
        who: visitor(who).open(f"/console/language/{language}") for who in (AUDITOR, ADMIN, CLERK)
    }
    people[NOBODY] = visitor().open(f"/console/language/{language}")
    found = []
    for name, address in addresses(people[AUDITOR].site.services).items():
        page = people[address.who].page
        answer = page.goto(people[address.who].site.url + address.path)
        assert answer is not None and answer.status == 200, (name, address.path)
        found += [f"{name}: {it}" for it in grave_issues(page, asked)]
        found += [f"{name}: cut off at the side: {it}" for it in page.evaluate(CUT_OFF)]
    assert found == []


@pytest.mark.thorough
def test_what_has_the_focus_is_seen(visitor: Visit) -> None:
    zhao = visitor("zhao").open("/console/findings")
    for _ in range(12):
        zhao.press("Tab")
        outline = zhao.page.evaluate(
            """() => { const style = getComputedStyle(document.activeElement);
                return [style.outlineStyle, parseFloat(style.outlineWidth), style.boxShadow,
                        document.activeElement.outerHTML.slice(0, 90)] }"""
        )
        style, width, shadow, what = outline
        assert (style != "none" and width >= 2) or shadow != "none", what


@pytest.mark.thorough
def test_every_mark_has_a_word_or_a_letter_beside_its_colour(visitor: Visit) -> None:
    zhao = visitor("zhao").open("/console/findings?status=all")
    for badge in zhao.page.locator(".badge").all():
        assert badge.inner_text().strip() and badge.locator("svg path").count() == 1
    with zhao.site.services.database.read() as connection:
        class_id = connection.scalars(select(Finding.class_id).limit(1)).one()
    zhao.open(f"/console/classes/{class_id}")
    marks = zhao.page.locator(".matrix .hour")
    expect(marks.first).to_be_visible()
    told = {(it.get_attribute("class") or "").split()[1]: it.inner_text() for it in marks.all()}
    assert all(told.values()) and len(set(told.values())) == len(told)
