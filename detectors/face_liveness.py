"""无法进行人脸活体比对: the comparison with the enrolled face could not be made, or did not pass.

Photos were already compared (app/vision); here only their results are weighed, of those that came
in time. A retry that passes excuses what came before it; where the pack demands a living person,
and wherever pictures looked like an attack, only one that turned the head as asked does. Another
person and an attack are proposed for two reviewers and earn nothing meanwhile; what lies near the
threshold goes to one. Bad light, a camera that is broken or denied, a check that nobody met cost
minutes and are never a violation: the stretch back to the last check that passed, and a class-hour
without one of its own is not proven, or by the pack for a person, unless somebody checked in
person.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from detectors import face_schedule
from detectors.class_hours import coverage, hour_key
from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.photo_retention import (
    checked_in_person,
    hour_length,
    hour_of_photos,
    last_session,
)
from detectors.policy import Policy, RulePolicy
from detectors.segments import Segments
from detectors.trace import (
    NONE,
    Bools,
    Check,
    Control,
    ControlFlag,
    Ints,
    PhotoFlag,
    SessionFlag,
    Trace,
    owners,
)

RULE = "face_liveness"
_UNCLEAR = (
    Check.NO_FACE,
    Check.SEVERAL_FACES,
    Check.LOW_QUALITY,
    Check.UNREADABLE,
)
# What has a finding of its own, or is not for the learner to mend.
_TOLD_ELSEWHERE = (
    Check.PENDING,
    Check.REVIEW,
    Check.MISMATCH,
    Check.SPOOF,
    Check.LOST,
    Check.NO_REFERENCE,
    Check.NO_CONSENT,
)
_DEMANDED = (Control.FACE_CHECK, Control.SNAPSHOT)
_ODD = (Check.PENDING, Check.REVIEW, Check.MISMATCH, Check.SPOOF)
MISMATCHES = 2  # one failed comparison may be chance
_WITHOUT_LIVE = {"not_proven": Outcome.NOT_PROVEN, "pending_review": Outcome.REVIEW}


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """Findings on the comparisons of each session and class-hour; evidence class S."""
    trace, rule = facts.trace, policy[RULE]
    own = owners(trace.photos_at)
    passed = _passed(facts)
    good = np.bincount(own[passed], minlength=len(trace))
    other = np.bincount(own[~passed], minlength=len(trace))
    asked = np.bincount(
        owners(trace.controls_at)[trace.controls["kind"] == Control.FACE_CHECK],
        minlength=len(trace),
    )
    spent = facts.runs.total_ms(len(trace))
    told = _told_in_time(facts, policy["popup_gap"].ms("offline_gap_s"))
    odd = np.bincount(
        own[facts.timely & np.isin(trace.photos["check"], _ODD)], minlength=len(trace)
    )
    quiet = (good > 0) & (asked == 0) & (odd == 0)  # passed, and nothing else to be said
    findings: list[Finding] = []
    looked_at = (other > 0) | (((good == 0) | (asked > 0)) & (spent > 0))
    for session in np.flatnonzero(looked_at & ~quiet):
        findings += _Sitting(facts, int(session), int(told[session]), rule, passed).findings()
    findings += _overdue(facts, policy)
    return findings + _unchecked_hours(facts, policy, findings)


def _passed(facts: Facts) -> Bools:
    """Photos that show the learner, in answer to a control and in time. Where the platform runs
    the controls it need not have told of each."""
    trace, photos = facts.trace, facts.trace.photos
    flags = photos["flags"]
    platform = (trace.sessions["flags"] & SessionFlag.PLATFORM_CONTROLS) != 0
    asked = ((flags & PhotoFlag.BOUND) != 0) | platform[owners(trace.photos_at)]
    fresh = (flags & PhotoFlag.SEEN_BEFORE) == 0
    return (photos["check"] == Check.MATCH) & fresh & asked & facts.timely


_ITS_OWN = SessionFlag.PLATFORM_CONTROLS | SessionFlag.ATTESTED


def asked_in(facts: Facts, policy: Policy, hour: Ints) -> Bools:
    """Whether each class-hour needs a face check of its own."""
    return face_schedule.asked_in(facts, policy[RULE], hour)


def checks_passed(facts: Facts, policy: Policy, case: Ints, hour: Ints) -> Ints:
    """How many photos prove a face check of each class-hour's own: kept, in time, of the enrolled
    face (what lies near the threshold waits for its reviewer elsewhere), and where the pack demands
    it of a burst that turned the head as asked. Only this service asks for such checks and times
    their answer: a platform that runs the controls itself may compare its random photos, and its
    class waits for the authority's act."""
    return _count(facts, case, hour, live=bool(policy[RULE]["live_required"]))


def _count(facts: Facts, case: Ints, hour: Ints, *, live: bool) -> Ints:
    found = np.sort(hour_key(*hour_of_photos(facts, _proofs(facts, live=live))))
    wanted = hour_key(case, hour)
    low = np.searchsorted(found, wanted)
    counts: Ints = np.searchsorted(found, wanted, side="right") - low
    return counts


def _proofs(facts: Facts, *, live: bool) -> Ints:
    """Rows of the photos that prove a face check."""
    trace, photos = facts.trace, facts.trace.photos
    flags = photos["flags"]
    kinds = np.append(trace.controls["kind"], 0)
    session = owners(trace.photos_at)
    row = np.where(photos["control"] == NONE, -1, photos["control"] + trace.controls_at[session])
    platform = (trace.sessions["flags"] & SessionFlag.PLATFORM_CONTROLS) != 0
    check = (kinds[row] == Control.FACE_CHECK) | (photos["control"] == NONE)
    bound = (flags & PhotoFlag.BOUND) != 0
    near = (photos["check"] == Check.REVIEW) & facts.timely & (bound | platform[session])
    good = _passed(facts) | (near & ((flags & PhotoFlag.SEEN_BEFORE) == 0))
    good &= (check | platform[session]) & ((flags & PhotoFlag.KEPT) != 0)
    if live:
        own_way = (trace.sessions["flags"] & _ITS_OWN) != 0
        good &= ((flags & PhotoFlag.LIVE) != 0) | own_way[session]
    return np.flatnonzero(good)


def _overdue(facts: Facts, policy: Policy) -> list[Finding]:
    """Study beyond the place's interval of face checks: minutes, no more, and none of class-hours
    that somebody checked in person."""
    rule = policy[RULE]
    proofs = _proofs(facts, live=bool(rule["live_required"]))
    return [
        Finding(
            rule=RULE,
            outcome=Outcome.CLEAR,
            reason="interval_missed",
            fault=Fault.UNDETERMINED,
            evidence=Evidence.SERVER,
            session=session,
            start_ms=low,
            end_ms=high,
            measured=studied / 1000,
            limit=rule["interval_s"],
            voids=True,
        )
        for session, since, until, studied in face_schedule.overdue(facts, policy, RULE, proofs)
        for low, high in _not_in_person(facts, session, since, until)
    ]


def _not_in_person(facts: Facts, session: int, start: int, end: int) -> list[tuple[int, int]]:
    """What of a stretch of time lies outside class-hours that were checked in person."""
    parts = facts.parts
    mine = parts.where(parts.session == session)
    spared = mine.where(checked_in_person(facts, mine.case, mine.hour))
    left = [(start, end)]
    for low, high in zip(spared.t0_ms.tolist(), spared.t1_ms.tolist(), strict=True):
        left = [
            piece
            for a, b in left
            for piece in ((a, min(b, low)), (max(a, high), b))
            if piece[1] > piece[0]
        ]
    return left


def _unchecked_hours(facts: Facts, policy: Policy, told: list[Finding]) -> list[Finding]:
    """Complete class-hours without a passed check of their own, where nothing said so before."""
    parts = facts.parts
    covered = coverage(parts)
    if not len(covered.hour):
        return []
    full = hour_length(facts)[covered.hour]
    bare = checks_passed(facts, policy, covered.case, covered.hour) == 0
    bare &= asked_in(facts, policy, covered.hour)
    bare &= covered.credited_ms >= full * policy["class_hour"]["coverage"]
    bare &= ~checked_in_person(facts, covered.case, covered.hour)
    still = _count(facts, covered.case, covered.hour, live=False) > 0
    said = {it.session for it in told if it.outcome is not Outcome.CLEAR}
    wanted = hour_key(covered.case, covered.hour)
    last = last_session(facts, wanted)
    keys = hour_key(parts.case, parts.hour)
    first, end = np.searchsorted(keys, wanted), np.searchsorted(keys, wanted, side="right")
    gone = (facts.trace.photos["flags"] & PhotoFlag.KEPT) == 0
    lacking = set(owners(facts.trace.photos_at)[gone].tolist())
    findings = []
    for row in np.flatnonzero(bare).tolist():
        mine = slice(int(first[row]), int(end[row]))
        sittings = set(parts.session[mine].tolist())
        if said & sittings:
            continue
        lost = bool(lacking & sittings)
        reason, fault, outcome = "hour_not_checked", Fault.UNDETERMINED, Outcome.NOT_PROVEN
        if lost:
            reason, fault = "hour_photos_lost", Fault.ENVIRONMENT
        elif still[row]:
            reason = "hour_not_live"
            outcome = _WITHOUT_LIVE[policy[RULE].word("without_live")]
        findings.append(
            Finding(
                rule=RULE,
                outcome=outcome,
                reason=reason,
                fault=fault,
                evidence=Evidence.SERVER,
                session=int(last[row]),
                hour=int(covered.hour[row]),
                start_ms=int(parts.t0_ms[mine].min()),
                end_ms=int(parts.t1_ms[mine].max()),
                measured=0.0,
                limit=1.0,
                unit="count",
            )
        )
    return findings


def _told_in_time(facts: Facts, offline: int) -> Ints:
    """Time of every session in which it played and the server could ask for a photo: what an
    outage holds back counts for `offline` ms at most."""
    samples = facts.played.samples
    gap = samples.u_ms - Segments(samples.own).previous(samples.u_ms, 0)
    heard = np.where(samples.advance_ms > 0, np.minimum(gap, offline), 0)
    return np.bincount(samples.own, weights=heard, minlength=len(facts.trace)).astype(np.int64)


class _Sitting:
    def __init__(
        self, facts: Facts, session: int, told: int, rule: RulePolicy, passed: Bools
    ) -> None:
        trace: Trace = facts.trace
        self.facts, self.trace, self.session = facts, trace, session
        self.rule, self.told = rule, told
        row = trace.sessions[session]
        self.start, self.end = int(row["start_ms"]), int(row["end_ms"])
        self.flags = int(row["flags"])
        self.first = int(trace.photos_at[session])
        mine = slice(self.first, int(trace.photos_at[session + 1]))
        self.photos = trace.photos[mine]
        self.timely = facts.timely[mine]
        self.check = np.where(self.timely, self.photos["check"], Check.NOT_COMPARED)
        self.still = (self.photos["flags"] & PhotoFlag.FEED_NOT_LIVE) != 0
        self.passed = passed[mine]
        self.live = self.passed & ((self.photos["flags"] & PhotoFlag.LIVE) != 0)
        # What makes up for a photo before it.
        asks = bool(rule["live_required"]) and not self.flags & _ITS_OWN
        self.excuses = self.live if asks else self.passed
        self.at = self.photos["recv_ms"].astype(np.int64) + self.start
        self.controls = trace.controls_of(session)
        self.demanded = int(np.count_nonzero(np.isin(self.controls["kind"], _DEMANDED)))

    def findings(self) -> list[Finding]:
        found = self._mismatches() + self._attacks() + self._feeds() + self._near_threshold()
        if not found and np.any(self.check == Check.PENDING):
            return [self._missing("check_pending", Fault.ENVIRONMENT)]
        if np.any(self.passed):
            return found + self._lost()
        return found or self._unproven()

    def _finding(self, reason: str, rows: np.ndarray, outcome: Outcome) -> Finding:
        """A finding on photos, over the time since the last passed check before them until the
        next one after; the two numbers are the worst face distance and its threshold."""
        before = self.at[self.passed & (self.at < self.at[rows[0]])]
        after = self.at[self.passed & (self.at > self.at[rows[-1]])]
        scores = self.photos["score"][rows]
        worst = rows[int(np.nanargmax(scores))] if np.any(np.isfinite(scores)) else rows[-1]
        score, limit = self.photos["score"][worst], self.photos["limit"][worst]
        return Finding(
            rule=RULE,
            outcome=outcome,
            reason=reason,
            fault=Fault.UNDETERMINED,
            evidence=Evidence.SERVER,
            session=self.session,
            start_ms=int(before.max()) if len(before) else self.start,
            end_ms=int(after.min()) if len(after) else max(self.end, int(self.at.max())),
            measured=round(float(score), 4) if np.isfinite(score) else 0.0,
            limit=round(float(limit), 4) if np.isfinite(limit) else 0.0,
            unit="distance",
            voids=True,
            photos=tuple(int(self.first + row) for row in rows),
            numbers={"photos": float(len(rows))},
        )

    def _mismatches(self) -> list[Finding]:
        rows = np.flatnonzero(self.check == Check.MISMATCH)
        if not len(rows):
            return []
        if len(rows) >= MISMATCHES:
            # Where nothing ever matched, the enrolled photo may be the wrong one.
            seen = np.any(self.passed)
            reason = "other_person" if seen else "enrolled_never_seen"
            finding = self._finding(reason, rows, Outcome.REVIEW)
            return [
                replace(
                    finding,
                    fault=Fault.LEARNER if seen else Fault.UNDETERMINED,
                    needs_two_reviewers=bool(self.rule.parameters["two_reviewers"]),
                )
            ]
        if np.any(self.excuses & (self.at > self.at[rows[0]])):
            return []  # the retry passed
        return [self._finding("single_mismatch", rows, Outcome.REVIEW)]

    def _attacks(self) -> list[Finding]:
        rows = np.flatnonzero(self.check == Check.SPOOF)
        if not len(rows):
            return []
        finding = self._finding("presentation_attack", rows, Outcome.REVIEW)
        return [
            replace(
                finding,
                fault=Fault.LEARNER,
                needs_two_reviewers=bool(self.rule.parameters["two_reviewers"]),
            )
        ]

    def _feeds(self) -> list[Finding]:
        """Pictures that look like an attack: a hint that only a later live check outweighs, since a
        photo may be one of the same picture."""
        rows = np.flatnonzero((self.check == Check.REVIEW) & self.still)
        if not len(rows) or np.any(self.live & (self.at > self.at[rows[-1]])):
            return []
        finding = self._finding("feed_not_live", rows, Outcome.REVIEW)
        count = float(len(rows))
        return [replace(finding, measured=count, limit=0.0, unit="count", voids=False)]

    def _near_threshold(self) -> list[Finding]:
        rows = np.flatnonzero((self.check == Check.REVIEW) & ~self.still)
        if not len(rows) or np.any(self.excuses & (self.at > self.at[rows[-1]])):
            return []
        return [replace(self._finding("near_threshold", rows, Outcome.REVIEW), voids=False)]

    def _lost(self) -> list[Finding]:
        """Checks that ended without a pass: minutes, no more."""
        stretches: list[tuple[int, int]] = []
        for begun, over in self._failed_checks():
            before = self.at[self.passed & (self.at < begun)]
            after = self.at[self.passed & (self.at > over)]
            low = int(before.max()) if len(before) else self.start
            high = int(after.min()) if len(after) else max(self.end, int(self.at.max()))
            if stretches and low <= stretches[-1][1]:
                low = stretches.pop()[0]
            stretches.append((low, high))
        return [
            replace(
                self._absent("comparison_lost", Fault.UNDETERMINED),
                outcome=Outcome.CLEAR,
                start_ms=low,
                end_ms=high,
            )
            for stretch in stretches
            for low, high in _not_in_person(self.facts, self.session, *stretch)
        ]

    def _failed_checks(self) -> list[tuple[int, int]]:
        """(asked, over) of the checks whose tries were all spent while play went on; tries belong
        to one check when they repeat it, or come within the time for them."""
        low, high = np.searchsorted(self.facts.runs.session, (self.session, self.session + 1))
        played_until = int(self.facts.runs.t1_ms[low:high].max()) if high > low else self.start
        chains: list[list[int]] = []
        for row in np.flatnonzero(self.controls["kind"] == Control.FACE_CHECK).tolist():
            begun = chains and self.controls["issued_ms"][chains[-1][0]]
            near = chains and self.controls["issued_ms"][row] - begun <= self._tries_ms
            if chains and (near or self.controls["flags"][row] & ControlFlag.REISSUE):
                chains[-1].append(row)
            else:
                chains.append([row])
        failed = []
        for chain in chains:
            begun = self.start + int(self.controls["issued_ms"][chain[0]])
            last = self.controls[chain[-1]]
            end = int(last["due_ms"]) + max(0, int(last["window_ms"]))
            if last["expired_ms"] != NONE:
                end = int(last["expired_ms"])
            over = max(self.start + end, begun + self._tries_ms)
            then = (self.at >= begun) & (self.at <= over)
            answers = np.isin(self.photos["control"], chain)
            answers |= then & (self.photos["control"] == NONE)
            told = np.isin(self.check[answers], _TOLD_ELSEWHERE)
            if (
                over < played_until
                and not np.any(self.passed & (then | answers))
                and not told.any()
            ):
                failed.append((begun, over))
        return failed

    @property
    def _tries_ms(self) -> int:
        return self.rule.ms("retry_window_s")

    def _spared(self) -> bool:
        """Whether all that the sitting played lies in class-hours that were checked in person, or
        that need no check."""
        parts = self.facts.parts
        mine = parts.where(parts.session == self.session)
        seen = checked_in_person(self.facts, mine.case, mine.hour)
        seen |= ~face_schedule.asked_in(self.facts, self.rule, mine.hour)
        return len(mine) > 0 and bool(seen.all())

    def _unproven(self) -> list[Finding]:
        if self._spared():
            return []
        refused = not self.flags & SessionFlag.FACE_CONSENT
        if refused or np.any(self.check == Check.NO_CONSENT):
            return [self._missing("no_consent", Fault.UNDETERMINED)]
        if np.any(self.check == Check.NO_REFERENCE) or not (
            self.flags & SessionFlag.REFERENCE_PHOTO
        ):
            return [self._missing("no_reference_photo", Fault.INSTITUTION)]
        if np.any(self.check == Check.LOST):
            return [self._missing("photos_lost", Fault.ENVIRONMENT)]
        if not self.demanded and not len(self.photos):
            asked_none = self.flags & SessionFlag.PLATFORM_CONTROLS
            if asked_none and self.told > self._tries_ms:
                return [self._absent("no_face_control", Fault.PLATFORM)]
            return [self._missing("no_face_check", Fault.UNDETERMINED)]
        if np.any(np.isin(self.check, _UNCLEAR)):
            return [self._missing("comparison_unclear", Fault.ENVIRONMENT)]
        if not np.all(self.timely):
            return [self._missing("photos_late", Fault.UNDETERMINED)]
        if self.told > self.rule.ms("resume_after_s"):
            return [self._missing("check_not_met", Fault.UNDETERMINED)]
        return [self._missing("no_face_check", Fault.UNDETERMINED)]

    def _missing(self, reason: str, fault: Fault) -> Finding:
        return replace(self._absent(reason, fault), outcome=Outcome.NOT_PROVEN, voids=False)

    def _absent(self, reason: str, fault: Fault) -> Finding:
        return Finding(
            rule=RULE,
            outcome=Outcome.VIOLATION,
            reason=reason,
            fault=fault,
            evidence=Evidence.SERVER,
            session=self.session,
            start_ms=self.start,
            end_ms=self.end,
            measured=float(np.count_nonzero(self.passed)),
            limit=1.0,
            unit="count",
            voids=True,
            photos=tuple(range(self.first, self.first + len(self.photos))),
        )
