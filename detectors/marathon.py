"""Marathon days: more credited study in one day than people manage. Raises priority, no more."""

from __future__ import annotations

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy

RULE = "marathon"
DAY_MS = 86_400_000
SHANGHAI_MS = 8 * 3_600_000


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """One note per person and calendar day in Asia/Shanghai above the limit; evidence class C-."""
    trace, played = facts.trace, facts.runs
    if not len(played):
        return []
    midnight = (played.t0_ms + SHANGHAI_MS) // DAY_MS * DAY_MS + DAY_MS - SHANGHAI_MS
    over = np.flatnonzero(played.t1_ms > midnight)
    row = np.concatenate([np.arange(len(played)), over])
    begin = np.concatenate([played.t0_ms, midnight[over]])
    end = np.concatenate([np.minimum(played.t1_ms, midnight), played.t1_ms[over]])
    person = trace.sessions["person"].astype(np.int64)[played.session[row]]
    day = (begin + SHANGHAI_MS) // DAY_MS
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
