"""Marathon days: more study in one day than people manage. Raises priority, no more.

A day is a person's, over all accounts and windows: what runs in two of them at once is one time.
"""

from __future__ import annotations

import numpy as np

from detectors.credit import Played
from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.segments import Segments
from detectors.shanghai import days_of, split_at_midnight
from detectors.trace import EPOCH_MS, Ints, Trace

RULE = "marathon"


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """One note per person and calendar day in Asia/Shanghai above the limit; evidence class C-."""
    trace, played = facts.trace, facts.runs
    if not len(played):
        return []
    rows, start = once(trace, played)
    row, begin, end = split_at_midnight(rows, start, played.t1_ms[rows])
    person = trace.sessions["person"].astype(np.int64)[played.session[row]]
    day = days_of(begin)
    key, first, group = np.unique((person << 20) + day, return_index=True, return_inverse=True)
    hours = np.bincount(group, weights=end - begin) / 3_600_000
    limit = policy[RULE]["max_hours_per_day"]
    last = np.zeros(len(key), np.int64)
    np.maximum.at(last, group, end)
    return [
        Finding(
            rule=RULE,
            outcome=Outcome.REVIEW,
            reason="long_day",
            fault=Fault.UNDETERMINED,
            evidence=Evidence.STATISTIC,
            session=int(played.session[row[first[found]]]),
            start_ms=int(begin[first[found]]),
            end_ms=int(last[found]),
            measured=round(float(hours[found]), 2),
            limit=limit,
            unit="h",
        )
        for found in np.flatnonzero(hours > limit)
    ]


def once(trace: Trace, played: Played) -> tuple[Ints, Ints]:
    """Rows of play in order of person and time, and when each begins to add to what its person's
    other windows played already; what adds nothing is left out."""
    person = trace.sessions["person"][played.session]
    order = np.lexsort((played.t0_ms, person))
    head = np.ones(len(order), np.bool_)
    head[1:] = person[order][1:] != person[order][:-1]
    people = Segments(np.cumsum(head))
    until = people.previous(people.running_max(played.t1_ms[order] - EPOCH_MS), 0) + EPOCH_MS
    start = np.maximum(played.t0_ms[order], until)
    adds = start < played.t1_ms[order]
    return order[adds], start[adds]
