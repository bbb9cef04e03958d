"""快进播放: content advances faster than the server's clock allows.

Four ways, one rule: a stretch that outruns the clock, a jump over unseen content that a heartbeat
claims as played, micro-seeks that amount to playing fast, and an end that was reached in less time
than the content needs without any seek that would explain it. A seek that is told plays nothing:
what it skips earns nothing, and a film that ends behind it claims no more than to have ended. The
vectorised pass finds the few suspicious sessions; only those are read sample by sample, and there
what was seen before counts as seen: re-watching fast accuses nobody.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace

import numpy as np

from detectors.credit import BEFORE_MS, Samples, age, outrun, pace_of
from detectors.excursions import SNAP_BACK_MS
from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy, RulePolicy
from detectors.position_unit import NO_PLAYER
from detectors.segments import Segments
from detectors.trace import Bools, Flag, Ints, Kind, Trace, offsets, owners

RULE = "fast_forward"
EXCUSED = "film_lacks"  # what is no jump by a case on the film itself, see `lesson_length`
BEFORE_OPENING = "before_opening"  # it was over when its sitting was opened


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """Findings on sessions whose claims outrun the server's clock; evidence class S."""
    rule = policy[RULE]
    trace, samples = facts.trace, facts.played.samples
    seeks = _forward_seeks(trace, samples)
    suspicious = (
        _outrunning(samples, policy, len(trace))
        | _per_session(samples.jump, samples, len(trace))
        | (np.bincount(samples.own[seeks], minlength=len(trace)) >= rule["repeated_jumps"])
        | _claiming_completion(trace, samples, rule)
    )
    suspicious[list(facts.in_thousandths)] = False  # see `unseen_play`
    at = offsets(np.bincount(samples.own, minlength=len(trace)))
    findings: list[Finding] = []
    for session in np.flatnonzero(suspicious):
        rows = slice(at[session], at[session + 1])
        story = _Story(facts, seeks, int(session), rows, policy)
        findings += story.findings()
    return findings


def _per_session(condition: Bools, samples: Samples, sessions: int) -> Bools:
    return np.bincount(samples.own[condition], minlength=sessions) > 0


def _outrunning(samples: Samples, policy: Policy, sessions: int) -> Bools:
    _, strict, tolerance = pace_of(policy)
    sittings = Segments(samples.own)
    claimed = sittings.running_sum(np.where(samples.jump, 0, samples.advance_ms))
    excess = outrun(claimed, samples.u_ms, samples.l_ms, sittings, strict, samples.step_ms)
    return _per_session((excess > tolerance / strict) & ~samples.late, samples, sessions)


def _forward_seeks(trace: Trace, samples: Samples) -> Bools:
    blocked = (trace.events["flags"][samples.row] & Flag.BLOCKED) != 0
    ahead = samples.leave_ms > samples.arrive_ms
    return (samples.kind == Kind.SEEK) & ~blocked & ahead


def _claiming_completion(trace: Trace, samples: Samples, rule: RulePolicy) -> Bools:
    """Sessions of which completion was told though all sittings together moved through too
    little."""
    sessions = trace.sessions
    moved = np.bincount(
        samples.own, weights=np.where(samples.jump, 0, samples.advance_ms), minlength=len(trace)
    ).astype(np.int64)
    media = trace.lessons["media_ms"].astype(np.int64)[sessions["lesson"]]
    seen = moved + np.minimum(sessions["resume_ms"], media)
    told = (trace.events["flags"] & Flag.COMPLETED) != 0
    completed = np.bincount(owners(trace.events_at)[told], minlength=len(trace)) > 0
    at_end = (samples.kind == Kind.ENDED) & (samples.arrive_ms >= media[samples.own])
    completed |= _per_session(at_end, samples, len(trace))
    return completed & (seen < _needed(media, rule))


def _needed(media: Ints, rule: RulePolicy) -> Ints:
    share = media * (1 - rule["rate_tolerance"])
    return (share - rule.ms("abs_tolerance_s")).astype(np.int64)


def _earlier_sittings(facts: Facts, session: int) -> tuple[list[tuple[int, int]], int]:
    """What earlier sittings of this person on this lesson played, and the time they took."""
    sessions = facts.trace.sessions
    case = sessions["case"][session]
    low, high = np.searchsorted(sessions["case"], (case, case + 1))
    mine = np.arange(low, high)
    mine = mine[
        (sessions["lesson"][mine] == sessions["lesson"][session])
        & (sessions["start_ms"][mine] < sessions["start_ms"][session])
    ]
    runs = facts.runs
    low, high = np.searchsorted(runs.session, (low, high))
    rows = low + np.flatnonzero(np.isin(runs.session[low:high], mine))
    played = zip(runs.p0_ms[rows].tolist(), runs.p1_ms[rows].tolist(), strict=True)
    return list(played), int((sessions["end_ms"][mine] - sessions["start_ms"][mine]).sum())


class _Seen:
    """Content already played in a session, as a union of intervals in order."""

    def __init__(self, until_ms: int) -> None:
        self._starts, self._ends = ([0], [until_ms]) if until_ms > 0 else ([], [])
        self._total = max(0, until_ms)

    def add(self, start: int, end: int) -> int:
        """Add an interval; the length of what was new in it."""
        if self._ends and start == self._ends[-1]:  # play goes on at the edge of what was seen
            self._ends[-1] = end
            self._total += end - start
            return end - start
        first, last = bisect_left(self._ends, start), bisect_right(self._starts, end)
        known = sum(self._ends[first:last]) - sum(self._starts[first:last])
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last], self._ends[first:last] = [start], [end]
        gained = (end - start) - known
        self._total += gained
        return gained

    def unseen(self, start: int, end: int) -> int:
        """Length of the part of [start, end) that was not played."""
        first, last = bisect_left(self._ends, start), bisect_right(self._starts, end)
        parts = zip(self._starts[first:last], self._ends[first:last], strict=True)
        return (end - start) - sum(min(end, high) - max(start, low) for low, high in parts)

    def total(self) -> int:
        return self._total


class _Story:
    """One suspicious session, read from its first sample to its last."""

    def __init__(
        self, facts: Facts, seeks: Bools, session: int, rows: slice, policy: Policy
    ) -> None:
        trace, samples = facts.trace, facts.played.samples
        self.session = session
        self.rule, self.strict, self.tolerance = pace_of(policy)
        self.start = int(trace.sessions["start_ms"][session])
        lesson = int(trace.sessions["lesson"][session])
        self.media = int(trace.lessons["media_ms"][lesson])
        self.resume = int(trace.sessions["resume_ms"][session])
        self.earlier, self.studied = _earlier_sittings(facts, session)
        self.kind = samples.kind[rows]
        told = trace.events_of(session)
        told = told[(told["flags"] & Flag.COMPLETED) != 0]
        self.completed = int(told["recv_ms"].max()) if len(told) else None
        self.arrive, self.leave = samples.arrive_ms[rows], samples.leave_ms[rows]
        self.u = samples.u_ms[rows]
        self.at = trace.events["at_ms"][samples.row[rows]]
        self.advance, self.jump = samples.advance_ms[rows], samples.jump[rows]
        self._moved = np.flatnonzero((self.advance > 0) & ~self.jump)
        self.seeks = seeks[rows]
        self.step = int(samples.step_ms[rows].max(initial=0))
        self.novel = self._novelty()
        self.late = bool(samples.late[rows].any())
        self.low = np.minimum(samples.l_ms[rows], self._earliest(policy))

    def findings(self) -> list[Finding]:
        jumps = self._jumps()
        outran = [] if self.late else self._stretches(self._claims())
        found = jumps + [
            stretch
            for stretch in outran
            if not any(j.start_ms <= stretch.start_ms <= stretch.end_ms <= j.end_ms for j in jumps)
        ]
        found = [self._before_opening(it) or it for it in found] or self._micro_seeks()
        if not found:
            found = self._completion() or self._repeated_seeks()
        return found

    def _claims(self) -> Ints:
        return np.where(self.jump, 0, self.novel)

    def _earliest(self, policy: Policy) -> Ints:
        """How early each sample can be of, if what was claimed twice took no time: a place that a
        player showed by a glitch leaves what was really played less of a silence than it took."""
        silence_ms = policy["popup_gap"].ms("offline_gap_s")
        return self.u - age(self.u, self._claims(), Segments(np.zeros_like(self.u)), silence_ms)

    def _novelty(self) -> Ints:
        """New content of every sample's advance; a jump adds nothing to what was seen."""
        new = np.zeros(len(self.u), np.int64)
        seen = self._seen_before()
        arrive, jump = self.arrive.tolist(), self.jump.tolist()
        for row in np.flatnonzero(self.advance > 0).tolist():
            span = arrive[row] - int(self.advance[row]), arrive[row]
            new[row] = seen.unseen(*span) if jump[row] else seen.add(*span)
        return new

    def _play(self, seen: _Seen) -> list[int]:
        """Add what was played to what was seen; the new content of each sample that moved."""
        ends = self.arrive[self._moved]
        begins = ends - self.advance[self._moved]
        return [seen.add(*it) for it in zip(begins.tolist(), ends.tolist(), strict=True)]

    def _finding(self, reason: str, first: int, last: int, measured: int, limit: int) -> Finding:
        """Samples first..last; content and server time between them, both in seconds."""
        began = int(self.low[first - 1]) if first else 0
        came_from = int(self.arrive[first] - self.advance[first])
        return Finding(
            rule=RULE,
            outcome=Outcome.VIOLATION,
            reason=reason,
            fault=Fault.LEARNER,
            evidence=Evidence.SERVER,
            session=self.session,
            start_ms=self.start + began,
            end_ms=self.start + int(self.u[last]),
            start_pos_ms=came_from,
            end_pos_ms=int(self.arrive[last]),
            measured=measured / 1000,
            limit=limit / 1000,
            voids=True,
        )

    def _jumps(self) -> list[Finding]:
        """Claims that no clock could hold: one finding over all of them in the session."""
        if not self.jump.any():
            return []
        effective: list[int] = []
        skipped: dict[int, int] = {}
        claimed = _Seen(0)
        for row in np.flatnonzero(self.novel > 0).tolist():
            unseen, reached = int(self.novel[row]), int(self.arrive[row])
            origin = reached - int(self.advance[row])
            if not self.jump[row]:
                claimed.add(origin, reached)
                skipped[row] = unseen
                continue
            room = int(self.u[row]) - (int(self.low[row - 1]) if row else 0)
            if unseen > self.strict * room + self.tolerance and not self._snaps_back(row, origin):
                effective.append(row)
                # What was claimed twice is told once.
                skipped[row] = min(unseen, claimed.add(origin, reached))
        if not effective:
            return []
        first, last = effective[0], effective[-1]
        began = int(self.low[first - 1]) if first else 0
        content = sum(new for row, new in skipped.items() if first <= row <= last)
        at_end = len(effective) == 1 and self.kind[first] == Kind.ENDED
        reason = "completion_claimed" if at_end else "jump" if len(effective) == 1 else "outran"
        return [self._finding(reason, first, last, content, int(self.u[last]) - began)]

    def _snaps_back(self, row: int, origin: int) -> bool:
        after = slice(row + 1, None)
        soon = self.u[after] <= self.u[row] + SNAP_BACK_MS
        played_on = self.strict * (self.u[after] - (int(self.low[row - 1]) if row else 0))
        back = self.arrive[after] <= origin + played_on + self.rule.ms("resume_tolerance_s")
        return bool(np.any(soon & back))

    def _stretches(self, novel: Ints) -> list[Finding]:
        """Sustained stretches of new content that outrun the clock."""
        found: list[Finding] = []
        begin = 0
        while begin < len(self.u):
            claimed = np.cumsum(novel[begin:])
            origin = (int(self.u[begin - 1]) if begin else 0) - self.step
            u, low = self.u[begin:], self.low[begin:]
            ahead = claimed - self.strict * u
            floor = np.minimum.accumulate(
                np.concatenate([[-self.strict * origin], claimed - self.strict * low])
            )[:-1]
            excess = ahead - floor
            over = np.flatnonzero(excess > self.tolerance)
            if not len(over):
                break
            last = self._still_gaining(excess, u, int(over[0]))
            candidates = np.concatenate([[-self.strict * origin], claimed - self.strict * low])
            first = int(np.argmin(candidates[: last + 1]))  # stretch begins after this sample
            content = int(claimed[last] - (claimed[first - 1] if first else 0))
            if content >= self.rule.ms("min_stretch_s"):
                time = int(u[last]) - (int(low[first - 1]) if first else origin)
                found.append(self._finding("outran", begin + first, begin + last, content, time))
            begin += last + 1
        return found

    def _still_gaining(self, excess: np.ndarray, u: Ints, row: int) -> int:
        """The last sample of the stretch: where the lead stops growing for a minute."""
        best = row
        for later in range(row + 1, len(excess)):
            if excess[later] > excess[best]:
                best = later
            elif u[later] > u[best] + 60_000:
                break
        return best

    def _before_opening(self, finding: Finding) -> Finding | None:
        """What a finding is where its events are news of before the sitting was opened, brought at
        once: by the client's clock, set by its freshest news, it all was over by then, and took the
        time that it needs. Events that say so after others of the sitting contradict themselves."""
        last = int(np.searchsorted(self.u, finding.end_ms - self.start, side="right"))
        first = max(int(np.searchsorted(self.u, finding.start_ms - self.start)) - 1, 0)
        at = (self.at + int((self.u - self.at).min()))[:last]
        if at[0] >= -BEFORE_MS or np.any(np.diff(at) < 0):
            return None
        over = int(np.searchsorted(at, 0, side="right"))
        took, came = (int(it[over - 1] - it[first]) for it in (at, self.u))
        opened = min(over, last - 1)  # the way on which it was opened began before
        old = self.advance[first + 1 : opened + 1].sum()
        live = self.advance[opened + 1 : last].sum()
        possible = old <= self.strict * (at[opened] - at[first]) + self.tolerance
        possible &= live <= self.strict * self.u[last - 1] + self.tolerance
        if not (over > first + 1 and possible and took > NO_PLAYER * came):
            return None
        alone = not self.advance[last:].any()
        outcome = Outcome.NOT_PROVEN if alone else Outcome.CLEAR
        return replace(finding, reason=BEFORE_OPENING, outcome=outcome, fault=Fault.PLATFORM)

    def _leaps(self) -> list[tuple[int, int]]:
        """Rows, from and to, of forward seeks. Those between which next to nothing was played are
        one: a bar that is dragged, a key that is held, a seek that is told twice."""
        found: list[tuple[int, int]] = []
        far = 0
        for row in np.flatnonzero(self.seeks).tolist():
            if found:
                first, last = found[-1]
                played = int(self.advance[last + 1 : row + 1].sum())
                if played * NO_PLAYER <= far - int(self.arrive[first]):
                    found[-1], far = (first, row), max(far, int(self.leave[row]))
                    continue
            found.append((row, row))
            far = int(self.leave[row])
        return found

    def _micro_seeks(self) -> list[Finding]:
        least = self.rule.ms("micro_seek_s")
        micro = [it for it in self._leaps() if self.leave[it[1]] - self.arrive[it[0]] <= least]
        if len(micro) < self.rule["micro_seek_min_count"]:
            return []
        first, last = micro[0][0], micro[-1][1]
        time = int(self.u[last]) - (int(self.low[first - 1]) if first else 0)
        reach = self.arrive.copy()
        for begin, end in micro:
            rows = np.arange(begin, end + 1)[self.seeks[begin : end + 1]]
            reach[rows] = self.leave[rows]
        origin = self.arrive - np.where(self.jump, 0, self.advance)
        seen = self._seen_before()
        content = 0
        for row in np.flatnonzero(reach > origin):
            gained = seen.add(int(origin[row]), int(reach[row]))
            if first <= row <= last:
                content += gained
        sustained = content >= self.rule.ms("min_stretch_s")
        if sustained and content > self.strict * time + self.tolerance:
            return [self._finding("micro_seeks", first, last, content, time)]
        return []

    def _completion(self) -> list[Finding]:
        """The platform said completed, and what was skipped was never played."""
        at_end = np.flatnonzero((self.kind == Kind.ENDED) & (self.arrive >= self.media))
        if self.completed is None and not len(at_end):
            return []
        told = int(self.u[at_end[-1]]) if self.completed is None else self.completed
        elapsed = self.studied + told
        needed = int(_needed(np.array(self.media), self.rule))
        if elapsed >= needed:
            return []  # there was time enough: content may be missing, but nothing was rushed
        played = self._seen_before()
        self._play(played)
        if played.total() >= needed:
            return []
        if self.completed is None:  # the end itself was claimed, past what was never played
            missing, last = self.media - played.total(), int(at_end[-1])
            for row in np.flatnonzero(self.seeks):
                played.add(int(self.arrive[row]), int(self.leave[row]))
            if played.total() >= needed:  # by seeks that the player told of: nothing is claimed
                note = self._finding("skipped_to_end", 0, last, missing, elapsed)
                return [replace(note, outcome=Outcome.CLEAR, fault=Fault.UNDETERMINED, voids=False)]
            finding = self._finding("completion_claimed", 0, last, missing, elapsed)
            return [replace(finding, voids=False)]
        return [
            Finding(
                rule=RULE,
                outcome=Outcome.VIOLATION,
                reason="completion_told",
                fault=Fault.PLATFORM,
                evidence=Evidence.SERVER,
                session=self.session,
                start_ms=self.start,
                end_ms=self.start + told,
                measured=self.media / 1000,
                limit=elapsed / 1000,
            )  # voids nothing: what was really played stays played
        ]

    def _seen_before(self) -> _Seen:
        """What the person had played of this lesson when the session began."""
        seen = _Seen(min(self.resume, self.media))
        for start, end in self.earlier:
            seen.add(start, end)
        return seen

    def _repeated_seeks(self) -> list[Finding]:
        """Several effective forward seeks over content that stayed unseen: a person looks."""
        seen = self._seen_before()
        self._play(seen)
        least = self.rule.ms("jump_min_s")
        skipping = [
            it
            for it in self._leaps()
            if seen.unseen(int(self.arrive[it[0]]), int(self.leave[it[1]])) > least
        ]
        if len(skipping) < self.rule["repeated_jumps"]:
            return []
        first, last = skipping[0][0], skipping[-1][1]
        return [
            Finding(
                rule=RULE,
                outcome=Outcome.REVIEW,
                reason="repeated_seeks",
                fault=Fault.UNDETERMINED,
                evidence=Evidence.CLIENT,
                session=self.session,
                start_ms=self.start + int(self.u[first]),
                end_ms=self.start + int(self.u[last]),
                start_pos_ms=int(self.arrive[first]),
                end_pos_ms=int(self.leave[last]),
                measured=len(skipping),
                limit=self.rule["repeated_jumps"],
                unit="count",
            )
        ]
