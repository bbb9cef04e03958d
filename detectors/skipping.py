"""Stretches of a film that its players skip, told from what a whole class did at one place.

Whoever goes from one told place to the next farther than any clock of theirs allows has skipped
what lies between; whoever took the time has played it. A stretch that learners skip in one step,
all of them by the same amount, and that next to nobody played, is missing from the film. Others
who played it are evidence that it is there, and then a jump is a jump, however many make it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detectors.credit import Samples
from detectors.facts import Facts
from detectors.policy import RulePolicy
from detectors.segments import Segments
from detectors.trace import NONE, Bools, Ints, Kind

SHORTEST_MS = 2_000  # a lead that clocks and the rounding of positions do not explain
MOST = 0.5  # of a film: one that lacks more is not told by a crowd
SPANNED = 0.5  # of a missing stretch, by the step of each who skipped it
USUAL_MS = 15_000  # the longest step that is usual in any case
USUAL = 2  # steps of play that are longer than so many usual ones do not tell what lies in them


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
    sessions, samples = facts.trace.sessions, facts.played.samples
    group = (sessions["klass"].astype(np.int64) << 32) + sessions["lesson"]
    person = sessions["person"].astype(np.int64)
    least = int(rule["learners_min"])
    # Few steps look like it; only the lessons in which several persons make one are gone through.
    sought = _sought(samples)
    own = np.unique(samples.own[_ahead(samples, sought, strict)])
    pairs = np.unique(np.stack([group[own], person[own]]), axis=1)
    keys, people = np.unique(pairs[0], return_counts=True)
    for key in keys[people >= least].tolist():
        rows = np.flatnonzero((group == key)[samples.own])
        crowd = _Crowd(*_steps(facts, rows, sought, strict), rule, least)
        lesson = int(key & 0xFFFFFFFF)
        found = crowd.missing(int(facts.trace.lessons["media_ms"][lesson]))
        if found is not None:
            yield Skipped(int(key >> 32), lesson, *found)


def _ahead(samples: Samples, sought: Bools, strict: float) -> Ints:
    """Rows of samples that are farther ahead than the server's clock allows, or moved without
    play."""
    step = samples.arrive_ms[1:] - samples.leave_ms[:-1]
    time = samples.u_ms[1:] - samples.u_ms[:-1]
    ahead = (step > SHORTEST_MS) & (
        (step - strict * time > SHORTEST_MS) | (samples.advance_ms[1:] == 0)
    )
    rows = np.flatnonzero(ahead & (samples.own[1:] == samples.own[:-1])) + 1
    return np.concatenate([rows, np.flatnonzero(sought)])


def _sought(samples: Samples) -> Bools:
    far = samples.leave_ms > samples.arrive_ms + SHORTEST_MS
    return (samples.kind == Kind.SEEK) & far


def _steps(facts: Facts, rows: Ints, sought: Bools, strict: float) -> tuple[_Steps, _Steps]:
    """The steps between these samples that skip, and those that play."""
    samples, events = facts.played.samples, facts.trace.events
    person = facts.trace.sessions["person"].astype(np.int64)
    own = samples.own[rows]
    follows = own[1:] == own[:-1]
    before, after = rows[:-1][follows], rows[1:][follows]
    last, now = samples.row[before], samples.row[after]
    at, mono = events["at_ms"], events["mono_ms"]
    time = np.maximum(samples.u_ms[after] - samples.u_ms[before], at[now] - at[last])
    ticked, since = mono[now].astype(np.int64), mono[last]
    counted = (ticked != NONE) & (since != NONE)
    time = np.maximum(time, np.where(counted, ticked - since, 0))
    still = samples.advance_ms[after] == 0
    moved = _Steps(
        session=samples.own[after],
        person=person[samples.own[after]],
        from_ms=samples.leave_ms[before],
        to_ms=samples.arrive_ms[after],
        time_ms=np.where(still, 0, time),
        room_ms=samples.u_ms[after] - samples.l_ms[before],
    )
    lead = moved.length_ms - strict * time
    played = (samples.advance_ms[after] > 0) & ~samples.jump[after] & (lead <= SHORTEST_MS)
    # A player that stood still on the way, and is elsewhere: it says itself that it did not play.
    leapt = ~played & ((lead > SHORTEST_MS) | still) & (moved.length_ms > SHORTEST_MS)
    seeks = rows[sought[rows]]
    at_once = np.zeros(len(seeks), np.int64)
    jumps = _Steps(
        session=samples.own[seeks],
        person=person[samples.own[seeks]],
        from_ms=samples.arrive_ms[seeks],
        to_ms=samples.leave_ms[seeks],
        time_ms=at_once,
        room_ms=at_once,
    )
    leaps = moved.where(leapt)
    skips = (
        np.concatenate([getattr(leaps, name), getattr(jumps, name)]) for name in _Steps.__slots__
    )
    plays = moved.where(played)
    usual = np.median(plays.length_ms) if len(plays.session) else 0
    return _Steps(*skips), plays.where(plays.length_ms <= USUAL * max(usual, USUAL_MS))


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
        amount = steps.length_ms - self._known() - steps.room_ms
        same = amount <= end - start + self.rule.ms("allowance_s")
        people = np.concatenate([steps.person, self.plays.person])
        farthest = np.full(int(people.max()) + 1, NONE)
        np.maximum.at(farthest, self.plays.person, self.plays.to_ms)
        return spans & same & (farthest[steps.person] > steps.to_ms)

    def _known(self) -> Ints:
        """How much of each step that skips was played by the same person, some time or other."""
        steps, plays = self.skips, self.plays
        order = np.lexsort((plays.from_ms, plays.person))
        who, start = plays.person[order], plays.from_ms[order]
        people = Segments(who)
        reach = people.running_max(plays.to_ms[order])
        gained = np.maximum(reach - np.maximum(start, people.previous(reach, 0)), 0)
        known = np.zeros(len(steps.session), np.int64)
        for at, (person, low, high) in enumerate(
            zip(steps.person.tolist(), steps.from_ms.tolist(), steps.to_ms.tolist(), strict=True)
        ):
            first, last = np.searchsorted(who, (person, person + 1))
            ends = reach[first:last]
            begins = ends - gained[first:last]
            known[at] = np.maximum(np.minimum(ends, high) - np.maximum(begins, low), 0).sum()
        return known


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
