"""Pop-ups by the server's clock: when each was displayed, and whether and when it took effect.

A pop-up takes effect when it was answered, or when play really stopped under it. Content stops when
the control is shown; that a stop or an answer was in time allows for the answer window and, on top,
for one heartbeat, a tick of the page and the network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.credit import Played
from detectors.policy import RulePolicy
from detectors.segments import Segments, locate
from detectors.trace import EPOCH_MS, NONE, Bools, Control, ControlFlag, Ints, Trace, owners

STOP_MS = 30_000  # a player that stands still this long has really stopped
FAR_MS = 1 << 40
LONGEST_WINDOW_MS = 600_000  # what a recorded act may allow a learner
_INVALID = ControlFlag.FOREIGN_NONCE | ControlFlag.EARLY_ANSWER | ControlFlag.UNKNOWN


@dataclass(frozen=True, slots=True)
class Popups:
    """Every pop-up that was issued, N rows in ledger order, in absolute server time.

    row        int64[N] control row; session int64[N]
    issued_ms, due_ms  int64[N]
    shown_ms   int64[N] the display, NONE where there was none
    lost_ms    int64[N] from then on, play shows that it was ignored
    effective  bool[N]; answered bool[N]: by an answer, else because play stopped
    from_ms    int64[N] where an effective one ends the stretch before it
    until_ms   int64[N] where the next stretch begins: the answer, or the moment play stood
    uncounted_ms int64[N] what was played under it up to here does not count: it was not answered,
               or out of time; the display itself where it was in time
    reissue    bool[N] it was issued because the one before had expired
    """

    row: Ints
    session: Ints
    issued_ms: Ints
    due_ms: Ints
    shown_ms: Ints
    lost_ms: Ints
    effective: Bools
    answered: Bools
    from_ms: Ints
    until_ms: Ints
    uncounted_ms: Ints
    reissue: Bools

    def __len__(self) -> int:
        return len(self.row)

    def where(self, keep: Bools | Ints) -> Popups:
        """The rows that a mask keeps, or that an array of rows picks."""
        return Popups(*(getattr(self, name)[keep] for name in self.__slots__))


def popups_of(trace: Trace, played: Played, rule: RulePolicy) -> Popups:
    """The pop-ups of a trace, held against what was played."""
    controls, own = trace.controls, owners(trace.controls_at)
    known = (controls["kind"] == Control.POPUP) & (controls["issued_ms"] >= 0)
    rows = np.flatnonzero(known & ((controls["flags"] & ControlFlag.UNKNOWN) == 0))
    session, flags = own[rows], controls["flags"][rows]
    start = trace.sessions["start_ms"][session]

    def column(name: str) -> Ints:
        return controls[name][rows].astype(np.int64)

    issued, answer_at, latency = column("issued_ms"), column("answered_ms"), column("latency_ms")
    window = _windows(trace, session, flags, column("window_ms"), rule)
    patience = window + rule.ms("stop_allowance_s")
    received = column("shown_ms")
    ours = (flags & ControlFlag.SERVICE) != 0
    # A platform's own clock may be ahead: nothing is shown before it is issued.
    issued = np.where(~ours & (received >= 0), np.minimum(issued, received), issued)
    valid = (received >= 0) & ((flags & _INVALID) == 0)
    replied = valid & (answer_at >= 0)

    display = _display(trace, played, session, received, column("shown_seq"))
    # A page that stops while its dialogue is open reports display and answer together. Issue and
    # answer are the server's own: between them the display lies as long ago as the answer took. A
    # platform may tell when its own was due.
    due = np.maximum(column("due_ms"), issued)
    since = np.minimum(
        answer_at - np.maximum(latency, 0), np.where(ours | (due == issued), answer_at, due)
    )
    prompt = replied & ((latency >= 0) | ~ours) & (answer_at - issued <= window)
    shown = np.where(prompt, np.minimum(display, np.maximum(issued, since) + start), display)

    waited = answer_at - received
    held_back = _held_back(played, session, column("answered_seq"), received, answer_at)
    given = np.where(latency >= 0, np.maximum(latency, held_back), FAR_MS)
    in_time = replied & ((waited <= window) | (given <= window))
    # An answer is as old as the client measured, though it may have travelled with others.
    replied_at = answer_at + start
    measured = display + np.maximum(latency, 0)
    replied_at = np.where(latency >= 0, np.minimum(replied_at, measured), replied_at)
    replied_at = np.maximum(replied_at, shown)

    stop = _standstill(played, session, shown)
    stopped = valid & (stop <= shown + patience)
    # Content that stood until the answer came waited for it, however long.
    waited_for = replied & stopped & (_next_play(played, session, stop) >= replied_at)
    late = replied & ~in_time & ((waited <= patience) | (given <= patience) | waited_for)
    answered = in_time | late
    until = np.where(answered, replied_at, np.maximum(stop, shown))
    return Popups(
        row=rows,
        session=session,
        issued_ms=issued + start,
        due_ms=due + start,
        shown_ms=np.where(received >= 0, shown, NONE),
        lost_ms=shown + patience,
        effective=answered | stopped,
        answered=answered,
        from_ms=shown,
        until_ms=until,
        uncounted_ms=np.where(in_time, shown, np.clip(stop, shown, until)),
        reissue=(flags & ControlFlag.REISSUE) != 0,
    )


def _windows(trace: Trace, session: Ints, flags: Ints, own: Ints, rule: RulePolicy) -> Ints:
    """Time to answer: the pack's, or the longer one that was recorded for the learner. What a
    platform says of its own is its word."""
    window = np.full(len(session), rule.ms("answer_window_s"), np.int64)
    given = np.where(flags & ControlFlag.SERVICE, np.minimum(own, LONGEST_WINDOW_MS), 0)
    window = np.maximum(window, given)
    if len(trace.answer_ms):
        window = np.maximum(window, np.minimum(trace.answer_ms[session], LONGEST_WINDOW_MS))
    return window


def _held_back(played: Played, session: Ints, seq: Ints, shown: Ints, answer_at: Ints) -> Ints:
    """In how long each answer can have been given if the network held it back, in ms, int64[N].

    After an outage both receipts coincide, or only the answer is late: the client's own measure may
    excuse a late receipt if the answer can be as old as that, never an unanswered pop-up.
    """
    samples = played.samples
    if not len(samples.own):
        return np.where(answer_at >= 0, 0, FAR_MS)
    before = locate(samples.own, samples.seq, session, seq - 1)
    place = np.maximum(before - 1, 0)
    mine = (before > 0) & (samples.own[place] == session)
    # Not before the sample that the same client told before it ...
    earliest = np.where(mine, (samples.u_ms - samples.stale_ms)[place], 0)
    after = locate(samples.own, samples.seq, session, seq)
    place = np.minimum(after, len(samples.own) - 1)
    mine = (after < len(samples.own)) & (samples.own[place] == session)
    # ... and not long after the first news of the time after it.
    overtaken = np.where(mine, samples.u_ms[place], FAR_MS)
    return np.maximum(earliest - shown, answer_at - overtaken)


def _display(trace: Trace, played: Played, session: Ints, recv: Ints, seq: Ints) -> Ints:
    """When a pop-up was displayed: its receipt, or earlier if a later sample proves it."""
    samples = played.samples
    start = trace.sessions["start_ms"][session]
    if not len(samples.own):
        return recv + start
    after = locate(samples.own, samples.seq, session, seq)
    inside = (seq >= 0) & (after < len(samples.own))
    after = np.minimum(after, len(samples.own) - 1)
    inside &= samples.own[after] == session
    # The play up to the sample after the display was laid out as late as possible.
    finish = samples.finish_ms[after] + start
    return np.where(inside, np.minimum(recv + start, finish), recv + start)


def _standstill(played: Played, session: Ints, since: Ints) -> Ints:
    """When play first stood still for long, at or after each time."""
    if not len(played):
        return since
    last = Segments(played.session).lasts
    rest = np.full(len(played), FAR_MS, np.int64)
    rest[:-1] = np.where(last[:-1], FAR_MS, played.t0_ms[1:] - played.t1_ms[:-1])
    ends = np.flatnonzero(rest >= STOP_MS)
    after = locate(
        played.session[ends], played.t1_ms[ends] - EPOCH_MS, session, since - 1 - EPOCH_MS
    )
    place = np.minimum(after, len(ends) - 1)
    mine = (after < len(ends)) & (played.session[ends][place] == session)
    stop = np.where(mine, played.t1_ms[ends][place], since)
    return np.where(_next_play(played, session, since) - since >= STOP_MS, since, stop)


def _next_play(played: Played, session: Ints, after: Ints) -> Ints:
    """The first moment of play at or after each time, far away where there is none."""
    if not len(played):
        return after + FAR_MS
    row = locate(played.session, played.t0_ms - EPOCH_MS, session, after - 1 - EPOCH_MS)
    place = np.minimum(row, len(played) - 1)
    mine = (row < len(played)) & (played.session[place] == session)
    start = np.where(mine, played.t0_ms[place], after + FAR_MS)
    current = np.maximum(row - 1, 0)
    goes_on = (row > 0) & (played.session[current] == session) & (played.t1_ms[current] > after)
    return np.where(goes_on, after, start)
