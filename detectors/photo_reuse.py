"""Re-used photos: bytes that exist already under another snapshot, of whichever learner.

Identical bytes are proof of the same file, not of intent: a person confirms before it is a
violation, and the stretch between the neighbouring genuine checks earns nothing meanwhile.
"""

from __future__ import annotations

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.trace import Check, PhotoFlag, owners

RULE = "photo_reuse"


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """One finding per session that handed in bytes seen before; evidence class S."""
    trace = facts.trace
    seen = (trace.photos["flags"] & PhotoFlag.SEEN_BEFORE) != 0
    findings: list[Finding] = []
    for session in np.unique(owners(trace.photos_at)[seen]):
        first = int(trace.photos_at[session])
        photos = trace.photos_of(int(session))
        rows = np.flatnonzero((photos["flags"] & PhotoFlag.SEEN_BEFORE) != 0)
        start = int(trace.sessions["start_ms"][session])
        at = photos["recv_ms"].astype(np.int64) + start
        genuine = photos["check"] == Check.MATCH
        genuine[rows] = False
        before = at[genuine & (at < at[rows[0]])]
        after = at[genuine & (at > at[rows[-1]])]
        findings.append(
            Finding(
                rule=RULE,
                outcome=Outcome.REVIEW,
                reason="identical_bytes",
                fault=Fault.LEARNER,
                evidence=Evidence.SERVER,
                session=int(session),
                start_ms=int(before.max()) if len(before) else start,
                end_ms=int(after.min()) if len(after) else int(trace.sessions["end_ms"][session]),
                measured=float(len(rows)),
                limit=0.0,
                unit="count",
                voids=True,
                photos=tuple(int(first + row) for row in rows),
            )
        )
    return findings
