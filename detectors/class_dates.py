"""Study outside the days of the class: before it began, after it ended, or once it was assessed.

It is kept and counts for nothing, and nobody is accused of it: a timetable was wrong, or a learner
was eager. A sitting that runs past midnight of the last day counts up to midnight. What an outage
held back counts where it may have been played in time.
"""

from __future__ import annotations

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.trace import Ints

RULE = "class_dates"


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """At most one finding a sitting and side of the class's days; evidence class S.

    Days that only the platform says were added are a side of their own.

    Not proven where nothing of the sitting lies inside; where something does, it counts, and the
    rest is told of as not counted.
    """
    sessions, runs = facts.trace.sessions, facts.runs
    first, until = sessions["counts_from_ms"], sessions["counts_until_ms"]
    own = runs.session
    known = (until > 0).take(own)
    held_ms = np.where(runs.stale_ms > policy["popup_gap"].ms("offline_gap_s"), runs.stale_ms, 0)
    early = np.where(known, np.clip(first.take(own) - runs.t0_ms, 0, runs.t1_ms - runs.t0_ms), 0)
    end = until.take(own) + held_ms
    late = np.where(known, np.clip(runs.t1_ms - end, 0, runs.t1_ms - runs.t0_ms), 0)
    stated = np.maximum(sessions["stated_until_ms"], until).take(own) + held_ms
    waits = late - np.where(known, np.clip(runs.t1_ms - stated, 0, late), 0)
    count = len(sessions)
    total = np.bincount(own, runs.t1_ms - runs.t0_ms, count)
    outside = np.bincount(own, early + late, count)
    found: list[Finding] = []
    sides = (
        ("before_the_class", early),
        ("days_not_accepted", waits),
        ("after_the_class", late - waits),
    )
    for reason, share in sides:
        spent = np.bincount(own, share, count)
        for session in np.flatnonzero(spent > 0).tolist():
            rows = np.flatnonzero((own == session) & (share > 0))
            begin, finish = _stretch(facts, rows, reason, int(first[session]), (end, stated))
            wholly = outside[session] >= total[session]
            found.append(
                Finding(
                    rule=RULE,
                    outcome=Outcome.NOT_PROVEN if wholly else Outcome.CLEAR,
                    reason=reason,
                    fault=Fault.INSTITUTION,
                    evidence=Evidence.SERVER,
                    session=session,
                    start_ms=begin,
                    end_ms=finish,
                    measured=float(spent[session]) / 1000,
                    limit=0.0,
                    voids=True,
                )
            )
    return sorted(found, key=lambda it: (it.session, it.start_ms))


def _stretch(
    facts: Facts, rows: Ints, reason: str, first_ms: int, ends: tuple[Ints, Ints]
) -> tuple[int, int]:
    """From the first to the last moment of a sitting's play that lies on one side; `ends` of the
    class as accepted, and as stated."""
    begin, finish = facts.runs.t0_ms.take(rows), facts.runs.t1_ms.take(rows)
    if reason == "before_the_class":
        return int(begin.min()), min(int(finish.max()), first_ms)
    accepted, stated = (it.take(rows) for it in ends)
    if reason == "days_not_accepted":
        return int(np.maximum(begin, accepted).min()), int(np.minimum(finish, stated).max())
    return int(np.maximum(begin, stated).min()), int(finish.max())
