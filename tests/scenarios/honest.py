"""Random honest sittings judged by the thousand, in chunks as the nightly run does."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.simulation.honest import HonestScene, honest_scene
from detectors.assess import JudgedFacts, assess
from detectors.finding import Fault, Finding, FindingScope, Outcome
from detectors.trace import Trace
from tests.detectors.bursts import passes
from tests.detectors.columns import GRADED, Columns
from tests.detectors.joining import together

# A random photo that shows nobody is looked at by a person (the rules say so), whatever else there
# is: a note that holds nothing up and accuses nobody.
BY_RULE = {("photo_retention", "empty_photo")}
THEIRS = (Fault.LEARNER, Fault.UNDETERMINED)


@dataclass
class Tally:
    """What was found over honest scenes: (rule, reason, outcome, fault, evidence), and outcomes.

    `accused` are the seeds in which a learner is told to have violated a rule, `doubted` those in
    which a person has to look at one, `noted` those with a note `BY_RULE`, `blamed` those with a
    finding on platform, institution or class. `lost` is, by seed, the seconds that were seen and
    earned nothing; `whole` who saw all of the film; `befell` what befell that learner.
    """

    scenes: int = 0
    sittings: int = 0
    events: int = 0
    refused: int = 0
    findings: Counter[tuple[str, str, str, str, str]] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    accused: list[int] = field(default_factory=list)
    doubted: list[int] = field(default_factory=list)
    blamed: list[int] = field(default_factory=list)
    noted: list[int] = field(default_factory=list)
    lost: dict[int, float] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)
    seen_s: float = 0.0
    befell: dict[int, frozenset[str]] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        self.scenes += other.scenes
        self.sittings += other.sittings
        self.events += other.events
        self.refused += other.refused
        self.findings += other.findings
        self.outcomes += other.outcomes
        self.accused += other.accused
        self.doubted += other.doubted
        self.blamed += other.blamed
        self.noted += other.noted
        self.lost |= other.lost
        self.whole |= other.whole
        self.seen_s += other.seen_s
        self.befell |= other.befell


def columns(scene: HonestScene) -> Columns:
    """One honest learner's sittings."""
    learner = scene.setting.learner
    records = [*scene.catalogue, *scene.evidence]
    return Columns(records, scene.photos, {learner.learner_id: learner.identity}, scene.asked)


def trace_of(scene: HonestScene) -> Trace:
    return columns(scene).trace()


def tally(seeds: Sequence[int], only: frozenset[str] | None = None) -> Tally:
    """Judge the honest scenes of these seeds in one chunk."""
    return judged([(seed, honest_scene(seed, only=only, judge=passes)) for seed in seeds])


def judged(scenes: Iterable[tuple[int, HonestScene]]) -> Tally:
    """Judge these scenes in one chunk, each under its seed."""
    scenes = list(scenes)
    total = Tally(len(scenes))
    traces, seed_of = [], []
    for seed, scene in scenes:
        told = columns(scene)
        traces.append(told.trace())
        total.refused += len(told.refused)
        seed_of += [seed] * len(traces[-1])
    total.sittings = len(seed_of)
    total.events = sum(len(trace.events) for trace in traces)
    result = assess(together(traces), GRADED)
    for finding in result.findings:
        _count(total, finding, seed_of)
    total.outcomes.update(outcome.value for outcome in result.outcomes)
    credited = credited_s(result, seed_of)
    for seed, scene in scenes:
        total.seen_s += scene.seen_s
        total.lost[seed] = scene.seen_s - credited[seed]
        total.befell[seed] = scene.oddities
        if scene.whole:
            total.whole.add(seed)
    return total


def _count(total: Tally, finding: Finding, seed_of: list[int]) -> None:
    outcome, fault = finding.outcome, finding.fault
    key = finding.rule, finding.reason, outcome.value, fault.value, finding.evidence.value
    total.findings[key] += 1
    of_class = finding.scope is FindingScope.CLASS
    seeds = [seed_of[row] for row in (finding.members if of_class else (finding.session,))]
    if outcome in (Outcome.VIOLATION, Outcome.REVIEW) and (of_class or fault not in THEIRS):
        total.blamed += seeds
    elif outcome is Outcome.VIOLATION:
        total.accused += seeds
    elif outcome is Outcome.REVIEW and key[:2] in BY_RULE:
        total.noted += seeds
    elif outcome is Outcome.REVIEW:
        total.doubted += seeds


def credited_s(result: JudgedFacts, seed_of: Sequence[int]) -> dict[int, float]:
    """Content credited to each seed's learner, each second of a lesson once."""
    spans: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    credited = result.credited
    columns = (credited.session, credited.lesson, credited.p0_ms, credited.p1_ms)
    for session, lesson, low, high in zip(*(it.tolist() for it in columns), strict=True):
        spans[seed_of[session], lesson].append((low, high))
    earned: dict[int, float] = defaultdict(float)
    for (seed, _), parts in spans.items():
        reached = 0
        for low, high in sorted(parts):
            earned[seed] += max(0, high - max(low, reached)) / 1000
            reached = max(reached, high)
    return earned
