"""A platform is told what to do, the first thing first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.domain import advice
from app.domain.advice import WORDS, Advice
from detectors.assess import Decision, SessionOutcome
from detectors.finding import Fault, Outcome
from detectors.policy import Status

VALID, INVALID = SessionOutcome.VALID, SessionOutcome.INVALID


def finding(**other: Any) -> Any:
    usual: dict[str, Any] = {
        "rule_status": Status.ACTIVE,
        "outcome": Outcome.VIOLATION,
        "decision": None,
    }
    usual |= {"voids": False, "rule": "popup_gap"}
    return SimpleNamespace(**{"fault": Fault.LEARNER, **usual, **other})


@pytest.mark.parametrize(
    ("outcome", "credited_ms", "findings", "told"),
    [
        (VALID, 600_000, [], ["nothing"]),
        (VALID, 300_000, [], ["watch_again"]),
        (INVALID, 0, [finding()], ["watch_again"]),
        (INVALID, 0, [finding(fault=Fault.PLATFORM)], ["mend_platform", "watch_again"]),
        (SessionOutcome.PENDING_REVIEW, 600_000, [finding()], ["wait_for_review"]),
        (SessionOutcome.NOT_PROVEN, 600_000, [], ["wait_for_photos"]),
    ],
)
def test_what_to_do_about_a_sitting(
    outcome: SessionOutcome, credited_ms: int, findings: list[Any], told: list[str]
) -> None:
    body: Any = SimpleNamespace(
        outcome=outcome, credited_ms=credited_ms, played_ms=600_000, findings=findings
    )
    assert advice.of_sitting(body, outcome) == told


def test_what_was_overturned_or_only_noted_asks_for_nothing() -> None:
    noted = [
        finding(decision=Decision.OVERTURNED),
        finding(rule_status=Status.SHADOW),
        finding(outcome=Outcome.CLEAR),
    ]
    assert advice.acting(noted) == []
    assert set(WORDS) == set(Advice)


def test_what_took_time_and_accuses_nobody_is_told_apart() -> None:
    voids, unseen = {"voids": True}, {"rule": "unseen_play"}
    cases = [
        (finding(outcome=Outcome.CLEAR, **voids), True),
        (finding(outcome=Outcome.CLEAR, **unseen), True),
        (finding(outcome=Outcome.CLEAR), False),
        (finding(**voids), False),
        (finding(outcome=Outcome.CLEAR, rule_status=Status.SHADOW, **voids), False),
    ]
    assert [it for it, told in cases if told] == advice.withholding(it for it, _ in cases)
