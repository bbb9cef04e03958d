"""What one sitting looked like in time: what an auditor's picture is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Connection

from app.domain.answer import Answer, EpochMs
from app.domain.controls.control_line import ControlSource
from app.domain.judging import assess, wording
from app.domain.judging.sitting_view import Provenance
from app.domain.judging.verdict_body import finding_body, intervals
from app.domain.judging.views import FindingView
from app.domain.sittings.sitting_life import State
from app.domain.standing import of_findings
from app.store.bodies import Interval, extended
from app.store.faces import snapshots
from app.store.judging import facts, verdicts
from app.store.judging.facts import NamedTrace
from app.store.judging.unsettled import finding_keys
from app.store.judging.verdicts import FindingStanding
from detectors.assess import SessionOutcome, acts, concerned
from detectors.control_kinds import ControlKind, kind_of
from detectors.credit import Samples
from detectors.film import on_timeline
from detectors.finding import Finding, Outcome
from detectors.policy import Policy
from detectors.trace import (
    NONE,
    Check,
    Control,
    ControlFlag,
    Flag,
    PhotoFlag,
    Purpose,
    Trace,
)

MOST_SAMPLES = 1_500  # more points than a picture has columns tell nothing


Sample = tuple[int, int, int]


class TimelineSession(Answer, frozen=True, kw_only=True):
    """The sitting, and its lesson; `outcome` as it would be judged now, `standing` how it stands
    while people decide."""

    id: str
    learner: str
    lesson: str
    lesson_title: str
    klass: str = msgspec.field(name="class")
    opened_ms: EpochMs
    closed_ms: EpochMs | None
    ended_ms: EpochMs
    state: State
    provenance: Provenance
    media_ms: int
    resume_ms: int
    outcome: SessionOutcome
    standing: SessionOutcome


class VoidedStretch(Answer, frozen=True, kw_only=True):
    """Time that does not count, by which rule; `finding` is the finding's key."""

    t0_ms: EpochMs
    t1_ms: EpochMs
    rule: str
    finding: str


class TimelineControl(Answer, frozen=True, kw_only=True):
    kind: ControlKind
    issued_ms: EpochMs | None
    due_ms: EpochMs | None
    shown_ms: EpochMs | None
    answered_ms: EpochMs | None
    expired_ms: EpochMs | None
    latency_ms: int | None
    flags: list[str]
    source: ControlSource


class TimelinePhoto(Answer, frozen=True, kw_only=True):
    """A photo: when it came, what for, what its comparison gave (`score` against `limit`)."""

    snapshot_id: str
    t_ms: EpochMs
    purpose: str
    check: str
    score: float | None
    limit: float | None
    flags: list[str]


class KeptPhoto(TimelinePhoto, frozen=True, kw_only=True):
    """A photo with the number of its row, which only pages of people are given."""

    id: int


class TimelineFinding(FindingView, frozen=True, kw_only=True):
    """A finding, as it was entered and where it stands; both null when it was not entered yet."""

    id: int | None
    status: str | None


class Plotted(Answer, frozen=True, kw_only=True):
    """What is plotted of a sitting; times by the server's clock in epoch ms, positions content ms.

    samples   [t_ms, position_ms, visible (0 or 1)]; a seek gives two at one time
    credited  content from and to, time from and to
    """

    session: TimelineSession
    samples: list[Sample]
    credited: Sequence[Interval]
    controls: list[TimelineControl]
    photos: list[KeptPhoto]


class Timeline(Plotted, frozen=True, kw_only=True):
    """breaks    from and to: the player stood still"""

    voided: list[VoidedStretch]
    findings: list[TimelineFinding]
    notes: list[FindingView]
    breaks: list[tuple[int, int]]


def timeline(connection: Connection, session_id: int) -> Timeline:
    """A sitting as it would be judged now, with its findings as they were entered."""
    session = facts.session_row(connection, session_id)
    evidence = facts.of_learner(connection, session.class_id, session.learner_id)
    row = next(at for at, it in enumerate(evidence.sessions) if it.id == session_id)
    pack = assess.pack_of_class(connection, session.class_id)
    decided = verdicts.decisions(connection, [session.learner_id], session.class_id)
    standing = assess.standing(connection, session.class_id, evidence)
    result, keys = assess.assessed(evidence, pack, decided, standing)
    entered = verdicts.findings_by_key(connection, session.class_id, keys)
    findings: list[TimelineFinding] = []
    notes: list[FindingView] = []
    for finding, key in zip(result.findings, keys, strict=True):
        if row not in concerned(finding):
            continue
        worded = wording.finding(finding_body(evidence, finding, key, pack))
        if finding.outcome is Outcome.CLEAR and key not in decided:
            notes.append(worded)
        else:
            findings.append(_entered(worded, entered.get(key)))
    known = finding_keys(connection, session.class_id)
    outcome = result.outcomes[row]
    stands = SessionOutcome(of_findings(outcome, findings, known))
    return Timeline(
        session=_session(evidence, row, outcome, stands),
        samples=_samples(evidence.trace, result.facts.played.samples, row),
        credited=intervals(evidence.trace, result.credited).get(row, []),
        voided=_voided(evidence.trace, result.findings, keys, pack.policy, row),
        controls=_controls(evidence.trace, row),
        photos=_photos(connection, evidence, row),
        findings=findings,
        notes=notes,
        breaks=_breaks(result.facts.played.samples, evidence.trace, row),
    )


def _voided(
    trace: Trace, findings: Sequence[Finding], keys: Sequence[str], policy: Policy, row: int
) -> list[VoidedStretch]:
    return [
        VoidedStretch(t0_ms=finding.start_ms, t1_ms=finding.end_ms, rule=finding.rule, finding=key)
        for finding, key in zip(findings, keys, strict=True)
        if finding.voids and acts(finding, policy) and _reaches(trace, finding, row)
    ]


def _entered(told: FindingView, standing: FindingStanding | None) -> TimelineFinding:
    number, status = (standing.id, standing.status) if standing else (None, None)
    return extended(TimelineFinding, told, id=number, status=status)


def _session(
    evidence: NamedTrace, row: int, outcome: SessionOutcome, standing: SessionOutcome
) -> TimelineSession:
    session = evidence.sessions[row]
    columns = evidence.trace.sessions[row]
    lesson = evidence.lessons[int(columns["lesson"])]
    return TimelineSession(
        id=session.external_id,
        learner=session.learner,
        lesson=lesson.external_id,
        lesson_title=lesson.title,
        klass=session.klass,
        opened_ms=session.opened_ms,
        closed_ms=session.closed_ms,
        ended_ms=int(columns["end_ms"]),
        state=State(session.state),
        provenance=Provenance(session.provenance),
        media_ms=lesson.media_ms,
        resume_ms=session.resume_ms,
        outcome=outcome,
        standing=standing,
    )


def _samples(trace: Trace, samples: Samples, row: int) -> list[Sample]:
    mine = np.flatnonzero(samples.own == row)
    if len(mine) > MOST_SAMPLES:
        mine = mine[np.unique(np.linspace(0, len(mine) - 1, MOST_SAMPLES).astype(int))]
    start = int(trace.sessions["start_ms"][row])
    hidden = (trace.events["flags"][samples.row[mine]] & (Flag.HIDDEN | Flag.BLURRED)) != 0
    lesson = np.full(len(mine), trace.sessions["lesson"][row], np.int64)
    arrive = on_timeline(trace, lesson, samples.arrive_ms[mine], ends=True).tolist()
    leave = on_timeline(trace, lesson, samples.leave_ms[mine], ends=True).tolist()
    points: list[Sample] = []
    for moment, came, went, dark in zip(
        (start + samples.u_ms[mine]).tolist(), arrive, leave, hidden.tolist(), strict=True
    ):
        points.append((moment, came, int(not dark)))
        if went != came:
            points.append((moment, went, int(not dark)))
    return points


def _breaks(samples: Samples, trace: Trace, row: int) -> list[tuple[int, int]]:
    """Stretches of at least half a minute in which the position stood still."""
    mine = samples.own == row
    start = int(trace.sessions["start_ms"][row])
    times, moved = samples.u_ms[mine] + start, samples.advance_ms[mine] > 0
    breaks: list[tuple[int, int]] = []
    for at in range(1, len(times)):
        if moved[at] or times[at] == times[at - 1]:
            continue
        if breaks and breaks[-1][1] == times[at - 1]:
            breaks[-1] = breaks[-1][0], int(times[at])
        else:
            breaks.append((int(times[at - 1]), int(times[at])))
    return [it for it in breaks if it[1] - it[0] >= 30_000]


def _reaches(trace: Trace, finding: Finding, row: int) -> bool:
    """A finding on a class-hour voids time in every sitting of its case."""
    if row in concerned(finding):
        return True
    if finding.session < 0:
        return False
    same_case = trace.sessions["case"][finding.session] == trace.sessions["case"][row]
    return finding.hour >= 0 and bool(same_case)


def _when(start: int, since: int) -> int | None:
    return None if since == NONE else start + since


def _flags(value: int, kind: type[ControlFlag] | type[PhotoFlag]) -> list[str]:
    return [flag.name.lower() for flag in kind if flag.name and flag & value]


def _controls(trace: Trace, row: int) -> list[TimelineControl]:
    start = int(trace.sessions["start_ms"][row])
    return [
        TimelineControl(
            kind=kind_of(Control(int(line["kind"])).name.lower()),
            issued_ms=_when(start, int(line["issued_ms"])),
            due_ms=_when(start, int(line["due_ms"])),
            shown_ms=_when(start, int(line["shown_ms"])),
            answered_ms=_when(start, int(line["answered_ms"])),
            expired_ms=_when(start, int(line["expired_ms"])),
            latency_ms=int(line["latency_ms"]) if line["latency_ms"] >= 0 else None,
            flags=_flags(int(line["flags"]), ControlFlag),
            source=ControlSource.SERVICE
            if line["flags"] & ControlFlag.SERVICE
            else ControlSource.PLATFORM,
        )
        for line in trace.controls_of(row)
    ]


def _photos(connection: Connection, evidence: NamedTrace, row: int) -> list[KeptPhoto]:
    start = int(evidence.trace.sessions["start_ms"][row])
    names = snapshots.rows(connection, evidence.sessions[row].id)
    return [
        KeptPhoto(
            id=name.id,
            snapshot_id=name.external_id,
            t_ms=start + int(photo["recv_ms"]),
            purpose=Purpose(int(photo["purpose"])).name.lower(),
            check=Check(int(photo["check"])).name.lower(),
            score=_number(photo["score"]),
            limit=_number(photo["limit"]),
            flags=_flags(int(photo["flags"]), PhotoFlag),
        )
        for name, photo in zip(names, evidence.trace.photos_of(row), strict=False)
    ]


def _number(value: Any) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
