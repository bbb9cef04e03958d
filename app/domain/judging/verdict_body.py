"""What a verdict stores (docs/rules.md section 6) as canonical JSON: same facts, same bytes.

No time of judging, no database id and no order of processing enters a body; those stand in the
row around it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import UNSET

from app.canonical import canonical
from app.domain.policy.clauses import Clause
from app.domain.policy.pack import Pack
from app.store.bodies import (
    ClauseBody,
    CrowdMember,
    FindingBody,
    FindingEvidence,
    Interval,
    PackBody,
    Place,
    SessionSubject,
    SessionVerdict,
    finding_key,
)
from app.store.judging.facts import NamedTrace
from detectors.assess import SessionOutcome
from detectors.class_hours import HourParts, as_reported, changes
from detectors.film import Stretches, along_film, on_timeline
from detectors.finding import Finding, FindingScope
from detectors.trace import Trace

NO_CONTENT = "no_content"  # a sitting in which nothing was played is not valid, nor anybody's fault
JOIN_MS = 15_000  # play with shorter standstills is shown as one stretch


def key_of(evidence: NamedTrace, finding: Finding) -> str:
    """The name of what a detector found."""
    if finding.scope is FindingScope.CLASS:
        member = evidence.sessions[finding.members[0]]
        return finding_key(
            member.platform_id,
            member.klass,
            FindingScope.CLASS,
            finding.rule,
            finding.reason,
            _subject(evidence, finding),
        )
    session = evidence.sessions[finding.session]
    return finding_key(
        session.platform_id,
        session.klass,
        session.learner,
        session.external_id,
        finding.rule,
        finding.reason,
        finding.start_ms,
    )


def finding_body(evidence: NamedTrace, finding: Finding, key: str, pack: Pack) -> FindingBody:
    """A finding under its key, as it is stored; `app.domain.judging.wording` adds the words."""
    of_class = finding.scope is FindingScope.CLASS
    rule = pack.policy[finding.rule]
    rival = evidence.sessions[finding.rival] if finding.rival >= 0 else None
    away = rival is not None and (
        of_class or rival.platform_id != evidence.sessions[finding.session].platform_id
    )
    return FindingBody(
        key=key,
        rule=finding.rule,
        reason=finding.reason,
        outcome=finding.outcome,
        fault=finding.fault,
        evidence_class=finding.evidence,
        rule_status=rule.status,
        reach=rule.reach,
        curable=rule.curable,
        needs_two_reviewers=finding.needs_two_reviewers,
        session_id=None if of_class else evidence.sessions[finding.session].external_id,
        class_hour=evidence.hours[finding.hour][1] if finding.hour >= 0 else None,
        start_ms=finding.start_ms,
        end_ms=finding.end_ms,
        start_position_ms=_position(evidence.trace, finding, finding.start_pos_ms, ends=False),
        end_position_ms=_position(evidence.trace, finding, finding.end_pos_ms, ends=True),
        measured=finding.measured,
        limit=finding.limit,
        unit=finding.unit,
        voids=finding.voids,
        rival_session_id=None if rival is None else rival.external_id,
        clause=clause_body(pack.clause_of(finding.rule)),
        evidence=FindingEvidence(
            controls=_places(evidence, finding.controls, "controls"),
            photos=_places(evidence, finding.photos, "photos"),
        ),
        rival_elsewhere=UNSET if rival is None else away,
        numbers=dict(finding.numbers) if of_class else UNSET,
        scope=finding.scope if of_class else UNSET,
        subject=_subject(evidence, finding) if of_class else UNSET,
        holds=finding.holds if of_class else UNSET,
        members=_members(evidence, finding) if of_class else UNSET,
        stretches=_stretches(evidence.trace, finding) or UNSET,
    )


def _position(trace: Trace, finding: Finding, content_ms: int, *, ends: bool) -> int | None:
    """Where a finding's stretch of the film begins or ends, as the player counts."""
    if content_ms < 0 or finding.session < 0:
        return None
    return _media_position(
        trace, int(trace.sessions["lesson"][finding.session]), content_ms, ends=ends
    )


def _media_position(trace: Trace, lesson: int, content_ms: int, *, ends: bool) -> int:
    """Where on its player's timeline so much of a lesson's film lies before."""
    of, content = np.full(1, lesson, np.int64), np.full(1, content_ms, np.int64)
    return int(on_timeline(trace, of, content, ends=ends)[0])


def _stretches(trace: Trace, finding: Finding) -> list[tuple[int, int]]:
    lesson = int(finding.subject.partition("#")[2] or 0)
    return [
        (
            _media_position(trace, lesson, start, ends=False),
            _media_position(trace, lesson, end, ends=True),
        )
        for start, end in finding.stretches
    ]


def _subject(evidence: NamedTrace, finding: Finding) -> str:
    """What a finding of class scope is about, with a lesson by the platform's own name for it."""
    kind, row, number = finding.subject.partition("#")
    return f"{kind}:{evidence.lessons[int(number)].external_id}" if row else finding.subject


def _members(evidence: NamedTrace, finding: Finding) -> list[CrowdMember]:
    """Who a finding of class scope is about: learners in order, with their sittings."""
    sittings: dict[str, list[str]] = {}
    for row in finding.members:
        session = evidence.sessions[row]
        sittings.setdefault(session.learner, []).append(session.external_id)
    return [CrowdMember(learner_id=it, sessions=sorted(sittings[it])) for it in sorted(sittings)]


def standing_finding(evidence: NamedTrace, class_id: int, body: FindingBody) -> Finding | None:
    """A finding that stands on the class as a whole, as far as it bears on this evidence; None
    where it does not. One on a lesson bears on everybody's sittings of it."""
    subject = body.subject or ""
    stretches: Stretches = ()
    kind, _, lesson = subject.partition(":")
    if kind == "lesson":
        members = tuple(
            at
            for at, row in enumerate(evidence.sessions)
            if row.class_id == class_id and _lesson(evidence, at) == lesson
        )
    else:
        rows = {it.external_id: at for at, it in enumerate(evidence.sessions)}
        members = tuple(sorted(rows[it] for it in body.sessions_named() if it in rows))
    if not members:
        return None
    if kind == "lesson":
        row = int(evidence.trace.sessions["lesson"][members[0]])
        subject = f"lesson#{row}"
        stretches = tuple(
            (_content(evidence.trace, row, start), _content(evidence.trace, row, end))
            for start, end in body.stretches or ()
        )
    return Finding(
        rule=body.rule,
        outcome=body.outcome,
        reason=body.reason,
        fault=body.fault,
        evidence=body.evidence_class,
        start_ms=body.start_ms,
        end_ms=body.end_ms,
        measured=body.measured,
        limit=body.limit,
        unit=body.unit,
        voids=body.voids,
        needs_two_reviewers=body.needs_two_reviewers,
        scope=FindingScope.CLASS,
        subject=subject,
        members=members,
        holds=body.holds or False,
        numbers=dict(body.numbers or {}),
        stretches=stretches,
    )


def _lesson(evidence: NamedTrace, session: int) -> str:
    return str(evidence.lessons[int(evidence.trace.sessions["lesson"][session])].external_id)


def _content(trace: Trace, lesson: int, position_ms: int) -> int:
    one = np.full(1, lesson, np.int64)
    return int(along_film(trace, one, np.full(1, position_ms, np.int64))[0])


def clause_body(clause: Clause) -> ClauseBody:
    """A clause with its exact words."""
    return ClauseBody(
        key=clause.key,
        quote=clause.words,
        instrument=clause.instrument.number,
        article=clause.article,
    )


def _places(evidence: NamedTrace, rows: Iterable[int], ledger: str) -> list[Place]:
    """Ledger rows by place in their own session, with the server's time."""
    trace = evidence.trace
    column, at = getattr(trace, ledger), getattr(trace, f"{ledger}_at")
    time = "issued_ms" if ledger == "controls" else "recv_ms"
    copies = evidence.copies if ledger == "photos" else {}
    found: list[Place] = []
    for row in rows:
        session = int(np.searchsorted(at, row, side="right")) - 1
        start = int(trace.sessions["start_ms"][session])
        found.append(
            Place(
                place=int(row - at[session]),
                at_ms=start + int(column[time][row]),
                same_as=copies.get(row, UNSET),
            )
        )
    return found


def intervals(trace: Trace, parts: HourParts) -> dict[int, list[Interval]]:
    """[(p0, p1, t0, t1), …] in ms of every session that has any: parts in time order, joined where
    play hardly stood still, at positions of the player."""
    if not len(parts):
        return {}
    parts = as_reported(trace, parts)
    order = np.lexsort((parts.t0_ms, parts.session))
    session = parts.session[order]
    p0, p1 = parts.p0_ms[order], parts.p1_ms[order]
    t0, t1 = parts.t0_ms[order], parts.t1_ms[order]
    head = changes(session)
    head[1:] |= (p0[1:] != p1[:-1]) | (t0[1:] - t1[:-1] > JOIN_MS)
    first = np.flatnonzero(head)
    last = np.append(first[1:], len(order)) - 1
    rows = np.stack([p0[first], p1[last], t0[first], t1[last]], axis=1).tolist()
    found: dict[int, list[Interval]] = {}
    for owner, row in zip(session[first].tolist(), rows, strict=True):
        found.setdefault(owner, []).append(tuple(row))
    return found


def lengths(parts: HourParts, sessions: int) -> list[int]:
    """Content of each session's parts, in ms."""
    content = parts.p1_ms - parts.p0_ms
    total: list[int] = np.bincount(parts.session, content, minlength=sessions).astype(int).tolist()
    return total


_TOLD = ("end_ms", "flags", "counts_from_ms", "counts_until_ms", "stated_until_ms", "lesson")


class FactsDigests:
    """sha256 over everything that verdicts on sittings were computed from, by row of the trace."""

    def __init__(self, evidence: NamedTrace) -> None:
        trace, self.evidence = evidence.trace, evidence
        self.told = list(zip(*(trace.sessions[it].tolist() for it in _TOLD), strict=True))
        self.media_ms = trace.lessons["media_ms"].tolist()
        self.course: dict[int, list[Any]] = defaultdict(list)
        for session, kind, *apart in trace.course.tolist():
            self.course[session].append([kind, *(round(float(it), 4) for it in apart)])
        self.ledgers = [
            (rows.view(np.uint8).data, (at * rows.itemsize).tolist())
            for rows, at in (
                (trace.events, trace.events_at),
                (trace.controls, trace.controls_at),
                (trace.photos, trace.photos_at),
            )
        ]

    def of(self, session: int, decisions: Mapping[str, str]) -> bytes:
        """Of one sitting; `decisions` are those of people that bear on it, by finding."""
        row = self.evidence.sessions[session]
        end_ms, flags, since_ms, until_ms, stated_ms, lesson = self.told[session]
        head = {
            "session": row.external_id,
            "learner": row.learner,
            "class": row.klass,
            "start_ms": row.opened_ms,
            "end_ms": end_ms,
            "resume_ms": row.resume_ms,
            "flags": flags,
            "counts_ms": [since_ms, until_ms],
            "media_ms": self.media_ms[lesson],
            "order": self.evidence.lessons[lesson].position,
        }
        if acts := self.evidence.acts_on(session):
            head["acts"] = [act.fact for act in acts]
        if session in self.course:
            head["over_course"] = self.course[session]
        if stated_ms != until_ms:
            head["stated_until_ms"] = stated_ms
        digest = hashlib.sha256(canonical(head))
        for rows, at in self.ledgers:
            digest.update(rows[at[session] : at[session + 1]])
        digest.update(canonical(decisions))
        return digest.digest()


def combined(digests: Iterable[bytes], extra: Any = None) -> bytes:
    """One digest over several, in sorted order."""
    digest = hashlib.sha256(b"".join(sorted(digests)))
    digest.update(canonical(extra))
    return digest.digest()


def pack_body(pack: Pack) -> PackBody:
    return PackBody(id=pack.id, version=pack.version, sha256=pack.digest)


def session_body(
    evidence: NamedTrace,
    session: int,
    outcome: SessionOutcome,
    findings: Sequence[FindingBody],
    played_ms: int,
    credited_ms: int,
    credited: Sequence[Interval],
    facts: bytes,
    pack: PackBody,
    rules: Mapping[str, str],
) -> SessionVerdict:
    """The verdict on one sitting, by these versions of rules."""
    row = evidence.sessions[session]
    trace = evidence.trace
    lesson = evidence.lessons[int(trace.sessions["lesson"][session])]
    empty = outcome is SessionOutcome.NOT_PROVEN and not played_ms
    return SessionVerdict(
        subject=SessionSubject(
            session_id=row.external_id,
            learner_id=row.learner,
            class_id=row.klass,
            lesson_id=lesson.external_id,
        ),
        outcome=outcome,
        reason=NO_CONTENT if empty else UNSET,
        findings=findings,
        started_ms=row.opened_ms,
        ended_ms=int(trace.sessions["end_ms"][session]),
        media_ms=int(trace.lessons["media_ms"][trace.sessions["lesson"][session]]),
        played_ms=played_ms,
        credited_ms=credited_ms,
        credited=credited,
        provenance=row.provenance,
        pack=pack,
        detectors=rules,
        facts_sha256=facts.hex(),
    )
