"""连续: the learning time of one class-hour, and what interrupts it.

Learning time is credited play, over all sittings of a person; time in two places counts once. It is
continuous until an effective pop-up, or until the person studied nothing for longer than five
minutes: whoever comes back begins anew, and where the sitting was cut makes no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from detectors.class_hours import HourParts, cut_at_hours
from detectors.facts import Facts
from detectors.trace import Bools, Ints

BREAK_MS = 300_000  # nothing studied for longer than this ends what is continuous


@dataclass(frozen=True, slots=True)
class LearningStretch:
    """Continuous learning time: rows of the class-hour's play, the parts [low, high) of them, and
    their running sum. It reaches from begin_ms, where the one before it ended (0 for the first), to
    end_ms: a pop-up, or the last play before a break."""

    begin_ms: int
    end_ms: int
    rows: Ints
    low: Ints
    high: Ints
    spent: Ints

    @property
    def total_ms(self) -> int:
        return int(self.spent[-1])

    def at(self, limit_ms: int) -> tuple[int, int]:
        """The row of `rows` in which that much was spent, and when."""
        at = int(np.searchsorted(self.spent, limit_ms, side="right"))
        beyond = int(self.spent[at] - limit_ms)
        return at, int(self.high[at]) - min(beyond, int(self.high[at] - self.low[at]))


@dataclass(frozen=True, slots=True)
class LearningTime:
    """One class-hour of one person: its play in order of time, R rows.

    session int64[R]; t0_ms, t1_ms int64[R] disjoint; u_ms, stale_ms as in Played; anew bool[R]
    where somebody came back after a long break.
    """

    session: Ints
    t0_ms: Ints
    t1_ms: Ints
    u_ms: Ints
    stale_ms: Ints
    anew: Bools

    @staticmethod
    def of(facts: Facts, case: int, hour: int) -> LearningTime:
        sittings = np.flatnonzero(facts.trace.sessions["case"] == case)
        played = facts.played.of_sessions(sittings)
        every = cut_at_hours(facts.trace, played)
        parts = _one_at_a_time(every.where(every.hour == hour))
        anew = np.zeros(len(parts), np.bool_)
        breaks = _breaks(every, played.stale_ms[every.part])
        passed = np.searchsorted(breaks, parts.t0_ms, side="right")
        anew[1:] = passed[1:] > passed[:-1]
        return LearningTime(
            session=parts.session,
            t0_ms=parts.t0_ms,
            t1_ms=parts.t1_ms,
            u_ms=played.u_ms[parts.part],
            stale_ms=played.stale_ms[parts.part],
            anew=anew,
        )

    def between(self, controls: Sequence[tuple[int, int]]) -> list[LearningStretch]:
        """What is left between the controls, which end a stretch at their first time and begin the
        next one at their second, in order."""
        stretches: list[LearningStretch] = []
        begin, last = 0, int(self.t1_ms[-1])
        for start, end in [*controls, (last, last)]:
            stretches += self._within(begin, start)
            begin = max(begin, end)
        return stretches

    def _within(self, begin: int, end: int) -> list[LearningStretch]:
        rows = np.flatnonzero((self.t1_ms > begin) & (self.t0_ms < end))
        if end <= begin or not len(rows):
            return []
        cuts = np.flatnonzero(self.anew[rows][1:]) + 1
        found: list[LearningStretch] = []
        for part in np.split(rows, cuts):
            low = np.maximum(self.t0_ms[part], begin)
            high = np.minimum(self.t1_ms[part], end)
            # A pop-up ends what runs up to it; a break, what was played before it.
            until = end if part[-1] == rows[-1] else int(high[-1])
            found.append(LearningStretch(begin, until, part, low, high, np.cumsum(high - low)))
            begin = until
        return found


def _breaks(every: HourParts, stale_ms: Ints) -> Ints:
    """When somebody came back after long: what was studied of other class-hours meanwhile is no
    break. What was told late may be as old as that: the end of a sitting lies as far back, and a
    silence inside one is no break that the evidence shows."""
    order = np.argsort(every.t0_ms, kind="stable")
    begin, session, stale = every.t0_ms[order], every.session[order], stale_ms[order]
    other = session[1:] != session[:-1]
    end = every.t1_ms[order]
    latest, earliest = (np.maximum.accumulate(it)[:-1] for it in (end, end - stale))
    away = np.where(other, begin[1:] - earliest, begin[1:] - stale[1:] - latest)
    return begin[1:][away > BREAK_MS]


def _one_at_a_time(parts: HourParts) -> HourParts:
    if not len(parts):
        return parts
    reached = np.concatenate([parts.t0_ms[:1], np.maximum.accumulate(parts.t1_ms)[:-1]])
    begin = np.minimum(np.maximum(parts.t0_ms, reached), parts.t1_ms)
    return replace(parts, t0_ms=begin).where(begin < parts.t1_ms)
