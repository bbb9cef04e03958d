"""Whatever a pack says that nothing reads is refused by its name, with the nearest known one."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.policy import pack_names, packs
from app.domain.policy.pack_schema import PackError, PackTable, validated
from tests.packs.shelf import GRADED, Shelf

STRANGER = "daily_cap_hours"
TABLES = tomllib.loads((packs.FOLDER / f"{GRADED}@1.0.0.toml").read_text("utf-8"))


def paths(tables: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where every table of a file stands, the file itself first."""
    yield above
    for name, it in tables.items():
        if isinstance(it, dict):
            yield from paths(it, (*above, name))


def problems(tables: dict[str, Any]) -> list[str]:
    try:
        return list(pack_names.unknown(validated(PackTable, tables, "pack")))
    except PackError as error:
        return list(error.problems)


def with_stranger(path: tuple[str, ...], stranger: Any) -> dict[str, Any]:
    tables = copy.deepcopy(TABLES)
    here = tables
    for name in path:
        here = here[name]
    here[STRANGER] = stranger
    return tables


def strangers(path: tuple[str, ...]) -> Iterator[Any]:
    """A number, and the like of what else the table at `path` holds, under a new name."""
    yield 8
    here: Any = TABLES
    for name in path:
        here = here[name]
    yield from [it for it in here.values() if isinstance(it, dict)][-1:]


def test_the_pack_itself_has_no_unknown_name() -> None:
    assert problems(TABLES) == []


def test_a_name_added_anywhere_is_refused_by_name() -> None:
    for path in paths(TABLES):
        for stranger in strangers(path):
            told = problems(with_stranger(path, stranger))
            assert len(told) == 1 and STRANGER in told[0], path


@pytest.mark.parametrize("status", ["draft", "shadow", "active", "retired"])
def test_a_rule_without_a_detector_is_refused_in_any_status(shelf: Shelf, status: str) -> None:
    rule = f"""
[rules.daily_limit]
clause = "huangchuan-2021/false_training"
title = {{ zh = "每日上限", en = "Daily cap" }}
status = "{status}"
reach = "L1"
curable = true

[rules.forged_telemetry]"""
    shelf.edit("\n[rules.forged_telemetry]", rule)
    with pytest.raises(PackError, match=r"rules\.daily_limit: no such detector"):
        shelf.load()


def test_the_nearest_known_name_is_told(shelf: Shelf) -> None:
    shelf.edit("max_hours_per_day =", "max_hours_a_day =")
    with pytest.raises(PackError, match="did you mean max_hours_per_day"):
        shelf.load()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('max_gap_s = { value = 300, unit = "s"', 'max_gap_s = { value = 5, unit = "min"'),
        ("max_gap_s = { value = 300", 'max_gap_s = { value = "300"'),
        ("max_gap_s = { value = 300", "max_gap_s = { value = true"),
    ],
)
def test_a_number_is_told_in_the_unit_it_is_read_in(shelf: Shelf, old: str, new: str) -> None:
    shelf.edit(old, new)
    with pytest.raises(PackError, match=r"max_gap_s: must be told in s"):
        shelf.load()
