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
    assert annex["全线上培训"] == ANNEX.online
    assert annex["不少于8个学时"] == ANNEX.offline
    assert (len(ANNEX.online), len(ANNEX.offline)) == (32, 16)


def test_all_sixteen_stand_in_both_rows() -> None:
    assert ANNEX.conflicts == ANNEX.offline


def test_an_occupation_of_the_first_row_alone_is_no_conflict() -> None:
    listing = ANNEX.find("社会工作者")
    assert listing is not None
    assert (listing.online_name, listing.offline_name) == ("社会工作者", None)
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
    assert listing.online_name == "电子商务师(含跨境电子商务师)"
    assert listing.offline_name == "电子商务师"
    assert listing.by_alias is by_alias


@pytest.mark.parametrize("asked", ["育婴员", "营销", "营销员师", ""])
def test_what_the_annex_does_not_name_is_not_found(asked: str) -> None:
    assert ANNEX.find(asked) is None


def test_the_catalogue_is_dated() -> None:
    assert ANNEX.dated.isoformat() == "2021-04-07"
