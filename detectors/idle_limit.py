"""A lesson that ran on with nobody at keyboard, pointer or screen: what is played beyond the
limit of the place, until somebody is there again, counts for nothing. Nobody is accused.

Somebody is there who answers a control, or of whom the page says that it was touched. Both are
placed by the client's own order of events, between the positions that were told before and after
them, so that an outage changes nothing; and only content that runs is idled away. A page that says
nothing of it proves nothing: not proven, unless answers alone are close enough together.
"""

from __future__ import annotations

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.trace import NONE, Bools, ControlFlag, Integrity, Ints, Kind, Trace, owners

RULE = "idle_limit"
_NOT_A_PERSON = (
    ControlFlag.UNTRUSTED_INPUT
    | ControlFlag.UNKNOWN
    | ControlFlag.EARLY_ANSWER
    | ControlFlag.FOREIGN_NONCE
)
_SEQ = 32  # bits of a place in a sitting


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """A finding for each stretch beyond the limit; of a page that told nothing one for the whole
    sitting. Evidence class C+, which voids minutes and no more; class S that nothing was told."""
    trace, samples, rule = facts.trace, facts.played.samples, policy[RULE]
    counted = np.where(samples.jump | (samples.unseen > 0), 0, samples.advance_ms)
    ran = np.concatenate([np.zeros(1, np.int64), np.cumsum(counted)])
    places = (samples.own << _SEQ) + samples.seq
    signs, told = _signs(trace)
    ends = np.arange(len(trace), dtype=np.int64) << _SEQ
    bounds = np.sort(np.concatenate([ends, (np.arange(len(trace)) + 1) << _SEQ, signs]))
    row = np.searchsorted(places, bounds)  # the first sample after each
    idle = np.diff(ran[row])
    limit = round(rule["max_idle_min"] * 60_000)
    found: list[Finding] = []
    untold: set[int] = set()
    for at in np.flatnonzero(idle > limit + rule.ms("report_allowance_s")).tolist():
        first, last = int(row[at]), int(row[at + 1]) - 1
        session = int(samples.own[first])
        start = int(trace.sessions["start_ms"][session])
        if not told[session]:
            if session not in untold:
                untold.add(session)
                end = int(trace.sessions["end_ms"][session])
                found.append(_finding("input_untold", session, start, end, int(idle[at]), limit))
            continue
        over = int(np.searchsorted(ran, ran[first] + limit, side="right")) - 1
        since = int(samples.finish_ms[over] - (ran[over + 1] - ran[first] - limit))
        until = start + int(samples.finish_ms[last])
        found.append(_finding("idle", session, start + since, until, int(idle[at]), limit))
    return found


def _signs(trace: Trace) -> tuple[Ints, Bools]:
    """Places at which somebody was there, and whether each sitting's page tells of it at all."""
    integrity = trace.events["kind"] == Kind.INTEGRITY
    kind = np.where(integrity, trace.events["x"], Integrity.OTHER)
    own = owners(trace.events_at)
    told = np.zeros(len(trace), np.bool_)
    told[own[(kind == Integrity.INPUT) | (kind == Integrity.INPUT_WATCHED)]] = True
    touched = kind == Integrity.INPUT
    controls = trace.controls
    answered = (controls["answered_seq"] != NONE) & ((controls["flags"] & _NOT_A_PERSON) == 0)
    asked = owners(trace.controls_at)[answered]
    signs = (
        (own[touched] << _SEQ) + trace.events["seq"][touched],
        (asked << _SEQ) + controls["answered_seq"][answered],
    )
    return np.concatenate(signs).astype(np.int64), told


def _finding(
    reason: str, session: int, start_ms: int, end_ms: int, idle_ms: int, limit_ms: int
) -> Finding:
    untold = reason == "input_untold"
    return Finding(
        rule=RULE,
        outcome=Outcome.NOT_PROVEN if untold else Outcome.CLEAR,
        reason=reason,
        fault=Fault.PLATFORM if untold else Fault.UNDETERMINED,
        evidence=Evidence.SERVER if untold else Evidence.CLIENT,
        session=session,
        start_ms=start_ms,
        end_ms=end_ms,
        measured=idle_ms / 1000,
        limit=limit_ms / 1000,
        voids=not untold,
    )
