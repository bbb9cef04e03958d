"""附件3 names 32 occupations for wholly online training, and 16 of them again for less."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.policy import packs

ANNEX = packs.load("huangchuan-2021-graded").occupations
SOURCE = Path(__file__).parents[1] / "packs" / "sources" / "huangchuan-2021.txt"


def test_both_rows_are_those_of_the_annex_name_by_name() -> None:
    rows = [line.split("\t") for line in SOURCE.read_text("utf-8").splitlines()]
    annex = {cells[2]: tuple(cells[1].split("、")) for cells in rows if len(cells) == 3}
    assert {(row.title, row.names) for row in ANNEX.rows} <= set(annex.items())
    assert [len(row.names) for row in ANNEX.rows] == [32, 16]
    assert [row.hours_in_person(8) for row in ANNEX.rows] == [0, 8]


def test_all_sixteen_stand_in_both_rows() -> None:
    second = ANNEX.rows[1].names
    assert set(ANNEX.conflicts) == {ANNEX.canonical(name) for name in second}


def test_an_occupation_of_the_first_row_alone_is_no_conflict() -> None:
    listing = ANNEX.find("社会工作者")
    assert listing is not None
    assert [name for _, name in listing.rows] == ["社会工作者"]
    assert not listing.conflict and not listing.by_alias


@pytest.mark.parametrize(
    ("asked", "by_alias"),
    [
        ("电子商务师", False),
        ("电子商务师(含跨境电子商务师)", False),
        ("电子商务师（含跨境电子商务师）", False),
        (" 电子商务师 ", False),
        ("跨境电子商务师", True),
    ],
)
def test_one_occupation_is_found_under_all_its_spellings(asked: str, by_alias: bool) -> None:
    listing = ANNEX.find(asked)
    assert listing is not None
    names = [name for _, name in listing.rows]
    assert names == ["电子商务师(含跨境电子商务师)", "电子商务师"]
    assert listing.by_alias is by_alias


@pytest.mark.parametrize("asked", ["育婴员", "营销", "营销员师", ""])
def test_what_the_annex_does_not_name_is_not_found(asked: str) -> None:
    assert ANNEX.find(asked) is None


def test_the_catalogue_is_dated() -> None:
    assert ANNEX.dated.isoformat() == "2021-04-07"
