"""What one sitting looked like in time: the picture an auditor reads, as plain data."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import Connection

from app.domain.judging import assess, wording
from app.domain.judging.verdict_body import finding_body, intervals
from app.domain.judging.views import FindingView
from app.store.bodies import document
from app.store.faces import snapshots
from app.store.judging import facts, verdicts
from app.store.judging.facts import NamedTrace
from app.store.judging.verdicts import FindingStanding
from detectors.assess import acts, concerned
from detectors.credit import Samples
from detectors.film import on_timeline
from detectors.finding import Finding, Outcome
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


def timeline(connection: Connection, session_id: int) -> dict[str, Any]:
    """Everything to plot of a session; times are epoch ms by the server's clock, positions ms.

    samples   [[t_ms, pos_ms, visible (0 or 1)], …]; a seek gives two at one time
    credited  [[p0_ms, p1_ms, t0_ms, t1_ms], …]
    voided    [{t0_ms, t1_ms, rule, finding}], finding = its key
    controls, photos, findings, breaks (the player stood still: [t0_ms, t1_ms])
    """
    session = facts.session_row(connection, session_id)
    evidence = facts.of_learner(connection, session.class_id, session.learner_id)
    row = next(at for at, it in enumerate(evidence.sessions) if it.id == session_id)
    pack = assess.pack_of_class(connection, session.class_id)
    decided = verdicts.decisions(connection, [session.learner_id], session.class_id)
    standing = assess.standing(connection, session.class_id, evidence)
    result, keys = assess.assessed(evidence, pack, decided, standing)
    entered = verdicts.findings_by_key(connection, session.class_id, keys)
    mine = [at for at, it in enumerate(result.findings) if row in concerned(it)]
    credited = result.credited

    def finding_at(at: int) -> FindingView:
        return wording.finding(finding_body(evidence, result.findings[at], keys[at], pack))

    return {
        "session": _session(evidence, row, result.outcomes[row].value),
        "samples": _samples(evidence.trace, result.facts.played.samples, row),
        "credited": intervals(evidence.trace, credited).get(row, []),
        "voided": [
            {
                "t0_ms": finding.start_ms,
                "t1_ms": finding.end_ms,
                "rule": finding.rule,
                "finding": key,
            }
            for finding, key in zip(result.findings, keys, strict=True)
            if finding.voids
            and acts(finding, pack.policy)
            and _reaches(evidence.trace, finding, row)
        ],
        "controls": _controls(evidence.trace, row),
        "photos": _photos(connection, evidence, row),
        "findings": [
            document(finding_at(at)) | _standing(entered.get(keys[at]))
            for at in mine
            if result.findings[at].outcome is not Outcome.CLEAR or keys[at] in decided
        ],
        "notes": [
            document(finding_at(at))
            for at in mine
            if result.findings[at].outcome is Outcome.CLEAR and keys[at] not in decided
        ],
        "breaks": _breaks(result.facts.played.samples, evidence.trace, row),
    }


def _session(evidence: NamedTrace, row: int, outcome: str) -> dict[str, Any]:
    session = evidence.sessions[row]
    columns = evidence.trace.sessions[row]
    lesson = evidence.lessons[int(columns["lesson"])]
    return {
        "id": session.external_id,
        "learner": session.learner,
        "lesson": lesson.external_id,
        "lesson_title": lesson.title,
        "class": session.klass,
        "opened_ms": session.opened_ms,
        "closed_ms": session.closed_ms,
        "ended_ms": int(columns["end_ms"]),
        "state": session.state,
        "provenance": session.provenance,
        "media_ms": lesson.media_ms,
        "resume_ms": session.resume_ms,
        "outcome": outcome,
    }


def _samples(trace: Trace, samples: Samples, row: int) -> list[list[int]]:
    mine = np.flatnonzero(samples.own == row)
    if len(mine) > MOST_SAMPLES:
        mine = mine[np.unique(np.linspace(0, len(mine) - 1, MOST_SAMPLES).astype(int))]
    start = int(trace.sessions["start_ms"][row])
    hidden = (trace.events["flags"][samples.row[mine]] & (Flag.HIDDEN | Flag.BLURRED)) != 0
    lesson = np.full(len(mine), trace.sessions["lesson"][row], np.int64)
    arrive = on_timeline(trace, lesson, samples.arrive_ms[mine], ends=True).tolist()
    leave = on_timeline(trace, lesson, samples.leave_ms[mine], ends=True).tolist()
    points: list[list[int]] = []
    for moment, came, went, dark in zip(
        (start + samples.u_ms[mine]).tolist(), arrive, leave, hidden.tolist(), strict=True
    ):
        points.append([moment, came, int(not dark)])
        if went != came:
            points.append([moment, went, int(not dark)])
    return points


def _breaks(samples: Samples, trace: Trace, row: int) -> list[list[int]]:
    """Stretches of at least half a minute in which the position stood still."""
    mine = samples.own == row
    start = int(trace.sessions["start_ms"][row])
    times, moved = samples.u_ms[mine] + start, samples.advance_ms[mine] > 0
    breaks: list[list[int]] = []
    for at in range(1, len(times)):
        if moved[at] or times[at] == times[at - 1]:
            continue
        if breaks and breaks[-1][1] == times[at - 1]:
            breaks[-1][1] = int(times[at])
        else:
            breaks.append([int(times[at - 1]), int(times[at])])
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


def _controls(trace: Trace, row: int) -> list[dict[str, Any]]:
    start = int(trace.sessions["start_ms"][row])
    return [
        {
            "kind": Control(int(line["kind"])).name.lower(),
            "issued_ms": _when(start, int(line["issued_ms"])),
            "due_ms": _when(start, int(line["due_ms"])),
            "shown_ms": _when(start, int(line["shown_ms"])),
            "answered_ms": _when(start, int(line["answered_ms"])),
            "expired_ms": _when(start, int(line["expired_ms"])),
            "latency_ms": int(line["latency_ms"]) if line["latency_ms"] >= 0 else None,
            "flags": _flags(int(line["flags"]), ControlFlag),
            "source": "service" if line["flags"] & ControlFlag.SERVICE else "platform",
        }
        for line in trace.controls_of(row)
    ]


def _photos(connection: Connection, evidence: NamedTrace, row: int) -> list[dict[str, Any]]:
    start = int(evidence.trace.sessions["start_ms"][row])
    names = snapshots.rows(connection, evidence.sessions[row].id)
    return [
        {
            "id": name.id,
            "snapshot_id": name.external_id,
            "t_ms": start + int(photo["recv_ms"]),
            "purpose": Purpose(int(photo["purpose"])).name.lower(),
            "check": Check(int(photo["check"])).name.lower(),
            "score": _number(photo["score"]),
            "limit": _number(photo["limit"]),
            "flags": _flags(int(photo["flags"]), PhotoFlag),
        }
        for name, photo in zip(names, evidence.trace.photos_of(row), strict=False)
    ]


def _number(value: Any) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None


def _standing(entered: FindingStanding | None) -> dict[str, Any]:
    if entered is None:
        return {"id": None, "status": None}
    return {"id": entered.id, "status": entered.status}
