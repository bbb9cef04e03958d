"""学习期间不是同一人: one sitting whose face stands out of a learner's course, or two people in it.

Distances between the faces of a learner's sittings were measured where these were decided
(app/vision/course.py); here they become findings, for a person who puts the photos side by side.
A new pair of glasses, a beard or another room is as good a reason as a friend, so this accuses
nobody and takes no minute away.
"""

from __future__ import annotations

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.trace import OverCourse, Trace

RULE = "person_over_course"


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """One finding a sitting that stands out alone, one a learner whose sittings are of two groups,
    on the latest sitting of the smaller, and one where all of them are off the enrolled face;
    evidence class C-."""
    trace = facts.trace
    least = policy[RULE]["min_sittings"]
    course = trace.course
    known = course[course["sittings"] + course["others"] >= least]
    of_two = known[known["kind"] == OverCourse.TWO]
    cases = trace.sessions["case"][of_two["session"]]
    latest = [of_two[np.flatnonzero(cases == case)[-1]] for case in np.unique(cases)]
    grouped = np.isin(trace.sessions["case"][known["session"]], cases)
    alone = known[(known["kind"] == OverCourse.ODD) & ~grouped]
    told = [(it, "odd_sitting") for it in alone] + [(it, "two_people") for it in latest]
    told += [(it, "other_throughout") for it in known[known["kind"] == OverCourse.WHOLE]]
    return [_finding(trace, it, reason) for it, reason in told]


def _finding(trace: Trace, stands_out: np.void, reason: str) -> Finding:
    session = int(stands_out["session"])
    return Finding(
        rule=RULE,
        outcome=Outcome.REVIEW,
        reason=reason,
        fault=Fault.UNDETERMINED,
        evidence=Evidence.STATISTIC,
        session=session,
        start_ms=int(trace.sessions["start_ms"][session]),
        end_ms=int(trace.sessions["end_ms"][session]),
        measured=round(float(stands_out["distance"]), 4),
        limit=round(float(stands_out["limit"]), 4),
        unit="distance",
        photos=tuple(range(int(trace.photos_at[session]), int(trace.photos_at[session + 1]))),
        numbers={
            "sittings": float(stands_out["sittings"]),
            "others": float(stands_out["others"]),
        },
    )
