"""Stretches of a film that its players skip, told from what a whole class did at one place.

Whoever goes from one told place to the next farther than any clock of theirs allows has skipped
what lies between; whoever took the time has played it. A stretch that learners skip in one step,
all of them by the same amount, and that next to nobody played, is missing from the film. Others
who played it are evidence that it is there, and then a jump is a jump, however many make it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from detectors.facts import Facts
from detectors.policy import RulePolicy
from detectors.segments import Segments
from detectors.trace import NONE, Bools, Ints, Kind

SHORTEST_MS = 2_000  # a lead that clocks and the rounding of positions do not explain
MOST = 0.5  # of a film: one that lacks more is not told by a crowd
SPANNED = 0.5  # of a missing stretch, by the step of each who skipped it


@dataclass(frozen=True, slots=True)
class Skipped:
    """What the players of one lesson skip in one class. Positions are content ms of its film.

    stretches  within which something is missing, in order
    amount_ms  how much is missing in all
    sittings   rows of those who skipped all of it or some
    """

    klass: int
    lesson: int
    stretches: tuple[tuple[int, int], ...]
    amount_ms: int
    sittings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Steps:
    """Ways ahead from one told place to the next, N rows. `time_ms` is the most that any clock says
    it took, `room_ms` the most that it can have taken by the server's."""

    session: Ints
    person: Ints
    from_ms: Ints
    to_ms: Ints
    time_ms: Ints
    room_ms: Ints

    def where(self, rows: Bools | Ints) -> _Steps:
        return _Steps(*(getattr(self, name)[rows] for name in self.__slots__))

    @property
    def length_ms(self) -> Ints:
        return self.to_ms - self.from_ms


def skipped(facts: Facts, rule: RulePolicy, strict: float) -> Iterator[Skipped]:
    """Lessons of which players skip something; `strict` is the fastest pace that is no skipping."""
    steps, skips = _steps(facts, strict)
    sessions = facts.trace.sessions
    group = (sessions["klass"].astype(np.int64) << 32) + sessions["lesson"]
    of = group[steps.session]
    least = int(rule["learners_min"])
    pairs = np.unique(np.stack([of[skips], steps.person[skips]]), axis=1)
    keys, people = np.unique(pairs[0], return_counts=True)
    for key in keys[people >= least].tolist():
        mine = of == key
        crowd = _Crowd(steps.where(mine & skips), steps.where(mine & ~skips), rule, least)
        lesson = int(key & 0xFFFFFFFF)
        found = crowd.missing(int(facts.trace.lessons["media_ms"][lesson]))
        if found is not None:
            yield Skipped(int(key >> 32), lesson, *found)


def _steps(facts: Facts, strict: float) -> tuple[_Steps, Bools]:
    """All steps of all sittings, and which of them skip."""
    samples, events, sessions = facts.played.samples, facts.trace.events, facts.trace.sessions
    person = sessions["person"].astype(np.int64)
    at, mono = events["at_ms"][samples.row], events["mono_ms"][samples.row].astype(np.int64)
    after = np.flatnonzero(samples.own[1:] == samples.own[:-1]) + 1
    before = after - 1
    time = samples.u_ms[after] - samples.u_ms[before]
    time = np.maximum(time, at[after] - at[before])
    counted = (mono[after] != NONE) & (mono[before] != NONE)
    time = np.maximum(time, np.where(counted, mono[after] - mono[before], 0))
    moved = _Steps(
        session=samples.own[after],
        person=person[samples.own[after]],
        from_ms=samples.leave_ms[before],
        to_ms=samples.arrive_ms[after],
        time_ms=time,
        room_ms=samples.u_ms[after] - samples.l_ms[before],
    )
    lead = moved.length_ms - strict * time
    played = (samples.advance_ms[after] > 0) & ~samples.jump[after] & (lead <= SHORTEST_MS)
    # A player that stood still on the way, and is elsewhere: it says itself that it did not play.
    still = samples.advance_ms[after] == 0
    moved = replace(moved, time_ms=np.where(still, 0, time))
    leapt = ~played & ((lead > SHORTEST_MS) | still) & (moved.length_ms > SHORTEST_MS)
    seeks = np.flatnonzero(
        (samples.kind == Kind.SEEK) & (samples.leave_ms > samples.arrive_ms + SHORTEST_MS)
    )
    at_once = np.zeros(len(seeks), np.int64)
    sought = _Steps(
        session=samples.own[seeks],
        person=person[samples.own[seeks]],
        from_ms=samples.arrive_ms[seeks],
        to_ms=samples.leave_ms[seeks],
        time_ms=at_once,
        room_ms=at_once,
    )
    some = np.flatnonzero(leapt | played)
    moved = moved.where(some)
    joined = _Steps(
        *(
            np.concatenate([getattr(moved, name), getattr(sought, name)])
            for name in _Steps.__slots__
        )
    )
    return joined, np.concatenate([leapt[some], np.ones(len(seeks), np.bool_)])


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Those who went over one lesson in one class."""

    skips: _Steps
    plays: _Steps
    rule: RulePolicy
    least: int

    def missing(
        self, media_ms: int
    ) -> tuple[tuple[tuple[int, int], ...], int, tuple[int, ...]] | None:
        """Stretches, how much they lack in all, and the sittings that skipped them."""
        stretches: list[tuple[int, int]] = []
        amount, sittings = 0, set[int]()
        for start, end in self._unplayed():
            steps = self.skips.where(self._alike(start, end))
            if len(np.unique(steps.person)) < self.least:
                continue
            lead = steps.length_ms - np.minimum(steps.time_ms, steps.length_ms)
            amount += min(int(np.median(lead)), end - start)
            stretches.append((start, end))
            sittings |= set(steps.session.tolist())
        if not self.rule.ms("allowance_s") < amount <= media_ms * MOST:
            return None
        return tuple(stretches), amount, tuple(sorted(sittings))

    def _unplayed(self) -> Iterator[tuple[int, int]]:
        """Stretches that enough persons skipped, and of all who came by next to nobody played."""
        ends = (self.skips.from_ms, self.skips.to_ms, self.plays.from_ms, self.plays.to_ms)
        at = np.unique(np.concatenate(ends))
        skipping, playing = _persons(self.skips, at), _persons(self.plays, at)
        share = self.rule["played_share_max"]
        gone = (skipping >= self.least) & (playing <= share * (skipping + playing))
        edges = np.flatnonzero(np.diff(np.concatenate([[False], gone, [False]]).astype(np.int8)))
        for first, last in edges.reshape(-1, 2).tolist():
            yield int(at[first]), int(at[last])

    def _alike(self, start: int, end: int) -> Bools:
        """Steps that span the stretch, skip no more than it, and after which play went on."""
        steps = self.skips
        inside = np.minimum(steps.to_ms, end) - np.maximum(steps.from_ms, start)
        spans = inside >= SPANNED * (end - start)
        amount = steps.length_ms - steps.room_ms
        same = amount <= end - start + self.rule.ms("allowance_s")
        farthest = np.full(
            int(max(steps.session.max(), self.plays.session.max(initial=0))) + 1, NONE
        )
        np.maximum.at(farthest, self.plays.session, self.plays.to_ms)
        return spans & same & (farthest[steps.session] > steps.to_ms)


def _persons(steps: _Steps, at: Ints) -> Ints:
    """How many persons' steps go over each stretch that begins at one of `at`."""
    order = np.lexsort((steps.from_ms, steps.person))
    start, end = steps.from_ms[order], steps.to_ms[order]
    people = Segments(steps.person[order])
    reach = people.running_max(end)
    first = start > people.previous(reach, NONE)
    heads = np.flatnonzero(first)
    tails = np.append(heads[1:], len(order))[: len(heads)] - 1
    begun = np.searchsorted(np.sort(start[heads]), at, side="right")
    over = np.searchsorted(np.sort(reach[tails]), at, side="right")
    return begun - over
