"""A platform's log whose times contradict each other proves nothing, and accuses nobody by it.

In an attested sitting the platform's receive times stand in for the server's clock. What the same
log says of the sitting's beginning and end, of its pop-ups and of its photos must fit them: nothing
is received before the sitting began, nobody is shown a pop-up before it was issued or long after
the next one was, and while pop-ups and photos come there is play around them. Outages, backlogs,
pauses and late ends fit. What does not fit is the log's fault, so the sitting is not proven, and
what other rules read off its times is not held against anybody.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.segments import locate
from detectors.trace import (
    NONE,
    Bools,
    Control,
    ControlFlag,
    Ints,
    Purpose,
    SessionFlag,
    Trace,
    owners,
)

RULE = "contradicting_times"
TIMED = frozenset({"fast_forward", "multi_window", "popup_gap", "lesson_order", "forged_telemetry"})
FEW = 2  # so many pop-ups or photos must lie wrong before it is the log and not one record
PLAYED_MS = 60_000  # so much play after the end is no straggler
FAR = np.int64(1 << 40)


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """At most one finding a sitting, on the clearest of its contradictions; evidence class S."""
    trace, allowance = facts.trace, policy[RULE].ms("allowance_s")
    attested = (trace.sessions["flags"] & SessionFlag.ATTESTED) != 0
    if not attested.any() or not len(trace.events):
        return []
    signs = _Signs(facts, attested, allowance)
    found: dict[int, Finding] = {}
    for reason, off in (
        ("before_the_start", signs.early()),
        ("after_the_end", signs.late()),
        ("popups_do_not_fit", signs.popups()),
        ("no_play_around", signs.alone()),
    ):
        for session in np.flatnonzero(off).tolist():
            if session not in found:
                found[session] = _finding(trace, session, reason, int(off[session]), allowance)
    return [found[session] for session in sorted(found)]


def doubtless(findings: Sequence[Finding]) -> list[Finding]:
    """The findings without those that rest on the times of sittings whose times contradict each
    other."""
    unsound = {finding.session for finding in findings if finding.rule == RULE}
    return [it for it in findings if it.rule not in TIMED or not ({it.session, it.rival} & unsound)]


def _finding(trace: Trace, session: int, reason: str, off_ms: int, allowance: int) -> Finding:
    row = trace.sessions[session]
    return Finding(
        rule=RULE,
        outcome=Outcome.NOT_PROVEN,
        reason=reason,
        fault=Fault.PLATFORM,
        evidence=Evidence.SERVER,
        session=session,
        start_ms=int(row["start_ms"]),
        end_ms=int(row["end_ms"]),
        measured=off_ms / 1000,
        limit=allowance / 1000,
    )


class _Signs:
    """Contradictions of attested sittings; every method gives int64[S], by how many milliseconds a
    sitting's times disagree, 0 where they do not."""

    def __init__(self, facts: Facts, attested: Bools, allowance: int) -> None:
        self.facts, self.trace = facts, facts.trace
        self.attested, self.allowance = attested, allowance
        trace = self.trace
        own = owners(trace.events_at)
        mine = np.flatnonzero(attested.take(own))
        own, received = own.take(mine), trace.events["recv_ms"].take(mine).astype(np.int64)
        if np.any((received[1:] < received[:-1]) & (own[1:] == own[:-1])):
            order = np.lexsort((received, own))
            own, received = own.take(order), received.take(order)
        self.own, self.received = own, received
        self.control_own = owners(trace.controls_at)
        self.photo_own = owners(trace.photos_at)
        self.start = trace.sessions["start_ms"].astype(np.int64)

    def _zeros(self) -> Ints:
        return np.zeros(len(self.trace), np.int64)

    def early(self) -> Ints:
        """Received before the log says that the sitting began, and before anything else of it."""
        told = self.trace.sessions["told_start_ms"]
        first = np.where(told == NONE, FAR, told - self.start)
        for own, times in self._witnesses():
            np.minimum.at(first, own, times)
        seen = np.full(len(self.trace), FAR)
        np.minimum.at(seen, self.own, self.received)
        last = np.full(len(self.trace), -FAR)
        np.maximum.at(last, self.own, self.received)
        heard = (seen < FAR) & (told != NONE)
        off = np.where(heard & (first < FAR), first - seen, 0)
        # All of it before the beginning: then the beginning is wrong, whatever else fits.
        whole = heard & (last > -FAR) & (told - self.start - last > self.allowance)
        off = np.where(whole, told - self.start - seen, off)
        return np.where(off > self.allowance, off, 0)

    def late(self) -> Ints:
        """Played on, beat by beat, after the log says that the sitting was over."""
        told = self.trace.sessions["told_end_ms"]
        samples = self.facts.played.samples
        end = np.where(self.attested & (told != NONE), told - self.start + self.allowance, FAR)
        gap = np.zeros(len(samples.own), np.int64)
        gap[1:] = samples.u_ms[1:] - samples.u_ms[:-1]
        after = samples.u_ms - gap > end.take(samples.own)
        after &= (samples.advance_ms > 0) & (2 * gap >= samples.advance_ms)
        rows = np.flatnonzero(after)
        own = samples.own.take(rows)
        played = np.bincount(own, samples.advance_ms.take(rows), len(self.trace))
        last = self._zeros()
        np.maximum.at(last, own, samples.u_ms.take(rows))
        return np.where(played > PLAYED_MS, last - (end - self.allowance), 0)

    def popups(self) -> Ints:
        """Shown before they were issued, or long after the next one was: most of them."""
        controls = self.trace.controls
        known = (controls["kind"] == Control.POPUP) & (controls["flags"] & ControlFlag.UNKNOWN == 0)
        known &= (controls["shown_ms"] != NONE) & (controls["flags"] & ControlFlag.REISSUE == 0)
        rows = np.flatnonzero(known & self.attested.take(self.control_own))
        own = self.control_own.take(rows)
        issued = controls["issued_ms"].take(rows).astype(np.int64)
        shown = controls["shown_ms"].take(rows).astype(np.int64)
        following = np.full(len(rows), FAR)
        following[:-1] = np.where(own[1:] == own[:-1], issued[1:], FAR)
        lead, lag = issued - shown, shown - following
        # What comes out of an outage comes all at once; what was shown live has news before it.
        before = locate(self.own, self.received - self._low, own, shown - 2_000 - self._low)
        recent = locate(self.own, self.received - self._low, own, shown - 32_000 - self._low)
        off = np.where(before > recent, np.maximum(lead, lag), lead)
        wrong = off > self.allowance
        count = np.bincount(own[wrong], minlength=len(self.trace))
        total = np.bincount(own, minlength=len(self.trace))
        most = self._zeros()
        np.maximum.at(most, own[wrong], off[wrong])
        return np.where((count >= FEW) & (2 * count >= total), most, 0)

    def alone(self) -> Ints:
        """Pop-ups and photos while nothing was played or heard."""
        result, count = self._zeros(), self._zeros()
        for own, times in self._witnesses():
            away = self._away(own, times)
            rows = away > self.allowance
            count += np.bincount(own[rows], minlength=len(self.trace))
            np.maximum.at(result, own[rows], away[rows])
        return np.where(count >= FEW, result, 0)

    @property
    def _low(self) -> int:
        """A lift that makes every time within a sitting positive."""
        return min(int(self.received.min(initial=0)), -(1 << 33))

    def _witnesses(self) -> list[tuple[Ints, Ints]]:
        """When pop-ups and photos of attested sittings were demanded, and photos received, but for
        those before play."""
        controls, photos = self.trace.controls, self.trace.photos
        drawn = (controls["kind"] != Control.FACE_CHECK) & (
            controls["flags"] & ControlFlag.UNKNOWN == 0
        )
        # A photo that was handed in late contradicts nothing: it counts for nothing by itself.
        asked = photos["control"].astype(np.int64) + self.trace.controls_at[self.photo_own]
        bound = (photos["control"] != NONE) & (len(controls) > 0)
        issued = controls["issued_ms"][np.where(bound, asked, 0)] if len(controls) else 0
        late = bound & (photos["recv_ms"] - issued > self.allowance)
        taken = (photos["purpose"] == Purpose.RANDOM) & ~late
        return [
            (own.take(rows), times.take(rows).astype(np.int64))
            for own, times, wanted in (
                (self.control_own, controls["issued_ms"], drawn),
                (self.photo_own, photos["recv_ms"], taken),
            )
            for rows in [np.flatnonzero(wanted & self.attested.take(own))]
        ]

    def _away(self, own: Ints, times: Ints) -> Ints:
        """How far from every receipt and every stretch of play of its sitting a time lies."""
        away = np.full(len(own), FAR)
        low = self._low
        if len(self.own):
            place = locate(self.own, self.received - low, own, times - low)
            for row in (place - 1, place):
                at = np.clip(row, 0, len(self.own) - 1)
                same = self.own[at] == own
                away = np.where(same, np.minimum(away, np.abs(self.received[at] - times)), away)
        runs = self.facts.runs
        if len(runs):
            begin = runs.t0_ms - self.start.take(runs.session)
            end = runs.t1_ms - self.start.take(runs.session)
            place = locate(runs.session, begin - low, own, times - low)
            at = np.clip(place - 1, 0, len(runs) - 1)
            inside = (runs.session[at] == own) & (times <= end[at])
            away = np.where(inside, 0, away)
        return np.where(away == FAR, 0, away)
