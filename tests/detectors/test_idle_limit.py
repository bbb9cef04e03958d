"""What is played with nobody there beyond the limit does not count, and whoever is there loses
nothing, however still they sit and whatever the network does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.simulation import page
from app.simulation.scenarios import perform
from detectors import idle_limit
from detectors.assess import JudgedFacts, assess
from detectors.finding import Fault, Finding, Outcome
from detectors.policy import Policy, Reach, RulePolicy, Status
from detectors.trace import ControlFlag, Integrity
from tests.detectors.columns import GRADED, columns_of
from tests.detectors.stories import Sitting, known, trace
from tests.scenarios.corpus import HONEST

RULE = "idle_limit"
MINUTE = 60.0
LONG = [7200.0]


def policy(minutes: float) -> Policy:
    limits = {"max_idle_min": minutes, "report_allowance_s": 60}
    rule = RulePolicy(RULE, "", Status.ACTIVE, Reach.CLASS_HOUR, True, limits)
    return replace(GRADED, rules={**GRADED.rules, RULE: rule})


def found(sitting: Sitting, minutes: float = 5) -> list[Finding]:
    rules = policy(minutes)
    return idle_limit.detect(known(sitting, policy=rules, lessons=LONG), rules)


def watched() -> Sitting:
    return Sitting().play().integrity(Integrity.INPUT_WATCHED)


def test_somebody_who_touches_the_page_now_and_then_loses_nothing():
    sitting = watched()
    for _ in range(8):
        sitting.watch(5 * MINUTE).integrity(Integrity.INPUT)
    assert found(sitting) == []
    assert len(found(sitting, minutes=3)) == 8


def test_what_is_beyond_the_limit_is_lost_until_somebody_is_there_again():
    sitting = watched().watch(20 * MINUTE).integrity(Integrity.INPUT).watch(5 * MINUTE)
    (finding,) = found(sitting)
    assert (finding.outcome, finding.reason, finding.voids) == (Outcome.CLEAR, "idle", True)
    assert finding.measured == 20 * MINUTE and finding.limit == 5 * MINUTE
    alone = replace(
        policy(5),
        rules={
            name: it if name == RULE else replace(it, status=Status.DRAFT)
            for name, it in policy(5).rules.items()
        },
    )
    result = assess(trace(sitting, lessons=LONG), alone)
    assert credited_ms(result) == pytest.approx(10 * MINUTE * 1000, abs=1000)


def test_an_answer_is_somebody_and_a_scripts_answer_is_nobody():
    def answers(flags: int) -> Sitting:
        sitting = watched()
        for _ in range(4):
            sitting.watch(5 * MINUTE).popup(4.0, flags=flags)
        return sitting

    assert found(answers(0)) == []
    assert len(found(answers(ControlFlag.UNTRUSTED_INPUT))) == 1


def test_standing_still_idles_nothing_away():
    assert found(watched().watch(5 * MINUTE).pause(3600).play().watch(MINUTE)) == []


@pytest.mark.parametrize("order", ["live", "backlog"])
def test_an_outage_changes_nothing(order):
    """The same study, received as it went on or all at once."""
    sitting = watched()
    for _ in range(4):
        if order == "live":
            sitting.watch(4 * MINUTE)
        else:
            sitting.held_back(4 * MINUTE)
        sitting.integrity(Integrity.INPUT)
    assert found(sitting) == []


def test_a_page_that_tells_nothing_proves_nothing_and_accuses_nobody():
    (finding,) = found(Sitting().play().watch(20 * MINUTE))
    assert (finding.outcome, finding.reason) == (Outcome.NOT_PROVEN, "input_untold")
    assert not finding.voids
    assert found(Sitting().play().watch(5 * MINUTE)) == []


# --------------------------------------------------------------- whole sittings, played by people


def credited_ms(result: JudgedFacts) -> int:
    return int((result.credited.p1_ms - result.credited.p0_ms).sum())


def judged(scenario: str, minutes: float) -> tuple[JudgedFacts, JudgedFacts]:
    """A scenario without the limit, and with it."""
    told = columns_of(perform(scenario)).trace()
    return assess(told, GRADED), assess(told, policy(minutes))


@pytest.fixture(params=[(15, 120), (1e9, 1e9)], ids=["restless", "still"])
def hands(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How often people touch the page of a class that asks for it."""
    monkeypatch.setattr(page, "INPUT_EVERY_S", request.param)


@pytest.mark.usefixtures("hands")
@pytest.mark.parametrize("scenario", HONEST)
def test_nobody_honest_loses_a_minute_however_still_they_sit(scenario: str) -> None:
    """Whoever answers the pop-ups is there, hands or no hands, on any network and machine."""
    without, with_limit = judged(scenario, minutes=6)
    assert [it.outcome for it in with_limit.hours] == [it.outcome for it in without.hours]
    if scenario != "H33":  # 15 minutes without a network: neither hands nor answers are told
        assert credited_ms(with_limit) == credited_ms(without)


def test_a_lesson_that_is_left_to_itself_earns_the_limit_and_no_more(monkeypatch) -> None:
    monkeypatch.setattr(page, "INPUT_EVERY_S", (1e9, 1e9))
    without, with_limit = judged("F30", minutes=6)  # its platform shows no pop-up
    (finding,) = [it for it in with_limit.findings if it.rule == RULE]
    assert finding.reason == "idle" and finding.fault is not Fault.LEARNER
    assert credited_ms(with_limit) <= 6 * MINUTE * 1000 + 1000 < without.facts.runs.total_ms(1)[0]


def test_an_sdk_that_tells_of_no_input_is_the_platforms_matter() -> None:
    _, with_limit = judged("F30", minutes=6)
    (finding,) = [it for it in with_limit.findings if it.rule == RULE]
    assert finding.reason == "input_untold" and finding.fault is Fault.PLATFORM
