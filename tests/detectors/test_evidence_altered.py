"""Stored events that no longer fit their chain accuse nobody and earn nothing; a person looks."""

from __future__ import annotations

import pytest

from app.domain.policy import packs
from detectors.assess import Decision, HourOutcome, SessionOutcome, assess
from detectors.finding import Fault, Outcome
from detectors.trace import SessionFlag
from tests.detectors.columns import GRADED
from tests.detectors.stories import HONEST, Sitting, trace

RULE = "evidence_altered"
FIRST = packs.load("huangchuan-2021-graded", "1.0.0").policy


def leaping(flags: int = HONEST | SessionFlag.CHAIN_BROKEN) -> Sitting:
    """A sitting whose events, as they stand now, tell of a leap over ten minutes."""
    lin = Sitting(flags=flags).play().watch(60)
    lin.pos += 600
    return lin.watch(300)


@pytest.mark.parametrize("policy", [FIRST, GRADED])
def test_an_altered_sitting_is_told_of_and_of_nothing_else(policy):
    assert any(
        it.outcome is Outcome.VIOLATION for it in assess(trace(leaping(HONEST)), policy).findings
    )
    result = assess(trace(leaping()), policy)
    (finding,) = result.findings
    assert (finding.rule, finding.outcome) == (RULE, Outcome.REVIEW)
    assert finding.fault is Fault.ENVIRONMENT
    assert len(result.credited) == 0
    assert result.outcomes == [SessionOutcome.PENDING_REVIEW]
    assert result.hours and {it.outcome for it in result.hours} == {HourOutcome.PENDING_REVIEW}


def test_what_a_person_lets_pass_is_judged_as_it_is_stored():
    def accepted(finding):
        return Decision.OVERTURNED if finding.rule == RULE else None

    altered = assess(trace(leaping()), GRADED, accepted)
    honest = assess(trace(leaping(HONEST)), GRADED)
    told = [it for it in altered.findings if it.rule != RULE]
    assert told == honest.findings and altered.outcomes == honest.outcomes


def test_what_a_person_upholds_earns_nothing_and_is_still_not_the_learner_s_fault():
    result = assess(trace(leaping()), GRADED, lambda _: Decision.UPHELD)
    (finding,) = result.findings
    assert (finding.outcome, finding.fault) == (Outcome.VIOLATION, Fault.ENVIRONMENT)
    assert len(result.credited) == 0


def test_other_sittings_of_the_learner_are_judged_as_ever():
    sound = Sitting(at=7200).play().watch(300)
    alone = assess(trace(sound), GRADED)
    result = assess(trace(leaping(), sound), GRADED)
    assert result.outcomes[0] is SessionOutcome.PENDING_REVIEW
    assert result.outcomes[1:] == alone.outcomes
    assert len(result.credited) == len(alone.credited)
