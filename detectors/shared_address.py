"""More learners at once at one network address than the place lets study there.

A training school, a family and a carrier's whole district sit behind one address, so this proves
nothing of anybody: it is a remark for people to look at. No verdict waits for it and none falls.
"""

from __future__ import annotations

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, FindingScope, Outcome
from detectors.overlap import covered, crowded
from detectors.policy import Policy
from detectors.trace import NONE, Ints, Trace

RULE = "shared_address"


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """At most one remark an address and class; evidence class C-.

    What an outage held back may have been played at another time: it is no company to anybody.
    """
    trace, runs, rule = facts.trace, facts.runs, policy[RULE]
    address = trace.sessions["address"].astype(np.int64)[runs.session]
    fresh = runs.stale_ms <= policy["popup_gap"].ms("offline_gap_s")
    rows = np.flatnonzero(fresh & (address != NONE))
    klass = trace.sessions["klass"].astype(np.int64)[runs.session[rows]]
    place = (klass << 32) + address[rows]
    most, tolerance = int(rule["learners_at_once"]), rule.ms("handover_tolerance_s")
    findings: list[Finding] = []
    for one in np.unique(place):
        here = rows[place == one]
        begin, end = runs.t0_ms[here], runs.t1_ms[here]
        together = _together(trace, runs.session[here], begin, end, most)
        met = np.flatnonzero(together > tolerance)
        if len(np.unique(trace.sessions["person"][met])) > most:
            mine = np.isin(runs.session[here], met)
            span = int(begin[mine].min()), int(end[mine].max())
            findings.append(_remark(trace, runs.session[here], met, span, most))
    return findings


def _together(trace: Trace, sitting: Ints, begin: Ints, end: Ints, most: int) -> Ints:
    """int64[S] milliseconds of every sitting played while more than `most` persons played."""
    spent = np.zeros(len(trace), np.int64)
    low, high = crowded(begin, end, trace.sessions["person"][sitting], most)
    if len(low):
        np.add.at(spent, sitting, covered(begin, end, low, high))
    return spent


def _remark(trace: Trace, sitting: Ints, met: Ints, span: tuple[int, int], most: int) -> Finding:
    everyone = trace.sessions[sitting]
    first = everyone[np.lexsort((everyone["person"], everyone["start_ms"]))[0]]
    return Finding(
        rule=RULE,
        outcome=Outcome.REVIEW,
        reason="learners_at_once",
        fault=Fault.UNDETERMINED,
        evidence=Evidence.STATISTIC,
        start_ms=span[0],
        end_ms=span[1],
        measured=float(len(np.unique(trace.sessions["person"][met]))),
        limit=float(most),
        unit="count",
        scope=FindingScope.CLASS,
        subject=f"address:{first['start_ms']}:{first['person']}",
        members=tuple(met.tolist()),
    )
