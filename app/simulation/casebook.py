"""What a scenario is, what is expected of it, and the book that scenarios are written into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.simulation.environment import LESSON_S, SimulatedEnvironment
from app.simulation.service import Controls
from app.simulation.sitting import Passage, SimulatedSitting

Script = Callable[[SimulatedEnvironment], Passage]

VALID, INVALID, NOT_PROVEN, PENDING = "valid", "invalid", "not_proven", "pending_review"
VIOLATION, REVIEW = "violation", "review"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a right judgement says about a scenario's judged sittings.

    `outcome` is the worst outcome among them, `rules` the findings that must be there (rule to
    outcome), for lessons of 2,700 s. `credited_s` is the range of content seconds credited to the
    scenario's learner over all judged sittings while nothing has been voided by hand. Where the
    rules leave room, `or_outcomes` and `tolerated` (rules that may be found besides) say so. Where
    `needs_pixels`, the findings can only be made by comparing the pictures themselves.
    """

    outcome: str
    credited_s: tuple[float, float]
    rules: Mapping[str, str] = field(default_factory=dict)
    or_outcomes: tuple[str, ...] = ()
    tolerated: frozenset[str] = frozenset()
    needs_pixels: bool = False

    def accepts(self, outcome: str) -> bool:
        return outcome == self.outcome or outcome in self.or_outcomes

    def credited_within(self, media_s: float) -> tuple[float, float]:
        """The range for lessons of another length, as far as the scenario scales with it."""
        low, high = self.credited_s
        return low * media_s / LESSON_S, high * media_s / LESSON_S


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named case. `controls` is what its platform runs, `run_by` who runs it for the class."""

    id: str
    name: str
    zh: str
    en: str
    expected: Expected
    script: Script
    lessons: int = 3
    lesson: int = 1
    controls: Controls = field(default_factory=Controls)
    run_by: str = "service"

    @property
    def honest(self) -> bool:
        return self.id.startswith("H")


BOOK: dict[str, Scenario] = {}


def case(
    id_and_name: str,
    zh: str,
    en: str,
    expected: Expected,
    *,
    lessons: int = 3,
    lesson: int = 1,
    controls: Controls | None = None,
    run_by: str = "service",
) -> Callable[[Script], Script]:
    """Enter the decorated script into the book."""
    scenario_id, name = id_and_name.split(" ")

    def enter(script: Script) -> Script:
        assert scenario_id not in BOOK, scenario_id
        BOOK[scenario_id] = Scenario(
            scenario_id,
            name,
            zh,
            en,
            expected,
            script,
            lessons,
            lesson,
            controls or Controls(),
            run_by,
        )
        return script

    return enter


FULL_S = (2646.0, 2700.25)


def valid(low_s: float = FULL_S[0], high_s: float = FULL_S[1]) -> Expected:
    """Credited, nothing found."""
    return Expected(VALID, (low_s, high_s))


def violation(
    *rules: str,
    credited_s: tuple[float, float],
    review: tuple[str, ...] = (),
    tolerated: tuple[str, ...] = (),
    or_outcomes: tuple[str, ...] = (),
) -> Expected:
    """The service itself may say so."""
    found = dict.fromkeys(rules, VIOLATION) | dict.fromkeys(review, REVIEW)
    return Expected(INVALID, credited_s, found, or_outcomes, frozenset(tolerated))


def pending(
    *rules: str,
    credited_s: tuple[float, float] = (0.0, FULL_S[1]),
    tolerated: tuple[str, ...] = (),
    or_outcomes: tuple[str, ...] = (),
    needs_pixels: bool = False,
) -> Expected:
    """A person has to look; nothing counts meanwhile."""
    found = dict.fromkeys(rules, REVIEW)
    return Expected(PENDING, credited_s, found, or_outcomes, frozenset(tolerated), needs_pixels)


def whole_lesson(sitting: SimulatedSitting) -> Passage:
    """The script of most: open, watch to the end, close."""
    yield from sitting.open()
    yield from sitting.watch()
    yield from sitting.end()
