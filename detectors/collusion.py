"""Several learners moved by one hand: pop-ups answered in the same second, again and again.

One address or one classroom is no evidence, and neither is a single coincidence: within a class,
pairs of people are counted, and only a pair that coincides many times is shown to a person.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.trace import Control, owners

RULE = "collusion"
CROWD = 8  # more answers than this in one second are a bell in a classroom


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """One note per person whose answers coincide with another's too often; evidence class C-."""
    trace, limit = facts.trace, policy[RULE]["same_second_answers"]
    own = owners(trace.controls_at)
    controls = trace.controls
    rows = np.flatnonzero((controls["kind"] == Control.POPUP) & (controls["answered_ms"] >= 0))
    session = own[rows]
    second = (controls["answered_ms"][rows] + trace.sessions["start_ms"][session]) // 1000
    klass = trace.sessions["klass"].astype(np.int64)[session]
    order = np.lexsort((second, klass))
    same = np.flatnonzero((np.diff(second[order]) == 0) & (np.diff(klass[order]) == 0))
    if not len(same):
        return []
    people = trace.sessions["person"]
    moments: dict[tuple[int, int], dict[int, int]] = {}
    for row in np.union1d(same, same + 1):
        at = int(order[row])
        here = moments.setdefault((int(klass[at]), int(second[at])), {})
        here[int(people[session[at]])] = int(session[at])
    pairs: Counter[tuple[int, int]] = Counter()
    where: dict[int, int] = {}
    for crowd in moments.values():
        where |= crowd
        if 2 <= len(crowd) <= CROWD:
            pairs.update(combinations(sorted(crowd), 2))
    closest: dict[int, tuple[int, int]] = {}
    for (one, other), count in sorted(pairs.items()):
        for person, rival in ((one, other), (other, one)):
            if count >= limit and count > closest.get(person, (0, 0))[0]:
                closest[person] = count, rival
    return [
        Finding(
            rule=RULE,
            outcome=Outcome.REVIEW,
            reason="answers_coincide",
            fault=Fault.UNDETERMINED,
            evidence=Evidence.STATISTIC,
            session=where[person],
            start_ms=int(trace.sessions["start_ms"][where[person]]),
            end_ms=int(trace.sessions["end_ms"][where[person]]),
            measured=float(count),
            limit=limit,
            unit="count",
            rival=where[rival],
        )
        for person, (count, rival) in sorted(closest.items())
    ]
