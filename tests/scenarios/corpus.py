"""What the detectors say of a performed scenario, beside what the casebook expects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.simulation.casebook import Expected
from app.simulation.scenarios import SCENARIOS, Scene
from detectors.assess import JudgedFacts
from detectors.class_hours import coverage
from detectors.finding import Finding, Outcome
from tests.detectors.columns import columns_of, judged

HONEST = [scenario.id for scenario in SCENARIOS.values() if scenario.honest]
FRAUD = [scenario.id for scenario in SCENARIOS.values() if not scenario.honest]
MILD_TO_GRAVE = ("valid", "not_proven", "pending_review", "invalid")


@dataclass(frozen=True)
class Judgement:
    """Of the scenario's judged sittings alone: the worst outcome, what was found, the credit."""

    assessment: JudgedFacts
    outcome: str
    findings: list[Finding]
    credited_s: float
    hours: list[str]  # outcomes of the learner's class-hours

    @property
    def found(self) -> set[tuple[str, str]]:
        return {(finding.rule, finding.outcome.value) for finding in self.findings}


def judge(scene: Scene) -> Judgement:
    """Judge all of a scene's sittings and read off what concerns the scenario."""
    assessment, names = judged(scene)
    rows = [row for row, name in enumerate(names) if name in scene.judged]
    learner_of = {r["session_id"]: r["learner_id"] for r in columns_of(scene).records}
    own = [row for row in rows if learner_of[names[row]] == scene.setting.learner.learner_id]
    cases = set(assessment.facts.trace.sessions["case"][own].tolist())
    credited = assessment.credited.where(np.isin(assessment.credited.session, own))
    return Judgement(
        assessment,
        max((assessment.outcomes[row].value for row in rows), key=MILD_TO_GRAVE.index),
        [
            finding
            for finding in assessment.findings
            if {finding.session, *finding.members} & set(rows)
            and finding.outcome is not Outcome.CLEAR
        ],
        int(coverage(credited).credited_ms.sum()) / 1000,
        [hour.outcome.value for hour in assessment.hours if hour.case in cases],
    )


def disagreements(told: Judgement, expected: Expected) -> list[str]:
    """What the expectation and the judgement differ in, as sentences."""
    said: list[str] = []
    if not expected.accepts(told.outcome):
        said.append(f"outcome is {told.outcome}, expected {expected.outcome}")
    low, high = expected.credited_s
    if not low <= told.credited_s <= high:
        said.append(f"{told.credited_s} s are credited, expected {low} to {high}")
    if not expected.needs_pixels:
        missing = set(expected.rules.items()) - told.found
        said += [f"no {outcome} of {rule}" for rule, outcome in sorted(missing)]
    beyond = {rule for rule, _ in told.found} - set(expected.rules) - expected.tolerated
    said += [f"{rule} was not expected" for rule in sorted(beyond)]
    return said
