"""The county at large: what a chief reads, of their own county only, and decides nothing."""

from __future__ import annotations

import pytest

from tests.console.conftest import Desk


def test_a_chief_reads_what_is_at_stake_and_where(desk: Desk) -> None:
    page = desk.sign_in("luo").get("/console/standing?first=2026-01-01&last=2026-12-31")
    for told in ("全县情况", "逾期的案件 / 步骤", "云课在线", "审核人员"):
        assert told in page
    assert "智学网校" not in page  # another county's


def test_a_chief_decides_nothing(desk: Desk) -> None:
    finding = desk.county.findings["fast:fast_forward"]
    page = desk.sign_in("luo").get(f"/console/findings/{finding}")
    assert "提交决定" not in page and "您只能查看" in page


@pytest.mark.parametrize("days", ["first=2026-12-31&last=2026-01-01", "first=gestern&last=x"])
def test_days_that_are_none_are_told(desk: Desk, days: str) -> None:
    answer = desk.sign_in("zhao").client.get(f"/console/standing?{days}")
    assert answer.status_code == 422 and "请填写起止日期" in answer.text
