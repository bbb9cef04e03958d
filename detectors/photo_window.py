"""Which photos arrived in time: inside the window of the control that they answer.

The window stands still while play does, if it goes on later: who pauses before the moment comes is
asked when play goes on. After it a photo still travels for `upload_allowance_s`; and where the
record shows an outage over the end of the window, until the connection was back. An outage is
silence that ends with what was noted during it, so a page that slept or a network that was well
excuses nothing. A late photo is kept, and counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.credit import Played
from detectors.policy import Policy
from detectors.trace import NONE, Bools, ControlFlag, Ints, PhotoFlag, Trace, owners

EARLY_MS = 1_000  # a log may write whole seconds
BACKLOG_SHARE = 1 / 3  # of the heartbeats that an outage of that length should have held


@dataclass(frozen=True, slots=True)
class WindowTerms:
    """Milliseconds: how long a photo may travel, how long an outage excuses, what silence is one,
    and how often a client speaks."""

    allowance_ms: int
    outage_ms: int
    silence_ms: int
    heartbeat_ms: int


def terms_of(policy: Policy) -> WindowTerms:
    rule = policy["photo_retention"]
    return WindowTerms(
        allowance_ms=rule.ms("upload_allowance_s"),
        outage_ms=rule.ms("outage_allowance_s"),
        silence_ms=policy["popup_gap"].ms("offline_gap_s"),
        heartbeat_ms=policy["session"].ms("heartbeat_s"),
    )


def deadline(end_ms: int, heard_ms: Ints, terms: WindowTerms, until_ms: int | None = None) -> int:
    """Up to when a photo for a window that ended at `end_ms` counts.

    heard_ms  receive times of the sitting's events, its beginning first, rising
    until_ms  now, while the sitting lasts: silence that nothing has ended yet excuses so far
    """
    last = end_ms + terms.allowance_ms
    silent = np.flatnonzero(np.diff(heard_ms) > terms.silence_ms)
    for at in silent.tolist():
        begin, end = int(heard_ms[at]), int(heard_ms[at + 1])
        if begin <= last and end > end_ms and _held_back(heard_ms, at + 1, end - begin, terms):
            last = max(last, end + terms.allowance_ms)
    if until_ms is not None and len(heard_ms):
        begin = int(heard_ms[-1])
        if begin <= last and until_ms - begin > terms.silence_ms:
            last = max(last, until_ms)
    return min(last, end_ms + terms.allowance_ms + terms.outage_ms)


def _held_back(heard_ms: Ints, first: int, silent_ms: int, terms: WindowTerms) -> bool:
    """Whether what ended a silence brought the heartbeats that were noted during it."""
    soon = np.searchsorted(heard_ms, heard_ms[first] + terms.allowance_ms, side="right") - first
    return bool(soon >= max(2, silent_ms / terms.heartbeat_ms * BACKLOG_SHARE))


def window_ends(trace: Trace) -> Ints:
    """When the window of each photo's control ended by the clock alone, in ms since its sitting
    began; NONE for a photo that answers none."""
    photos, controls = trace.photos, trace.controls
    row = photos["control"].astype(np.int64)
    if not len(controls):
        return np.full(len(photos), NONE, np.int64)
    at = np.where(row == NONE, 0, row + trace.controls_at[owners(trace.photos_at)])
    expired = controls["expired_ms"][at].astype(np.int64)
    due = np.maximum(controls["due_ms"][at], controls["issued_ms"][at]).astype(np.int64)
    end = np.where(expired == NONE, due + np.maximum(controls["window_ms"][at], 0), expired)
    return np.where(row == NONE, NONE, end)


def timely(trace: Trace, runs: Played, policy: Policy) -> Bools:
    """Bools[P]: photos that came in time. One that answers no control has no time to keep."""
    terms, photos = terms_of(policy), trace.photos
    end = window_ends(trace)
    received = photos["recv_ms"].astype(np.int64)
    good = (end == NONE) | (received <= end + terms.allowance_ms)
    own = owners(trace.photos_at)
    if len(trace.controls):
        row = np.where(end == NONE, 0, photos["control"] + trace.controls_at[own])
        issued = trace.controls["issued_ms"][row].astype(np.int64)
        good &= (end == NONE) | (received >= issued - EARLY_MS)
        for photo in np.flatnonzero(~good & (received > end)).tolist():
            good[photo] = _excused(trace, runs, int(own[photo]), photo, int(end[photo]), terms)
    return good & ((photos["flags"] & PhotoFlag.LATE) == 0)


def _excused(
    trace: Trace, runs: Played, session: int, photo: int, end: int, terms: WindowTerms
) -> bool:
    received = int(trace.photos["recv_ms"][photo])
    control = trace.controls_of(session)[int(trace.photos["control"][photo])]
    if not (control["flags"] & ControlFlag.SERVICE and control["expired_ms"] != NONE):
        end += _stopped(trace, runs, session, int(control["due_ms"]), end, received)
        if received <= end + terms.allowance_ms:
            return True
    heard = np.sort(trace.events_of(session)["recv_ms"].astype(np.int64))
    return received <= deadline(end, np.concatenate([[0], heard]), terms)


def _stopped(trace: Trace, runs: Played, session: int, due: int, end: int, received: int) -> int:
    """How long play stood still between a control's moment and a photo, where it went on later."""
    low, high = np.searchsorted(runs.session, (session, session + 1))
    start = int(trace.sessions["start_ms"][session])
    begun = runs.t0_ms[low:high] - start
    ended = runs.t1_ms[low:high] - start
    if not len(begun) or due < begun[0]:
        return int(max(0, min(begun[0], received) - due)) if len(begun) else 0
    stopped = 0
    for stop, go in zip(ended[:-1].tolist(), begun[1:].tolist(), strict=True):
        if stop <= end + stopped and go > due:
            stopped += max(0, min(go, received) - max(stop, due))
    return stopped
