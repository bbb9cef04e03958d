"""Random honest sittings judged by the thousand, in chunks as the nightly run does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.simulation.honest import HonestScene, honest_scene
from detectors.assess import assess
from detectors.finding import Outcome
from detectors.trace import Trace
from tests.detectors.columns import GRADED, Columns
from tests.detectors.joining import together


@dataclass
class Tally:
    """What was found over honest scenes: (rule, reason, outcome, evidence) and session outcomes.

    `accused` are the seeds in which anything was a violation, `doubted` those with a review.
    """

    scenes: int = 0
    sittings: int = 0
    events: int = 0
    findings: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    accused: list[int] = field(default_factory=list)
    doubted: list[int] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.scenes += other.scenes
        self.sittings += other.sittings
        self.events += other.events
        self.findings += other.findings
        self.outcomes += other.outcomes
        self.accused += other.accused
        self.doubted += other.doubted


def columns(scene: HonestScene) -> Trace:
    """One honest learner's sittings."""
    learner = scene.setting.learner
    records = [*scene.catalogue, *scene.evidence]
    return Columns(records, scene.photos, {learner.learner_id: learner.identity}).trace()


def tally(seeds: Sequence[int]) -> Tally:
    """Judge the honest scenes of these seeds in one chunk."""
    traces = [columns(honest_scene(seed)) for seed in seeds]
    result = assess(together(traces), GRADED)
    seed_of = [seed for seed, trace in zip(seeds, traces, strict=True) for _ in range(len(trace))]
    total = Tally(len(seeds), len(seed_of), sum(len(trace.events) for trace in traces))
    for finding in result.findings:
        key = finding.rule, finding.reason, finding.outcome.value, finding.evidence.value
        total.findings[key] += 1
        if finding.outcome is Outcome.VIOLATION:
            total.accused.append(seed_of[finding.session])
        elif finding.outcome is Outcome.REVIEW:
            total.doubted.append(seed_of[finding.session])
    total.outcomes.update(outcome.value for outcome in result.outcomes)
    return total
