"""When a face is asked for: in which class-hours, and after how much study again."""

from __future__ import annotations

import numpy as np

from detectors.facts import Facts
from detectors.policy import Policy, RulePolicy
from detectors.trace import Bools, Ints, SessionFlag, owners


def asked_in(facts: Facts, rule: RulePolicy, hour: Ints) -> Bools:
    """Whether a check is asked for in each class-hour: in the first of its class and every nth
    after it. What lies in none (NONE) is spared of nothing."""
    nth, pieces = int(rule["every_nth_hour"]), facts.trace.pieces
    if nth <= 1 or not len(pieces):
        return np.ones(len(hour), np.bool_)
    numbers, first = np.unique(pieces["hour"], return_index=True)
    klass = pieces["klass"][first]
    begins = np.searchsorted(klass, klass)  # pieces are in order of class and class-hour
    due = np.zeros(int(numbers.max()) + 1, np.bool_)
    due[numbers] = (np.arange(len(numbers)) - begins) % nth == 0
    return (hour < 0) | due[np.maximum(hour, 0)]


def overdue(facts: Facts, policy: Policy, rule: str, good: Ints) -> list[tuple[int, int, int, int]]:
    """(session, from, to, studied ms): study beyond the interval at which a face is asked for,
    until the next check that passed. `good` are rows of the photos that prove one.

    A check takes its time, so as long as the tries of one may last nothing is overdue.
    """
    interval = policy[rule].ms("interval_s")
    if not interval or not len(facts.runs):
        return []
    slack = policy[rule].ms("retry_window_s") + policy["photo_retention"].ms("upload_allowance_s")
    slack += 2 * policy["session"].ms("heartbeat_s")
    trace, runs = facts.trace, facts.runs
    start = trace.sessions["start_ms"].astype(np.int64)
    shown = owners(trace.photos_at)[good]
    at = start[shown] + trace.photos["recv_ms"][good]
    found: list[tuple[int, int, int, int]] = []
    studied = runs.total_ms(len(trace))
    able = SessionFlag.FACE_CONSENT | SessionFlag.REFERENCE_PHOTO  # of others it is told elsewhere
    asked = (trace.sessions["flags"] & able) == able
    for session in np.flatnonzero(asked & (studied > interval + slack)).tolist():
        low, high = np.searchsorted(runs.session, (session, session + 1))
        t0, t1 = runs.t0_ms[low:high], runs.t1_ms[low:high]
        done = np.concatenate([np.zeros(1, np.int64), np.cumsum(t1 - t0)])
        marks = np.concatenate([start[session : session + 1], np.sort(at[shown == session])])
        clock = np.append(_clock(t0, t1, done, marks), done[-1])
        for begun, over in zip(clock[:-1].tolist(), clock[1:].tolist(), strict=True):
            if over - begun > interval + slack:
                row = int(np.searchsorted(done, begun + interval, side="right")) - 1
                since = int(t0[row] + begun + interval - done[row])
                last = int(np.searchsorted(done, over, side="left")) - 1
                until = int(t0[last] + over - done[last])
                found.append((session, since, until, int(over - begun)))
    return found


def _clock(t0: Ints, t1: Ints, done: Ints, at: Ints) -> Ints:
    """How much had been studied at each time."""
    row = np.maximum(np.searchsorted(t0, at, side="right") - 1, 0)
    inside: Ints = done[row] + np.clip(at - t0[row], 0, t1[row] - t0[row])
    return inside
