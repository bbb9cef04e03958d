"""One sitting handed in under several names: the same gaps between pop-ups, the same answers.

Pop-ups come at moments that were drawn for each sitting by itself and are answered as quickly as
people happen to be. Two sittings that agree in all of that, after any shift and with a little noise
or a little stretch put on, were not studied apart: how likely it is by accident is reckoned from
the spread that the pop-ups should have, and only what practically never happens is one case for
all concerned. Where everybody's pop-ups come at the same moments the schedule did it, which is a
remark on the platform; then the answers alone tell one person from another.

What the times of a copied log say is held against no learner: whoever copied it wrote them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import lgamma, log, sqrt

import numpy as np
from numpy.typing import NDArray

from detectors.contradicting_times import TIMED
from detectors.crowd import groups
from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, FindingScope, Outcome
from detectors.policy import Policy
from detectors.trace import NONE, Control, ControlFlag, Ints, SessionFlag, Trace, owners

RULE = "cloned_traces"
GAPS = 16  # of a sitting are compared
FEW = 5  # gaps, or people, below which nothing is told
LIKE = 0.8  # correlation of answers from which they are alike
CLEAR = 7.0  # standard deviations from which that is no accident among all pairs of a class
STRETCH = 0.1  # by how much a copy's time may have been stretched
MANY = 18  # answers in common from which two people alone can be alike
ORDER = -4.0  # log10 of the least chance that ten answers alone are good for
MOST_PAIRS = 2_000_000
WIDE = sqrt(3)  # three quarters of the differences of two even draws lie within so many deviations

Floats = NDArray[np.float64]


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """One case a set of copies, evidence class C+; one remark a class on its schedule, C-."""
    trace = facts.trace
    popups = policy["popup_gap"]
    spread = (popups["schedule_max_s"] - popups["schedule_min_s"]) / sqrt(12)
    if spread <= 0:
        return []
    rows = _Rows(trace)
    findings: list[Finding] = []
    for klass in np.unique(trace.sessions["klass"][rows.session]):
        findings += _Class(trace, rows.of(int(klass)), spread, policy[RULE]["accident"]).findings()
    return findings


def without_blame(
    findings: Sequence[Finding], copies: Sequence[Finding], trace: Trace
) -> list[Finding]:
    """The same findings, but for what the log of several people's copied sittings says of its own
    times, which is the platform's word and proves nothing; a copy that was stretched outruns the
    clock. `copies` are the cases of this rule that stand."""
    person, flags = trace.sessions["person"], trace.sessions["flags"]
    copied = {
        row
        for case in copies
        if len(np.unique(person[list(case.members)])) > 1
        for row in case.members
        if flags[row] & SessionFlag.ATTESTED
    }
    if not copied:
        return list(findings)
    return [
        replace(it, outcome=_unproven(it.outcome), fault=Fault.PLATFORM)
        if it.rule in TIMED and it.fault is Fault.LEARNER and it.session in copied
        else it
        for it in findings
    ]


def _unproven(outcome: Outcome) -> Outcome:
    return Outcome.NOT_PROVEN if outcome is Outcome.VIOLATION else outcome


class _Rows:
    """Sittings with enough pop-ups: `gaps` float64[R, GAPS] seconds between them, NaN beyond the
    last, and how long each was open, `waits` float64[R, GAPS + 1]."""

    def __init__(self, trace: Trace) -> None:
        controls, own = trace.controls, owners(trace.controls_at)
        told = (controls["kind"] == Control.POPUP) & (controls["shown_ms"] != NONE)
        told &= controls["flags"] & (ControlFlag.REISSUE | ControlFlag.UNKNOWN) == 0
        rows = np.flatnonzero(told)
        rows = rows[np.lexsort((controls["shown_ms"][rows], own[rows]))]
        first = np.searchsorted(own[rows], np.arange(len(trace)))
        place = np.arange(len(rows)) - first[own[rows]]
        rows, place = rows[place <= GAPS], place[place <= GAPS]
        shown = np.full((len(trace), GAPS + 1), np.nan)
        waits = shown.copy()
        at = controls["shown_ms"][rows].astype(np.float64)
        answered = controls["answered_ms"][rows]
        shown[own[rows], place] = at / 1000
        waits[own[rows], place] = np.where(answered == NONE, np.nan, answered - at) / 1000
        self.trace = trace
        self.session = np.flatnonzero((~np.isnan(shown)).sum(axis=1) > FEW)
        self.gaps = np.diff(shown[self.session], axis=1)
        self.waits = waits[self.session]

    def of(self, klass: int) -> tuple[Ints, Floats, Floats]:
        mine = self.trace.sessions["klass"][self.session] == klass
        return self.session[mine], self.gaps[mine], self.waits[mine]


class _Class:
    def __init__(
        self, trace: Trace, rows: tuple[Ints, Floats, Floats], spread: float, accident: float
    ) -> None:
        self.trace, self.accident = trace, accident
        self.session, self.gaps, self.waits = rows
        self.count = (~np.isnan(self.gaps)).sum(axis=1)
        self.person = trace.sessions["person"][self.session].astype(np.int64)
        self.lesson = trace.sessions["lesson"][self.session].astype(np.int64)
        self.drawn = spread

    def findings(self) -> list[Finding]:
        if len(self.session) < 2:
            return []
        measured = self._measured_spread()
        if measured >= self.drawn / 2:
            one, other = self._copies(min(measured, self.drawn))
            return self._cases(zip(one.tolist(), other.tolist(), strict=True))
        cases = self._cases(self._answered_alike())
        copied = {row for case in cases for row in case.members}
        rest = self.session[~np.isin(self.session, list(copied))]
        if len(np.unique(self.trace.sessions["person"][rest])) >= FEW:
            cases.append(self._remark(rest, measured))
        return cases

    def _measured_spread(self) -> float:
        """How far the same gap of different people's sittings lies apart, as the deviation of one
        that is drawn evenly; told from the wide quarter, so that some copies change little."""
        found = []
        for step in (1, 7, 31):
            there = np.roll(np.arange(len(self.session)), step)
            apart = self.person != self.person[there]
            found.append(np.abs(self.gaps - self.gaps[there])[apart].ravel())
        values = np.concatenate(found)
        values = values[~np.isnan(values)]
        return float(np.quantile(values, 0.75)) / WIDE if len(values) else self.drawn

    # ------------------------------------------------------------------- drawn for each by itself

    def _copies(self, spread: float) -> tuple[Ints, Ints]:
        """Pairs of sittings whose gaps and answers agree as they never do by accident."""
        one, other = self._candidates()
        first, second = self.gaps[one], self.gaps[other]
        both = ~np.isnan(first) & ~np.isnan(second)
        first, second = np.where(both, first, 0.0), np.where(both, second, 0.0)
        stretch = (first * second).sum(axis=1) / np.maximum((first**2).sum(axis=1), 1e-9)
        stretch = np.clip(stretch, 1 - STRETCH, 1 + STRETCH)
        off = ((first * stretch[:, None] - second) ** 2).sum(axis=1) / (4 * spread**2)
        free = both.sum(axis=1) - 1
        chance = _as_close(off, free) + _as_alike(self.waits[one], self.waits[other])
        # Two chances multiplied are small more often than one; and a class has many pairs.
        chance += np.log10(1 + np.maximum(-chance * log(10), 0))
        chance += 2 * np.log10(len(self.session))
        copied = (free >= FEW - 1) & (chance <= np.log10(self.accident))
        return one[copied], other[copied]

    def _candidates(self) -> tuple[Ints, Ints]:
        """Pairs of sittings worth comparing: their first gaps stand in the same proportion."""
        ratio = self.gaps[:, 0] / np.maximum(self.gaps[:, 1], 1.0)
        order = np.argsort(ratio, kind="stable")
        until = np.searchsorted(ratio[order], ratio[order] + 0.03, side="right")
        many = until - np.arange(len(order)) - 1
        if many.sum() > MOST_PAIRS:
            many = np.minimum(many, MOST_PAIRS // len(order))
        low = np.repeat(np.arange(len(order)), many)
        step = np.arange(len(low)) - np.repeat(np.cumsum(many) - many, many) + 1
        one, other = order[low], order[low + step]
        # What came in twice of one person's lesson is one sitting, not a copy.
        apart = (self.person[one] != self.person[other]) | (self.lesson[one] != self.lesson[other])
        following = self.gaps[:, 1] / np.maximum(self.gaps[:, 2], 1.0)
        apart &= np.abs(following[one] - following[other]) < 0.03
        return one[apart], other[apart]

    # ------------------------------------------------------ the same moments for everybody

    def _answered_alike(self) -> Iterator[tuple[int, int]]:
        """Pairs of sittings of people whose answers go up and down together over all lessons."""
        people, who = np.unique(self.person, return_inverse=True)
        total = np.zeros((len(people), len(people)))
        degrees = total.copy()
        where: dict[int, list[int]] = {}
        for lesson in np.unique(self.lesson):
            mine = np.flatnonzero(self.lesson == lesson)
            mine = mine[np.unique(who[mine], return_index=True)[1]]
            length = int(np.median(self.count[mine])) + 1
            waits = self.waits[mine, :length]
            full = ~np.isnan(waits).any(axis=1)
            mine, waits = mine[full], waits[full]
            waits = waits - waits.mean(axis=1, keepdims=True)
            size = np.sqrt((waits**2).sum(axis=1, keepdims=True))
            level = np.divide(waits, size, out=np.zeros_like(waits), where=size > 0.1)
            here = np.ix_(who[mine], who[mine])
            total[here] += (level @ level.T) * length
            degrees[here] += length
            for row in mine.tolist():
                where.setdefault(int(who[row]), []).append(row)
        alike = total / np.maximum(degrees, 1)
        sure = np.arctanh(np.clip(alike, -0.999, 0.999)) * np.sqrt(np.maximum(degrees - 3, 0))
        crowd = self._with_all(alike, degrees)
        pair = (alike >= LIKE) & (sure >= CLEAR) & (degrees >= MANY)
        pair |= (alike >= LIKE) & np.logical_and.outer(crowd, crowd)
        for one, other in np.argwhere(np.triu(pair, 1)).tolist():
            yield where[one][0], where[other][0]
            yield from zip(where[one], where[one][1:], strict=False)
            yield from zip(where[other], where[other][1:], strict=False)

    def _with_all(self, alike: Floats, degrees: Floats) -> NDArray[np.bool_]:
        """Who answers like most of the class; true of nobody unless most do."""
        met = degrees > FEW
        np.fill_diagonal(met, False)
        close = ((alike >= LIKE) & met).sum(axis=1) * 2 > np.maximum(met.sum(axis=1), 2)
        return close if close.sum() >= 3 and close.mean() > 0.5 else np.zeros_like(close)

    # --------------------------------------------------------------------------------- findings

    def _cases(self, pairs: Iterator[tuple[int, int]] | zip[tuple[int, int]]) -> list[Finding]:
        return [
            self._finding(
                self.session[crowd], "same_trace", Fault.UNDETERMINED, float(len(crowd)), 1.0
            )
            for crowd in groups(pairs)
        ]

    def _remark(self, sessions: Ints, measured: float) -> Finding:
        limit = round(self.drawn, 1)
        return self._finding(
            sessions, "same_schedule", Fault.PLATFORM, round(measured, 1), limit, remark=True
        )

    def _finding(
        self,
        sessions: Ints,
        reason: str,
        fault: Fault,
        measured: float,
        limit: float,
        remark: bool = False,
    ) -> Finding:
        rows = self.trace.sessions[sessions]
        first = rows[np.lexsort((rows["person"], rows["start_ms"]))[0]]
        name = "schedule" if remark else f"trace:{first['start_ms']}:{first['person']}"
        return Finding(
            rule=RULE,
            outcome=Outcome.REVIEW,
            reason=reason,
            fault=fault,
            evidence=Evidence.STATISTIC if remark else Evidence.CLIENT,
            start_ms=int(rows["start_ms"].min()),
            end_ms=int(rows["end_ms"].max()),
            measured=measured,
            limit=limit,
            unit="s" if remark else "count",
            scope=FindingScope.CLASS,
            subject=name,
            members=tuple(sorted(sessions.tolist())),
            holds=not remark,
        )


def _as_close(off: Floats, free: Ints) -> Floats:
    """log10 of how likely `free` independent gaps come out so close: the tail of a chi-square near
    nought, `off` being half the sum of squares over the variance of a difference."""
    half = np.maximum(free, 1) / 2
    factor = np.array([lgamma(it / 2 + 1) / log(10) for it in range(GAPS + 2)])
    return np.minimum(half * np.log10(np.maximum(off, 1e-6)) - factor[np.maximum(free, 1)], 0.0)


def _as_alike(one: Floats, other: Floats) -> Floats:
    """log10 of how likely people's answers go up and down together as these do."""
    both = ~np.isnan(one) & ~np.isnan(other)
    number = both.sum(axis=1)
    first, second = (_centred(it, both, number) for it in (one, other))
    size = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    alike = (first * second).sum(axis=1) / np.maximum(size, 1e-9)
    sure = np.arctanh(np.clip(alike, -0.999, 0.999)) * np.sqrt(np.maximum(number - 3, 0))
    sure = np.where(size > 0.1, sure, 0.0)
    chance = -(sure**2) / (2 * log(10)) - np.log10(np.maximum(sure, 1) * 2.5)
    return np.where(sure > 1, np.maximum(chance, ORDER), 0.0)


def _centred(values: Floats, both: NDArray[np.bool_], number: Ints) -> Floats:
    told = np.where(both, values, 0.0)
    mean = told.sum(axis=1) / np.maximum(number, 1)
    return np.where(both, told - mean[:, None], 0.0)
