"""More study in one day than the place lets count: what lies beyond the cap counts for nothing.

A day is a person's, in Asia/Shanghai, over all accounts and windows; what runs in two of them at
once is one time. Nobody is accused. What an outage held back is added to no day that it need not
have been played on.
"""

from __future__ import annotations

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.marathon import once
from detectors.policy import Policy
from detectors.shanghai import days_of, split_at_midnight

RULE = "daily_cap"


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """At most one finding a sitting and day, from where the cap was reached; evidence class S.

    Not proven where the sitting brings nothing else; else the rest of it counts.
    """
    trace, runs = facts.trace, facts.runs
    if not len(runs):
        return []
    cap_ms = round(policy[RULE]["max_hours"] * 3_600_000)
    rows, start = once(trace, runs)
    row, begin, end = split_at_midnight(rows, start, runs.t1_ms[rows])
    day = days_of(begin)
    held_ms = policy["popup_gap"].ms("offline_gap_s")
    stale = runs.stale_ms[row]
    certain = (stale <= held_ms) | (days_of(begin - stale) == day)
    row, begin, end, day = (it[certain] for it in (row, begin, end, day))
    person = trace.sessions["person"].astype(np.int64)[runs.session[row]]
    found: dict[tuple[int, int], tuple[int, int]] = {}
    spent: dict[tuple[int, int], int] = {}
    for at in np.lexsort((begin, day, person)).tolist():
        key = (int(person[at]), int(day[at]))
        before, length = spent.get(key, 0), int(end[at] - begin[at])
        spent[key] = before + length
        if before + length > cap_ms:
            reached = int(begin[at]) + max(0, cap_ms - before)
            mine = (int(runs.session[row[at]]), int(day[at]))
            first, _ = found.get(mine, (reached, 0))
            found[mine] = (first, int(end[at]))
    total = np.bincount(runs.session, runs.t1_ms - runs.t0_ms, len(trace))
    return [
        Finding(
            rule=RULE,
            outcome=Outcome.NOT_PROVEN if finish - first >= total[session] else Outcome.CLEAR,
            reason="beyond_the_cap",
            fault=Fault.INSTITUTION,
            evidence=Evidence.SERVER,
            session=session,
            start_ms=first,
            end_ms=finish,
            measured=(finish - first) / 1000,
            limit=cap_ms / 3_600_000,
            voids=True,
        )
        for (session, _), (first, finish) in sorted(found.items())
    ]
