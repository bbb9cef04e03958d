"""Several learners moved by one hand: pop-ups answered in the same second, again and again.

Pop-ups are drawn for everybody by themselves, so people who study at one time answer in one second
now and then, by accident; how often is known, and only a pair that does it far more often counts.
What appears at once is answered at once: only pop-ups that were shown at different moments tell.
People in one room may follow one voice ("now click"), so where nothing says that two were apart,
and their devices differ, most of their answers must coincide.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import numpy as np

from detectors.crowd import by_accident, groups
from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome, Scope
from detectors.policy import Policy
from detectors.trace import NONE, Control, Trace, owners

RULE = "collusion"
APART_MS = 2_000  # pop-ups shown closer than this may be answered together for that reason alone

Pair = tuple[int, int]


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """One case for all who are connected by such pairs; evidence class C+."""
    answers = _Answers(facts.trace)
    rule = policy[RULE]
    limit, accident, most = rule["same_second_answers"], rule["accident"], rule["room_share"]
    met = answers.coincidences()
    pairs = {
        pair: rows
        for pair, rows in met.items()
        if len(rows) >= limit and answers.tells(pair, len(rows), accident, most)
    }
    return [_finding(facts.trace, answers, crowd, pairs, limit) for crowd in groups(sorted(pairs))]


class _Answers:
    """Answered pop-ups, in (class, time) order. `member` int64 numbers a person in a class."""

    def __init__(self, trace: Trace) -> None:
        controls, own = trace.controls, owners(trace.controls_at)
        rows = np.flatnonzero((controls["kind"] == Control.POPUP) & (controls["answered_ms"] >= 0))
        session = own[rows]
        start = trace.sessions["start_ms"][session]
        answered = controls["answered_ms"][rows] + start
        shown = controls["shown_ms"][rows].astype(np.int64)
        shown = np.where(shown == NONE, controls["issued_ms"][rows], shown) + start
        klass = trace.sessions["klass"].astype(np.int64)
        order = np.lexsort((answered, klass[session]))
        self.trace = trace
        self.member_of = (klass << 32) + trace.sessions["person"]
        self.session, self.second = session[order], answered[order] // 1000
        self.shown_ms, self.member = shown[order], self.member_of[session[order]]
        self._by_session = answered[np.lexsort((answered, session))]
        self._at = np.searchsorted(session, np.arange(len(trace) + 1))

    def coincidences(self) -> dict[Pair, list[tuple[int, int]]]:
        """Rows of answers in one second to pop-ups shown apart, by pair of members."""
        klass = self.member >> 32
        same = np.flatnonzero((np.diff(self.second) == 0) & (np.diff(klass) == 0))
        rows = np.union1d(same, same + 1)
        moment = self.second[rows] * 4096 + klass[rows]
        found: dict[Pair, list[tuple[int, int]]] = defaultdict(list)
        for together in np.split(rows, np.flatnonzero(np.diff(moment)) + 1):
            for one, other in combinations(together.tolist(), 2):
                who = int(self.member[one]), int(self.member[other])
                apart = abs(int(self.shown_ms[one] - self.shown_ms[other])) >= APART_MS
                if who[0] != who[1] and apart:
                    pair = (who[0], who[1]) if who[0] < who[1] else (who[1], who[0])
                    found[pair].append((one, other))
        return found

    def tells(self, pair: Pair, count: int, accident: float, most: float) -> bool:
        """Whether so many coincidences say anything of two members, by how often both answered
        while both studied, and where."""
        sessions = self.trace.sessions
        mine, theirs = (np.flatnonzero(self.member_of == it) for it in pair)
        span, both = 0, [0, 0]
        same_device = apart = False
        for one in mine.tolist():
            a = sessions[one]
            for other in theirs.tolist():
                b = sessions[other]
                begin = max(a["start_ms"], b["start_ms"])
                end = min(a["end_ms"], b["end_ms"])
                if end <= begin:
                    continue
                span += int(end - begin)
                both[0] += self._answers_in(one, begin, end)
                both[1] += self._answers_in(other, begin, end)
                same_device |= bool(a["device"] == b["device"])
                known = a["address"] != NONE and b["address"] != NONE
                apart |= bool(known and a["address"] != b["address"])
        expected = both[0] * both[1] / max(span / 1000, 1.0)
        if by_accident(count, expected) > accident:
            return False
        return same_device or apart or count >= most * min(both)

    def _answers_in(self, session: int, begin: int, end: int) -> int:
        at = self._by_session[self._at[session] : self._at[session + 1]]
        return int(np.searchsorted(at, end, side="right") - np.searchsorted(at, begin))


def _finding(
    trace: Trace,
    answers: _Answers,
    crowd: list[int],
    pairs: dict[Pair, list[tuple[int, int]]],
    limit: float,
) -> Finding:
    rows = np.unique(
        [row for pair, met in pairs.items() if pair[0] in crowd for both in met for row in both]
    )
    members = np.unique(answers.session[rows])
    first = crowd[0] & 0xFFFFFFFF
    return Finding(
        rule=RULE,
        outcome=Outcome.REVIEW,
        reason="answers_coincide",
        fault=Fault.UNDETERMINED,
        evidence=Evidence.CLIENT,
        start_ms=int(answers.second[rows].min()) * 1000,
        end_ms=int(answers.second[rows].max()) * 1000 + 1000,
        measured=float(len(crowd)),
        limit=limit,
        unit="count",
        scope=Scope.CLASS,
        subject=f"person:{first}",
        members=tuple(members.tolist()),
        holds=True,
    )
