"""每课时无随机保留影像照片: a complete class-hour without a kept photo taken at a random time.

The photo answers a control whose time the server drew, in that control's window, lies inside the
class-hour, and its bytes are still retrievable and unaltered. A photo that is missing accuses a
platform that asked for none; a camera that is broken, denied or slow accuses nobody.
"""

from __future__ import annotations

import numpy as np

from detectors.class_hours import HourParts, changes, coverage, hour_key
from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.photo_window import window_ends
from detectors.policy import Policy
from detectors.trace import (
    NONE,
    Bools,
    Check,
    Control,
    Ints,
    PhotoFlag,
    SessionFlag,
    owners,
)

RULE = "photo_retention"
_COUNTS = PhotoFlag.BOUND | PhotoFlag.RANDOM_TIME | PhotoFlag.KEPT


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """Findings on complete class-hours; evidence class S."""
    trace, parts = facts.trace, facts.parts
    covered = coverage(parts)
    full = hour_length(facts)[covered.hour] if len(covered.hour) else covered.credited_ms
    complete = covered.credited_ms >= full * policy["class_hour"]["coverage"]
    photos = np.flatnonzero(_kept(facts))
    of = hour_key(*hour_of_photos(facts, photos))
    faceless = np.isin(trace.photos["check"][photos], (Check.NO_FACE, Check.UNREADABLE))
    wanted = hour_key(covered.case, covered.hour)
    least = policy[RULE]["photos_min"]
    shown = _count(of[~faceless], wanted)
    any_photo = _count(of, wanted)
    last = last_session(facts, wanted)
    findings = _empty_rooms(facts, photos[faceless])
    spared = policy[RULE]["in_person_counts"] * checked_in_person(facts, covered.case, covered.hour)
    for row in np.flatnonzero(complete & (shown < least) & (spared == 0)):
        case, hour = int(covered.case[row]), int(covered.hour[row])
        mine = parts.of_case(case)
        mine = mine.where(mine.hour == hour)
        judged = _judge(facts, mine, int(any_photo[row]), least)
        if judged is None:
            continue
        outcome, reason, fault = judged
        findings.append(
            Finding(
                rule=RULE,
                outcome=outcome,
                reason=reason,
                fault=fault,
                evidence=Evidence.SERVER,
                session=int(last[row]),
                hour=hour,
                start_ms=int(mine.t0_ms.min()),
                end_ms=int(mine.t1_ms.max()),
                measured=float(any_photo[row] if reason == "no_face_visible" else shown[row]),
                limit=float(least),
                unit="count",
            )
        )
    return findings


def _empty_rooms(facts: Facts, photos: Ints) -> list[Finding]:
    """A note on every random photo that shows nobody, whatever else its class-hour has."""
    trace = facts.trace
    session = owners(trace.photos_at)[photos]
    at = trace.sessions["start_ms"][session] + trace.photos["recv_ms"][photos]
    return [
        Finding(
            rule=RULE,
            outcome=Outcome.REVIEW,
            reason="empty_photo",
            fault=Fault.UNDETERMINED,
            evidence=Evidence.STATISTIC,
            session=int(session[row]),
            start_ms=int(at[row]),
            end_ms=int(at[row]),
            measured=0.0,
            limit=1.0,
            unit="count",
            photos=(int(photos[row]),),
        )
        for row in range(len(photos))
    ]


def _kept(facts: Facts) -> Bools:
    flags = facts.trace.photos["flags"]
    kept = ((flags & _COUNTS) == _COUNTS) & ((flags & PhotoFlag.SEEN_BEFORE) == 0)
    return kept & facts.timely


def checked_in_person(facts: Facts, case: Ints, hour: Ints) -> Bools:
    """Class-hours in which somebody saw the learner study, as recorded."""
    known = facts.trace.in_person
    keys = hour_key(known["case"].astype(np.int64), known["hour"].astype(np.int64))
    return np.isin(hour_key(case, hour), keys)


def hour_length(facts: Facts) -> Ints:
    """Content of every class-hour number of the trace, int64[hours]."""
    pieces = facts.trace.pieces
    if not len(pieces):
        return np.zeros(0, np.int64)
    length = (pieces["end_ms"] - pieces["start_ms"]).astype(np.int64)
    return np.bincount(pieces["hour"], weights=length).astype(np.int64)


def hour_of_photos(facts: Facts, photos: Ints) -> tuple[Ints, Ints]:
    """Case and class-hour that each photo was taken in, by its receipt, or by the end of its window
    where an outage held it back; NONE where none was."""
    trace, parts = facts.trace, facts.parts
    session = owners(trace.photos_at)[photos]
    case = trace.sessions["case"].astype(np.int64)[session]
    received = trace.photos["recv_ms"][photos].astype(np.int64)
    ends = window_ends(trace)[photos]
    at = trace.sessions["start_ms"][session] + np.where(
        (ends == NONE) | ~facts.timely[photos], received, np.minimum(received, ends)
    )
    row = facts.find.row_at(session, case, at)
    hour = np.where(row == NONE, NONE, parts.hour[row] if len(parts) else NONE)
    return case, hour


def kept_photos(facts: Facts, case: Ints, hour: Ints, *, matching: bool = False) -> Ints:
    """How many random photos are kept of each (case, hour); with `matching`, of those that passed
    the comparison with the enrolled face."""
    kept = _kept(facts)
    if matching:
        kept &= facts.trace.photos["check"] == Check.MATCH
    photos = np.flatnonzero(kept)
    return _count(hour_key(*hour_of_photos(facts, photos)), hour_key(case, hour))


def _count(keys: Ints, wanted: Ints) -> Ints:
    keys = np.sort(keys)
    low = np.searchsorted(keys, wanted)
    return np.searchsorted(keys, wanted, side="right") - low


def last_session(facts: Facts, wanted: Ints) -> Ints:
    """The session that each (case, hour) was played in last."""
    parts = facts.parts
    if not len(parts):
        return np.zeros(0, np.int64)
    head = np.flatnonzero(changes(parts.case, parts.hour))
    tail = np.append(head[1:], len(parts)) - 1
    key = hour_key(parts.case[head], parts.hour[head])
    return parts.session[tail][np.searchsorted(key, wanted)]


def _judge(
    facts: Facts, mine: HourParts, any_photo: int, least: float
) -> tuple[Outcome, str, Fault] | None:
    """What a missing photo means; None where `photo_reuse` speaks of the photo that came."""
    trace, sessions = facts.trace, np.unique(mine.session)
    if any_photo >= least:
        return Outcome.REVIEW, "no_face_visible", Fault.UNDETERMINED
    begin, end = int(mine.t0_ms.min()), int(mine.t1_ms.max())
    demanded = lost = reused = late = False
    for session in sessions:
        start = trace.sessions["start_ms"][session]
        controls = trace.controls_of(int(session))
        issued = controls["issued_ms"] + start
        demanded |= bool(
            np.any((controls["kind"] == Control.SNAPSHOT) & (issued >= begin) & (issued <= end))
        )
        photos = trace.photos_of(int(session))
        rows = slice(int(trace.photos_at[session]), int(trace.photos_at[session + 1]))
        late |= not bool(np.all(facts.timely[rows]))
        lost |= bool(np.any((photos["flags"] & PhotoFlag.KEPT) == 0))
        reused |= bool(np.any((photos["flags"] & PhotoFlag.SEEN_BEFORE) != 0))
    if not np.all(trace.sessions["flags"][sessions] & SessionFlag.FACE_CONSENT):
        return Outcome.NOT_PROVEN, "no_consent", Fault.UNDETERMINED
    if reused:
        return None
    if lost:
        return Outcome.NOT_PROVEN, "photo_lost", Fault.ENVIRONMENT
    if late:
        return Outcome.NOT_PROVEN, "photo_late", Fault.UNDETERMINED
    if demanded:
        return Outcome.NOT_PROVEN, "photo_missing", Fault.UNDETERMINED
    if np.any(trace.sessions["flags"][sessions] & SessionFlag.PLATFORM_CONTROLS):
        return Outcome.VIOLATION, "no_photo_control", Fault.PLATFORM
    return Outcome.NOT_PROVEN, "no_photo", Fault.UNDETERMINED
