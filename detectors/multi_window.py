"""多窗口学习: credit runs in two places at one server time for one natural person.

Only what was really played counts: a second tab that stands still, a hidden page or another
program accuses nobody, and neither does a hand-over within the tolerance. Overlap that rests on a
backlog, delivered after a silence, may have happened earlier: it earns nothing twice, but it is no
accusation. Accounts that share a number and bear two names may be two people, one of whom was
entered wrongly: people decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.credit import Played
from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.segments import Segments
from detectors.trace import Ints, Trace

RULE = "multi_window"
JOINED_MS = 30_000  # overlaps closer than this are one stretch


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    session: int
    fresh: bool
    sure: bool = True  # that both sides are one person


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """Findings on the later of two overlapping sessions; evidence class S."""
    trace, played = facts.trace, facts.runs
    if not len(played):
        return []
    tolerance = policy[RULE].ms("handover_tolerance_s")
    offline = policy["popup_gap"].ms("offline_gap_s")
    findings: list[Finding] = []
    for rows in _overlapping_persons(trace, played):
        spans = [
            _Span(
                int(played.t0_ms[row]),
                int(played.t1_ms[row]),
                int(played.session[row]),
                bool(played.stale_ms[row] <= offline),
            )
            for row in rows
        ]
        findings += _judge(spans, trace, tolerance)
    return findings


def _overlapping_persons(trace: Trace, played: Played) -> list[Ints]:
    """Rows of the played intervals of every person who has two at one time."""
    person = trace.sessions["person"].astype(np.int64)[played.session]
    order = np.lexsort((played.t0_ms, person))
    own = np.cumsum(np.concatenate([[0], np.diff(person[order]) != 0])).astype(np.int64)
    epoch = int(played.t0_ms.min())
    begin, end = played.t0_ms[order] - epoch, played.t1_ms[order] - epoch
    people = Segments(own)
    latest_before = people.previous(people.running_max(end), 0)
    double = np.unique(own[begin < latest_before])
    if not len(double):
        return []
    bounds = np.searchsorted(own, np.stack([double, double + 1]))
    return [order[low:high] for low, high in bounds.T]


def _judge(spans: list[_Span], trace: Trace, tolerance: int) -> list[Finding]:
    starts = trace.sessions["start_ms"]
    sessions = sorted({span.session for span in spans}, key=lambda row: (int(starts[row]), row))
    occupied: list[_Span] = []
    findings: list[Finding] = []
    forgiven = 0
    for session in sessions:
        mine = [span for span in spans if span.session == session]
        for stretch in _stretches(mine, occupied, trace.named):
            fresh = _length([part for part in stretch if part.fresh])
            whole = _length(stretch)
            if fresh <= tolerance and forgiven + whole <= tolerance:
                forgiven += whole
                continue
            sure = _length([part for part in stretch if part.fresh and part.sure])
            findings.append(_finding(session, stretch, sure, fresh, whole, tolerance))
        occupied = sorted([*occupied, *mine], key=lambda span: span.start)
    return findings


def _stretches(mine: list[_Span], occupied: list[_Span], named: Ints) -> list[list[_Span]]:
    """Overlaps of `mine` with what other sessions hold, joined into stretches of time.

    Each part carries the rival's session, is fresh when both sides are, and sure when both bear one
    name.
    """
    parts: list[_Span] = []
    begin = 0
    for span in mine:
        while begin < len(occupied) and occupied[begin].end <= span.start:
            begin += 1
        for rival in occupied[begin:]:
            if rival.start >= span.end:
                break
            low, high = max(span.start, rival.start), min(span.end, rival.end)
            if high > low:
                sure = not len(named) or bool(named[span.session] == named[rival.session])
                fresh = span.fresh and rival.fresh
                parts.append(_Span(low, high, rival.session, fresh, sure))
    stretches: list[list[_Span]] = []
    end = 0
    for part in parts:
        if stretches and part.start - end <= JOINED_MS:
            stretches[-1].append(part)
        else:
            stretches.append([part])
        end = max(end, part.end)
    return stretches


def _length(parts: list[_Span]) -> int:
    """Time covered by parts, which are in order of their start; three windows count as two."""
    covered = until = 0
    for part in parts:
        covered += max(0, part.end - max(part.start, until))
        until = max(until, part.end)
    return covered


def _finding(
    session: int, stretch: list[_Span], sure: int, fresh: int, whole: int, tolerance: int
) -> Finding:
    """What overlaps beyond the tolerance: by one person for sure, by one number, or perhaps."""
    outcome, reason, fault, measured = Outcome.CLEAR, "possible_overlap", Fault.ENVIRONMENT, whole
    rivals = stretch
    if sure > tolerance:
        outcome, reason, fault, measured = Outcome.VIOLATION, "overlap", Fault.LEARNER, sure
        rivals = [part for part in stretch if part.sure]
    elif fresh > tolerance:
        outcome, reason, fault = Outcome.REVIEW, "two_names", Fault.UNDETERMINED
        measured = fresh
    return Finding(
        rule=RULE,
        outcome=outcome,
        reason=reason,
        fault=fault,
        evidence=Evidence.SERVER,
        session=session,
        start_ms=stretch[0].start,
        end_ms=max(part.end for part in stretch),
        measured=measured / 1000,
        limit=tolerance / 1000,
        voids=True,
        rival=rivals[0].session,
    )
