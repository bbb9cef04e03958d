"""Every visible string has its English, and nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from app.console.finding_view import sentence_of
from app.console.language import LOCALES, language
from app.console.sign_off_page import matters_shown
from app.domain.accounts.users import Role, User
from app.domain.judging.unsettled import Matter
from app.store.bodies import CureBody, ReasonBody
from detectors.eligibility import AWAITS_PEOPLE, Cure
from tests import bodies
from tests.console.conftest import Desk
from tests.console.county import PACK

CONSOLE = LOCALES.parent
CHINESE = re.compile(r"[一-鿿]")
LINK = re.compile(r'(?:href|src|action|data-[a-z]+)="([^"]*)"')


def test_every_string_has_its_english() -> None:
    used = {
        message
        for _, _, message, _, _ in extract_from_dir(
            CONSOLE,
            [("**.py", "python"), ("templates/**.html", "jinja2")],
            keywords={"_": None, "say": None, "N_": None},
        )
        if isinstance(message, str) and CHINESE.search(message)
    }
    with (LOCALES / "en" / "LC_MESSAGES" / "console.po").open("rb") as file:
        english = {str(message.id): message.string for message in read_po(file) if message.id}
    assert not [message for message in used if not english.get(message)]
    assert not [message for message in english if CHINESE.search(message) and message not in used]


def test_the_english_fills_in_the_same_values() -> None:
    with (LOCALES / "en" / "LC_MESSAGES" / "console.po").open("rb") as file:
        for message in read_po(file):
            names = re.compile(r"%\((\w+)\)s")
            assert set(names.findall(str(message.id))) == set(names.findall(str(message.string))), (
                message.id
            )


class Text(HTMLParser):
    """Visible text outside elements that say they are Chinese, and texts of attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.chinese_depth: list[bool] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "input", "img", "br", "hr"):
            self.chinese_depth.append(dict(attrs).get("lang") == "zh-CN")
        for name, value in attrs:
            if name in ("title", "placeholder", "aria-label", "alt") and value:
                self.found.append(value)

    def handle_endtag(self, tag: str) -> None:
        if self.chinese_depth:
            self.chinese_depth.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.chinese_depth):
            self.found.append(data)


# What stays Chinese in English: names of people, places, classes' occupations, and the law.
DATA = re.compile(
    "潢川县|光山县|阳光职业培训学校|保育员|养老护理员|（含失智老年人照护与居家适老化改造方向）|中式面点师"
    "|云课在线|智学网校|林静|吴强|何芳|阿卜杜热合曼·买买提依明江·吾斯曼|赵明|孙丽|魏和|胡静|金秋|蔡文|钱卫|冯平|罗分管|系统管理"
    "|托幼机构卫生保健|婴幼儿喂养|意外伤害的预防与处理|婴幼儿照护|农村转移就业劳动者|潢技领办〔2021〕1号|赣应急字〔2024〕24号"
    "|阿行办发〔2019〕50号|2021年潢川县全民技能振兴工程暨职业技能提升行动工作方案|“[^”]*”|《[^》]*》|中文"
)


@pytest.mark.parametrize(
    "path",
    [
        "/console/login",
        "/console",
        "/console/findings",
        "/console/findings?status=overturned",
        "/console/classes",
        "/console/classes/1",
        "/console/classes/1/learners/2",
        "/console/classes/2/learners/4",
        "/console/sessions/1",
        "/console/sessions/2",
        "/console/sessions/4",
        "/console/sessions/2/events",
        "/console/packs",
        "/console/packs/huangchuan-2021-graded@1.0.0",
        "/console/photos/1",
        "/console/users",
        "/console/audit",
        "/console/nowhere",
    ],
)
def test_an_english_page_speaks_english_and_loads_nothing_from_elsewhere(
    desk: Desk, path: str
) -> None:
    desk.client.cookies.set("zhenxue_lang", "en")
    if path != "/console/login":
        desk.sign_in("root" if path.endswith(("users", "audit")) else "zhao")
    html = desk.client.get(path).text
    for address in LINK.findall(html):
        assert not re.match(r"[a-z]+:|//", address), address
    assert "<style" not in html and 'style="' not in html and "onclick" not in html
    reader = Text()
    reader.feed(html)
    left = [text for text in reader.found if CHINESE.search(DATA.sub("", text))]
    assert not left


def test_spans_of_time_are_written_in_both_languages() -> None:
    assert language("zh").span(605_000) == "10分05秒"
    assert language("en").span(3_905_000) == "1 h 05 min"
    assert language("zh").age(3 * 86_400_000) == "3天"


def test_english_counts_one_of_a_kind_as_one() -> None:
    assert language("en").say("%(n)s人", n=1) == "1 person"
    assert language("en").say("%(n)s人", n=21) == "21 persons"
    assert language("zh").say("%(n)s人", n=1) == "1人"


def test_a_rule_s_english_sentence_counts_one_as_one() -> None:
    found = bodies.finding(rule="photo_reuse", reason="identical_bytes", measured=1.0, limit=0.0)
    assert sentence_of(found, language("en")).startswith("1 photo handed in")


@pytest.mark.parametrize("code", ["zh", "en"])
def test_two_matters_of_one_rule_are_told_apart(code: str) -> None:
    """A rule's findings wait for a first look, for two persons, as suspicions, or for an answer."""
    whoever = User(1, "zhao", "赵明", Role.AUDITOR, ("示例县",), None)
    reason = ReasonBody(
        code="",
        source="fast_forward",
        clause=None,
        blocks=False,
        count=1,
        cure=CureBody(how=Cure.AUTOMATIC, until=None),
    )
    found = tuple(
        Matter(it, "fast_forward", 1, None, reason)
        for it in sorted(AWAITS_PEOPLE - {"hours_in_review"})
    )
    shown = matters_shown(found, 1, PACK, "2026-03-02", language(code), whoever)
    assert len({(it.title, it.todo) for it in shown}) == len(found)
