"""Re-used photos: a snapshot that exists already under another, of whichever learner.

Identical bytes are proof of the same file, not of intent: a person confirms before it is a
violation, and the stretch between the neighbouring genuine checks earns nothing meanwhile. A
photograph that was changed and handed in again is likely, not certain: a person is shown both,
and it costs nothing until somebody decides.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy
from detectors.trace import Check, Ints, PhotoFlag, SessionFlag, Trace, owners

RULE = "photo_reuse"


def detect(facts: Facts, _policy: Policy) -> list[Finding]:
    """At most one finding of either kind per session; evidence class S."""
    trace = facts.trace
    either = PhotoFlag.SEEN_BEFORE | PhotoFlag.NEAR_DUPLICATE
    sessions = np.unique(owners(trace.photos_at)[(trace.photos["flags"] & either) != 0])
    return [finding for session in sessions for finding in _findings(trace, int(session))]


def _findings(trace: Trace, session: int) -> Iterator[Finding]:
    flags = trace.photos_of(session)["flags"]
    same = (flags & PhotoFlag.SEEN_BEFORE) != 0
    alike = (flags & PhotoFlag.NEAR_DUPLICATE) != 0
    if np.any(same):
        yield _finding(trace, session, np.flatnonzero(same), "identical_bytes")
    if np.any(alike & ~same):
        yield _finding(trace, session, np.flatnonzero(alike & ~same), "near_duplicate")


def _finding(trace: Trace, session: int, rows: Ints, reason: str) -> Finding:
    """Over the time between the genuine checks around the photos."""
    first, photos = int(trace.photos_at[session]), trace.photos_of(session)
    start, end = (int(trace.sessions[name][session]) for name in ("start_ms", "end_ms"))
    at = photos["recv_ms"].astype(np.int64) + start
    genuine = photos["check"] == Check.MATCH
    genuine[rows] = False
    before = at[genuine & (at < at[rows[0]])]
    after = at[genuine & (at > at[rows[-1]])]
    identical = reason == "identical_bytes"
    # The files of an import passed through the platform's hands.
    imported = bool(trace.sessions["flags"][session] & SessionFlag.ATTESTED)
    return Finding(
        rule=RULE,
        outcome=Outcome.REVIEW,
        reason=reason,
        fault=Fault.LEARNER if identical and not imported else Fault.UNDETERMINED,
        # One honest pair in some four hundred looks alike: a person looks, nobody waits.
        evidence=Evidence.SERVER if identical else Evidence.STATISTIC,
        session=session,
        start_ms=int(before.max()) if len(before) else start,
        end_ms=int(after.min()) if len(after) else max(end, int(at.max())),
        measured=float(len(rows)),
        limit=0.0,
        unit="count",
        voids=identical,
        photos=tuple(int(first + row) for row in rows),
    )
