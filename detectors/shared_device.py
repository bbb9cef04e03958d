"""Several learners at once on one device: one hand, or one helper, at many lessons.

People may take turns at a computer, and a hand-over may overlap by the tolerance. At one time one
device has as many learners as the pack allows, one by the product's default, so whoever plays
together on it beyond that is one case, for a person to look at. A
device's name is the client's word: where it stands at one time under different browsers or
addresses, it names no device, and that is the platform's to mend and nobody's fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, FindingScope, Outcome
from detectors.overlap import covered, crowded
from detectors.policy import Policy
from detectors.segments import Segments
from detectors.trace import NONE, Ints, Trace

RULE = "shared_device"


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """One case a device and class; evidence class C+, or C- where the name is no device's."""
    trace, runs = facts.trace, facts.runs
    tolerance, most = policy[RULE].ms("handover_tolerance_s"), int(policy[RULE]["learners_at_once"])
    fresh = np.flatnonzero(runs.stale_ms <= policy["popup_gap"].ms("offline_gap_s"))
    if not len(fresh):
        return []
    sitting = runs.session[fresh]
    begin, end = runs.t0_ms[fresh], runs.t1_ms[fresh]
    sessions = trace.sessions
    klass = sessions["klass"].astype(np.int64)
    device = ((klass << 32) + sessions["device"])[sitting]
    findings: list[Finding] = []
    for rows in _contended(device, sessions["person"][sitting], begin, end):
        shared = _Shared(trace, sitting[rows], begin[rows], end[rows], tolerance, most)
        findings += shared.findings()
    return findings


def _contended(device: Ints, person: Ints, begin: Ints, end: Ints) -> Iterator[Ints]:
    """Rows of play of every device on which two persons ever overlap."""
    order = np.lexsort((begin, device))
    own, who = device[order], person[order]
    groups = Segments(np.cumsum(np.append(0, own[1:] != own[:-1])).astype(np.int64))
    epoch = int(begin.min())
    until = groups.previous(groups.running_max(end[order] - epoch), 0)
    double = begin[order] - epoch < until
    several = groups.previous(who.astype(np.int64), who.astype(np.int64)) != who
    marked = np.unique(groups.own[double])
    marked = np.intersect1d(marked, np.unique(groups.own[several]))
    for low, high in np.searchsorted(groups.own, np.stack([marked, marked + 1])).T:
        yield order[low:high]


@dataclass(frozen=True, slots=True)
class _Shared:
    """The play on one device in one class."""

    trace: Trace
    sitting: Ints
    begin: Ints
    end: Ints
    tolerance: int
    most: int  # learners at one time

    def findings(self) -> list[Finding]:
        met = self._members()
        if not len(met):
            return []
        sessions = self.trace.sessions
        told = np.stack([sessions["agent"], sessions["address"]])
        if all(len(np.unique(place[place != NONE])) < 2 for place in told[:, met]):
            return [self._finding(met, "learners_at_once", Fault.UNDETERMINED, Evidence.CLIENT)]
        # One name at several places at one time. Where a place is told whole, the name may still be
        # a device's there.
        found = [self._finding(met, "device_not_told", Fault.PLATFORM, Evidence.STATISTIC)]
        for place in np.unique(told[:, met], axis=1).T:
            if place.min() != NONE:
                here = np.flatnonzero((told[:, self.sitting] == place[:, None]).all(axis=0))
                found += self._at(here).findings()
        return found

    def _at(self, rows: Ints) -> _Shared:
        return _Shared(
            self.trace,
            self.sitting[rows],
            self.begin[rows],
            self.end[rows],
            self.tolerance,
            self.most,
        )

    def _members(self) -> Ints:
        """Sittings of which more than the tolerance was played while too many persons played."""
        person = self.trace.sessions["person"][self.sitting]
        shared = np.zeros(len(self.trace), np.int64)
        low, high = crowded(self.begin, self.end, person, self.most)
        if len(low):
            np.add.at(shared, self.sitting, covered(self.begin, self.end, low, high))
        return np.flatnonzero(shared > self.tolerance)

    def _finding(self, members: Ints, reason: str, fault: Fault, evidence: Evidence) -> Finding:
        sessions = self.trace.sessions
        everyone = sessions[self.sitting]
        first = everyone[np.lexsort((everyone["person"], everyone["start_ms"]))[0]]
        mine = np.isin(self.sitting, members)
        return Finding(
            rule=RULE,
            outcome=Outcome.REVIEW,
            reason=reason,
            fault=fault,
            evidence=evidence,
            start_ms=int(self.begin[mine].min()),
            end_ms=int(self.end[mine].max()),
            measured=float(len(np.unique(sessions["person"][members]))),
            limit=float(self.most),
            unit="count",
            scope=FindingScope.CLASS,
            subject=f"device:{first['start_ms']}:{first['person']}",
            members=tuple(members.tolist()),
            holds=evidence is Evidence.CLIENT,
        )
