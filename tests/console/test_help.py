"""Help is one click away from every page, and leads to the part that is about it."""

from __future__ import annotations

import re

import pytest

from app.console.help_topics import TOPICS
from tests.console.conftest import Desk

LINK = re.compile(r'href="/console/help#([a-z-]+)"')


@pytest.mark.parametrize(
    ("path", "topic"),
    [
        ("/console", "start"),
        ("/console/cases", "cases"),
        ("/console/classes", "class"),
        ("/console/classes/{klass}", "class"),
        ("/console/classes/{klass}/acts", "acts"),
        ("/console/classes/{klass}/sign-off", "sign-off"),
        ("/console/classes/{klass}/stages", "money"),
        ("/console/classes/{klass}/learners/{吴强}/enrolment", "face-data"),
        ("/console/account", "account"),
        ("/console/help", "start"),
    ],
)
def test_a_page_leads_to_the_help_that_is_about_it(desk: Desk, path: str, topic: str) -> None:
    where = path.format(klass=desk.county.classes["HC-2026-014"], **desk.county.learners)
    # Who signs has the class concluded on first: a county made of bare rows is not fit for that.
    who = "luo" if topic == "sign-off" else "zhao"
    found = LINK.search(desk.sign_in(who).get(where))
    assert found and found[1] == topic
    assert f'id="{topic}"' in desk.get("/console/help")


def test_the_help_is_written_in_both_languages(desk: Desk) -> None:
    page = desk.sign_in("zhao").get("/console/help?lang=en")
    for it in TOPICS.values():
        assert it.title.en in page and it.purpose.en.replace("'", "&#39;") in page
    main = page.partition("<main")[2]
    assert not re.findall(r"[\u4e00-\u9fff]+", main.replace("附件2", ""))
