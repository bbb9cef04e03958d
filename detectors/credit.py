"""Credited intervals: what was really watched, by the server's clock (docs/rules.md section 2).

Everything a client says is a claim "position p, at the latest at the time this reached the
server". From these claims alone:

* `u`, the latest time an event can have happened: its receipt, or the receipt of any later event
  of the same client, whichever came first. Reordered delivery thus changes nothing.
* `l`, the earliest time it can have happened if the client was honest: its receipt less the
  silences whose backlog may still be draining. After an outage a browser delivers its backlog at
  once; while deliveries are regular, `l` trails `u` by one heartbeat.
* Played content may not outrun the clock: over any stretch, content advance ≤ time advance + a
  tolerance. `excess` is the worst violation of that over all stretches ending at a sample, found
  in one pass: (content - u) minus the least (content - l) before it.
* Where the line alone was slow and caught up, the client's own clock says so from first to last,
  set by its freshest news: then nothing outran anything. It is believed for as long as play may go
  on without a pop-up. Who makes such times up could as well bring all at once, after a silence.
* What exceeds the tolerance earns nothing; the rest is laid out in time as late as possible at
  `max_rate`, so that no window of server time ever holds more credit than it has seconds. What
  would lie before the sitting began earns nothing either: the tolerance is one of accusations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.excursions import STRAY_MS, ToldPlaces
from detectors.film import along_film
from detectors.policy import Policy, RulePolicy
from detectors.segments import Segments, among
from detectors.trace import NONE, Bools, Flag, Ints, Kind, Kinds, Trace, owners

DRAIN = 4  # a backlog is delivered at least this many times faster than it accrued

_STOPS = among((Kind.PAUSE, Kind.WAITING, Kind.ENDED))
_SETS_STATE = among((Kind.PLAY, Kind.PLAYING)) | _STOPS
# Events at which play begins or is moved: what lies before them was not played on the way there.
_BEGINS = among((Kind.PLAY, Kind.PLAYING, Kind.SEEK, Kind.RATE))
_PLAYER = among(
    (
        Kind.PLAY,
        Kind.PAUSE,
        Kind.WAITING,
        Kind.PLAYING,
        Kind.ENDED,
        Kind.PROGRESS,
        Kind.SEEK,
        Kind.RATE,
        Kind.VISIBILITY,
        Kind.FOCUS,
    )
)
_READ = ("recv_ms", "seq", "pos_ms", "x", "kind", "flags")  # of EVENT: what play is laid out by
BEFORE_MS = 10_000  # what lies before an opening and may be claimed: as much as accuses nobody
JOIN_MS = 1_500  # standstill that the jitter of a network explains

COARSE_MS = (15_000, 180_000)  # all places that heartbeats tell are as far apart, which is coarse,
COARSE_STEPS, COARSE_AGAIN = 3, 8  # where they are so many, and one in so many is told again

HIDDEN, UNFOCUSED = 1, 2  # why a page does not count as watched

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Samples:
    """Every event that tells a position, K rows in session order.

    own        int64[K] session row
    row        int64[K] event row; seq: its place in the client's own order
    kind       uint8[K] event type
    arrive_ms  int64[K] content of the film before the event; leave_ms: after it (a seek's target)
    u_ms, l_ms int64[K] latest and earliest server time, from the session's start
    stale_ms   int64[K] the longest silence that may still be draining when it came
    advance_ms int64[K] content claimed as played since the sample before; 0 if none
    jump       bool[K]  the claim cannot have been played in the time there was
    finish_ms  int64[K] when the play up to here was over, laid out as late as possible
    unseen     uint8[K] why play on the way here does not count: HIDDEN, UNFOCUSED, 0 if it does
    step_ms    int64[K] how coarse the places of its sitting are, as by the minute; else 0
    late       bool[K]  its sitting outran the clock only because a slow line caught up
    """

    own: Ints
    row: Ints
    seq: Ints
    kind: Kinds
    arrive_ms: Ints
    leave_ms: Ints
    u_ms: Ints
    l_ms: Ints
    stale_ms: Ints
    advance_ms: Ints
    jump: Bools
    finish_ms: Ints
    unseen: Kinds
    step_ms: Ints
    late: Bools


@dataclass(frozen=True, slots=True)
class Played:
    """Intervals of content played at a possible pace, I rows in session and time order.

    session int64[I]; p0_ms, p1_ms content positions; t0_ms, t1_ms absolute server time, disjoint
    within a session; u_ms the receipt that proved the interval; stale_ms how old that news may have
    been, one heartbeat while online; clock_ms what the session had played at the interval's end.
    """

    session: Ints
    p0_ms: Ints
    p1_ms: Ints
    t0_ms: Ints
    t1_ms: Ints
    u_ms: Ints
    stale_ms: Ints
    clock_ms: Ints
    samples: Samples

    def __len__(self) -> int:
        return len(self.session)

    def of_sessions(self, sessions: Ints) -> Played:
        """The intervals of some sessions only."""
        keep = np.isin(self.session, sessions)
        columns = {name: getattr(self, name)[keep] for name in self.__slots__ if name != "samples"}
        return Played(**columns, samples=self.samples)

    def total_ms(self, sessions: int) -> Ints:
        """Played time of every session, int64[sessions]."""
        return np.bincount(
            self.session, weights=self.p1_ms - self.p0_ms, minlength=sessions
        ).astype(np.int64)


def played(trace: Trace, policy: Policy) -> Played:
    """What was played at a possible pace in each session of `trace`."""
    pace = policy["fast_forward"]
    rate, tolerance = pace["max_rate"], pace.ms("abs_tolerance_s")
    samples, excess, sittings = _samples(trace, policy)
    samples, excess = _caught_up(trace, samples, excess, policy)
    claim = np.where(samples.jump | (samples.unseen > 0), 0, samples.advance_ms)
    before = sittings.previous(excess, 0)
    lost = np.maximum(0, excess - np.maximum(tolerance, before))
    earned = np.maximum(0, claim - lost)
    took = _at_rate(earned, rate)
    clock = sittings.running_sum(took)
    finish = clock + sittings.remaining_min(samples.u_ms - clock)
    early = np.minimum(took - finish, took)  # before the sitting began nothing was seen of it
    if np.any(early > 0):
        earned = np.maximum(0, earned - np.ceil(np.maximum(early, 0) * rate).astype(np.int64))
        took = _at_rate(earned, rate)
        finish = np.maximum(finish, 0)
    content = clock if took is earned else sittings.running_sum(earned)
    keep = np.flatnonzero(earned > 0)
    session = samples.own.take(keep)
    start = trace.sessions["start_ms"].take(session)
    p1 = samples.arrive_ms.take(keep)
    # What is lost is taken off the end: the interval keeps the position it began at.
    p0 = p1 - samples.advance_ms.take(keep)
    t1 = start + finish.take(keep)
    return Played(
        session=session,
        p0_ms=p0,
        p1_ms=p0 + earned.take(keep),
        t0_ms=t1 - took.take(keep),
        t1_ms=t1,
        u_ms=start + samples.u_ms.take(keep),
        stale_ms=samples.stale_ms.take(keep),
        clock_ms=content.take(keep),
        samples=replace(samples, finish_ms=finish),
    )


def _at_rate(content: Ints, rate: float) -> Ints:
    """Least time that content needs; exact at the usual rate of one."""
    return content if rate == 1.0 else np.ceil(content / rate).astype(np.int64)


def _samples(trace: Trace, policy: Policy) -> tuple[Samples, Ints, Segments]:
    """The samples; how far the claims of the worst stretch that ends at each outrun the clock, in
    ms; and the sittings they fall into."""
    # Pop-ups, errors and the like say nothing of the position, and platforms number them as they
    # please: only what moves or shows the player bears witness to the order of play.
    playing = np.flatnonzero(_PLAYER.take(trace.events["kind"]))
    events = {name: trace.events[name].take(playing) for name in _READ}
    own = owners(trace.events_at).take(playing)
    every = Segments(own)
    silence_ms = policy["popup_gap"].ms("offline_gap_s")
    u = _latest(np.maximum(events["recv_ms"], 0).astype(np.int64), every)
    freshest, stale = _staleness(u, every, silence_ms)
    kind = events["kind"]
    arrive, leave, told = _positions(trace, events, every, kind)
    pace, strict, tolerance = pace_of(policy)
    places = ToldPlaces(own, kind, arrive, leave, _blocked(events), u, u - freshest)
    told[told] = ~places.of(told).excursions(strict, tolerance)
    _interpolate(every, kind, u, arrive, leave, told)
    rows = np.flatnonzero(told)
    sittings = every if len(rows) == len(own) else Segments(own.take(rows))
    u_s = u.take(rows)
    kind_s = kind.take(rows)
    steps, arrive, leave = _in_steps(sittings, kind_s, arrive.take(rows), leave.take(rows))

    resume, came_from = _origins(trace, sittings, kind_s, arrive, leave)
    was_stopped = sittings.previous(stopped(kind, every).take(rows), False)
    advance = np.where(was_stopped & _BEGINS.take(kind_s), 0, np.maximum(0, arrive - came_from))

    # What is told in coarse steps may lie as far ahead as one of them.
    l_s = u_s - age(u_s, advance, sittings, silence_ms) - steps
    room = u_s - sittings.previous(l_s, 0)
    jump = advance > strict * room + tolerance
    # A player that tells of a seek where it led, twice over: it came from where play was.
    led = (kind_s == Kind.SEEK) & (jump | ((leave == arrive) & (advance > strict * room)))
    arrive, advance, jump = np.where(led, came_from, arrive), np.where(led, 0, advance), jump & ~led
    # Back where play had been, and as far as the clock allows from there: nothing was skipped, and
    # nothing is claimed of the way back.
    back = jump & (
        arrive <= _within_reach(sittings, arrive, jump, resume, u_s, l_s, strict) + tolerance
    )
    advance, jump = np.where(back, 0, advance), jump & ~back
    # A sitting may begin anywhere: an unfamiliar first position claims nothing, an `ended` does.
    jump_at_start = sittings.firsts & jump & (kind_s != Kind.ENDED)
    advance = np.where(jump_at_start, 0, advance)
    jump &= ~jump_at_start

    claimed = sittings.running_sum(np.where(jump, 0, advance))
    excess = outrun(claimed, u_s, l_s, sittings, pace["max_rate"], steps)
    samples = Samples(
        own=sittings.own,
        row=playing.take(rows),
        seq=events["seq"].take(rows).astype(np.int64),
        kind=kind_s,
        arrive_ms=arrive,
        leave_ms=leave,
        u_ms=u_s,
        l_ms=l_s,
        stale_ms=stale.take(rows),
        advance_ms=advance,
        jump=jump,
        finish_ms=u_s,
        unseen=_before(sittings, _unseen(events, own, policy).take(rows)),
        step_ms=steps,
        late=np.zeros(len(rows), np.bool_),
    )
    return samples, excess, sittings


def _caught_up(
    trace: Trace, samples: Samples, excess: Ints, policy: Policy
) -> tuple[Samples, Ints]:
    """The samples and their excess, without what a line that was slow and caught up explains: of
    sittings in which, by the client's clock, nothing outran anything, no news waited longer than
    play may go on without a pop-up, and none is of before the opening; a clock may run as much too
    fast as play."""
    pace, strict, tolerance = pace_of(policy)
    doubtful = samples.jump | (excess > tolerance)
    rows = np.flatnonzero(np.isin(samples.own, samples.own[doubtful]))
    if not len(rows):
        return samples, excess
    mine = Segments(samples.own.take(rows))
    at, u = trace.events["at_ms"].take(samples.row.take(rows)), samples.u_ms.take(rows)
    told = at + mine.remaining_min(mine.running_min(u - at))
    claimed = mine.running_sum(samples.advance_ms.take(rows))
    since = told - np.minimum(mine.running_min(told), 0)
    ahead = outrun(claimed, since, since, mine, strict, np.zeros_like(u))
    ran_fast = pace["rate_tolerance"] * -mine.remaining_min(-u)
    wrong = told < mine.previous(told, (-BEFORE_MS - ran_fast).astype(np.int64))
    wrong |= u - told > policy["popup_gap"].ms("max_gap_s")
    wrong |= ahead > tolerance / strict
    late = np.zeros(len(samples.own), np.bool_)
    late[rows] = ~np.isin(mine.own, mine.own[wrong])
    excess = np.where(late, np.minimum(excess, tolerance), excess)
    return replace(samples, jump=samples.jump & ~late, late=late), excess


def pace_of(policy: Policy) -> tuple[RulePolicy, float, int]:
    """The rule on pace, the rate above which play accuses, and how far ahead of it, in ms."""
    pace = policy["fast_forward"]
    strict = (1.0 + pace["rate_tolerance"]) * pace["max_rate"]
    return pace, strict, pace.ms("abs_tolerance_s")


def _origins(
    trace: Trace, sittings: Segments, kind: Kinds, arrive: Ints, leave: Ints
) -> tuple[Ints, Ints]:
    """Where each sitting was told to begin, and where play was before each sample."""
    resume = trace.sessions["resume_ms"].astype(np.int64).take(sittings.own)
    baseline = np.where(_BEGINS.take(kind) | (arrive < resume), arrive, resume)
    return resume, sittings.previous(leave, baseline)


def _latest(received: Ints, sittings: Segments) -> Ints:
    """The latest time, by the server's clock, that news can be of."""
    if np.any((received[1:] < received[:-1]) & ~sittings.firsts[1:]):
        return sittings.remaining_min(received)
    return received


def _staleness(u: Ints, sittings: Segments, silence_ms: int) -> tuple[Ints, Ints]:
    """How old news may be that a delivery brought last, and first: as old as the longest silence,
    less what drained of its backlog."""
    gap = u - sittings.previous(u, 0)
    silent = gap > silence_ms
    last = backlog_left(gap, u, sittings)
    left = backlog_left(np.where(silent, gap, 0), u, sittings)
    oldest = np.where(silent, gap, gap + np.maximum(sittings.previous(left, 0), 0))
    return last, np.maximum(last, oldest.take(_first_brought(gap, sittings)))


def _first_brought(gap: Ints, sittings: Segments) -> Ints:
    """The first row of the delivery that brought each row."""
    return sittings.last_where(sittings.firsts | (gap > 0))


def backlog_left(silences: Ints, u: Ints, sittings: Segments) -> Ints:
    """What is left of the longest of silences, once its backlog drains `DRAIN` times as fast as it
    grew."""
    return sittings.running_max(silences + (DRAIN - 1) * u) - (DRAIN - 1) * u


def _within_reach(
    sittings: Segments, arrive: Ints, jump: Bools, resume: Ints, u: Ints, low: Ints, strict: float
) -> Ints:
    """The farthest place that play can be at each sample without having skipped anything."""
    reached = sittings.running_max(np.where(jump, 0, arrive))
    farthest = np.maximum(sittings.previous(reached, 0), resume)
    # The latest sample that stood there says how long ago play can have gone on from there.
    record = sittings.last_where((~jump) & (arrive >= reached))
    last = sittings.previous(record, NONE)
    since = np.where(last == NONE, 0, low[np.maximum(last, 0)])
    return (farthest + strict * np.maximum(u - since, 0)).astype(np.int64)


def _in_steps(
    sittings: Segments, kind: Kinds, arrive: Ints, leave: Ints
) -> tuple[Ints, Ints, Ints]:
    """How coarse the places of each sample's sitting are, and the places before and after: where
    heartbeats tell the beginning of a step alone, and that less than one step behind what was told
    before, play was there still."""
    steps = _steps(sittings, kind, arrive)
    rows = np.flatnonzero(steps)
    if len(rows):
        beat, told = kind.take(rows) == Kind.PROGRESS, arrive.take(rows)
        lines = np.cumsum(~beat | sittings.firsts.take(rows)) * (int(leave.max()) + 1)
        reached = np.maximum.accumulate(leave.take(rows) + lines) - lines
        still = beat & (reached - told < steps.take(rows))
        arrive[rows[still]] = leave[rows[still]] = reached[still]
    return steps, arrive, leave


def _steps(sittings: Segments, kind: Kinds, arrive: Ints) -> Ints:
    """How coarse the places are that the heartbeats of each sample's sitting tell, as by the minute
    or the per cent, in ms: steps of one size apart, and some of them told again. 0 where they are
    finer."""
    beats = np.flatnonzero(kind == Kind.PROGRESS)
    own = sittings.own.take(beats)
    mine, moved = np.diff(own) == 0, np.diff(arrive.take(beats))
    ahead = np.flatnonzero(mine & (moved > 0))
    if not len(ahead):
        return np.zeros(len(arrive), np.int64)
    sessions = int(sittings.own[-1]) + 1
    again = np.bincount(own[1:][mine & (moved == 0)], minlength=sessions)
    moved, own = moved.take(ahead), own.take(ahead)
    first = np.flatnonzero(np.diff(own, prepend=-1))
    count = np.diff(first, append=len(own))
    least = np.minimum.reduceat(moved, first)
    step = np.repeat(least, count)
    off = np.maximum.reduceat(np.abs((moved + step // 2) % step - step // 2), first)
    coarse = (count >= COARSE_STEPS) & (off <= STRAY_MS)
    coarse &= (least >= COARSE_MS[0]) & (least <= COARSE_MS[1])
    coarse &= again[own[first]] * COARSE_AGAIN >= count
    steps = np.zeros(sessions, np.int64)
    steps[own[first[coarse]]] = least[coarse]
    return steps.take(sittings.own)


def age(u: Ints, advance: Ints, sittings: Segments, silence_ms: int) -> Ints:
    """How old each sample may be at its receipt, if the client is honest.

    It is at most as old as the silence before it, less the content that was played since; a second
    silence in the middle of a backlog makes the rest older still, and while deliveries go on a
    backlog drains. One heartbeat is allowed always; and what came in one delivery can all have
    happened since the delivery before it, as after one request that was lost.
    """
    gap = u - sittings.previous(u, 0)
    by_content = _unplayed(gap, advance, sittings, silence_ms)
    by_clock = np.maximum(backlog_left(gap, u, sittings), _undrained(gap, sittings, silence_ms))
    least = np.where(gap > silence_ms, 0, gap)
    heartbeat = np.maximum(least, _delivered(gap, advance, sittings))
    return np.maximum(np.minimum(by_content, by_clock), heartbeat)


def _delivered(gap: Ints, advance: Ints, sittings: Segments) -> Ints:
    """The silence before each delivery, less what was played since its first sample."""
    first = _first_brought(gap, sittings)
    waited = gap[first]
    content = np.cumsum(np.where(advance > waited, 0, advance))
    return np.maximum(waited - (content - content[first]), 0)


def _unplayed(gap: Ints, advance: Ints, sittings: Segments, silence_ms: int) -> Ints:
    """How much of all silences was not played since."""
    silent = gap > silence_ms
    held = sittings.running_sum(np.where(silent, gap, 0))
    nearer = sittings.running_sum(np.where(silent, advance, advance - gap))
    return held - nearer + sittings.running_max(gap - held + nearer - advance)


def _undrained(gap: Ints, sittings: Segments, silence_ms: int) -> Ints:
    """How much of all silences is left at the first news of each delivery, as backlogs drain."""
    grown = sittings.running_sum(np.where(gap > silence_ms, gap, -(DRAIN - 1) * gap))
    left = grown - np.minimum(sittings.running_min(grown), 0)
    return (gap + sittings.previous(left, 0)).take(_first_brought(gap, sittings))


def outrun(claimed: Ints, u: Ints, low: Ints, sittings: Segments, rate: float, steps: Ints) -> Ints:
    """By how much content outruns the clock over the worst stretch that ends at each sample.

    claimed: content played up to each sample; a stretch may also begin at the session's start,
    where content and time are both zero, and the place may lie a step behind.
    """
    needed = _at_rate(claimed, rate)
    least = np.minimum(sittings.running_min(needed - low), steps)
    return needed - u - least


def _positions(
    trace: Trace, events: Columns, every: Segments, kind: Kinds
) -> tuple[Ints, Ints, Bools]:
    """Position before and after every event, and which events tell one. An `ended` without a
    position claims nothing that was not played."""
    lesson = trace.sessions["lesson"].astype(np.int64).take(every.own)
    media = trace.lessons["media_ms"].astype(np.int64).take(lesson)
    arrive = along_film(trace, lesson, events["pos_ms"].astype(np.int64))
    arrive = np.minimum(arrive, media)
    told = arrive >= 0
    seek = (kind == Kind.SEEK) & ~_blocked(events)
    target = along_film(trace, lesson, events["x"].astype(np.int64))
    leave = np.where(seek, np.clip(target, 0, media), arrive)
    return arrive, leave, told


def _blocked(events: Columns) -> Bools:
    return (events["flags"] & Flag.BLOCKED) != 0


def _interpolate(
    every: Segments, kind: Kinds, u: Ints, arrive: Ints, leave: Ints, told: Bools
) -> None:
    """Visibility and focus changes without a position get one on the server's clock, in place, so
    that a tab hidden in the middle of a heartbeat costs only the hidden part."""
    change = ((kind == Kind.VISIBILITY) | (kind == Kind.FOCUS)) & ~told
    if not change.any():
        return
    rows = np.flatnonzero(change)
    left, right = every.last_where(told)[rows], every.next_where(told)[rows]
    between = (left != NONE) & (right != NONE)
    rows, left, right = rows[between], left[between], right[between]
    span = np.maximum(u[right] - u[left], 1)
    share = (u[rows] - u[left]) / span
    step = ((arrive[right] - leave[left]) * share).astype(np.int64)
    forward = np.where(arrive[right] >= leave[left], step, 0)
    arrive[rows] = leave[rows] = leave[left] + forward
    told[rows] = True


def stopped(kind: Kinds, sittings: Segments) -> Bools:
    """True after an event that stopped the player, until one that starts it."""
    said = sittings.last_where(_SETS_STATE.take(kind))
    return (said != NONE) & _STOPS.take(kind.take(said))


def _before(sittings: Segments, unseen: Kinds) -> Kinds:
    """What held on the way to each sample: what was said before it."""
    before = np.zeros_like(unseen)
    before[1:] = unseen[:-1]
    return np.where(sittings.firsts, 0, before).astype(np.uint8)


def _unseen(events: Columns, own: Ints, policy: Policy) -> Kinds:
    """Why the page does not count as watched after an event: HIDDEN, UNFOCUSED or 0; nothing said
    counts as watched."""
    session = policy["session"]
    flags = events["flags"]
    unseen = np.zeros(len(own), np.uint8)
    for off, on, parameter, why in (
        (Flag.BLURRED, Flag.FOCUSED, "clock_on_unfocused", UNFOCUSED),
        (Flag.HIDDEN, Flag.VISIBLE, "clock_on_hidden", HIDDEN),
    ):
        dark = (flags & off) != 0
        if session.word(parameter) != "stop" or not dark.any():
            continue
        # Most sittings were never hidden; only the others are looked at event by event.
        rows = np.flatnonzero(np.isin(own, np.unique(own[dark])))
        said = Segments(own[rows]).last_where((flags[rows] & (off | on)) != 0)
        off_now = (said != NONE) & dark[rows[said]]
        unseen[rows[off_now]] = why
    return unseen


def joined(played: Played, offline_ms: int) -> Played:
    """The same play in far fewer rows: intervals that go on where and when the one before ended.

    Content is exact; inside a row, time runs evenly, off by the jitter of receipts at most.
    """
    if not len(played):
        return played
    stale = played.stale_ms > offline_ms
    head = np.ones(len(played), np.bool_)
    head[1:] = (
        (played.session[1:] != played.session[:-1])
        | (played.p0_ms[1:] != played.p1_ms[:-1])
        | (played.t0_ms[1:] - played.t1_ms[:-1] > JOIN_MS)
        | (stale[1:] != stale[:-1])
    )
    first = np.flatnonzero(head)
    last = np.append(first[1:], len(played)) - 1
    return Played(
        session=played.session[first],
        p0_ms=played.p0_ms[first],
        p1_ms=played.p1_ms[last],
        t0_ms=played.t0_ms[first],
        t1_ms=played.t1_ms[last],
        u_ms=played.u_ms[last],
        stale_ms=np.maximum.reduceat(played.stale_ms, first),
        clock_ms=played.clock_ms[last],
        samples=played.samples,
    )
