"""The catalogue's entry of a lesson against the film: whose number is wrong, and by how much.

When several learners end at one place short of the catalogue, or play on beyond its end, or their
players tell another duration, or skip the same stretch, the entry is wrong and not the people. One
case a lesson, on the platform's catalogue; what the film really holds is a recorded act, and then
everything is judged again. While a case stands, people are judged by the film that it tells of, and
what is credited by the catalogue's: an excuse earns nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detectors import fast_forward, lesson_order
from detectors.facts import Facts, facts
from detectors.film import Film, along_film, corrected, of_lesson, on_timeline, united
from detectors.finding import Evidence, Fault, Finding, FindingScope, Outcome
from detectors.policy import Policy, RulePolicy
from detectors.segments import among
from detectors.skipping import Skipped, skipped
from detectors.trace import NONE, Bools, Ints, Kind, Trace

RULE = "lesson_length"
SKIPPED = "skipped"  # a stretch that all players skip
_TELL_DURATION = among((Kind.PLAY, Kind.PAUSE, Kind.WAITING, Kind.PLAYING, Kind.ENDED))


def detect(known: Facts, policy: Policy) -> list[Finding]:
    """One case a lesson and class; evidence class C+, the platform's to mend."""
    trace, rule = known.trace, policy[RULE]
    sessions = trace.sessions
    lesson = sessions["lesson"].astype(np.int64)
    rows = np.flatnonzero(_TELL_DURATION.take(trace.events["kind"]))
    owner = np.searchsorted(trace.events_at, rows, side="right") - 1
    kind, of = trace.events["kind"][rows], lesson[owner]
    told = along_film(trace, of, trace.events["x"][rows].astype(np.int64))
    position = along_film(trace, of, trace.events["pos_ms"][rows].astype(np.int64))
    ended = (kind == Kind.ENDED) & (position >= 0)
    duration = told > 0
    media = trace.lessons["media_ms"].astype(np.int64)[lesson]
    allowance = rule.ms("allowance_s")
    ends = _last(owner, ended, position, len(trace))
    # Where a film ends tells its length only if it was played up to there.
    reached = _reached(known, ends)
    ends = np.where((ends != NONE) & (np.abs(ends - reached) <= allowance), ends, NONE)
    player = _last(owner, duration, told, len(trace))
    claims = _Claims(known, media, reached, rule)
    findings = [_skipping(trace, it, rule) for it in skipped(known, rule, _strict(policy))]
    group = (sessions["klass"].astype(np.int64) << 32) + lesson
    for key in np.unique(group).tolist():
        mine = group == key
        by_player = claims.of(mine, player, "player_differs", least=1)
        findings += by_player or claims.of(mine, ends, "ends_elsewhere")
    return findings


def _last(owner: Ints, condition: Bools, value: Ints, sessions: int) -> Ints:
    """What the last such event of each session told, NONE where there is none."""
    found = np.full(sessions, NONE, np.int64)
    found[owner[condition]] = value[condition]
    return found


def _reached(known: Facts, told: Ints) -> Ints:
    """The farthest place that was played in each session; cut at the catalogue's end, for what
    lies beyond is told by where the film ended."""
    trace, runs = known.trace, known.runs
    farthest = np.full(len(trace), NONE, np.int64)
    np.maximum.at(farthest, runs.session, runs.p1_ms)
    media = trace.lessons["media_ms"].astype(np.int64)[trace.sessions["lesson"]]
    return np.where((farthest >= media - 1000) & (told > media), told, farthest)


def _strict(policy: Policy) -> float:
    pace = policy["fast_forward"]
    return pace["max_rate"] * (1 + pace["rate_tolerance"])


def _skipping(trace: Trace, it: Skipped, rule: RulePolicy) -> Finding:
    sessions = trace.sessions[list(it.sittings)]
    return Finding(
        rule=RULE,
        outcome=Outcome.REVIEW,
        reason=SKIPPED,
        fault=Fault.PLATFORM,
        evidence=Evidence.CLIENT,
        start_ms=int(sessions["start_ms"].min()),
        end_ms=int(sessions["end_ms"].max()),
        measured=round(it.amount_ms / 1000, 1),
        limit=rule["allowance_s"],
        scope=FindingScope.CLASS,
        subject=f"lesson#{it.lesson}",
        members=it.sittings,
        stretches=it.stretches,
        numbers={"learners": float(len(np.unique(sessions["person"])))},
    )


@dataclass(frozen=True, slots=True)
class _Claims:
    known: Facts
    media: Ints
    reached: Ints
    rule: RulePolicy

    def of(self, mine: Bools, value: Ints, reason: str, least: int | None = None) -> list[Finding]:
        """A case when enough learners tell one length that is not the catalogue's."""
        allowance = self.rule.ms("allowance_s")
        rows = np.flatnonzero(mine & (value != NONE) & (np.abs(value - self.media) > allowance))
        if not len(rows):
            return []
        middle = int(np.median(value[rows]))
        rows = rows[np.abs(value[rows] - middle) <= allowance]
        trace = self.known.trace
        sessions = trace.sessions
        people = len(np.unique(sessions["person"][rows]))
        beyond = np.unique(sessions["person"][mine & (self.reached > middle + allowance)])
        others = len(beyond) > self.rule["played_share_max"] * (people + len(beyond))
        if least is None and (people < self.rule["learners_min"] or others):
            return []
        ended = rows[np.abs(self.reached[rows] - middle) <= allowance]
        learners = 0 if others else len(np.unique(sessions["person"][ended]))
        return [
            Finding(
                rule=RULE,
                outcome=Outcome.REVIEW,
                reason=reason,
                fault=Fault.PLATFORM,
                evidence=Evidence.CLIENT,
                start_ms=int(sessions["start_ms"][rows].min()),
                end_ms=int(sessions["end_ms"][rows].max()),
                measured=middle / 1000,
                limit=int(self.media[rows[0]]) / 1000,
                scope=FindingScope.CLASS,
                subject=f"lesson#{int(sessions['lesson'][rows[0]])}",
                members=tuple(rows.tolist()),
                numbers={"learners": float(learners)},
            )
        ]


def films(trace: Trace, cases: Iterable[Finding], policy: Policy) -> dict[tuple[int, int], Film]:
    """The films, by (class, row of its lesson), that people are judged by while these cases stand:
    those that enough learners bear witness to with what they played."""
    found: dict[tuple[int, int], Film] = {}
    for case in cases:
        if case.rule != RULE or case.outcome is Outcome.CLEAR or not case.members:
            continue
        row = trace.sessions[case.members[0]]
        if case.numbers.get("learners", 0) < policy[RULE]["learners_min"]:
            continue
        key = int(row["klass"]), int(row["lesson"])
        film = found.get(key) or of_lesson(trace, key[1])
        ends = film.ends_ms
        if not case.stretches:
            at = np.array([round(case.measured * 1000)], np.int64)
            lesson = np.full(1, key[1], np.int64)
            ends = min(ends, int(on_timeline(trace, lesson, at, ends=True)[0]))
        found[key] = Film(ends, united(film.holes, case.stretches))
    return found


def by_the_film(
    known: Facts, policy: Policy, findings: Sequence[Finding]
) -> tuple[list[Finding], frozenset[int]]:
    """The findings as they are when people are judged by the films that cases among them tell of,
    and the sittings of which something changed by that."""
    acting = RULE in policy.rules and policy[RULE].acts
    told = films(known.trace, findings, policy) if acting else {}
    if not told:
        return list(findings), frozenset()
    trace, origin = corrected(known.trace, told)
    real = facts(trace, policy)
    classes = {klass for klass, _ in told}
    sessions = known.trace.sessions
    touched = {
        fast_forward.RULE: [(int(row["klass"]), int(row["lesson"])) in told for row in sessions],
        lesson_order.RULE: np.isin(sessions["klass"], sorted(classes)).tolist(),
    }
    kept = [it for it in findings if it.rule not in touched or not touched[it.rule][it.session]]
    again = [
        _at_home(it, known.trace, trace, origin)
        for detector in (fast_forward, lesson_order)
        if detector.RULE in policy.rules and policy[detector.RULE].runs
        for it in detector.detect(real, policy)
        if touched[detector.RULE][it.session]
    ]
    before = [it for it in findings if it.rule in touched and touched[it.rule][it.session]]
    excused = [it for it in before if not any(_same(it, other) for other in again)]
    notes = [_note(it) for it in excused if it.rule == fast_forward.RULE]
    changed = {it.session for it in before if it not in again}
    changed |= {it.session for it in again if it not in before}
    return [*again, *notes, *kept], frozenset(changed)


def _same(one: Finding, other: Finding) -> bool:
    """Whether two findings of a rule on a sitting are of one time."""
    mine = (one.rule, one.session) == (other.rule, other.session)
    return mine and one.start_ms <= other.end_ms and other.start_ms <= one.end_ms


def _note(finding: Finding) -> Finding:
    """What would be held against a learner if the film were whole."""
    return replace(
        finding,
        reason=fast_forward.EXCUSED,
        outcome=Outcome.CLEAR,
        fault=Fault.PLATFORM,
        voids=False,
        needs_two_reviewers=False,
    )


def _at_home(finding: Finding, mine: Trace, real: Trace, origin: Ints) -> Finding:
    """A finding on the other film, with positions and rows of lessons as this trace has them."""
    here = np.full(1, mine.sessions["lesson"][finding.session], np.int64)
    there = np.full(1, real.sessions["lesson"][finding.session], np.int64)

    def position(content: int, *, ends: bool) -> int:
        if content == NONE:
            return NONE
        at = on_timeline(real, there, np.full(1, content, np.int64), ends=ends)
        return int(along_film(mine, here, at)[0])

    rows = {name: float(origin[int(row)]) for name, row in finding.numbers.items()}
    return replace(
        finding,
        start_pos_ms=position(finding.start_pos_ms, ends=False),
        end_pos_ms=position(finding.end_pos_ms, ends=True),
        numbers=rows if finding.rule == lesson_order.RULE else finding.numbers,
    )
