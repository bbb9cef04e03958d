"""连续5分钟内无弹窗管控: a stretch of learning time without an effective pop-up.

The learning clock is the credited play of one person in one class-hour, over all sittings. A pop-up
is effective when the server issued it, the client showed it, and it was answered in time or play
really stopped. What lies beyond the limit earns nothing until the next effective pop-up; it is a
violation when the client kept playing while it was in contact with the server.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from detectors.class_hours import HourParts, cut_at_hours
from detectors.credit import Played
from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy, RulePolicy
from detectors.segments import Segments, locate
from detectors.trace import (
    EPOCH_MS,
    NONE,
    Bools,
    Control,
    ControlFlag,
    Ints,
    SessionFlag,
    Trace,
    offsets,
    owners,
)

RULE = "popup_gap"
STOP_MS = 30_000  # a player that stands still this long has really stopped
SCREEN_MS = 5_000  # runs of play are laid out evenly in time; the screen allows for that
APART_MS = 10_000  # receipts closer than this are one delivery
BREAK_MS = 300_000  # a longer break between sittings ends a "continuous" stretch
_INVALID = ControlFlag.FOREIGN_NONCE | ControlFlag.EARLY_ANSWER | ControlFlag.UNKNOWN


@dataclass(frozen=True, slots=True)
class Popups:
    """Pop-ups that took effect, N rows sorted by (session, from_ms), in absolute server time.

    from_ms: the display, where the stretch before it ends; until_ms: the answer, or the moment
    play had stopped, where the next stretch begins. answered: False where it took effect only
    because play stopped; what was played meanwhile does not count. row: control row.
    """

    session: Ints
    from_ms: Ints
    until_ms: Ints
    answered: Bools
    row: Ints


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """Findings on stretches of learning time without an effective pop-up; evidence class S."""
    rule = policy[RULE]
    trace = facts.trace
    popups = effective(trace, facts.runs, rule)
    findings = _rolled_back(popups)
    for case, hour, marks in _long_stretches(facts, popups, rule):
        findings += _Hour(facts, case, hour, marks, rule).findings()
    findings += _many_expiries(trace, rule)
    return findings


def effective(trace: Trace, played: Played, rule: RulePolicy) -> Popups:
    """Which pop-ups took effect, and when, by the server's clock."""
    controls = trace.controls
    own = owners(trace.controls_at)
    rows = np.flatnonzero(
        (controls["kind"] == Control.POPUP)
        & (controls["shown_ms"] >= 0)
        & ((controls["flags"] & _INVALID) == 0)
    )
    session = own[rows]
    start = trace.sessions["start_ms"][session]
    answer_at = controls["answered_ms"][rows].astype(np.int64)
    window = rule.ms("answer_window_s")
    answered = answer_at >= 0
    waited = answer_at - controls["shown_ms"][rows]
    latency = controls["latency_ms"][rows].astype(np.int64)
    shown = _display(
        trace, played, session, controls["shown_ms"][rows], controls["shown_seq"][rows]
    )
    # A page that stops while its dialogue is open reports display and answer together. Issue and
    # answer are the server's own: between them the display lies as long ago as the answer took.
    issued = controls["issued_ms"][rows].astype(np.int64)
    prompt = answered & (issued >= 0) & (latency >= 0) & (answer_at - issued <= window)
    shown = np.where(
        prompt, np.minimum(shown, np.maximum(issued, answer_at - latency) + start), shown
    )
    # After an outage both receipts coincide, or only the answer is late: the client's own measure
    # may excuse a late receipt if the answer can be as old as that, never an unanswered pop-up.
    claimed = (latency >= 0) & (latency <= window)
    earliest = _earliest(played, session, controls["answered_seq"][rows])
    overtaken = _overtaken(played, session, controls["answered_seq"][rows])
    excused = claimed & (earliest <= controls["shown_ms"][rows] + window)
    excused &= answer_at - overtaken <= window
    in_time = answered & ((waited <= window) | excused)
    until = np.where(in_time, np.maximum(answer_at + start, shown), shown)
    stop, stopped = _stop(played, session, shown, shown + window)
    # Where play is laid out may be off by a delivery: it resumed after the window, or just before.
    early, stopped_early = _stop(played, session, shown, shown + window - APART_MS)
    stop = np.where(stopped, stop, early)
    stopped = ~in_time & (stopped | stopped_early)
    stop_at = np.where(stopped, stop, until)
    keep = np.flatnonzero(in_time | stopped)
    return Popups(session[keep], shown[keep], stop_at[keep], in_time[keep], rows[keep])


def _earliest(played: Played, session: Ints, seq: Ints) -> Ints:
    """The earliest time, from the session's start, at which events of these seqs can have happened:
    not before the sample that the same client told before them."""
    samples = played.samples
    if not len(samples.own):
        return np.zeros(len(session), np.int64)
    count = locate(samples.own, samples.seq, session, seq.astype(np.int64) - 1)
    before = np.maximum(count - 1, 0)
    mine = (count > 0) & (samples.own[before] == session)
    return np.where(mine, (samples.u_ms - samples.stale_ms)[before], 0)


def _overtaken(played: Played, session: Ints, seq: Ints) -> Ints:
    """When the first news of the time after these seqs reached the server: an answer that comes
    long after them was not held back by the network."""
    samples = played.samples
    if not len(samples.own):
        return np.full(len(session), np.iinfo(np.int64).max // 2)
    after = locate(samples.own, samples.seq, session, seq.astype(np.int64))
    place = np.minimum(after, len(samples.own) - 1)
    mine = (after < len(samples.own)) & (samples.own[place] == session)
    return np.where(mine, samples.u_ms[place], np.iinfo(np.int64).max // 2)


def _stop(played: Played, session: Ints, shown: Ints, by: Ints) -> tuple[Ints, Bools]:
    """The end of the last play up to a time, and whether play then really stood still."""
    stop = _last_play(played, session, by, shown)
    return stop, _next_play(played, session, stop) - stop >= STOP_MS


def _display(trace: Trace, played: Played, session: Ints, recv: Ints, seq: Ints) -> Ints:
    """When a pop-up was displayed: its receipt, or earlier if a later sample proves it."""
    samples = played.samples
    start = trace.sessions["start_ms"][session]
    if not len(samples.own):
        return recv + start
    after = locate(samples.own, samples.seq, session, seq.astype(np.int64))
    inside = (seq >= 0) & (after < len(samples.own))
    after = np.minimum(after, len(samples.own) - 1)
    inside &= samples.own[after] == session
    # The play up to the sample after the display was laid out as late as possible.
    finish = samples.finish_ms[after] + start
    shown = recv.astype(np.int64) + start
    return np.where(inside, np.minimum(shown, finish), shown)


def _last_play(played: Played, session: Ints, before: Ints, after: Ints) -> Ints:
    """End of the last play in (after, before], `after` where there was none."""
    if not len(played):
        return after
    count = locate(played.session, played.t0_ms - EPOCH_MS, session, before - 1 - EPOCH_MS)
    last = np.maximum(count - 1, 0)
    mine = (count > 0) & (played.session[last] == session)
    end = np.minimum(played.t1_ms[last], before)
    return np.where(mine, np.maximum(end, after), after)


def _next_play(played: Played, session: Ints, after: Ints) -> Ints:
    """The first moment of play at or after each time, far away where there is none."""
    if not len(played):
        return after + BREAK_MS
    row = locate(played.session, played.t0_ms - EPOCH_MS, session, after - 1 - EPOCH_MS)
    place = np.minimum(row, len(played) - 1)
    mine = (row < len(played)) & (played.session[place] == session)
    start = np.where(mine, played.t0_ms[place], after + BREAK_MS)
    current = np.maximum(row - 1, 0)
    goes_on = (row > 0) & (played.session[current] == session) & (played.t1_ms[current] > after)
    return np.where(goes_on, after, start)


def _rolled_back(popups: Popups) -> list[Finding]:
    """Play between an unanswered display and the stop: not counted, and no accusation."""
    rows = np.flatnonzero(~popups.answered & (popups.until_ms > popups.from_ms))
    return [
        Finding(
            rule=RULE,
            outcome=Outcome.CLEAR,
            reason="unanswered_play_stopped",
            fault=Fault.LEARNER,
            evidence=Evidence.SERVER,
            session=int(popups.session[row]),
            start_ms=int(popups.from_ms[row]),
            end_ms=int(popups.until_ms[row]),
            measured=float(popups.until_ms[row] - popups.from_ms[row]) / 1000,
            voids=True,
            controls=(int(popups.row[row]),),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class _Mark:
    """An effective pop-up inside one class-hour: the stretch ends at `start`, begins at `end`.
    One that was not answered excuses, but only an answer opens the next stretch for credit."""

    start: int
    end: int
    answered: bool


def _long_stretches(
    facts: Facts, popups: Popups, rule: RulePolicy
) -> list[tuple[int, int, list[_Mark]]]:
    """Class-hours of a person that may hold too long a stretch, with their pop-ups in order."""
    trace, parts = facts.trace, facts.parts
    if not len(parts):
        return []
    changed = np.ones(len(parts), np.bool_)
    changed[1:] = (np.diff(parts.case) != 0) | (np.diff(parts.hour) != 0)
    group = np.cumsum(changed) - 1
    clock = Segments(group).running_sum(parts.p1_ms - parts.p0_ms)
    heads = np.flatnonzero(changed)
    tails = np.append(heads[1:], len(parts))
    total = clock[tails - 1]

    case = trace.sessions["case"].astype(np.int64)[popups.session]
    row = facts.find.row_at(popups.session, case, popups.from_ms)
    mine = np.where(row == NONE, NONE, group[row])
    order = np.lexsort((popups.from_ms, mine))
    order = order[mine[order] >= 0]
    of = mine[order]
    replied = order[popups.answered[order]]
    ends = parts.spent(group, clock, mine[replied], popups.from_ms[replied])
    begins = parts.spent(group, clock, mine[replied], popups.until_ms[replied])
    limit = rule.ms("max_gap_s") - SCREEN_MS
    long_before = mine[replied][ends - Segments(mine[replied]).previous(begins, 0) > limit]
    latest = np.zeros(len(heads), np.int64)
    np.maximum.at(latest, mine[replied], begins)
    long_after = np.flatnonzero(total - latest > limit)
    result: list[tuple[int, int, list[_Mark]]] = []
    for hour in np.union1d(long_before, long_after):
        if parts.hour[heads[hour]] < 0:
            continue
        rows = order[np.searchsorted(of, hour) : np.searchsorted(of, hour, side="right")]
        marks = [
            _Mark(int(popups.from_ms[it]), int(popups.until_ms[it]), bool(popups.answered[it]))
            for it in rows
        ]
        result.append((int(parts.case[heads[hour]]), int(parts.hour[heads[hour]]), marks))
    return result


def _one_at_a_time(parts: HourParts) -> HourParts:
    """Play that runs in two places at once counts once on the learning clock."""
    if not len(parts):
        return parts
    reached = np.concatenate([parts.t0_ms[:1], np.maximum.accumulate(parts.t1_ms)[:-1]])
    begin = np.minimum(np.maximum(parts.t0_ms, reached), parts.t1_ms)
    return replace(parts, t0_ms=begin).where(begin < parts.t1_ms)


class _Hour:
    """One class-hour of one person, stretch by stretch."""

    def __init__(
        self, facts: Facts, case: int, hour: int, marks: list[_Mark], rule: RulePolicy
    ) -> None:
        sittings = np.flatnonzero(facts.trace.sessions["case"] == case)
        played = facts.played.of_sessions(sittings)
        parts = cut_at_hours(facts.trace, played)
        parts = _one_at_a_time(parts.where(parts.hour == hour))
        self.trace, self.rule, self.marks = facts.trace, rule, marks
        self.limit = rule.ms("max_gap_s")
        self.earliest_due = rule.ms("schedule_min_s")
        self.offline = rule.ms("offline_gap_s")
        self.grace = rule.ms("offline_grace_s")
        self.hour = hour
        self.session = parts.session
        self.t0, self.t1 = parts.t0_ms, parts.t1_ms
        self.u = played.u_ms[parts.part]
        self.stale = played.stale_ms[parts.part]

    def findings(self) -> list[Finding]:
        found: list[Finding] = []
        begin = int(self.t0[0])
        for start, end in [
            *((mark.start, mark.end) for mark in self.marks),
            (int(self.t1[-1]), int(self.t1[-1])),
        ]:
            for low, high in self._continuous(begin, start):
                finding = self._stretch(low, high)
                if finding:
                    found.append(finding)
            begin = max(begin, end)
        return found + self._unanswered(found)

    def _unanswered(self, found: list[Finding]) -> list[Finding]:
        """Credit beyond the limit since the last answer, where breaks and stops excuse: a pop-up
        that nobody answers, or a pause in time, accuses nobody and opens no new stretch."""
        notes: list[Finding] = []
        begin = int(self.t0[0])
        replies = [mark for mark in self.marks if mark.answered]
        for start, end in [
            *((mark.start, mark.end) for mark in replies),
            (int(self.t1[-1]), int(self.t1[-1])),
        ]:
            rows = np.flatnonzero((self.t1 > begin) & (self.t0 < start))
            low, high = np.maximum(self.t0[rows], begin), np.minimum(self.t1[rows], start)
            spent = np.cumsum(np.maximum(high - low - self._rolled_back(low, high), 0))
            if len(rows) and spent[-1] > self.limit:
                at = int(np.searchsorted(spent, self.limit, side="right"))
                crossing = int(high[at] - min(spent[at] - self.limit, high[at] - low[at]))
                if not any(it.start_ms <= start and it.end_ms > crossing for it in found):
                    notes.append(
                        self._note(int(self.session[rows[at]]), crossing, start, spent[-1])
                    )
            begin = max(begin, end)
        return notes

    def _rolled_back(self, low: Ints, high: Ints) -> Ints:
        """How much of each row lies between an unanswered display and the stop."""
        gone = np.zeros(len(low), np.int64)
        for mark in self.marks:
            if not mark.answered:
                gone += np.maximum(np.minimum(high, mark.end) - np.maximum(low, mark.start), 0)
        return gone

    def _note(self, session: int, start: int, end: int, spent: int) -> Finding:
        return Finding(
            rule=RULE,
            outcome=Outcome.CLEAR,
            reason="unanswered",
            fault=Fault.UNDETERMINED,
            evidence=Evidence.SERVER,
            session=session,
            hour=self.hour,
            start_ms=start,
            end_ms=end,
            measured=float(spent) / 1000,
            limit=self.limit / 1000,
            voids=True,
        )

    def _continuous(self, begin: int, end: int) -> list[tuple[int, int]]:
        """[begin, end) divided at long breaks between sittings."""
        rows = np.flatnonzero((self.t1 > begin) & (self.t0 < end))
        stretches: list[tuple[int, int]] = []
        for row in rows:
            low, high = max(int(self.t0[row]), begin), min(int(self.t1[row]), end)
            new_sitting = row > 0 and self.session[row] != self.session[row - 1]
            long_break = stretches and low - stretches[-1][1] > BREAK_MS
            if stretches and not (new_sitting and long_break):
                stretches[-1] = (stretches[-1][0], high)
            else:
                stretches.append((low, high))
        return stretches

    def _stretch(self, begin: int, end: int) -> Finding | None:
        rows = np.flatnonzero((self.t1 > begin) & (self.t0 < end))
        low, high = np.maximum(self.t0[rows], begin), np.minimum(self.t1[rows], end)
        spent = np.cumsum(high - low)
        if not len(rows) or spent[-1] <= self.limit:
            return None
        at = int(np.searchsorted(spent, self.limit, side="right"))
        crossing = int(high[at] - (spent[at] - self.limit))
        accused = int(spent[-1]) > self._allowed(rows, spent, low, at)
        session = int(self.session[rows[at]])
        controls = self._issued(session, begin, end)
        return Finding(
            rule=RULE,
            outcome=Outcome.VIOLATION if accused else Outcome.CLEAR,
            reason=self._reason(accused, controls),
            fault=self._fault(accused, session, controls),
            evidence=Evidence.SERVER,
            session=session,
            hour=self.hour,
            start_ms=crossing,
            end_ms=end,
            measured=float(spent[-1]) / 1000,
            limit=self.limit / 1000,
            voids=True,
            controls=controls,
            numbers={"began_ms": float(begin)},
        )

    def _allowed(self, rows: Ints, spent: Ints, low: Ints, at: int) -> int:
        """Learning time after which an absent pop-up is an accusation.

        The limit, unless the server heard too late that a pop-up was due: then it was owed a
        chance to ask, and the client one to answer.
        """
        due = np.flatnonzero((spent > self.earliest_due) & (np.arange(len(rows)) <= at))
        late = due[self.stale[rows[due]] > self.offline]
        if not len(late):
            return self.limit
        told = int(self.u[rows[late[-1]]])
        later = np.unique(self.u[rows][self.u[rows] > told])
        # Play that arrives all at once may still be the next outage's backlog.
        if not len(later) or later[-1] - later[0] < self.grace:
            return int(spent[-1])
        return max(self.limit, int(spent[low < told][-1]) + self.grace)

    def _issued(self, session: int, begin: int, end: int) -> tuple[int, ...]:
        """Pop-ups that were demanded in the stretch, whether or not they were shown."""
        at = self.trace.controls_at
        rows = np.arange(at[session], at[session + 1])
        controls = self.trace.controls[rows]
        issued = controls["issued_ms"] + self.trace.sessions["start_ms"][session]
        demanded = (controls["kind"] == Control.POPUP) & (controls["issued_ms"] >= 0)
        return tuple(int(row) for row in rows[demanded & (issued >= begin) & (issued <= end)])

    def _reason(self, accused: bool, controls: tuple[int, ...]) -> str:
        if not accused:
            return "offline_past_due"
        if not controls:
            return "none_issued"
        shown = any(self.trace.controls["shown_ms"][row] >= 0 for row in controls)
        return "ignored" if shown else "never_shown"

    def _fault(self, accused: bool, session: int, controls: tuple[int, ...]) -> Fault:
        if not accused:
            return Fault.ENVIRONMENT
        if not controls:
            flags = self.trace.sessions["flags"][session]
            return Fault.PLATFORM if flags & SessionFlag.PLATFORM_CONTROLS else Fault.UNDETERMINED
        shown = any(self.trace.controls["shown_ms"][row] >= 0 for row in controls)
        return Fault.LEARNER if shown else Fault.UNDETERMINED


def _many_expiries(trace: Trace, rule: RulePolicy) -> list[Finding]:
    """Sessions whose pop-ups expired unanswered again and again: a note for a person."""
    controls = trace.controls
    own = owners(trace.controls_at)
    expired = (
        (controls["kind"] == Control.POPUP)
        & (controls["shown_ms"] >= 0)
        & (controls["answered_ms"] < 0)
        & (controls["issued_ms"] >= 0)
    )
    count = np.bincount(own[expired], minlength=len(trace))
    at = offsets(np.bincount(own, minlength=len(trace)))
    return [
        Finding(
            rule=RULE,
            outcome=Outcome.REVIEW,
            reason="many_expiries",
            fault=Fault.UNDETERMINED,
            evidence=Evidence.STATISTIC,
            session=int(session),
            start_ms=int(trace.sessions["start_ms"][session]),
            end_ms=int(trace.sessions["end_ms"][session]),
            measured=int(count[session]),
            limit=rule["expiries_for_note"],
            unit="count",
            controls=tuple(
                (np.flatnonzero(expired[at[session] : at[session + 1]]) + at[session]).tolist()
            ),
        )
        for session in np.flatnonzero(count >= rule["expiries_for_note"])
    ]
