"""The platform's side of clause 21(2): which of the six controls a class had, and did they work.

Four of the six name a control that must be there, two name an occurrence, which is counted and can
not be missing. A control is missing only where its absence shows: play that was long enough, on a
platform that runs its own controls, and not a single trace of it in the whole class. Where the
evidence does not tell, `missing` is None and nobody is accused.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import Connection

from app.domain import notify
from app.domain.judging.sentences import sentences
from app.domain.judging.verdict_body import clause_body
from app.domain.policy.pack import Pack
from app.store.bodies import (
    ConformityBody,
    ControlConfiguration,
    ControlObservation,
    ControlRecord,
    CourseLock,
    EvidenceCounts,
    FaultCounts,
    FindingBody,
    FindingEvidence,
    finding_key,
)
from app.store.catalogue.catalogue import ClassRow
from app.store.judging import conformity as store
from app.store.judging import verdicts
from app.store.judging.conformity import LedgerCount, PhotoCount
from app.store.judging.verdicts import CONTROL_MISSING as REASON
from app.store.judging.verdicts import Entered
from detectors.control_kinds import ControlKind
from detectors.eligibility import Cure
from detectors.fast_forward import BEFORE_OPENING
from detectors.finding import Evidence, Fault, FindingScope, Outcome
from detectors.unseen_play import NOT_SECONDS

CONTROLS = ("popup_gap", "face_liveness", "lesson_order", "photo_retention")
UNSEEN = "unseen_play"  # no control, and nobody's fault yet: told of as it is
OCCURRENCES = ("fast_forward", "multi_window")


@dataclass(frozen=True, slots=True)
class Conformity:
    """The record of a class; `began_ms` and `ended_ms` frame its judged sittings."""

    body: ConformityBody
    began_ms: int
    ended_ms: int


def of_class(connection: Connection, klass: ClassRow, pack: Pack) -> Conformity:
    """The record of a class as its evidence stands."""
    return _Observer(connection, klass, pack).conformity()


def enter(
    connection: Connection,
    klass: ClassRow,
    pack: Pack,
    found: Conformity,
    run_id: int | None,
    now_ms: int,
) -> list[str]:
    """Enter a finding on the class for every control that is missing; the keys that are new."""
    rows = [
        Entered(
            platform_id=klass.platform_id,
            class_id=klass.id,
            learner_id=None,
            session_id=None,
            shadow=not pack.policy[it.rule].acts,
            pack=pack.name,
            body=_body(klass, pack, found, it),
        )
        for it in found.body.controls
        if it.missing
    ]
    new = verdicts.keep_findings(connection, klass.id, rows, [None], CONTROLS, run_id, now_ms)
    notify.findings_opened(connection, klass.id, new, sentences, now_ms)
    return new


def key_of(klass: ClassRow, rule: str) -> str:
    """The finding on a class's missing control has one name for good."""
    return finding_key(klass.platform_id, klass.external_id, FindingScope.CLASS, rule, REASON)


def _body(klass: ClassRow, pack: Pack, found: Conformity, record: ControlRecord) -> FindingBody:
    consequences = pack.consequences
    return FindingBody(
        key=key_of(klass, record.rule),
        rule=record.rule,
        reason=REASON,
        outcome=Outcome.VIOLATION,
        fault=Fault.PLATFORM,
        evidence_class=Evidence.SERVER,
        rule_status=pack.policy[record.rule].status,
        reach=consequences.missing_control,
        curable=consequences.missing_control_cure is not Cure.NONE,
        needs_two_reviewers=True,
        start_ms=found.began_ms,
        end_ms=found.ended_ms,
        measured=record.observed.seen or 0,
        limit=record.observed.of,
        unit="count",
        clause=clause_body(pack.clause_of(record.rule)),
        evidence=FindingEvidence(configured=record.configured, observed=record.observed),
    )


class _Found(msgspec.Struct):
    rule: str
    reason: str
    measured: float


class _SittingCounts(msgspec.Struct):
    played_ms: int
    findings: list[_Found] = []

    @property
    def unseen_s(self) -> float:
        """What was played while the page was hidden, and does not count."""
        return sum(
            it.measured for it in self.findings if it.rule == UNSEEN and it.reason != NOT_SECONDS
        )

    def has(self, reason: str) -> bool:
        return any(it.reason == reason for it in self.findings)


class _HourCounts(msgspec.Struct):
    played_ms: int
    length_ms: int
    photos: int


class _Observer:
    """Counts of one class. Long sittings are those in which a pop-up was due by the pack."""

    def __init__(self, connection: Connection, klass: ClassRow, pack: Pack) -> None:
        self.klass, self.pack, self.policy = klass, pack, pack.policy
        self.run_by = klass.controls
        self.sittings = store.sittings(connection, klass.id)
        self.verdicts = store.session_verdicts(connection, klass.id)
        self.judged = [it for it in self.sittings if it.id in self.verdicts]
        played = msgspec.json.Decoder(_SittingCounts)
        bodies_of = {it.id: played.decode(self.verdicts[it.id].body) for it in self.judged}
        self.unseen_s = [told for it in bodies_of.values() if (told := it.unseen_s)]
        self.not_seconds = sum(it.has(NOT_SECONDS) for it in bodies_of.values())
        self.opened_late = sum(it.has(BEFORE_OPENING) for it in bodies_of.values())
        longest = self.policy["popup_gap"].ms("max_gap_s")
        self.long = [it for it in self.judged if bodies_of[it.id].played_ms > longest]
        hours = msgspec.json.Decoder(_HourCounts)
        least = self.policy["class_hour"]["coverage"]
        bodies = [hours.decode(body) for body in store.hour_bodies(connection, klass.id)]
        self.complete = [it for it in bodies if it.played_ms >= it.length_ms * least]
        self.ledger: dict[str, dict[int, LedgerCount]] = defaultdict(dict)
        for line in store.ledger(connection, klass.id):
            self.ledger[line.kind][line.session_id] = line
        self.photos = {row.session_id: row for row in store.photos(connection, klass.id)}
        self.courses = store.courses(connection, klass.course_version_ids)
        self.faults = store.faults(connection, klass.id)

    def conformity(self) -> Conformity:
        ends = [it.closed_ms or it.last_recv_ms for it in self.judged]
        body = ConformityBody(
            controls=[
                self._occurrence("fast_forward", max_rate=self.policy["fast_forward"]["max_rate"]),
                self._occurrence(
                    "multi_window", on_second=self.policy["multi_window"].word("on_second")
                ),
                self._popups(),
                self._faces(),
                self._order(),
                self._photos(),
            ],
            evidence=self._evidence(),
            faults=self._faults(),
        )
        return Conformity(
            body=body,
            began_ms=min((it.opened_ms for it in self.judged), default=0),
            ended_ms=max(ends, default=0),
        )

    def _popups(self) -> ControlRecord:
        lines = self.ledger[ControlKind.POPUP]
        mine = [lines[it.id] for it in self.long if it.id in lines]
        shown = sum(line.shown > 0 for line in mine)
        observed = ControlObservation(
            subject="long_sittings",
            seen=shown,
            of=len(self.long),
            share=_rounded(shown, len(self.long)),
            issued=_sum(lines.values(), "issued"),
            shown=_sum(lines.values(), "shown"),
            answered=_sum(lines.values(), "answered"),
            expired=_sum(lines.values(), "expired"),
            unannounced=_sum(lines.values(), "unannounced"),
        )
        # What this service issued is on record, whether or not a client showed it.
        there = shown if self.run_by == "platform" else sum(line.issued > 0 for line in mine)
        missing = self._missing(there, len(self.long))
        if missing and observed.unannounced:
            missing = None  # pop-ups were seen that the platform never told of
        return _control("popup_gap", self._run(), observed, missing)

    def _faces(self) -> ControlRecord:
        wanted = [it for it in self.long if it.face_consent]
        lines = self.ledger[ControlKind.FACE_CHECK]
        demanded = lines.keys() | self.ledger[ControlKind.SNAPSHOT].keys() | self.photos.keys()
        checked = sum(
            it.id in lines or (it.id in self.photos and self.photos[it.id].compared > 0)
            for it in wanted
        )
        observed = ControlObservation(
            subject="long_sittings_with_consent",
            seen=checked,
            of=len(wanted),
            share=_rounded(checked, len(wanted)),
            issued=_sum(lines.values(), "issued"),
            compared=_sum(self.photos.values(), "compared"),
            passed=_sum(self.photos.values(), "passed"),
            # A still photo can match: that a living face was there is told by these alone.
            live_sittings=sum(row.live > 0 for row in self.photos.values()),
        )
        there = sum(it.id in demanded for it in wanted)
        missing = self._missing(there, len(wanted))
        return _control("face_liveness", self._run(), observed, missing)

    def _photos(self) -> ControlRecord:
        kept = sum(it.photos > 0 for it in self.complete)
        lines = self.ledger[ControlKind.SNAPSHOT]
        consenting = any(it.face_consent for it in self.judged)
        observed = ControlObservation(
            subject="complete_class_hours",
            seen=kept,
            of=len(self.complete),
            share=_rounded(kept, len(self.complete)),
            issued=_sum(lines.values(), "issued"),
            photos=_sum(self.photos.values(), "photos"),
            kept=_sum(self.photos.values(), "kept"),
            random=_sum(self.photos.values(), "random"),
            lost=_sum(self.photos.values(), "lost"),
        )
        there = kept + sum(line.issued for line in lines.values())
        of = len(self.complete) if consenting else 0
        return _control("photo_retention", self._run(), observed, self._missing(there, of))

    def _order(self) -> ControlRecord:
        professional = [it for it in self.courses if it.course_kind != "public" and it.lessons > 1]
        locked = sum(bool(it.sequential_lock) for it in professional)
        ahead = sum(it.times for it in self.faults if it.rule == "lesson_order")
        configured = ControlConfiguration(
            run_by="platform",
            courses=[
                CourseLock(
                    course_id=it.external_id,
                    course_kind=it.course_kind,
                    sequential_lock=bool(it.sequential_lock),
                )
                for it in self.courses
            ],
        )
        observed = ControlObservation(
            subject="professional_courses",
            seen=locked,
            of=len(professional),
            share=_rounded(locked, len(professional)),
            findings=ahead,
        )
        return _control("lesson_order", configured, observed, locked < len(professional))

    def _occurrence(self, rule: str, **configured: Any) -> ControlRecord:
        """An occurrence has no control that could be missing; sittings without it are counted."""
        hit = sum(it.times for it in self.faults if it.rule == rule)
        return ControlRecord(
            rule=rule,
            kind="occurrence",
            configured=ControlConfiguration(run_by="service", **configured),
            observed=ControlObservation(
                subject="judged_sittings", of=len(self.judged), findings=hit
            ),
            missing=False,
        )

    def _run(self) -> ControlConfiguration:
        return ControlConfiguration(run_by=self.run_by)

    def _missing(self, there: int, of: int) -> bool | None:
        """Never seen among `of` subjects: missing where the platform runs it, untold where this
        service should have, because then the records are what is missing."""
        if there:
            return False
        return True if of and self.run_by == "platform" else None

    def _evidence(self) -> EvidenceCounts:
        proven = [it for it in self.judged if self.verdicts[it.id].outcome != "not_proven"]
        sources = Counter(it.provenance for it in self.sittings)
        return EvidenceCounts(
            sittings=len(self.sittings),
            judged=len(self.judged),
            with_events=sum(it.event_count > 0 for it in self.sittings),
            ended_by_lease=sum(it.state == "expired" for it in self.sittings),
            complete=len(proven),
            complete_share=_rounded(len(proven), len(self.sittings)),
            live=sources["live"],
            attested=sources["attested"],
            unseen_sittings=len(self.unseen_s),
            unseen_s=round(sum(self.unseen_s)),
            not_seconds=self.not_seconds,
            opened_late=self.opened_late,
        )

    def _faults(self) -> dict[str, FaultCounts]:
        """Findings by whose fault they are; what is not proven is counted apart."""
        counts: dict[Fault, Counter[str]] = {fault: Counter() for fault in Fault}
        for it in self.faults:
            counts[Fault(it.fault)][it.outcome] += it.times
        accused = sum(it["violation"] for it in counts.values())
        return {
            fault.value: FaultCounts(
                violations=it["violation"],
                in_review=it["review"],
                not_proven=it["not_proven"],
                violation_share=_rounded(it["violation"], accused),
            )
            for fault, it in counts.items()
        }


def _control(
    rule: str, configured: ControlConfiguration, observed: ControlObservation, missing: bool | None
) -> ControlRecord:
    return ControlRecord(
        rule=rule, kind="control", configured=configured, observed=observed, missing=missing
    )


def _rounded(count: int, of: int) -> float | None:
    return round(count / of, 4) if of else None


def _sum(rows: Collection[LedgerCount | PhotoCount], name: str) -> int:
    return int(sum(map(attrgetter(name), rows)))
