"""Positions that a platform's player tells in whole seconds only, for all that its learners do.

Nothing about a person: micro-seeks cannot be seen in them, so it is one remark on the platform, for
the class. Finer steps, of half a second or of what a browser rounds to, hide nothing.
"""

from __future__ import annotations

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, FindingScope, Outcome
from detectors.policy import Policy
from detectors.trace import Kind

RULE = "coarse_positions"
STEP_MS = 1_000


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """At most one remark a class; evidence class C-, the platform's to mend."""
    trace, samples, rule = facts.trace, facts.played.samples, policy[RULE]
    sessions = trace.sessions
    moving = (samples.kind == Kind.PROGRESS) & (samples.advance_ms > 0)
    own, told = samples.own[moving], trace.events["pos_ms"][samples.row[moving]]
    count = np.bincount(own, minlength=len(trace))
    fine = np.bincount(own[told % STEP_MS != 0], minlength=len(trace))
    enough = count >= rule["beats_min"]
    findings: list[Finding] = []
    for klass in np.unique(sessions["klass"][enough & (fine == 0)]).tolist():
        mine = enough & (sessions["klass"] == klass)
        rows = np.flatnonzero(mine & (fine == 0))
        people = len(np.unique(sessions["person"][rows]))
        if people < rule["learners_min"]:
            continue
        findings.append(
            Finding(
                rule=RULE,
                outcome=Outcome.REVIEW,
                reason="whole_seconds",
                fault=Fault.PLATFORM,
                evidence=Evidence.STATISTIC,
                start_ms=int(sessions["start_ms"][rows].min()),
                end_ms=int(sessions["end_ms"][rows].max()),
                measured=float(people),
                limit=float(len(np.unique(sessions["person"][mine]))),
                unit="count",
                scope=FindingScope.CLASS,
                subject="player",
                members=tuple(rows.tolist()),
            )
        )
    return findings
