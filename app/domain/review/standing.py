"""How a county stands over a range of days: what was found, what became of it, where, in whose
hands, and what hangs on it. Counts of findings and people, never of one person.

A trend compares with the range of the same length before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median

from sqlalchemy import Connection

from app.clock import DAY_MS, midnight_ms
from app.errors import BadInput
from app.store.judging import standing as store
from app.store.judging.standing import AssessedFinding, FindingInCounty, ReviewMade
from app.store.review.finding_queue import TO_DO
from app.store.scope import AccessScope

LONGEST_DAYS = 366
_SETTLED = ("upheld", "overturned", "cured")


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days in Asia/Shanghai, both of them in it."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not self.first <= self.last <= self.first + timedelta(days=LONGEST_DAYS):
            raise BadInput("bad_days", f"from one day to a later one, at most {LONGEST_DAYS} days")

    @property
    def from_ms(self) -> int:
        return midnight_ms(self.first)

    @property
    def to_ms(self) -> int:
        return midnight_ms(self.last + timedelta(days=1))

    @property
    def before(self) -> DayRange:
        days = self.last - self.first + timedelta(days=1)
        return DayRange(self.first - days, self.last - days)


@dataclass(slots=True)
class FindingTally:
    """Findings by what became of them, the people in them, and the yuan that hang on them: a
    learner's subsidy counts once in a class, however many findings there are."""

    found: int = 0
    waiting: int = 0
    upheld: int = 0
    overturned: int = 0
    people_upheld: set[tuple[int, int]] = field(default_factory=set)
    _yuan_waiting: dict[tuple[int, int | None], int] = field(default_factory=dict)
    _yuan_upheld: dict[tuple[int, int | None], int] = field(default_factory=dict)

    def add(self, it: FindingInCounty) -> None:
        subject = (it.class_id, it.learner_id)
        self.found += 1
        if it.status in TO_DO:
            self.waiting += 1
            self._yuan_waiting[subject] = it.yuan or 0
        elif it.status == "upheld":
            self.upheld += 1
            self._yuan_upheld[subject] = it.yuan or 0
            if it.learner_id is not None:
                self.people_upheld.add((it.class_id, it.learner_id))
        elif it.status == "overturned":
            self.overturned += 1

    @property
    def yuan_waiting(self) -> int:
        return _yuan(self._yuan_waiting)

    @property
    def yuan_upheld(self) -> int:
        return _yuan(self._yuan_upheld)


@dataclass(frozen=True, slots=True)
class Ranked:
    """An institution or a platform: who studied there, what was found, and the share of people
    with an upheld finding, now and in the range before; None where nobody studied."""

    name: str
    learners: int
    tally: FindingTally
    share: float | None
    share_before: float | None


@dataclass(frozen=True, slots=True)
class InTime:
    """A class, its findings, and how many were settled before the day of its assessment began."""

    class_id: int
    external_id: str
    occupation: str
    institution: str
    assessment_on: str
    found: int
    settled: int


@dataclass(frozen=True, slots=True)
class ReviewerLoad:
    """Decisions of one person, days from finding to decision (the median), and where two decided
    on the same finding, how often both said the same."""

    name: str
    decisions: int
    days: float
    with_another: int
    agreed: int


@dataclass(frozen=True, slots=True)
class CountyStanding:
    total: FindingTally
    before: FindingTally
    institutions: list[Ranked]
    platforms: list[Ranked]
    in_time: list[InTime]
    reviewers: list[ReviewerLoad]


def standing(connection: Connection, scope: AccessScope, days: DayRange) -> CountyStanding:
    earlier = days.before
    now = store.findings(connection, scope, days.from_ms, days.to_ms)
    then = store.findings(connection, scope, earlier.from_ms, earlier.to_ms)
    studied = store.studied(connection, scope, days.from_ms, days.to_ms)
    studied_then = store.studied(connection, scope, earlier.from_ms, earlier.to_ms)

    def ranked(place: Callable[[store.Studied | FindingInCounty], str]) -> list[Ranked]:
        return _ranked(
            _tallies(now, place),
            _tallies(then, place),
            _learners(studied, place),
            _learners(studied_then, place),
        )

    assessed = store.of_assessed(connection, scope, days.first.isoformat(), days.last.isoformat())
    return CountyStanding(
        total=_tally(now),
        before=_tally(then),
        institutions=ranked(lambda it: it.institution),
        platforms=ranked(lambda it: it.platform),
        in_time=_in_time(assessed),
        reviewers=_loads(store.reviews(connection, scope, days.from_ms, days.to_ms)),
    )


def _tally(findings: Iterable[FindingInCounty]) -> FindingTally:
    made = FindingTally()
    for it in findings:
        made.add(it)
    return made


def _tallies(
    findings: Iterable[FindingInCounty], place: Callable[[FindingInCounty], str]
) -> dict[str, FindingTally]:
    made: dict[str, FindingTally] = defaultdict(FindingTally)
    for it in findings:
        made[place(it)].add(it)
    return made


def _learners(
    rows: Iterable[store.Studied], place: Callable[[store.Studied], str]
) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for it in rows:
        counts[place(it)] += it.learners
    return counts


def _ranked(
    now: dict[str, FindingTally],
    then: dict[str, FindingTally],
    learners: dict[str, int],
    learners_then: dict[str, int],
) -> list[Ranked]:
    """Those with the largest share of upheld people first."""
    names = learners.keys() | now.keys()
    made = [
        Ranked(
            name,
            learners.get(name, 0),
            now.get(name) or FindingTally(),
            _share(now.get(name), learners.get(name, 0)),
            _share(then.get(name), learners_then.get(name, 0)),
        )
        for name in names
    ]
    return sorted(made, key=lambda it: (-(it.share or 0.0), -it.tally.found, it.name))


def _share(tally: FindingTally | None, learners: int) -> float | None:
    return len(tally.people_upheld if tally else ()) / learners if learners else None


def _in_time(findings: Sequence[AssessedFinding]) -> list[InTime]:
    of: dict[int, list[AssessedFinding]] = defaultdict(list)
    for it in findings:
        of[it.class_id].append(it)
    made = []
    for rows in of.values():
        one = rows[0]
        until_ms = midnight_ms(date.fromisoformat(one.assessment_on))
        settled = sum(it.status in _SETTLED and it.settled_ms < until_ms for it in rows)
        made.append(
            InTime(
                one.class_id,
                one.external_id,
                one.occupation,
                one.institution,
                one.assessment_on,
                len(rows),
                settled,
            )
        )
    return made


def _loads(reviews: Sequence[ReviewMade]) -> list[ReviewerLoad]:
    by_finding: dict[int, list[ReviewMade]] = defaultdict(list)
    by_person: dict[str, list[ReviewMade]] = defaultdict(list)
    for it in reviews:
        by_person[it.reviewer].append(it)
        if it.decision != "need_more":
            by_finding[it.finding_id].append(it)
    said: dict[str, list[bool]] = defaultdict(list)
    for both in by_finding.values():
        for one in both:
            for other in both:
                if one.reviewer != other.reviewer:
                    said[one.reviewer].append(one.decision == other.decision)
    loads = [
        ReviewerLoad(
            name,
            len(its),
            median((it.created_ms - it.found_ms) / DAY_MS for it in its),
            len(said[name]),
            sum(said[name]),
        )
        for name, its in by_person.items()
    ]
    return sorted(loads, key=lambda it: (-it.decisions, it.name))


def _yuan(of: dict[tuple[int, int | None], int]) -> int:
    """A finding on a whole class holds the subsidy of everybody in it."""
    whole = {klass: yuan for (klass, learner), yuan in of.items() if learner is None}
    single = sum(
        yuan for (klass, learner), yuan in of.items() if learner is not None and klass not in whole
    )
    return sum(whole.values()) + single
