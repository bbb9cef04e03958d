"""Content that ran and does not count: nobody is accused, and it is said.

A page may be hidden because its learner does something else, or because the app around it always
says so; a player may tell positions in another unit than seconds. Either way a lesson that earned
nothing must not look as if nothing had happened.
"""

from __future__ import annotations

import numpy as np

from detectors.credit import UNFOCUSED
from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.position_unit import creeping
from detectors.trace import NONE

RULE = "unseen_play"
REASONS = {1: "hidden", UNFOCUSED: "unfocused"}
NOT_SECONDS = "not_seconds"


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """At most one finding a sitting of either kind; class S, for it tells what the clock here did
    not count.

    A note where the rest of the sitting counts. Not proven where next to nothing of it was seen.
    The class-hour is the one that most of it would have been.
    """
    trace, samples = facts.trace, facts.played.samples
    least = policy[RULE].ms("note_s")
    unseen = np.where((samples.unseen > 0) & ~samples.jump, samples.advance_ms, 0)
    lost = np.bincount(samples.own, unseen, len(trace)).astype(np.int64)
    seen = facts.played.total_ms(len(trace))
    findings: list[Finding] = []
    for session in np.flatnonzero(lost >= least).tolist():
        rows = np.flatnonzero((samples.own == session) & (unseen > 0))
        why = np.bincount(samples.unseen[rows], unseen[rows], 3)[1:].argmax() + 1
        start = int(trace.sessions["start_ms"][session])
        wholly = bool(seen[session] < least)
        findings.append(
            Finding(
                rule=RULE,
                outcome=Outcome.NOT_PROVEN if wholly else Outcome.CLEAR,
                reason=REASONS[int(why)],
                fault=Fault.UNDETERMINED,
                evidence=Evidence.SERVER,
                session=session,
                hour=_hour(facts, session, int(samples.arrive_ms[rows[len(rows) // 2]])),
                start_ms=start + int((samples.u_ms - samples.stale_ms)[rows[0]]),
                end_ms=start + int(samples.u_ms[rows[-1]]),
                measured=float(lost[session]) / 1000,
                limit=float(least) / 1000,
            )
        )
    return findings + _no_seconds(facts)


def _no_seconds(facts: Facts) -> list[Finding]:
    """Sittings whose positions are no seconds, the platform's to mend: not proven at all."""
    trace, samples = facts.trace, facts.played.samples
    odd = creeping(trace, samples) | dict(facts.in_thousandths)
    findings: list[Finding] = []
    for session, (ran, came) in sorted(odd.items()):
        rows = np.flatnonzero(samples.own == session)
        start = int(trace.sessions["start_ms"][session])
        findings.append(
            Finding(
                rule=RULE,
                outcome=Outcome.NOT_PROVEN,
                reason=NOT_SECONDS,
                fault=Fault.PLATFORM,
                evidence=Evidence.SERVER,
                session=session,
                hour=_hour(facts, session, max(int(samples.arrive_ms[rows[0]]), 1)),
                start_ms=start + int(samples.u_ms[rows[0]]),
                end_ms=start + int(samples.u_ms[rows[-1]]),
                measured=came / 1000,
                limit=ran / 1000,
            )
        )
    return findings


def _hour(facts: Facts, session: int, position_ms: int) -> int:
    """The class-hour that a position of the session's lesson lies in, NONE outside the plan."""
    row, pieces = facts.trace.sessions[session], facts.trace.pieces
    inside = (pieces["klass"] == row["klass"]) & (pieces["lesson"] == row["lesson"])
    inside &= (pieces["start_ms"] < position_ms) & (position_ms <= pieces["end_ms"])
    found = np.flatnonzero(inside)
    return int(pieces["hour"][found[0]]) if len(found) else NONE
