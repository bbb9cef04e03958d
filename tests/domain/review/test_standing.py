"""What a county's standing counts: findings, people, yuan, and decisions in time."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from app.domain.review import standing
from app.domain.review.standing import DayRange
from app.errors import BadInput


def found(klass: int = 1, learner: int | None = 1, status: str = "open", yuan: Any = 800) -> Any:
    place = {"institution": "甲校", "platform": "甲平台", "created_ms": 0}
    return SimpleNamespace(class_id=klass, learner_id=learner, status=status, yuan=yuan, **place)


def reviewed(who: str, finding: int, decision: str, days: float = 1.0) -> Any:
    stage = {"stage": "first", "found_ms": 0, "created_ms": days * 86_400_000}
    return SimpleNamespace(reviewer=who, finding_id=finding, decision=decision, **stage)


def test_a_learners_subsidy_counts_once_however_many_findings_there_are() -> None:
    tally = standing._tally([found(), found(), found(learner=2, status="upheld")])
    assert (tally.found, tally.waiting, tally.upheld) == (3, 2, 1)
    assert (tally.yuan_waiting, tally.yuan_upheld) == (800, 800)


def test_what_holds_a_whole_class_holds_everybody_in_it_once() -> None:
    tally = standing._tally([found(), found(learner=None, yuan=12_800), found(klass=2)])
    assert tally.yuan_waiting == 12_800 + 800


def test_a_class_that_does_not_tell_what_is_paid_counts_nothing() -> None:
    assert standing._tally([found(yuan=None)]).yuan_waiting == 0


def test_only_what_was_settled_before_the_day_of_the_assessment_is_in_time() -> None:
    midnight = DayRange(date(2026, 11, 20), date(2026, 11, 20)).from_ms

    def of_class(status: str, settled_ms: int) -> Any:
        names = {"external_id": "c1", "occupation": "收银员", "institution": "甲校"}
        day = {"class_id": 1, "assessment_on": "2026-11-20"}
        return SimpleNamespace(status=status, settled_ms=settled_ms, **names, **day)

    rows = [of_class("upheld", midnight - 1), of_class("cured", midnight), of_class("open", 0)]
    (one,) = standing._in_time(rows)
    assert (one.found, one.settled) == (3, 1)


def test_agreement_counts_findings_on_which_two_people_took_a_side() -> None:
    loads = standing._loads(
        [
            reviewed("赵", 1, "uphold", 1),
            reviewed("孙", 1, "uphold", 2),
            reviewed("赵", 2, "overturn", 3),
            reviewed("孙", 2, "uphold", 4),
            reviewed("赵", 3, "need_more", 9),
        ]
    )
    assert [(it.name, it.decisions, it.with_another, it.agreed) for it in loads] == [
        ("赵", 3, 2, 1),
        ("孙", 2, 2, 1),
    ]
    assert loads[0].days == 3


def test_a_place_where_nobody_studied_has_no_share_and_the_worst_comes_first() -> None:
    tallies = {"甲校": standing._tally([found(status="upheld")]), "乙校": standing._tally([])}
    ranked = standing._ranked(tallies, {}, {"甲校": 4, "丙校": 2}, {"甲校": 1})
    assert [it.name for it in ranked] == ["甲校", "丙校", "乙校"]
    assert [it.share for it in ranked] == [0.25, 0.0, None]
    assert ranked[0].share_before == 0.0


@pytest.mark.parametrize("last", [date(2026, 1, 1), date(2028, 1, 1)])
def test_a_range_runs_forward_and_is_no_longer_than_a_year(last: date) -> None:
    with pytest.raises(BadInput):
        DayRange(date(2026, 11, 1), last)


def test_the_range_before_has_the_same_length_and_ends_where_this_begins() -> None:
    days = DayRange(date(2026, 11, 1), date(2026, 11, 28))
    assert days.before.last == date(2026, 10, 31)
    assert days.before.to_ms == days.from_ms
    assert days.before.to_ms - days.before.from_ms == days.to_ms - days.from_ms
