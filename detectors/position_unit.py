"""Positions that a player tells in another unit than seconds, as whole sittings show it.

Thousandths run a thousand times as fast as the clock, until they lie beyond the film and are
refused. Minutes, percent and shares creep: evenly, at a pace at which no player plays. Neither is
anything about a person.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.credit import Samples, stopped
from detectors.segments import Segments
from detectors.trace import Flag, Ints, Kind, Trace, owners

NO_PLAYER = 20  # films play at most so many times as fast as they last, and as slowly
THOUSANDTHS = (800, 1_250)  # times as fast as the clock, give or take what a network delays
LEAST_MS = 120_000  # so much time at a creeping pace, and so many steps of it, are no accident
STEPS = 6
WHOLE_MS = 1_000  # by how much whole numbers rise, taken for seconds


def thousandths(trace: Trace, samples: Samples) -> dict[int, tuple[int, int]]:
    """Sittings of which each way ahead is about a thousand times as long as it took, by one of both
    clocks: how long they ran and how far they say they came, in ms. Whoever claims an end claims
    more than a place, and one way alone may be a leap."""
    events, sittings = trace.events, Segments(samples.own)
    told = events["pos_ms"].take(samples.row).astype(np.int64)
    moved = told - sittings.previous(told, 0)
    seek = samples.kind == Kind.SEEK
    ahead = ~sittings.firsts & (moved > 0) & ~seek & ~sittings.previous(seek, False)
    ended = samples.kind == Kind.ENDED
    claims = (events["flags"] & Flag.COMPLETED) != 0
    barred = np.union1d(samples.own[ended], owners(trace.events_at)[claims])
    own, found = samples.own[ahead], set[int]()
    for clock in (samples.u_ms, events["at_ms"].take(samples.row)):
        took = np.maximum(clock - sittings.previous(clock, 0), 1)
        found |= _alike(own, (moved / took)[ahead], len(trace))
    rows = {it: np.flatnonzero(samples.own == it) for it in found.difference(barred.tolist())}
    return {it: (int(np.ptp(samples.u_ms[at])), int(told[at].max())) for it, at in rows.items()}


def _alike(own: Ints, pace: NDArray[np.float64], sessions: int) -> set[int]:
    """Sittings all of whose steps are beyond any player, the middle one of thousandths."""
    low, high = THOUSANDTHS
    rows = np.bincount(own, minlength=sessions)
    beyond = np.bincount(own[pace > NO_PLAYER], minlength=sessions)
    some = np.flatnonzero((rows > 1) & (beyond == rows)).tolist()
    return {it for it in some if low <= np.median(pace[own == it]) <= high}


def creeping(trace: Trace, samples: Samples) -> dict[int, tuple[int, int]]:
    """Sittings whose film hardly moves, and does so evenly: how long it ran by the server's clock
    and how far it came, in ms. What buffers moves by fits and starts."""
    sittings = Segments(samples.own)
    runs = ~sittings.previous(stopped(samples.kind, sittings), False) & ~sittings.firsts
    took = np.where(runs, samples.u_ms - sittings.previous(samples.u_ms, 0), 0)
    step = np.where(runs & ~samples.jump, samples.advance_ms, 0)
    time, content = (np.bincount(samples.own, it, len(trace)) for it in (took, step))
    slow = (time >= LEAST_MS) & (content > 0) & (content * NO_PLAYER <= time)
    found: dict[int, tuple[int, int]] = {}
    news = Segments((samples.own << 33) + samples.u_ms).lasts
    for session in np.flatnonzero(slow).tolist():
        rows = np.flatnonzero(samples.own == session)
        at = news[rows]
        ran, came = np.cumsum(took[rows])[at], np.cumsum(step[rows])[at]
        steps, times = np.diff(came, prepend=0), np.diff(ran, prepend=0)
        apart, largest = np.abs(came - came[-1] * (ran / ran[-1])), int(steps.max())
        even = came[-1] >= STEPS * largest and apart.max() <= largest
        # Whole numbers leap by one; what is told finer creeps all the time, as far as is known: not
        # how long what came first had taken.
        if even and (largest == WHOLE_MS or np.all(2 * steps[1:] <= times[1:])):
            found[session] = int(ran[-1]), int(came[-1])
    return found
