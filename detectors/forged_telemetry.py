"""Forged or automated telemetry: facts that an unmodified browser practically never produces.

Review only. An answer with somebody else's nonce, or before its challenge was issued, is the
server's own knowledge (S) and goes to two reviewers; what the client tells of itself (C+) goes to
one; statistics (C-) are notes that decide nothing. Regular heartbeats are no evidence at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from detectors.credit import Samples, backlog_left
from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.segments import Segments
from detectors.trace import (
    Bools,
    Control,
    ControlFlag,
    Integrity,
    Ints,
    Kind,
    SessionFlag,
    Trace,
    owners,
)

RULE = "forged_telemetry"
_STOLEN = ControlFlag.FOREIGN_NONCE | ControlFlag.EARLY_ANSWER
NO_CLOCK_MS = 100_000_000_000  # 1973 in milliseconds, the year 5138 in seconds
STEPS_MS = (2, 10, 50, 100, 250, 500, 1_000)  # browsers, against fingerprinting; frameworks; logs
SECOND_MS = 1_000  # what a latency in seconds may be rounded by
FEW = 10  # a pattern needs this many instances before it is one


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """Review findings and notes on single sessions."""
    trace = facts.trace
    return [
        *_forged_answers(trace),
        *_impossible_answers(trace, policy),
        *_conflicting_events(trace),
        *_hidden_page(trace),
        *_client_clock(facts, policy),
    ]


def _finding(
    trace: Trace, session: int, reason: str, evidence: Evidence, measured: float, limit: float
) -> Finding:
    return Finding(
        rule=RULE,
        outcome=Outcome.REVIEW,
        reason=reason,
        fault=Fault.UNDETERMINED,
        evidence=evidence,
        session=session,
        start_ms=int(trace.sessions["start_ms"][session]),
        end_ms=int(trace.sessions["end_ms"][session]),
        measured=measured,
        limit=limit,
        unit="count",
    )


def _counted(own: Ints, condition: Bools, least: int) -> Iterator[tuple[int, int]]:
    sessions, count = np.unique(own[condition], return_counts=True)
    yield from (
        (int(session), int(number))
        for session, number in zip(sessions, count, strict=True)
        if number >= least
    )


def _forged_answers(trace: Trace) -> Iterator[Finding]:
    own = owners(trace.controls_at)
    flags = trace.controls["flags"]
    # Where the platform runs the pop-ups, one that it never told of is its own omission.
    reported = (trace.sessions["flags"] & SessionFlag.PLATFORM_CONTROLS) != 0
    nobodys = (flags & ControlFlag.UNKNOWN) != 0
    stolen = ((flags & _STOLEN) != 0) | (nobodys & ~reported[own])
    for session, count in _counted(own, stolen, 1):
        finding = _finding(trace, session, "forged_answer", Evidence.SERVER, count, 0)
        rows = tuple(np.flatnonzero(stolen & (own == session)).tolist())
        yield replace(finding, needs_two_reviewers=True, fault=Fault.LEARNER, controls=rows)


def _impossible_answers(trace: Trace, policy: Policy) -> Iterator[Finding]:
    own = owners(trace.controls_at)
    controls = trace.controls
    popup = (controls["kind"] == Control.POPUP) & (controls["answered_ms"] >= 0)
    scripted = (controls["flags"] & ControlFlag.UNTRUSTED_INPUT) != 0
    for session, count in _counted(own, popup & scripted, 1):
        yield _finding(trace, session, "scripted_answer", Evidence.CLIENT, count, 0)
    least = policy["popup_gap"]["min_answer_ms"]
    latency = controls["latency_ms"].astype(np.int64)
    told = popup & (latency >= 0)
    # What a rounded latency may have been at most, by the coarsest step that fits all of a sitting.
    longest = latency + _step(own, np.where(told, latency, 0), len(trace)) - 1
    instant = told & ~scripted & (latency < least) & (longest < least)
    instant[[it for it in np.flatnonzero(instant) if _in_seconds(trace, int(own[it]), it)]] = False
    for session, count in _counted(own, instant, 2):
        yield _finding(trace, session, "instant_answers", Evidence.CLIENT, count, 1)


def _in_seconds(trace: Trace, session: int, row: np.int64) -> bool:
    """Whether the stamps of display and answer say that a latency counts seconds."""
    control, events = trace.controls[row], trace.events_of(session)
    seqs = control[["shown_seq", "answered_seq"]].tolist()
    at = np.searchsorted(events["seq"], seqs)
    if min(seqs) < 0 or at.max() == len(events) or events["seq"][at].tolist() != list(seqs):
        return False
    took = int(np.diff(events["at_ms"][at])[0])
    return took > 0 and abs(took - 1000 * int(control["latency_ms"])) <= SECOND_MS


def _step(own: Ints, values: Ints, sessions: int) -> Ints:
    """The coarsest of usual steps of clocks, in ms, of which all values of a row's session are
    multiples."""
    step = np.ones(sessions, np.int64)
    for coarser in STEPS_MS:
        broken = np.bincount(own[values % coarser != 0], minlength=sessions) > 0
        step[~broken] = coarser
    return step.take(own)


def _conflicting_events(trace: Trace) -> Iterator[Finding]:
    flags = trace.sessions["flags"]
    for session in np.flatnonzero(flags & SessionFlag.SEQ_CONFLICT):
        yield _finding(trace, int(session), "seq_conflict", Evidence.SERVER, 1, 0)


def _hidden_page(trace: Trace) -> Iterator[Finding]:
    rows = np.flatnonzero(trace.events["kind"] == Kind.INTEGRITY)
    own = np.searchsorted(trace.events_at, rows, side="right") - 1
    code = trace.events["x"][rows]
    spoofed = np.isin(code, (Integrity.HIDDEN_BUT_VISIBLE, Integrity.NO_FRAMES))
    for session, count in _counted(own, spoofed, 1):
        yield _finding(trace, session, "visibility_spoofed", Evidence.CLIENT, count, 0)
    for session, count in _counted(own, code == Integrity.SCRIPTED_INPUT, 1):
        yield _finding(trace, session, "scripted_input", Evidence.CLIENT, count, 0)


def _client_clock(facts: Facts, policy: Policy) -> Iterator[Finding]:
    """The client's clock runs at another pace than the server's, most of the time and altogether.

    The middle heartbeat tells the pace: steps (a clock set right), outages and backlogs are few.
    What one receipt proves (a backlog, a heartbeat that was overtaken) is one interval, from the
    news before to its end; further pieces of a backlog tell nothing. And what the clock gained or
    lost altogether must be more than a network can hold back: jitter that happens to fall one way
    over a few heartbeats does not add up.
    """
    trace, samples, rule = facts.trace, facts.played.samples, policy[RULE]
    news, at = _ticks(trace, samples)
    own, kind, u = samples.own.take(news), samples.kind.take(news), samples.u_ms.take(news)
    sittings = Segments(own)
    server = u - sittings.previous(u, 0)
    client = at - sittings.previous(at, 0)
    offline = policy["popup_gap"].ms("offline_gap_s")
    drains = backlog_left(server, u, sittings) > np.maximum(server, offline)
    usable = (server >= 1_000) & ~sittings.firsts & (kind == Kind.PROGRESS) & ~drains
    # A clock that stands still, was set back, or counts in seconds is broken, and no clock at all.
    usable &= (client > 0) & (at >= NO_CLOCK_MS)
    ratio = client[usable] / server[usable]
    session, spent = own[usable], server[usable]
    # The mean finds the few sessions that are worth sorting.
    count = np.bincount(session, minlength=len(trace))
    mean = np.bincount(session, weights=np.clip(ratio, 0, 2), minlength=len(trace))
    low, high = rule["clock_ratio_min"], rule["clock_ratio_max"]
    with np.errstate(invalid="ignore", divide="ignore"):
        strange = np.abs(mean / count - 1) > min(high - 1, 1 - low) / 2
    candidate = strange[session]
    session, ratio, spent = session[candidate], ratio[candidate], spent[candidate]
    order = np.lexsort((ratio, session))
    session, ratio, spent = session[order], ratio[order], spent[order]
    sessions, first, count = np.unique(session, return_index=True, return_counts=True)
    total = np.add.reduceat(spent, first) if len(first) else spent
    half = ratio[first + count // 2] if len(first) else ratio
    odd = (count >= FEW) & (total >= rule.ms("clock_contradiction_s"))
    odd &= (half < low) | (half > high)
    lag = policy["popup_gap"].ms("stop_allowance_s")
    for row in np.flatnonzero(odd):
        mine = (own == sessions[row]) & ~sittings.firsts & (server > 0) & ~drains
        if not _adds_up(client[mine], server[mine], float(half[row]), low, high, lag):
            continue
        pace = round(float(half[row]), 3)
        limit = high if pace > high else low
        finding = _finding(trace, int(sessions[row]), "client_clock", Evidence.CLIENT, pace, limit)
        yield replace(finding, unit="×")


def _ticks(trace: Trace, samples: Samples) -> tuple[Ints, Ints]:
    """The last sample of each receipt, and the client's time of it. Clocks go in steps, of a second
    or a minute in some logs: what counts is from step to step."""
    news = np.flatnonzero(Segments((samples.own << 33) + samples.u_ms).lasts)
    at = trace.events["at_ms"].take(samples.row.take(news))
    steps = Segments(samples.own.take(news))
    ticks = steps.firsts | (at != steps.previous(at, 0))
    return news[ticks], at[ticks]


def _adds_up(client: Ints, server: Ints, pace: float, low: float, high: float, lag_ms: int) -> bool:
    """Whether the client's time, less its steps, runs away from the server's by more than delays
    explain: as much as they vary, twice over, and `lag_ms` at most (a heartbeat and the network),
    once for each piece between steps. The widest interval is one of those: a small step may hide in
    it."""
    apart = client - pace * server
    steady = (client > 0) & (np.abs(apart) <= lag_ms)
    steady[np.argmax(np.abs(apart))] = False
    if not steady.any():
        return False
    pieces = 1 + np.count_nonzero(~steady)
    varies = 2 * np.ptp(apart[steady])
    excess = client[steady].sum() - (high if pace > high else low) * server[steady].sum()
    return bool((excess if pace > high else -excess) > pieces * min(lag_ms, varies))
