"""The case of each rule, for each reason that it gives, as who decides it sees it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import insert, select

from app import rules
from app.store.review import cases
from models import Finding, Learner
from tests.console import county as rows
from tests.console import stories
from tests.console.conftest import Desk
from tests.console.county import NOW
from tests.console.test_labels import CHINESE, DATA, Text

KLASS = "HC-2026-014"
CROWDS = ("collusion", "shared_device", "shared_address", "cloned_traces")
REASONS = [
    (name, reason)
    for name, rule in sorted(rules.known().items())
    for reason, words in rule.reasons.items()
    if not words.former
]
# What is written in letters on a Chinese page too.
LETTERS = re.compile(r"HC-2026-\d+|device-\w+|PDF|JPE?G|PNG|HEIC|WebP|BMP|XLSX|DOCX|MB", re.I)
WORD = re.compile(r"[A-Za-z_]{2,}")


@pytest.fixture
def case_of(desk: Desk) -> Any:
    """The address of a case with one finding by a rule, for a reason."""

    def case_of(rule: str, reason: str) -> str:
        said = stories.said("fast_forward", "review", NOW - 600_000, NOW - 60_000, 3, 0, "count")
        said["limit"] = 2 if rule in CROWDS else 0
        said |= {"rule": rule, "reason": reason, "key": f"{rule}-{reason}"}
        crowd = rule in CROWDS
        with desk.services.database.write() as connection:
            klass = desk.county.classes[KLASS]
            belongs = {
                "platform_id": desk.county.platforms[0],
                "class_id": klass,
                "learner_id": None if crowd else desk.county.learners["吴强"],
                "session_id": None if crowd else desk.county.sessions["fast"],
            }
            columns = rows.finding_columns(said, age_ms=0, **belongs)
            if crowd:
                named = select(Learner.name, Learner.external_id)
                who = dict(connection.execute(named).all())
                members = [
                    {"learner_id": who["林静"], "sessions": ["s-honest"]},
                    {"learner_id": who["吴强"], "sessions": ["s-fast"]},
                ]
                columns["body"] |= {"scope": "class", "subject": "x", "members": members}
            cases.file_under(connection, klass, [columns], NOW)
            connection.execute(insert(Finding), [columns | {"shadow": False}])
        return f"/console/cases/{columns['case_id']}"

    return case_of


def main_of(html: str) -> str:
    return html[html.index("<main") : html.index("</main>")]


def read_in(html: str) -> str:
    """What stands there to be read, line by line."""
    parser = Text()
    parser.feed(html)
    return "\n".join(it.strip() for it in parser.found if it.strip())


@pytest.mark.parametrize(("rule", "reason"), REASONS)
def test_the_case_says_what_the_rule_says_in_chinese_and_has_reasons_for_each_decision(
    desk: Desk, case_of: Any, rule: str, reason: str
) -> None:
    page = main_of(desk.sign_in("zhao").get(case_of(rule, reason)))
    assert "<blockquote" in page, "what the rule says"
    offered = re.findall(r'<optgroup data-for="(\w+)".*?</optgroup>', page, re.S)
    assert offered == ["uphold", "overturn", "need_more"]
    read = read_in(page)
    left = WORD.findall(LETTERS.sub("", read))
    assert not left, left
    assert rule not in read and reason not in read
    assert not re.search(r"限值\s+0", read), "a limit of nothing is said in words"


@pytest.mark.parametrize(("rule", "reason"), REASONS)
def test_in_english_nothing_is_left_in_chinese(
    desk: Desk, case_of: Any, rule: str, reason: str
) -> None:
    desk.client.cookies.set("zhenxue_lang", "en")
    page = main_of(desk.sign_in("zhao").get(case_of(rule, reason)))
    left = [it for it in read_in(page).splitlines() if CHINESE.search(DATA.sub("", it))]
    assert not left, left
