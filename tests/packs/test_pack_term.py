"""A class outside the days of its rules is told so; inside them nothing is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.policy import pack_term, packs

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


def test_of_a_pack_that_is_gone_nothing_can_be_told() -> None:
    assert pack_term.of_class("gone@1.0.0", "2026-03-02", "2026-03-31") is None
