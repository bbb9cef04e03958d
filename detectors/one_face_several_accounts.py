"""One face under several accounts: a hint for a person, who looks at both and knows of twins.

The search over the accounts' mean faces was made before (app/domain/faces/same_face.py); here its
pairs are put beside what the sittings say. Among n accounts there are n²/2 chances for a pair by
accident, so it never says more than "look at these two", and a device that both use is told along.
"""

from __future__ import annotations

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.trace import Trace

RULE = "one_face_several_accounts"


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """One note per person, of the closest look-alike, on the last sitting; evidence class C-."""
    trace = facts.trace
    last = {int(person): row for row, person in enumerate(trace.sessions["person"])}
    closest: dict[int, np.void] = {}
    for pair in trace.faces[np.argsort(trace.faces["distance"], kind="stable")]:
        if pair["pictures"] >= policy[RULE]["min_pictures"]:
            for person in (int(pair["one"]), int(pair["other"])):
                closest.setdefault(person, pair)
    return [
        _note(trace, pair, last, person)
        for person, pair in sorted(closest.items())
        if person in last
    ]


def _note(trace: Trace, pair: np.void, last: dict[int, int], person: int) -> Finding:
    session = last[person]
    other = int(pair["other"] if person == pair["one"] else pair["one"])
    return Finding(
        rule=RULE,
        outcome=Outcome.REVIEW,
        reason="faces_alike",
        fault=Fault.UNDETERMINED,
        evidence=Evidence.STATISTIC,
        session=session,
        start_ms=int(trace.sessions["start_ms"][session]),
        end_ms=int(trace.sessions["end_ms"][session]),
        measured=round(float(pair["distance"]), 4),
        limit=round(float(pair["limit"]), 4),
        unit="distance",
        rival=last.get(other, -1),
        numbers={"shared_devices": float(_shared(trace, person, other))},
    )


def _shared(trace: Trace, one: int, other: int) -> int:
    """Devices on which both studied."""
    people, devices = trace.sessions["person"], trace.sessions["device"]
    return len(np.intersect1d(devices[people == one], devices[people == other]))
