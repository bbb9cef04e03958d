"""连续5分钟内无弹窗管控: a stretch of learning time without an effective pop-up.

What lies beyond the limit earns nothing until the next effective pop-up. It is a violation where
the evidence shows whose: of the learner, where a pop-up was shown and the page that showed it
played on past the time to answer; of the platform, where it asked for none in time, or for none
again on a new page. Where nothing shows that the page heard of one, which page it was that played
on, or why this service asked for none, nothing is proven. What else is lost is said, and accuses
nobody.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.learning_time import LearningStretch, LearningTime
from detectors.policy import Policy, RulePolicy
from detectors.popups import Popups, popups_of
from detectors.segments import Segments
from detectors.trace import NONE, Bools, Control, Flag, Ints, Kind, SessionFlag, Trace, owners

RULE = "popup_gap"
SCREEN_MS = 5_000  # runs of play are laid out evenly in time; the screen allows for that
TICK_MS = 1_000  # a page needs as long to stop its player and to say so
OVER_MS = 1_020_000  # of silence: two minutes of lease and the quarter of an hour to come back in
NEVER_MS = 1 << 60
_ATTESTED = SessionFlag.ATTESTED | SessionFlag.PLATFORM_CONTROLS


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """Findings on stretches of learning time without an effective pop-up; evidence class S."""
    rule = policy[RULE]
    popups = popups_of(facts.trace, facts.runs, rule)
    findings = _rolled_back(popups)
    for case, hour, mine in _long_stretches(facts, popups, rule):
        findings += _HourControls(facts, case, hour, mine, rule).findings()
    findings += _many_expiries(facts.trace, popups, rule)
    return findings


def _rolled_back(popups: Popups) -> list[Finding]:
    """Play between a display and the stop, or an answer out of time: not counted, and no more."""
    under = popups.uncounted_ms - popups.from_ms
    return [
        Finding(
            rule=RULE,
            outcome=Outcome.CLEAR,
            reason="answered_late" if popups.answered[row] else "unanswered_play_stopped",
            fault=Fault.UNDETERMINED,
            evidence=Evidence.SERVER,
            session=int(popups.session[row]),
            start_ms=int(popups.from_ms[row]),
            end_ms=int(popups.uncounted_ms[row]),
            measured=float(popups.until_ms[row] - popups.from_ms[row]) / 1000,
            voids=True,
            controls=(int(popups.row[row]),),
        )
        for row in np.flatnonzero(popups.effective & (under > TICK_MS))
    ]


def _long_stretches(
    facts: Facts, popups: Popups, rule: RulePolicy
) -> list[tuple[int, int, Popups]]:
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

    when = np.where(popups.shown_ms >= 0, popups.from_ms, popups.issued_ms)
    case = trace.sessions["case"].astype(np.int64)[popups.session]
    row = facts.find.row_at(popups.session, case, when)
    mine = np.where(row == NONE, NONE, group[row])
    order = np.lexsort((when, mine))
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
    result: list[tuple[int, int, Popups]] = []
    for hour in np.union1d(long_before, long_after):
        if parts.hour[heads[hour]] < 0:
            continue
        rows = order[np.searchsorted(of, hour) : np.searchsorted(of, hour, side="right")]
        result.append(
            (int(parts.case[heads[hour]]), int(parts.hour[heads[hour]]), popups.where(rows))
        )
    return result


class _HourControls:
    """One class-hour of one person, stretch by stretch; `popups` in order of time."""

    def __init__(
        self, facts: Facts, case: int, hour: int, popups: Popups, rule: RulePolicy
    ) -> None:
        self.trace, self.hour, self.rule = facts.trace, hour, rule
        self.time = LearningTime.of(facts, case, hour)
        self.popups = popups
        self.limit = rule.ms("max_gap_s")

    def findings(self) -> list[Finding]:
        effective = np.flatnonzero(self.popups.effective)
        found = [
            self._judged(stretch)
            for stretch in self.time.between(self._marks(effective))
            if stretch.total_ms > self._allowance(stretch)
        ]
        return found + self._unanswered(found)

    def _marks(self, rows: Ints) -> list[tuple[int, int]]:
        popups = self.popups
        return list(zip(popups.from_ms[rows].tolist(), popups.until_ms[rows].tolist(), strict=True))

    def _session(self, stretch: LearningStretch) -> int:
        """The sitting in which the limit was reached."""
        at, _ = stretch.at(min(self.limit, stretch.total_ms - 1))
        return int(self.time.session[stretch.rows[at]])

    def _allowance(self, stretch: LearningStretch) -> int:
        """The limit; where a platform measured it, with what its timers may be off."""
        attested = self._attested(stretch)
        return self.limit + (self.rule.ms("attested_tolerance_s") if attested else 0)

    def _attested(self, stretch: LearningStretch) -> bool:
        return bool(self.trace.sessions["flags"][self._session(stretch)] & _ATTESTED)

    # ------------------------------------------------------------------------ who is at fault

    def _judged(self, stretch: LearningStretch) -> Finding:
        """The finding on continuous learning time beyond the limit."""
        owed = self._owed(stretch)
        if stretch.total_ms <= owed:
            return self._finding(stretch, Outcome.CLEAR, "offline_past_due", Fault.ENVIRONMENT)
        popups = self.popups
        _, crossing = stretch.at(self.limit)
        grace = self.rule.ms("stop_allowance_s")
        asked = (popups.issued_ms >= stretch.begin_ms) & (popups.issued_ms < stretch.end_ms)
        # Another device's pop-up may end a stretch before one that was asked here is seen.
        unmet = asked & (~popups.effective | (popups.from_ms > stretch.end_ms))
        shown = unmet & ~popups.effective & (popups.shown_ms >= 0)
        played_until = self._played_until(stretch)
        left = shown & (popups.lost_ms < played_until)
        left &= ~self._answered_again(stretch) & ~self._asked_again()
        gone = np.where(shown, self._page_gone(), NEVER_MS)
        played_on = left & (popups.lost_ms < self._surely_played_until(stretch, gone))
        ignored = played_on & self._page_told()
        if ignored.any():
            return self._finding(stretch, Outcome.VIOLATION, "ignored", Fault.LEARNER, ignored)
        in_time = popups.issued_ms <= stretch.at(owed)[1]
        unseen = unmet & ~shown & in_time
        # The page that showed it was loaded anew, or another took over: it had to be asked again.
        anew = left & in_time & (self._played_after(stretch, gone) > grace)
        heard = self._heard(np.where(anew, gone, popups.issued_ms))
        since = np.maximum(np.where(anew, gone, popups.due_ms), heard)
        overdue = (unseen | anew) & (self._played_after(stretch, since) > grace)
        if (overdue & anew).any() and self._attested(stretch):
            rows = overdue & anew
            return self._finding(
                stretch, Outcome.VIOLATION, "not_asked_again", Fault.PLATFORM, rows
            )
        if overdue.any():
            return self._never_shown(stretch, overdue)
        if played_on.any():
            return self._finding(
                stretch, Outcome.NOT_PROVEN, "page_untold", Fault.PLATFORM, played_on
            )
        if (shown & in_time).any():
            row = shown & in_time
            return self._finding(stretch, Outcome.CLEAR, "unanswered", Fault.UNDETERMINED, row)
        # The pop-up that ends a stretch was not ignored in it; it may have come late.
        ends = popups.effective & (popups.from_ms == stretch.end_ms) & in_time
        if ends.any() and stretch.total_ms <= self.limit + grace:
            return self._finding(stretch, Outcome.CLEAR, "shown_late", Fault.ENVIRONMENT, ends)
        unheard = (heard > popups.due_ms) & (self._played_after(stretch, heard) <= grace)
        if ((ends | unseen) & ~unheard).any():
            return self._never_shown(stretch, (ends | unseen) & ~unheard)
        if (ends | unseen).any():
            return self._not_delivered(stretch, ends | unseen)
        if self._was_over(stretch, crossing):
            return self._finding(stretch, Outcome.CLEAR, "none_issued", Fault.UNDETERMINED)
        if self._attested(stretch):
            return self._finding(stretch, Outcome.VIOLATION, "none_issued", Fault.PLATFORM)
        # Nobody but this service could have asked: that it did not is no word against anybody.
        return self._finding(stretch, Outcome.NOT_PROVEN, "none_issued", Fault.UNDETERMINED)

    def _was_over(self, stretch: LearningStretch, moment: int) -> bool:
        """Whether the sitting had fallen silent for so long that this service asked nothing more:
        what arrives for it afterwards is kept as late, and a page may not hear that it is over."""
        session = self._session(stretch)
        row = self.trace.sessions[session]
        if row["flags"] & _ATTESTED:
            return False
        came = row["start_ms"] + np.unique(self.trace.events_of(session)["recv_ms"]).astype(
            np.int64
        )
        silent = np.diff(came, prepend=row["start_ms"]) >= OVER_MS
        return bool((came[silent] < moment).any())

    def _never_shown(self, stretch: LearningStretch, popups: Bools) -> Finding:
        undetermined = Fault.UNDETERMINED
        return self._finding(stretch, Outcome.VIOLATION, "never_shown", undetermined, popups)

    def _not_delivered(self, stretch: LearningStretch, popups: Bools) -> Finding:
        """Asked, and nothing shows that the page heard it: a network that loses answers, or a page
        that never takes any, which is its maker's to mend."""
        deaf = all(
            not len(_hearings(self.trace, int(it))) for it in np.unique(self.popups.session[popups])
        )
        fault = Fault.PLATFORM if deaf else Fault.ENVIRONMENT
        return self._finding(stretch, Outcome.NOT_PROVEN, "not_delivered", fault, popups)

    def _heard(self, since: Ints) -> Ints:
        """When each pop-up's page had heard an answer of this service since then, NEVER_MS where
        nothing shows it. Whoever has not heard brings again what that answer was to."""
        heard = np.full(len(since), NEVER_MS, np.int64)
        for row, session in enumerate(self.popups.session.tolist()):
            came = _receipts(self.trace, session)
            answered = np.searchsorted(came, since[row])
            if answered < len(came):
                hearings = _hearings(self.trace, session)
                later = np.searchsorted(hearings, came[answered], side="right")
                if later < len(hearings):
                    heard[row] = hearings[later]
        return heard

    def _page_gone(self) -> Ints:
        """When the page that showed each pop-up was loaded anew or replaced: its counter, which
        runs on while a page lives, begins again. NEVER_MS where it did not."""
        gone = np.full(len(self.popups), NEVER_MS, np.int64)
        for row, session in enumerate(self.popups.session.tolist()):
            events = self.trace.events_of(session)
            beats = events[events["mono_ms"] >= 0]
            again = np.flatnonzero(np.diff(beats["mono_ms"]) < 0) + 1
            shown_seq = self.trace.controls["shown_seq"][self.popups.row[row]]
            again = again[beats["seq"][again] > shown_seq]
            if len(again):
                start = self.trace.sessions["start_ms"][session]
                gone[row] = start + beats["recv_ms"][again[0]]
        return gone

    def _page_told(self) -> Bools:
        """Whether counters before and after the display of each pop-up tell which page played."""
        told = np.zeros(len(self.popups), np.bool_)
        for row, session in enumerate(self.popups.session.tolist()):
            events = self.trace.events_of(session)
            beats = events["seq"][events["mono_ms"] >= 0]
            shown_seq = self.trace.controls["shown_seq"][self.popups.row[row]]
            told[row] = (beats < shown_seq).any() and (beats > shown_seq).any()
        return told

    def _played_until(self, stretch: LearningStretch, before: Ints | None = None) -> Ints:
        """When the sitting of each pop-up last played in a stretch (before a time, where one is
        given); 0 where it did not."""
        session = self.time.session[stretch.rows]
        limits = [NEVER_MS] * len(self.popups) if before is None else before.tolist()
        until = [
            min(int(stretch.high[(session == it) & (stretch.low < limit)].max(initial=0)), limit)
            for it, limit in zip(self.popups.session, limits, strict=True)
        ]
        return np.array(until, np.int64)

    def _surely_played_until(self, stretch: LearningStretch, before: Ints) -> Ints:
        """As `_played_until`, where news was held back as early as it may have been: who stopped in
        time and could not say so did not play on. The allowance for a stop holds one heartbeat."""
        time, rows = self.time, stretch.rows
        told_ms = (time.u_ms - time.stale_ms)[rows] + self.rule.ms("stop_allowance_s")
        return self._played_until(replace(stretch, high=np.minimum(stretch.high, told_ms)), before)

    def _played_after(self, stretch: LearningStretch, since: Ints) -> Ints:
        """How long the sitting of each pop-up played in a stretch after a time; when, a network may
        have told late."""
        session = self.time.session[stretch.rows]
        after = [
            np.maximum(stretch.high - np.maximum(stretch.low, at), 0)[session == it].sum()
            for it, at in zip(self.popups.session, since.tolist(), strict=True)
        ]
        return np.array(after, np.int64)

    def _answered_again(self, stretch: LearningStretch) -> Bools:
        """Pop-ups that expired and were answered when they were issued again: somebody is slow.
        As soon as it expired, or as soon as this service heard of the sitting again."""
        popups = self.popups
        grace = 2 * self.rule.ms("stop_allowance_s")
        again = popups.answered & popups.reissue & (popups.from_ms == stretch.end_ms)
        if not again.any():
            return np.zeros(len(popups), np.bool_)
        issued = int(popups.issued_ms[again].min())
        latest = popups.lost_ms + grace
        for row, session in enumerate(popups.session.tolist()):
            came = _receipts(self.trace, session)
            after = int(np.searchsorted(came, latest[row]))
            if after < len(came):
                latest[row] = came[after]
        return latest >= issued

    def _asked_again(self) -> Bools:
        """Pop-ups under which content stopped in time, and that were issued again: what is played
        from then on is owed to the one that followed, which a network may have brought late."""
        popups = self.popups
        again = np.zeros(len(popups), np.bool_)
        shown_seq = self.trace.controls["shown_seq"][popups.row]
        for row, session in enumerate(popups.session.tolist()):
            later = (popups.session == session) & (popups.issued_ms > popups.issued_ms[row])
            following = np.flatnonzero(later)
            if not len(following) or not popups.reissue[following[0]]:
                continue
            events = self.trace.events_of(session)
            until = shown_seq[following[0]]
            under = (events["seq"] > shown_seq[row]) & ((events["seq"] < until) | (until == NONE))
            stops = events["recv_ms"][under & (events["kind"] == Kind.PAUSE)]
            came = _receipts(self.trace, session)
            heard = np.searchsorted(came, stops + self.trace.sessions["start_ms"][session])
            # A stop may be as old as what was heard before it.
            again[row] = bool((came[np.maximum(heard - 1, 0)] <= popups.lost_ms[row]).any())
        return again

    def _owed(self, stretch: LearningStretch) -> int:
        """Learning time after which an absent pop-up is an accusation.

        The limit, unless the server heard too late that a pop-up was due: then it was owed a
        chance to ask, and the client one to answer.
        """
        at, _ = stretch.at(self.limit)
        spent, u = stretch.spent, self.time.u_ms[stretch.rows]
        stale = self.time.stale_ms[stretch.rows]
        offline = stale > self.rule.ms("offline_gap_s")
        due = (spent > self.rule.ms("schedule_min_s")) & (np.arange(len(u)) <= at)
        late = np.flatnonzero(offline & due)
        if not len(late):
            return self.limit
        # A backlog may come in bit by bit: what follows may be as old as what came first.
        follows = late[-1] + np.flatnonzero(~(offline & (u - stale < u[late[-1]]))[late[-1] :])
        told = int(u[(follows[0] if len(follows) else len(u)) - 1])
        later = np.unique(u[u > told])
        grace = self.rule.ms("offline_grace_s")
        # Play that arrives all at once may still be the next outage's backlog.
        if not len(later) or later[-1] - later[0] < grace:
            return stretch.total_ms
        return max(self.limit, int(spent[stretch.low < told][-1]) + grace)

    # ------------------------------------------------------------------------ what is not earned

    def _unanswered(self, found: list[Finding]) -> list[Finding]:
        """Credit beyond the limit since the last answer: a pop-up that nobody answers, or a stop in
        time, accuses nobody and opens no new stretch. A break does, where nothing was owed and the
        class-hour has an answered pop-up at all."""
        notes: list[Finding] = []
        answered = np.flatnonzero(self.popups.answered)
        account = 0
        for stretch in self.time.between(self._marks(answered)):
            spent = np.cumsum(np.maximum(stretch.high - stretch.low - self._gone(stretch), 0))
            total = int(spent[-1])
            if account + total > self._allowance(stretch):
                within = LearningStretch(
                    stretch.begin_ms,
                    stretch.end_ms,
                    stretch.rows,
                    stretch.low,
                    stretch.high,
                    spent,
                )
                notes += self._note(within, account, found)
            ended = bool((self.popups.from_ms[answered] == stretch.end_ms).any())
            settled = ended or (len(answered) > 0 and not self._in_debt(stretch))
            account = 0 if settled else account + total
        return notes

    def _in_debt(self, stretch: LearningStretch) -> bool:
        """Whether a pop-up was left unanswered when the learner went."""
        popups = self.popups
        asked = (popups.issued_ms >= stretch.begin_ms) & (popups.issued_ms <= stretch.end_ms)
        grace = self.rule.ms("stop_allowance_s")
        met = (popups.shown_ms >= 0) | (popups.due_ms + grace < self._played_until(stretch))
        return bool((asked & ~popups.answered & met).any())

    def _gone(self, stretch: LearningStretch) -> Ints:
        """How much of each row lies between an unanswered display and the stop."""
        popups = self.popups
        gone = np.zeros(len(stretch.rows), np.int64)
        for row in np.flatnonzero(popups.effective & ~popups.answered):
            begin = np.maximum(stretch.low, popups.from_ms[row])
            gone += np.maximum(np.minimum(stretch.high, popups.until_ms[row]) - begin, 0)
        return gone

    def _note(self, stretch: LearningStretch, account: int, found: list[Finding]) -> list[Finding]:
        """What of a stretch earns nothing and is not said by another finding; `account` was spent
        without an answer before it."""
        left = max(self.limit - account, 0)
        _, begin = stretch.at(left) if left < stretch.total_ms else (0, stretch.end_ms)
        for it in sorted(found, key=lambda it: it.start_ms):
            if it.start_ms <= begin < it.end_ms:
                begin = it.end_ms
        rest = np.maximum(stretch.high - np.maximum(stretch.low, begin), 0)
        if not rest.any():
            return []
        first = stretch.rows[np.flatnonzero(rest)[0]]
        measured = account + stretch.total_ms
        return [
            Finding(
                rule=RULE,
                outcome=Outcome.CLEAR,
                reason="unanswered",
                fault=Fault.UNDETERMINED,
                evidence=Evidence.SERVER,
                session=int(self.time.session[first]),
                hour=self.hour,
                start_ms=begin,
                end_ms=stretch.end_ms,
                measured=float(measured) / 1000,
                limit=self.limit / 1000,
                voids=True,
            )
        ]

    def _finding(
        self,
        stretch: LearningStretch,
        outcome: Outcome,
        reason: str,
        fault: Fault,
        popups: Bools | None = None,
    ) -> Finding:
        at, crossing = stretch.at(self.limit)
        rows = () if popups is None else tuple(self.popups.row[popups].tolist())
        return Finding(
            rule=RULE,
            outcome=outcome,
            reason=reason,
            fault=fault,
            evidence=Evidence.SERVER,
            session=int(self.time.session[stretch.rows[at]]),
            hour=self.hour,
            start_ms=crossing,
            end_ms=stretch.end_ms,
            measured=float(stretch.total_ms) / 1000,
            limit=self.limit / 1000,
            voids=True,
            controls=rows,
            numbers={"began_ms": float(max(stretch.begin_ms, int(stretch.low[0])))},
        )


def _receipts(trace: Trace, session: int) -> Ints:
    """When deliveries of a sitting came that brought anything new, rising, absolute."""
    return trace.sessions["start_ms"][session] + np.unique(
        trace.events_of(session)["recv_ms"]
    ).astype(np.int64)


def _hearings(trace: Trace, session: int) -> Ints:
    """Those of them that show that the answer to the one before was heard: they repeat nothing and
    go on where all that came before ended. What overtook a request on its way shows nothing, nor
    does what itself was not heard: the one before may hang."""
    events = trace.events_of(session)
    came, of = np.unique(events["recv_ms"], return_inverse=True)
    lowest = np.full(len(came), NEVER_MS, np.int64)
    np.minimum.at(lowest, of, events["seq"].astype(np.int64))
    highest = np.full(len(came), NONE, np.int64)
    np.maximum.at(highest, of, events["seq"].astype(np.int64))
    repeats = np.zeros(len(came), np.bool_)
    np.logical_or.at(repeats, of, (events["flags"] & Flag.REPEATING) != 0)
    goes_on = lowest[1:] == np.maximum.accumulate(highest)[:-1] + 1
    start = trace.sessions["start_ms"][session]
    heard = ~np.append(repeats[2:], False)
    return start + came[1:][goes_on & ~repeats[1:] & heard].astype(np.int64)


def _many_expiries(trace: Trace, popups: Popups, rule: RulePolicy) -> list[Finding]:
    """Sessions whose pop-ups expired unanswered again and again: a note for a person."""
    controls = trace.controls
    valid = (controls["kind"] == Control.POPUP) & (controls["issued_ms"] >= 0)
    expired = valid & (controls["shown_ms"] >= 0) & (controls["answered_ms"] < 0)
    # One absence lets a pop-up expire and its re-issue as well: it is one all the same.
    expired[popups.row[popups.reissue]] = False
    # Whoever answered it when it was issued again needs longer, and did answer.
    again = np.flatnonzero(popups.reissue & popups.answered)
    again = again[popups.session[again] == popups.session[again - 1]]
    expired[popups.row[again[again > 0] - 1]] = False
    own = owners(trace.controls_at)
    count = np.bincount(own[expired], minlength=len(trace))
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
            controls=tuple(np.flatnonzero(expired & (own == session)).tolist()),
        )
        for session in np.flatnonzero(count >= rule["expiries_for_note"])
    ]
