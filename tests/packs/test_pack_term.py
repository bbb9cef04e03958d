"""A class outside the days of its rules is told so; inside them nothing is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.policy import pack_term, packs
from app.domain.policy.pack_schema import PackError
from tests.packs.shelf import Shelf

PACK = "huangchuan-2021-graded@1.0.0"  # in force 2021-04-07 to 2021-12-31
INSTRUMENT = packs.load(PACK).instrument


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "covers"),
    [
        ("2021-04-07", "2021-12-31", True),
        ("2021-04-06", "2021-05-01", False),
        ("2021-12-01", "2022-01-01", False),
        ("2026-03-02", "2026-03-31", False),
    ],
)
def test_every_day_of_the_class_must_be_covered(starts_on: str, ends_on: str, covers: bool) -> None:
    term = pack_term.of_class(PACK, starts_on, ends_on)
    assert term is not None and term.covers_class is covers
    assert (term.warning is None) is covers


def test_the_warning_names_the_rules_their_days_and_those_of_the_class() -> None:
    told = pack_term.warning(PACK, "2026-03-02", "2026-03-31")
    assert told is not None
    for words in (told.zh, told.en):
        for part in ("潢技领办〔2021〕1号", "2021-04-07", "2021-12-31", "2026-03-02", "2026-03-31"):
            assert part in words


def test_rules_without_an_end_are_in_force_from_their_first_day_on() -> None:
    endless = replace(INSTRUMENT, effective_to=None)
    assert pack_term.covered(endless, date(2026, 3, 2), date(2026, 3, 31))
    assert not pack_term.covered(endless, date(2020, 3, 2), date(2020, 3, 31))


TODAY = date(2032, 1, 10)
BEFORE = "[cure.parameters]\n"
SAID = 'unit = "years", source = "default", note_zh = "年限", note_en = "years"'
TERMS = f"""[retention.parameters]
archive_years = {{ value = LEAST, {SAID} }}
photo_years_at_most = {{ value = 2, {SAID} }}

{BEFORE}"""


@pytest.mark.parametrize(
    ("least", "setting_days", "goes_before"),
    [
        (0, 0, date(2030, 1, 10)),  # for good by the setting, two years by the pack
        (0, 4_000, date(2030, 1, 10)),
        (0, 366, date(2031, 1, 9)),
        (2, 366, date(2030, 1, 10)),  # the shortest term goes before a setting below it
    ],
)
def test_the_terms_of_a_pack_go_before_the_setting(
    shelf: Shelf, least: int, setting_days: int, goes_before: date
) -> None:
    shelf.edit(BEFORE, TERMS.replace("LEAST", str(least)))
    assert shelf.load().photo_term(TODAY, setting_days) == goes_before


def test_without_terms_of_its_pack_the_setting_decides_on_a_classs_photos() -> None:
    pack = packs.load(PACK)
    assert pack.photo_term(TODAY, 0) is None
    assert pack.photo_term(TODAY, 366) == date(2031, 1, 9)


def test_a_longest_term_below_the_shortest_is_refused(shelf: Shelf) -> None:
    shelf.edit(BEFORE, TERMS.replace("LEAST", "3"))
    with pytest.raises(PackError, match="photo_years_at_most is shorter than archive_years"):
        shelf.load()


def test_of_a_pack_that_is_gone_nothing_can_be_told() -> None:
    assert pack_term.of_class("gone@1.0.0", "2026-03-02", "2026-03-31") is None
