"""A platform's six controls month by month, so that one sees whether they get better or worse.

A class counts in the month in which it opened. Counts of judged classes are added up and shares are
made of the sums, so that a large class weighs as much as its evidence.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from app.domain.judging.views import (
    ConformityMonth,
    ConformitySum,
    ControlSum,
    EvidenceSum,
    FaultSum,
)
from app.store.bodies import ClassVerdict, extended
from app.store.judging import conformity as store
from app.store.scope import AccessScope
from detectors.dates import months_later

MONTHS = 12


@dataclass(slots=True)
class _Sums:
    classes: int = 0
    of: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)  # `with`, or findings of an occurrence
    missing: Counter[str] = field(default_factory=Counter)
    evidence: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, body: ClassVerdict) -> None:
        self.classes += 1
        for it in body.controls:
            seen = it.observed.seen if it.kind == "control" else it.observed.findings
            self.of[it.rule] += it.observed.of
            self.seen[it.rule] += seen or 0
            self.missing[it.rule] += it.missing is True
        for name in ("sittings", "judged", "complete"):
            self.evidence[name] += getattr(body.evidence, name)
        for name, counts in body.faults.items():
            self.faults[name] += counts.violations

    def total(self) -> ConformitySum:
        accused = sum(self.faults.values())
        sittings, complete = self.evidence["sittings"], self.evidence["complete"]
        return ConformitySum(
            classes=self.classes,
            controls={
                rule: ControlSum(
                    observed=self.seen[rule],
                    of=of,
                    share=_share(self.seen[rule], of),
                    classes_missing=self.missing[rule],
                )
                for rule, of in self.of.items()
            },
            evidence=EvidenceSum(
                sittings=sittings,
                judged=self.evidence["judged"],
                complete=complete,
                complete_share=_share(complete, sittings),
            ),
            faults={
                name: FaultSum(violations=count, violation_share=_share(count, accused))
                for name, count in self.faults.items()
            },
        )


def by_month(
    connection: Connection, scope: AccessScope, platform_id: int, today: date
) -> list[ConformityMonth]:
    """The last twelve months, oldest first; only those in which judged classes opened."""
    since = months_later(today.replace(day=1), 1 - MONTHS)
    bodies = store.class_bodies(connection, scope, platform_id, since)
    months: dict[str, _Sums] = {}
    for opened, body in bodies:
        months.setdefault(opened[:7], _Sums()).add(body)
    return [extended(ConformityMonth, months[it].total(), month=it) for it in sorted(months)]


def before(
    connection: Connection, scope: AccessScope, platform_id: int, day: date
) -> ConformitySum:
    """The sum of the judged classes that opened in the year before `day`."""
    sums = _Sums()
    since = months_later(day, -MONTHS)
    for _, body in store.class_bodies(connection, scope, platform_id, since, before=day):
        sums.add(body)
    return sums.total()


def _share(count: int, of: int) -> float | None:
    return round(count / of, 4) if of else None
