"""Study at hours of the day at which the place lets none count, as in the middle of the night.

It is kept and counts for nothing, and nobody is accused of it. What an outage held back counts
where it may have been played at an hour that is allowed.
"""

from __future__ import annotations

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.shanghai import days_of, midnight_ms, split_at_midnight

RULE = "allowed_hours"
HOUR_MS = 3_600_000


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """One finding for each stretch of a sitting outside the hours; evidence class S.

    Not proven where nothing of the sitting lies inside; else the rest of it counts.
    """
    runs, count = facts.runs, len(facts.trace)
    if not len(runs):
        return []
    rule = policy[RULE]
    opens, closes = (round(rule[name] * HOUR_MS) for name in ("from_hour", "until_hour"))
    row, begin, end = split_at_midnight(np.arange(len(runs)), runs.t0_ms, runs.t1_ms)
    midnight = midnight_ms(days_of(begin))
    held = runs.stale_ms[row]
    held = np.where(held > policy["popup_gap"].ms("offline_gap_s"), held, 0)
    open_ms, close_ms = midnight + opens, midnight + closes
    early = np.stack([begin, np.minimum(end, open_ms)])
    early[1] = np.where(begin - held < open_ms - _night(opens, closes), begin, early[1])
    late = np.stack([np.maximum(begin, close_ms + held), end])
    found = [
        (int(runs.session[row[at]]), int(low[at]), int(high[at]))
        for low, high in (early, late)
        for at in np.flatnonzero(high > low).tolist()
    ]
    outside = np.zeros(count, np.int64)
    for session, low, high in found:
        outside[session] += high - low
    total = np.bincount(runs.session, runs.t1_ms - runs.t0_ms, count)
    return [
        Finding(
            rule=RULE,
            outcome=Outcome.NOT_PROVEN if outside[session] >= total[session] else Outcome.CLEAR,
            reason="not_at_this_hour",
            fault=Fault.INSTITUTION,
            evidence=Evidence.SERVER,
            session=session,
            start_ms=low,
            end_ms=high,
            measured=(high - low) / 1000,
            limit=0.0,
            voids=True,
        )
        for session, low, high in sorted(found)
    ]


def _night(opens: int, closes: int) -> int:
    """How long nothing counts, from one day's close to the next one's opening."""
    return opens + 24 * HOUR_MS - closes
