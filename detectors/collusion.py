"""Several learners moved by one hand: pop-ups answered in the same second, again and again.

Pop-ups are drawn for everybody by themselves, so people who study at one time answer in one second
now and then, by accident; how often is known, and only a pair that does it far more often counts.
What appears at once is answered at once: only pop-ups that were shown at different moments tell.
People in one room may follow one voice ("now click"), so where nothing says that two were apart,
and their devices differ, most of their answers must coincide.
"""

from __future__ import annotations

import numpy as np

from detectors.crowd import by_accident, groups
from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, FindingScope, Outcome
from detectors.policy import Policy, RulePolicy
from detectors.segments import APART
from detectors.trace import EPOCH_MS, NONE, Control, Ints, Trace, owners

RULE = "collusion"
APART_MS = 2_000  # pop-ups shown closer than this may be answered together for that reason alone


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """One case for all who are connected by such pairs; evidence class C+."""
    rule, limit = policy[RULE], policy[RULE]["same_second_answers"]
    answers = _Answers(facts.trace)
    one, other = answers.coincidences()
    pair = answers.who[one] * len(answers.people) + answers.who[other]
    often, count = np.unique(pair, return_counts=True)
    told = [
        divmod(int(key), len(answers.people))
        for key, number in zip(often, count, strict=True)
        if number >= limit
        and answers.tell(*divmod(int(key), len(answers.people)), int(number), rule)
    ]
    kept = np.isin(pair, [a * len(answers.people) + b for a, b in told])
    one, other = one[kept], other[kept]
    return [_finding(answers, crowd, np.union1d(one, other), limit) for crowd in groups(told)]


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
        # A person in a class is one of `people`; `who` of them gave each answer.
        member = (klass << 32) + trace.sessions["person"]
        self.people, self.member_of = np.unique(member, return_inverse=True)
        order = np.lexsort((answered, klass[session]))
        self.trace = trace
        self.session, self.answered = session[order], answered[order]
        self.shown_ms, self.who = shown[order], self.member_of[self.session]
        self.moment = (klass[self.session] << 40) + self.answered // 1000
        self._by_session = np.sort(session * APART + (answered - EPOCH_MS))

    def coincidences(self) -> tuple[Ints, Ints]:
        """Rows of answers of two people in one second, to pop-ups shown apart."""
        pairs = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
        rows = np.arange(len(self.moment))
        for step in range(1, len(rows)):
            rows = rows[: np.searchsorted(rows, len(self.moment) - step)]
            rows = rows[self.moment[rows] == self.moment[rows + step]]
            if not len(rows):
                break
            apart = np.abs(self.shown_ms[rows] - self.shown_ms[rows + step]) >= APART_MS
            met = rows[apart & (self.who[rows] != self.who[rows + step])]
            swap = self.who[met] > self.who[met + step]
            pairs.append((np.where(swap, met + step, met), np.where(swap, met, met + step)))
        one, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
        return one, other

    def tell(self, person: int, rival: int, count: int, rule: RulePolicy) -> bool:
        """Whether so many coincidences say anything of two people, by how often both answered
        while both studied, and where."""
        mine, theirs = (np.flatnonzero(self.member_of == it) for it in (person, rival))
        start, end = (self.trace.sessions[name] for name in ("start_ms", "end_ms"))
        begin = np.maximum.outer(start[mine], start[theirs])
        until = np.minimum.outer(end[mine], end[theirs])
        a, b = np.nonzero(until > begin)
        begin, until, one, other = begin[a, b], until[a, b], mine[a], theirs[b]
        both = self._answers_in(one, begin, until), self._answers_in(other, begin, until)
        expected = both[0] * both[1] / max(float((until - begin).sum()) / 1000, 1.0)
        if by_accident(count, expected) > rule["accident"]:
            return False
        device, address = (self.trace.sessions[name] for name in ("device", "address"))
        if np.any(device[one] == device[other]):
            return True
        known = (address[one] != NONE) & (address[other] != NONE)
        if np.any(known & (address[one] != address[other])):
            return True
        return count >= rule["room_share"] * min(both)

    def _answers_in(self, sessions: Ints, begin: Ints, until: Ints) -> int:
        key = sessions * APART - EPOCH_MS
        low = np.searchsorted(self._by_session, key + begin)
        return int((np.searchsorted(self._by_session, key + until, side="right") - low).sum())


def _finding(answers: _Answers, crowd: list[int], rows: Ints, limit: float) -> Finding:
    rows = rows[np.isin(answers.who[rows], crowd)]
    return Finding(
        rule=RULE,
        outcome=Outcome.REVIEW,
        reason="answers_coincide",
        fault=Fault.UNDETERMINED,
        evidence=Evidence.CLIENT,
        start_ms=int(answers.answered[rows].min()),
        end_ms=int(answers.answered[rows].max()),
        measured=float(len(crowd)),
        limit=limit,
        unit="count",
        scope=FindingScope.CLASS,
        subject=f"person:{int(answers.people[crowd[0]]) & 0xFFFFFFFF}",
        members=tuple(np.unique(answers.session[rows]).tolist()),
        holds=True,
    )
