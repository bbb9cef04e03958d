"""The catalogue's length of a lesson against the film: whose number is wrong, and by how much.

When several learners end at one place short of the catalogue, or play on beyond its end, or their
players tell another duration, the entry is wrong and not the people. One case a lesson, on the
platform's catalogue; a corrected length is a recorded act, and then everything is judged again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.facts import Facts
from detectors.film import along_film
from detectors.finding import Evidence, Fault, Finding, Outcome, Scope
from detectors.policy import Policy
from detectors.trace import NONE, Bools, Ints, Kind, owners

RULE = "lesson_length"
_TELL_DURATION = (Kind.PLAY, Kind.PAUSE, Kind.WAITING, Kind.PLAYING, Kind.ENDED)


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """One case a lesson and class; evidence class C+, the platform's to mend."""
    trace, rule = facts.trace, policy[RULE]
    owner = owners(trace.events_at)
    of = trace.sessions["lesson"].astype(np.int64)[owner]
    kind = trace.events["kind"]
    told = along_film(trace, of, trace.events["x"].astype(np.int64))
    position = along_film(trace, of, trace.events["pos_ms"].astype(np.int64))
    ended = (kind == Kind.ENDED) & (position >= 0)
    duration = np.isin(kind, _TELL_DURATION) & (told > 0)
    sessions = trace.sessions
    lesson = sessions["lesson"].astype(np.int64)
    media = trace.lessons["media_ms"].astype(np.int64)[lesson]
    allowance = rule.ms("allowance_s")
    ends = _last(owner, ended, position, len(trace))
    # Where a film ends tells its length only if it was played up to there.
    reached = _reached(facts, ends)
    ends = np.where((ends != NONE) & (np.abs(ends - reached) <= allowance), ends, NONE)
    player = _last(owner, duration, told, len(trace))
    claims = _Claims(facts, media, allowance, int(rule["learners_min"]))
    findings: list[Finding] = []
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


def _reached(facts: Facts, told: Ints) -> Ints:
    """The farthest place that was played in each session; cut at the catalogue's end, for what
    lies beyond is told by where the film ended."""
    trace, runs = facts.trace, facts.runs
    farthest = np.full(len(trace), NONE, np.int64)
    np.maximum.at(farthest, runs.session, runs.p1_ms)
    media = trace.lessons["media_ms"].astype(np.int64)[trace.sessions["lesson"]]
    return np.where((farthest >= media - 1000) & (told > media), told, farthest)


@dataclass(frozen=True, slots=True)
class _Claims:
    facts: Facts
    media: Ints
    allowance: int
    least: int

    def of(self, mine: Bools, value: Ints, reason: str, least: int | None = None) -> list[Finding]:
        """A case when enough learners tell one length that is not the catalogue's."""
        rows = np.flatnonzero(
            mine & (value != NONE) & (np.abs(value - self.media) > self.allowance)
        )
        if not len(rows):
            return []
        middle = int(np.median(value[rows]))
        rows = rows[np.abs(value[rows] - middle) <= self.allowance]
        trace = self.facts.trace
        sessions = trace.sessions
        if len(np.unique(sessions["person"][rows])) < (least or self.least):
            return []
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
                scope=Scope.CLASS,
                subject=f"lesson#{int(sessions['lesson'][rows[0]])}",
                members=tuple(rows.tolist()),
            )
        ]
