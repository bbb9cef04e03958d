"""Where a place asks for a face now and then, or in every nth class-hour only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.policy import packs
from app.simulation import service
from app.simulation.scenarios import perform
from detectors.assess import HourOutcome, JudgedFacts, assess
from detectors.finding import Finding, Outcome
from detectors.policy import Policy, Value
from detectors.trace import Control, PhotoFlag
from tests.detectors.bursts import passes
from tests.detectors.columns import GRADED, columns_of
from tests.detectors.stories import Sitting, found, trace
from tests.scenarios.corpus import HONEST

RULE = "face_liveness"
OLD = packs.load("huangchuan-2021-graded", "1.0.0").policy
SHOWN = PhotoFlag.BOUND | PhotoFlag.KEPT | PhotoFlag.LIVE


def asking(base: Policy = GRADED, **parameters: Value) -> Policy:
    rule = base[RULE]
    own = replace(rule, parameters={**rule.parameters, **parameters})
    return replace(base, rules={**base.rules, RULE: own})


def late(sitting: Sitting, interval_s: float) -> list[Finding]:
    told = found(RULE, sitting, policy=asking(interval_s=interval_s), lessons=[9000.0])
    return [it for it in told if it.reason == "interval_missed"]


def checked(sitting: Sitting) -> Sitting:
    return sitting.demand(Control.FACE_CHECK).photo(flags=SHOWN)


def studied(*stretches: float) -> Sitting:
    """A check, and then after each stretch but the last another."""
    sitting = checked(Sitting()).play()
    for stretch in stretches[:-1]:
        checked(sitting.watch(stretch))
    return sitting.watch(stretches[-1])


def test_as_long_as_a_check_may_take_nothing_is_overdue():
    assert late(studied(900, 1070, 1000), interval_s=900) == []
    (finding,) = late(studied(900, 1071, 1000), interval_s=900)
    assert (finding.outcome, finding.voids) == (Outcome.CLEAR, True)
    assert finding.end_ms - finding.start_ms == 171_000
    assert (finding.measured, finding.limit) == (1071, 900)


def test_a_pause_is_no_study_and_no_interval_is_no_limit():
    paused = studied(600).pause(3600).play().watch(450)
    assert late(paused, interval_s=900) == []
    assert late(studied(7000), interval_s=0) == []


def test_what_was_studied_before_somebody_else_sat_down_still_counts():
    left = studied(900, 3000)
    result = assess(trace(left, lessons=[3900.0]), asking(OLD, interval_s=900))
    (finding,) = [it for it in result.findings if it.reason == "interval_missed"]
    start = int(result.facts.trace.sessions["start_ms"][0])
    assert finding.start_ms - start == pytest.approx(1_800_000, abs=1000)


def test_a_face_in_every_third_class_hour_is_asked_for_in_the_first_and_the_fourth():
    bare = [Sitting(lesson=n, at=3000.0 * n).play().watch(2400) for n in range(4)]
    policy = asking(every_nth_hour=3)
    rows = [2400.0] * 4
    told = found(RULE, *bare, policy=policy, lessons=rows)
    at = {it.session for it in told if it.outcome is not Outcome.CLEAR}
    assert at == {0, 3}
    every = found(RULE, *bare, policy=GRADED, lessons=rows)
    assert {it.session for it in every} == {0, 1, 2, 3}


def test_a_class_hour_between_is_valid_without_a_face():
    first = Sitting().class_hour()
    second = Sitting(lesson=1, at=3000.0).play()
    for _ in range(9):
        second.watch(240).popup(4.0, stop=True)
    second.demand(Control.SNAPSHOT).photo(answers=len(second.controls) - 1).watch(240)
    told = trace(first, second, lessons=[2400.0, 2400.0])

    def outcomes(policy: Policy) -> list[HourOutcome]:
        return [it.outcome for it in assess(told, policy).hours]

    assert outcomes(asking(OLD, every_nth_hour=2))[1] is HourOutcome.VALID
    assert outcomes(OLD)[1] is HourOutcome.NOT_PROVEN


# --------------------------------------------------------------- whole sittings, played by people


def judged(scenario: str, policy: Policy) -> JudgedFacts:
    return assess(columns_of(perform(scenario, judge=passes)).trace(), policy)


@pytest.mark.parametrize("scenario", HONEST)
def test_who_studies_honestly_loses_nothing_to_the_interval(scenario, monkeypatch):
    monkeypatch.setattr(service, "FACE_EVERY_S", 600.0)
    result = judged(scenario, asking(interval_s=600))
    wrong = [it for it in result.findings if it.reason == "interval_missed"]
    assert not wrong or scenario == "H33"  # a quarter of an hour without a network


def test_who_shows_a_face_once_and_leaves_loses_what_follows():
    result = judged("H01", asking(interval_s=600))  # its platform asks once
    (finding,) = [it for it in result.findings if it.reason == "interval_missed"]
    assert finding.outcome is Outcome.CLEAR
    assert [it.outcome for it in result.hours] == [HourOutcome.INCOMPLETE]
