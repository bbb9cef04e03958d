"""What a detector says: an outcome, whose fault it is, and on what class of evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """Outcome of one rule on one subject, mildest first (docs/rules.md section 1)."""

    CLEAR = "clear"
    NOT_PROVEN = "not_proven"
    REVIEW = "review"
    VIOLATION = "violation"

    @property
    def severity(self) -> int:
        return _SEVERITY[self]


_SEVERITY = {it: at for at, it in enumerate(Outcome)}


class Fault(StrEnum):
    """Whose fault a finding is."""

    PLATFORM = "platform"
    INSTITUTION = "institution"
    LEARNER = "learner"
    ENVIRONMENT = "environment"
    UNDETERMINED = "undetermined"


class FindingScope(StrEnum):
    """What a finding is about: one person's sitting, or what many of a class share."""

    SITTING = "sitting"
    CLASS = "class"


class Evidence(StrEnum):
    """Who may accuse.

    `SERVER` is decided only from what the server itself created or timed. `CLIENT` is an
    observation that an unmodified browser practically never produces: alone it is at most a
    `review`. `STATISTIC` raises the priority of a review and never more.
    """

    SERVER = "S"
    CLIENT = "C+"
    STATISTIC = "C-"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a detector found on one subject.

    Times are server milliseconds since the epoch, positions are content milliseconds of the
    session's lesson; -1 where there is none. `session`, `hour`, `controls` and `photos` are rows
    of the trace's arrays. `measured` and `limit` are the two numbers a person is shown, in `unit`.
    `voids` tells that [start_ms, end_ms) earns no credit while the finding stands.

    A finding of class scope is one case for all `members` (rows of sessions of one class): its
    `session` is -1, and `subject` names for good what it is about, such as `lesson:k1`. While it
    is open and `holds`, the members' sittings wait with it; upheld, they earn nothing. Only
    detectors that look at whole classes (`crowd`) give one. `stretches` of a lesson are what it is
    about, [from, to) in content milliseconds.
    """

    rule: str
    outcome: Outcome
    reason: str
    fault: Fault
    evidence: Evidence
    session: int = -1
    hour: int = -1
    start_ms: int = -1
    end_ms: int = -1
    start_pos_ms: int = -1
    end_pos_ms: int = -1
    measured: float = 0.0
    limit: float = 0.0
    unit: str = "s"
    voids: bool = False
    needs_two_reviewers: bool = False
    scope: FindingScope = FindingScope.SITTING
    subject: str = ""
    members: tuple[int, ...] = ()
    holds: bool = False
    rival: int = -1
    controls: tuple[int, ...] = ()
    photos: tuple[int, ...] = ()
    stretches: tuple[tuple[int, int], ...] = ()
    numbers: dict[str, float] = field(default_factory=dict)


def worst(outcomes: list[Outcome]) -> Outcome:
    """The most severe of `outcomes`; `clear` for none.

    >>> worst([Outcome.CLEAR, Outcome.REVIEW]).value
    'review'
    """
    return max(outcomes, key=lambda outcome: outcome.severity, default=Outcome.CLEAR)
