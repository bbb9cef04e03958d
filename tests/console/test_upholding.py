"""What a page says upholding a finding does is what the verdicts make of it."""

from __future__ import annotations

from typing import Any

import pytest

from app.console.language import language
from app.console.upholding import Stake, effects
from app.store.review.finding_rows import FindingRow
from tests.bodies import finding

STAKE = Stake(people=30, each_yuan=1200, platform="云课", institution="示例职校")


def told(learner_id: int | None = 1, **said: Any) -> str:
    body = finding(**{"reach": "L2", "curable": False, "voids": True} | said)
    row: dict[str, Any] = dict.fromkeys(FindingRow.__struct_fields__)
    row |= {"body": body, "learner_id": learner_id}
    return "；".join(effects(FindingRow(**row), STAKE, language("zh")))


def test_what_nobody_is_known_to_have_done_costs_its_class_hour_alone() -> None:
    for fault in ("undetermined", "environment", "platform"):
        assert told(fault=fault).startswith("该段不计入学时；可以补课")
    assert told(fault="undetermined", voids=False).startswith("记入复核台账，学时不变")


@pytest.mark.parametrize(
    "said", [{"fault": "learner"}, {"fault": "undetermined", "needs_two_reviewers": True}]
)
def test_ones_own_doing_and_forgery_cost_the_assessment(said: dict[str, Any]) -> None:
    assert told(**said).startswith("本人不得申请本次考核；涉及补贴1,200元；不得补课")


def test_what_is_found_of_a_class_reaches_all_of_it() -> None:
    assert told(None, reach="L3", fault="platform").startswith("全班30人不接受考核申请")
