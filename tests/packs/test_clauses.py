"""Every word that is shown as a quotation stands in the instrument, character for character."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.policy import packs
from app.domain.policy.clauses import Clause, register
from app.domain.policy.pack_schema import PackError

SOURCES = Path(__file__).parent / "sources"
CLAUSES = register(packs.FOLDER / "clauses")


def source_text(instrument: str) -> str:
    """The instrument without its line breaks, and nothing else changed.

    The text is a printed document: a sentence runs on over lines and, at the foot of a page, over
    an empty line. A blank inside a line ("40 分钟") is a character of the text and stays.
    """
    return (SOURCES / f"{instrument}.txt").read_text("utf-8").replace("\n", "")


@pytest.mark.parametrize("clause", CLAUSES.values(), ids=lambda clause: clause.key)
def test_a_quoted_clause_stands_in_its_instrument(clause: Clause) -> None:
    if not clause.in_tree:
        assert not (SOURCES / f"{clause.instrument.id}.txt").exists()
        return
    text = source_text(clause.instrument.id)
    assert clause.words in text
    assert clause.passage in text
    assert clause.instrument.number in text
    assert clause.instrument.issuer in text


def test_the_six_items_stand_in_one_sentence_in_the_order_of_the_text() -> None:
    names = (
        "fast_forward multi_window popup_gap face_liveness lesson_order photo_retention consequence"
    ).split()
    six = [CLAUSES[f"huangchuan-2021/{name}"] for name in names]
    assert len({clause.passage for clause in six}) == 1
    places = [clause.passage.index(clause.words) for clause in six]
    assert places == sorted(places)


def test_every_row_of_the_checks_has_its_clause() -> None:
    rows = "B1 B5 B10 B11 B13 B17 B18 B19 B20 B24 C1 C2 C3 C7 C11".split()
    assert {f"huangchuan-2021/{row}" for row in rows} <= CLAUSES.keys()
    assert {"axing-2019-50/D1", "axing-2019-50/D17"} <= CLAUSES.keys()


def test_words_at_second_hand_are_shown_as_such() -> None:
    clause = CLAUSES["axing-2019-50/D17"]
    assert not clause.in_tree
    assert clause.citation == "阿行办发〔2019〕50号（原文未收录）"


def test_a_citation_names_number_and_article() -> None:
    clause = CLAUSES["huangchuan-2021/popup_gap"]
    assert clause.citation == "潢技领办〔2021〕1号 二（四）21(2)"


def test_words_that_are_not_in_their_passage_are_refused(tmp_path: Path) -> None:
    text = (packs.FOLDER / "clauses" / "huangchuan-2021.toml").read_text("utf-8")
    text = text.replace('words = "多窗口学习"', 'words = "多窗口播放"')
    (tmp_path / "huangchuan-2021.toml").write_text(text, "utf-8")
    with pytest.raises(PackError, match=r"clauses\.multi_window\.words: not in passage '21\.2'"):
        register(tmp_path)
