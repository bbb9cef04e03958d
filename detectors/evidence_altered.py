"""A sitting whose stored events are no longer those that came in: nobody's fault, a person decides.

Every batch is linked to the one before when it is stored. Where the links do not hold, somebody or
something wrote into the database; what the events say now accuses nobody and credits nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.trace import Bools, SessionFlag, Trace, offsets, owners

RULE = "evidence_altered"


def detect(facts: Facts, _policy: Policy) -> list[Finding]:
    """One finding a sitting; class S: the links are the server's own."""
    return found(facts.trace)


def found(trace: Trace) -> list[Finding]:
    broken = np.flatnonzero(trace.sessions["flags"] & SessionFlag.CHAIN_BROKEN)
    return [
        Finding(
            rule=RULE,
            outcome=Outcome.REVIEW,
            reason="chain_broken",
            fault=Fault.ENVIRONMENT,
            evidence=Evidence.SERVER,
            session=session,
            start_ms=int(trace.sessions["start_ms"][session]),
            end_ms=int(trace.sessions["end_ms"][session]),
            measured=1.0,
            limit=0.0,
            unit="count",
        )
        for session in broken.tolist()
    ]


def set_aside(trace: Trace, accepted: Callable[[Finding], bool]) -> tuple[Trace, frozenset[int]]:
    """The trace without the events of altered sittings, and the rows of these. Whose alteration
    a person looked at and let pass, as `accepted` tells, is judged by what is stored."""
    rows = frozenset(it.session for it in found(trace) if not accepted(it))
    if not rows:
        return trace, rows
    own = owners(trace.events_at)
    kept: Bools = ~np.isin(own, list(rows))
    counts = np.bincount(own[kept], minlength=len(trace))
    return replace(trace, events=trace.events[kept], events_at=offsets(counts)), rows


def spoken_for(finding: Finding, rows: frozenset[int]) -> bool:
    """Whether a finding is on an altered sitting, of which only its alteration is told."""
    return finding.session in rows and finding.rule != RULE
