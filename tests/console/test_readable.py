"""Codes are said in words: what checks found, packs, and who did what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.console import readable
from app.console.actors import of_key
from app.console.language import language
from app.domain.policy import packs
from app.domain.policy.pack import Pack
from app.store.bodies import ClauseBody
from detectors.batch_facts import ApplicantKind, Mode
from models import AuditEntry, Finding
from tests.console.conftest import Desk
from tests.console.test_labels import Text
from tests.console.test_self_service_page import given

CHINESE, ENGLISH = language("zh"), language("en")
CODE = re.compile(r"[a-z]+_[a-z_]+|\b[a-z]{3,}\b")


@pytest.mark.parametrize(
    ("found", "zh", "en"),
    [
        ("offline", "线下", "Offline"),
        ("enterprise", "企业", "Enterprise"),
        ("stricter", "从严", "Strict reading"),
        ("≥ 3天", "≥ 3天", "≥ 3 days"),
        ("4月、8月、12月", "4月、8月、12月", "April, August, December"),
        ("满1个月", "满1个月", "1 full month(s)"),
        ("电子商务师", "电子商务师", "电子商务师"),
        ("16:2", "16:2", "16:2"),
    ],
)
def test_what_a_check_found_is_said_in_words(found: str, zh: str, en: str) -> None:
    assert readable.value(found, CHINESE) == zh
    assert readable.value(found, ENGLISH) == en


@pytest.mark.parametrize("code", [*Mode, *ApplicantKind])
def test_every_mode_and_applicant_has_a_word(code: str) -> None:
    assert not CODE.search(readable.value(code, CHINESE))


def words_in(pack: Pack) -> Iterator[str]:
    for table in (*pack.table.rules, *pack.table.checks, *pack.table.sections):
        for it in pack.parameters_of(table):
            if isinstance(it.value, str):
                yield readable.value(it.value, CHINESE)
            yield readable.note(it.note.zh)


@pytest.mark.parametrize("name", [it.name for it in packs.available()])
def test_a_pack_has_no_code_among_its_words(name: str) -> None:
    pack = packs.load(name)
    assert not [it for it in words_in(pack) if CODE.search(it)]
    assert not CODE.search(readable.pack(name, CHINESE))
    other = packs.load("huangchuan-2021-literal")
    assert not [
        it
        for it in readable.differences(pack, other)
        if CODE.search(readable.place(it.path, pack, other, CHINESE))
    ]


def test_checks_of_one_clause_share_its_number() -> None:
    assert [readable.check(it) for it in ("C11", "C11_opening")] == ["C11", "C11"]


def test_who_and_what_are_said_in_words() -> None:
    told = [
        readable.actor(it, CHINESE)
        for it in ("user:zhao", "key:3", "system:nightly", "learner-link:9")
    ]
    assert told == ["zhao", "平台密钥3", "系统", "学员本人"]
    assert readable.subject("finding:12", ENGLISH) == "Finding 12"


def test_the_audit_log_says_in_words_what_was_done(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    desk.sign_in("zhao").decide("fast:fast_forward", "uphold", "已核对时间轴")
    with desk.services.database.read() as connection:
        actions = set(connection.scalars(select(AuditEntry.action)))
    assert actions >= {"finding.uphold", "login.opened"} and actions <= set(readable.ACTIONS)
    page = new_desk().sign_in("root").get("/console/audit")
    assert "认定" in page and "环节 初审 · 理由 已核对时间轴 · 状态 已认定" in page
    rows = page.split("<tbody>")[1]
    assert "stage" not in rows and "user:zhao" not in rows


def test_a_class_says_by_which_rules_it_is_judged(desk: Desk) -> None:
    desk.sign_in("zhao")
    page = desk.get(f"/console/classes/{desk.county.classes['HC-2026-014']}")
    assert "潢川县2021年方案·分级处理 1.0.0" in page


class Seen(Text):
    """What a page shows, but for what it marks as a code: ids, digests, and the browser's name."""

    def __init__(self) -> None:
        super().__init__()
        self.coded: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, [(name, it) for name, it in attrs if name != "lang"])
        if tag not in ("meta", "link", "input", "img", "br", "hr"):
            self.coded.append(tag == "code" or "mono" in (dict(attrs).get("class") or "").split())

    def handle_endtag(self, tag: str) -> None:
        super().handle_endtag(tag)
        if self.coded:
            self.coded.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.coded):
            super().handle_data(data)


@pytest.mark.parametrize(
    "path",
    [
        "/console",
        "/console/findings?status=all",
        "/console/classes/1",
        "/console/classes/1/learners/2",
        "/console/classes/1/learners/2/hours/1",
        "/console/sessions/2",
        "/console/packs/huangchuan-2021-graded@1.0.0",
        "/console/packs/huangchuan-2021-literal@1.0.0?against=huangchuan-2021-graded",
        "/console/platforms/yunke",
        "/console/runs",
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_page_shows_a_code(desk: Desk, path: str, lang: str) -> None:
    desk.client.cookies.set("zhenxue_lang", lang)
    reader = Seen()
    reader.feed(desk.sign_in("zhao").get(path))
    code = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
    assert not [it.strip() for it in reader.found if code.search(it)]


def test_every_action_that_the_service_enters_has_its_words() -> None:
    entered = re.compile(r'(?:action=|_record\([^)]*?,\s*|_log\([^)]*?,\s*)"([a-z]+\.[a-z_]+)"')
    source = (path.read_text("utf-8") for path in Path(readable.__file__).parents[1].rglob("*.py"))
    actions = {code for text in source for code in entered.findall(text)}
    assert len(actions) > 25 and actions <= set(readable.ACTIONS)


def test_a_class_counts_what_waits_against_itself_too(desk: Desk) -> None:
    klass, one = desk.county.classes["HC-2026-014"], desk.county.findings["fast:fast_forward"]
    with desk.services.database.write() as connection:
        connection.execute(update(Finding).where(Finding.id == one).values(learner_id=None))
    desk.sign_in("zhao")
    link = re.compile(rf'href="/console/findings\?class={klass}">(\d+)<')
    of_class = link.search(desk.get(f"/console/classes/{klass}"))
    in_list = link.search(desk.get("/console/classes"))
    assert of_class and in_list and of_class[1] == in_list[1]


def test_the_auditor_reads_what_the_learner_reads(desk: Desk) -> None:
    own = desk.get(given(desk))
    page = desk.sign_in("zhao").get(f"/console/sessions/{desk.county.sessions['fast']}")
    told = re.search(r"学员在自己的页面上看到什么</summary><p[^>]*>([^<]+)<", page)
    assert told and told[1] in own


def test_a_share_that_is_not_nothing_is_never_shown_as_nothing() -> None:
    zh = language("zh")
    assert readable.share(0.98, zh) == "98%" and readable.share(0, zh) == "0%"
    assert readable.share(1e-9, zh) == "1/1,000,000,000" and readable.share(1e-4, zh) == "1/10,000"


def test_a_clause_whose_text_is_not_kept_cites_its_instrument_alone() -> None:
    clause = ClauseBody(key="x/1", quote="", instrument="某办发〔2019〕50号", article="not in tree")
    assert readable.cited(clause) == "某办发〔2019〕50号"


def test_a_key_is_told_by_the_platform_that_has_it() -> None:
    names = {"key:3": "潢川示例学习平台"}
    told = [of_key(it, names, CHINESE) for it in ("key:3", "key:4")]
    assert told == ["潢川示例学习平台（平台密钥3）", "平台密钥4"]
