"""What the verdicts on a class and its enrolments hold: both scales side by side, checks, controls.

Canonical: no time of judging, no database id, nothing in the order it came.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from app.canonical import canonical
from app.domain.catalogue.classes import pack_of
from app.domain.judging.conformity import Conformity
from app.domain.judging.enrolment_facts import Candidate, Gathered, class_document, counts_document
from app.domain.judging.reasons import reason_body
from app.domain.judging.verdict_body import clause_body, pack_body
from app.domain.policy.pack import Pack
from app.store import bodies
from app.store.catalogue.catalogue import ClassRow
from app.store.judging.verdicts import Judged
from detectors.batch_checks import check_class, check_learner
from detectors.batch_facts import CheckResult
from detectors.eligibility import (
    ClassConclusion,
    ControlAtWork,
    Deadlines,
    EnrolmentConclusion,
    awaits_people,
    deadlines,
    judge_class,
    judge_enrolment,
)
from detectors.registry import versions_acting

SCALES = ("graded", "literal")
_ALL_MONTHS = tuple(range(1, 13))

# Where the facts of a check come from: the class as opened, its plan, or a list.
EVIDENCE = {
    **dict.fromkeys(("B2", "B3", "B4", "B8"), "roster"),
    "B5": "class-hours",
    "B6": "recordings",
    "B7": "recordings",
    "B10": "roster",
    "B11": "roster",
    "B18": "offline-attendance",
    "B20": "history",
    "B24": "leave",
    "C11": "satisfaction",
    "C11_opening": "satisfaction",
    "D1": "history",
    "D17": "roster",
    "E1": "offline-attendance",
    "E2": "offline-attendance",
}


class Scale:
    """One pack's judgement of a class and all its learners."""

    def __init__(
        self,
        pack: Pack,
        gathered: Gathered,
        controls: Sequence[ControlAtWork],
        today: date,
        *,
        running: bool,
    ) -> None:
        self.pack, self.running = pack, running
        book, policy, consequences = pack.rulebook, pack.policy, pack.consequences
        planned_on = gathered.klass.assessment_planned_on
        ahead = round(book.checks["C7"]["days_ahead"]) if "C7" in book.checks else 0
        months = book.checks["C1"].numbers("months") if "C1" in book.checks else _ALL_MONTHS
        self.due: Deadlines = deadlines(planned_on, ahead, months, today)
        self.checks = check_class(gathered.klass, book)
        known = [it for it in controls if it.rule in policy.rules]
        self.klass: ClassConclusion = judge_class(
            known,
            self.checks,
            policy,
            consequences,
            self.due,
            gathered.waiting,
            running=running,
        )
        self.learners: list[tuple[list[CheckResult], EnrolmentConclusion]] = []
        for candidate in gathered.candidates:
            findings = [it.finding for it in candidate.findings if it.finding.rule in policy.rules]
            facts = candidate.facts
            if any(awaits_people(it, policy, consequences) for it in findings):
                undecided = facts.open_hours + candidate.counts.violation
                facts = replace(facts, open_hours=undecided)
            checks = check_learner(facts, gathered.klass, book)
            verdict = judge_enrolment(
                candidate.counts,
                findings,
                checks,
                self.klass,
                policy,
                consequences,
                running=running,
            )
            self.learners.append((checks, verdict))


class Bodies:
    """All verdicts of one class. `applied` names the scale whose outcome counts; `controls` is what
    was known of the six, for the digest of the facts."""

    def __init__(
        self,
        klass: ClassRow,
        gathered: Gathered,
        record: Conformity,
        scales: Mapping[str, Scale],
        applied: str,
        controls: list[list[Any]],
    ) -> None:
        self.klass, self.gathered, self.record = klass, gathered, record
        self.scales, self.applied = scales, applied
        self.own = scales[applied]
        self.class_facts = class_document(gathered.klass)
        self.controls = controls

    def all(self) -> list[Judged]:
        learners = [
            self._enrolment(at, candidate) for at, candidate in enumerate(self.gathered.candidates)
        ]
        return [self._class(Counter(it.outcome for it in learners)), *learners]

    def _class(self, counts: Counter[str]) -> Judged:
        verdict = self.own.klass
        facts = _digest(
            {
                "class": self.class_facts,
                "controls": self.controls,
                "conformity": self.record.body,
                "learners": dict(counts),
                "scale": self.applied,
                "waiting": counts_document(self.gathered.waiting),
                **self._running(verdict),
            }
        )
        record = self.record.body
        body = bodies.ClassVerdict(
            subject=bodies.ClassSubject(class_id=self.klass.external_id),
            outcome=verdict.outcome,
            learners=bodies.ClassLearners(
                enrolled=len(self.gathered.candidates),
                eligible=counts["eligible"],
                pending=counts["pending"],
                ineligible=counts["ineligible"],
            ),
            class_hours_planned=self.gathered.planned,
            checks=[_check(it, self.own.pack) for it in self.own.checks],
            controls=record.controls,
            evidence=record.evidence,
            faults=record.faults,
            **self._concluded(facts, lambda it: it.klass, lambda it: it.checks),
        )
        return Judged.of("class", self.klass.id, 0, verdict.outcome.value, facts, body)

    def _enrolment(self, at: int, candidate: Candidate) -> Judged:
        checks, verdict = self.own.learners[at]
        facts = _digest(
            {
                "class": self.class_facts,
                "controls": self.controls,
                "learner": candidate.content(),
                "scale": self.applied,
                **self._running(verdict),
            }
        )
        body = bodies.EnrolmentVerdict(
            subject=bodies.EnrolmentSubject(
                class_id=self.klass.external_id, learner_id=candidate.learner
            ),
            outcome=verdict.outcome,
            own=verdict.own,
            hours=bodies.EnrolmentHours(
                planned=candidate.counts.planned,
                **{name: len(numbers) for name, numbers in candidate.hours.items()},
                on_leave=candidate.counts.excused,
                attended=candidate.attended,
            ),
            checks=[_check(it, self.own.pack) for it in checks],
            findings=[
                bodies.StandingBody(
                    key=it.key,
                    rule=it.finding.rule,
                    outcome=it.finding.outcome,
                    fault=it.finding.fault,
                    status=it.status,
                )
                for it in candidate.findings
            ],
            **self._concluded(
                facts, lambda it: it.learners[at][1], lambda it: it.learners[at][0], candidate.hours
            ),
        )
        outcome = verdict.outcome.value
        return Judged.of("enrolment", candidate.enrolment_id, 0, outcome, facts, body)

    def _running(self, verdict: ClassConclusion | EnrolmentConclusion) -> dict[str, bool]:
        """A fact only where the verdict hangs on it, so that a day alone changes no digest."""
        return {"running": True} if self.own.running and verdict.let_off else {}

    def _concluded(
        self,
        facts: bytes,
        verdict_of: Callable[[Scale], ClassConclusion | EnrolmentConclusion],
        checks_of: Callable[[Scale], list[CheckResult]],
        hours: Mapping[str, tuple[int, ...]] | None = None,
    ) -> dict[str, Any]:
        """What both verdicts have in common: the reasons under the applied scale, both scales
        whole, deadlines, and what judged."""
        scales: dict[str, bodies.ScaleVerdict] = {}
        for name, scale in self.scales.items():
            verdict = verdict_of(scale)
            checks = [*checks_of(scale), *scale.checks]
            scales[name] = bodies.ScaleVerdict(
                outcome=verdict.outcome.value,
                curable=verdict.curable,
                reasons=[
                    reason_body(it, scale.pack, checks, scale.due, hours) for it in verdict.reasons
                ],
                pack=pack_body(scale.pack),
            )
        own, due, pack = scales[self.applied], self.own.due, pack_of(self.klass)
        evidence = self.record.body.evidence
        sources = (("attested", evidence.attested), ("live", evidence.live))
        return {
            "scale": self.applied,
            "curable": own.curable,
            "reasons": own.reasons,
            **{name: scales.get(name) for name in SCALES},
            "cut_off": due.cut_off.isoformat() if due.cut_off else None,
            "next_window": bodies.WindowBody(
                first=due.next_window.first.isoformat(), last=due.next_window.last.isoformat()
            ),
            "provenance": [name for name, count in sources if count],
            "pack": pack_body(pack),
            "detectors": versions_acting(pack.policy),
            "facts_sha256": facts.hex(),
        }


def _check(it: CheckResult, pack: Pack) -> bodies.CheckBody:
    return bodies.CheckBody(
        check=it.check,
        clause=clause_body(pack.clauses[it.clause]),
        scope=it.scope,
        result=it.result,
        reason=it.reason,
        found=it.found,
        said=it.said,
        numbers=dict(it.numbers),
        reach=it.reach,
        curable=it.curable,
        next_on=it.next_on.isoformat() if it.next_on else None,
        evidence=EVIDENCE.get(it.check, "class"),
    )


def _digest(facts: Any) -> bytes:
    return hashlib.sha256(canonical(facts)).digest()
