"""A catalogue has as many rows as its place needs, called as its own text calls them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.judging.check_sentences import limit_of, sentence_of
from app.domain.policy.pack_schema import PackError
from detectors.batch_facts import CheckOutcome, CheckResult, Mode
from detectors.class_checks import annex_conflict, in_catalogue
from detectors.learner_checks import offline_practice
from tests.detectors.enrolment_facts import CLASS, LIN
from tests.packs.shelf import Shelf

FILE = "catalogues/huangchuan-2021-annex3.toml"
CLAUSES = """
[clauses.list_7]
article = "附表7"
words = "线上培训工种目录"
gloss_en = "occupations for online training"

[clauses.list_7_long]
article = "附表7 第3行"
words = "线下不少于24学时"
gloss_en = "at least 24 class-hours in person"
"""
ROWS = """
id = "huangchuan-2021-annex3"
clause = "huangchuan-2021/list_7"
dated = 2026-01-01
title = { zh = "目录", en = "Catalogue" }

[rows.online]
clause = "huangchuan-2021/annex_3_online"
names = ["收银员"]

[rows.some]
clause = "huangchuan-2021/annex_3_offline"
names = ["营销员"]
in_person = true

[rows.long]
clause = "huangchuan-2021/list_7_long"
names = ["焊工", "营销员"]
in_person = true
min_hours = { value = 24, unit = "class-hours", source = "quoted", \
clause = "huangchuan-2021/list_7_long", quote = "线下不少于24学时", \
note_zh = "线下学时", note_en = "hours in person" }
"""


@pytest.fixture
def three_rows(shelf: Shelf) -> Shelf:
    clauses = shelf.folder / "clauses" / "huangchuan-2021.toml"
    clauses.write_text(clauses.read_text("utf-8") + CLAUSES, "utf-8")
    (shelf.folder / FILE).write_text(ROWS, "utf-8")
    return shelf


def practice(shelf: Shelf, occupation: str, hours: float) -> CheckResult:
    klass = replace(CLASS, occupation=occupation, mode=Mode.BLENDED)
    return offline_practice(replace(LIN, offline_hours=hours), klass, shelf.load().rulebook)


def test_each_row_asks_for_its_own_hours_in_person(three_rows: Shelf) -> None:
    assert practice(three_rows, "收银员", 0).result is CheckOutcome.NOT_APPLICABLE
    assert practice(three_rows, "焊工", 24).result is CheckOutcome.PASS
    assert practice(three_rows, "焊工", 23).result is CheckOutcome.FAIL


def test_the_stricter_of_rows_that_contradict_each_other_holds(three_rows: Shelf) -> None:
    assert practice(three_rows, "营销员", 23).result is CheckOutcome.FAIL
    three_rows.edit('value = "stricter"', 'value = "lenient"')
    three_rows.add_version("huangchuan-2021-graded", "1.0.1")
    assert practice(three_rows, "营销员", 8).result is CheckOutcome.PASS
    assert practice(three_rows, "营销员", 7).result is CheckOutcome.FAIL


def test_what_is_read_names_the_places_own_list_and_rows(three_rows: Shelf) -> None:
    pack = three_rows.load()
    klass = replace(CLASS, occupation="育婴员", mode=Mode.ONLINE)
    left = in_catalogue(klass, pack.rulebook)
    told = sentence_of("B17", left.reason, left.said, left.numbers, pack)
    assert told.zh == "附表7未列“育婴员”，纯线上培训由主管部门认定"
    assert limit_of("B17", pack) == "附表7"
    both = annex_conflict(replace(CLASS, occupation="营销员"), pack.rulebook)
    assert both.found == "营销员（不少于8个学时）/ 营销员（线下不少于24学时）"
    short = practice(three_rows, "焊工", 8)
    told = sentence_of("B18", short.reason, short.said, short.numbers, pack)
    assert told.zh == "线下实训8学时，附表7要求24学时"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("value = 24", 'value = "many"', "min_hours: must be a number"),
        ('"营销员"]\nin_person = true\nmin', '"营销员"]\nmin', "of a row with in_person = true"),
        ('quote = "线下不少于24学时"', 'quote = "30学时"', "min_hours.quote: not in huangchuan"),
        ("[rows.online]", "[online]", "name rows, or online and offline, not both"),
    ],
)
def test_a_row_that_says_what_cannot_be_is_refused(
    three_rows: Shelf, old: str, new: str, said: str
) -> None:
    three_rows.edit(old, new, FILE)
    with pytest.raises(PackError, match=said):
        three_rows.load()
