"""附件1 as data: every task, leader and number stands in the printed plan."""

from __future__ import annotations

import re
from pathlib import Path

from app.domain.policy.task_plan import plan

PRINTED = Path(__file__).parents[2] / "packs" / "sources" / "huangchuan-2021.txt"


def test_every_task_stands_in_the_printed_plan_with_its_leaders_and_target() -> None:
    printed = re.sub(r"\s+", "", PRINTED.read_text(encoding="utf-8"))
    for it in plan().tasks:
        assert f"{it.number}{it.title.zh}{it.offices}{it.target}" in printed, it.number


def test_the_targets_come_to_the_printed_total() -> None:
    assert sum(it.target for it in plan().tasks) == 8000
    assert [it.number for it in plan().tasks] == list(range(1, 15))


def test_the_printed_targets_are_of_that_county_and_year_alone() -> None:
    assert plan().targets("潢川县", 2021)[1] == 4800
    assert plan().targets("潢川县", 2026) == {}
    assert plan().targets("光山县", 2021) == {}
