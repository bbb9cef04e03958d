"""无法进行人脸活体比对: the comparison with the enrolled face could not be made, or did not pass.

Photos were already compared (app/vision); here only their results are weighed. A retry that passes
excuses what came before it. Another person and an attack are proposed for two reviewers and earn
nothing meanwhile; what lies near the threshold goes to one; bad light costs minutes, never more.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from detectors.facts import Facts
from detectors.finding import Evidence, Fault, Finding, Outcome
from detectors.policy import Policy, RulePolicy
from detectors.segments import Segments
from detectors.trace import Check, Control, Ints, PhotoFlag, SessionFlag, Trace, owners

RULE = "face_liveness"
_UNCLEAR = (
    Check.NO_FACE,
    Check.SEVERAL_FACES,
    Check.LOW_QUALITY,
    Check.UNREADABLE,
)
MISMATCHES = 2  # one failed comparison may be chance


def detect(facts: Facts, policy: Policy) -> list[Finding]:
    """Findings on the comparisons of each session; evidence class S."""
    trace, rule = facts.trace, policy[RULE]
    own = owners(trace.photos_at)
    passed = trace.photos["check"] == Check.MATCH
    reused = (trace.photos["flags"] & PhotoFlag.SEEN_BEFORE) != 0
    good = np.bincount(own[passed & ~reused], minlength=len(trace))
    other = np.bincount(own[~passed], minlength=len(trace))
    spent = facts.runs.total_ms(len(trace))
    told = _told_in_time(facts, policy["popup_gap"].ms("offline_gap_s"))
    findings: list[Finding] = []
    for session in np.flatnonzero((other > 0) | ((good == 0) & (spent > 0))):
        findings += _Sitting(facts, int(session), int(told[session]), rule).findings()
    return findings


def _told_in_time(facts: Facts, offline: int) -> Ints:
    """Time of every session in which it played and the server could ask for a photo: what an
    outage holds back counts for `offline` ms at most."""
    samples = facts.played.samples
    gap = samples.u_ms - Segments(samples.own).previous(samples.u_ms, 0)
    heard = np.where(samples.advance_ms > 0, np.minimum(gap, offline), 0)
    return np.bincount(samples.own, weights=heard, minlength=len(facts.trace)).astype(np.int64)


class _Sitting:
    def __init__(self, facts: Facts, session: int, told: int, rule: RulePolicy) -> None:
        trace: Trace = facts.trace
        self.trace, self.session, self.rule, self.told = trace, session, rule, told
        row = trace.sessions[session]
        self.start, self.end = int(row["start_ms"]), int(row["end_ms"])
        self.flags = int(row["flags"])
        self.first = int(trace.photos_at[session])
        self.photos = trace.photos_of(session)
        self.check = self.photos["check"]
        self.still = (self.photos["flags"] & PhotoFlag.FEED_NOT_LIVE) != 0
        reused = (self.photos["flags"] & PhotoFlag.SEEN_BEFORE) != 0
        self.passed = (self.check == Check.MATCH) & ~reused
        self.at = self.photos["recv_ms"].astype(np.int64) + self.start
        controls = trace.controls_of(session)
        self.demanded = int(
            np.count_nonzero(np.isin(controls["kind"], (Control.FACE_CHECK, Control.SNAPSHOT)))
        )

    def findings(self) -> list[Finding]:
        found = self._mismatches() + self._attacks() + self._feeds() + self._near_threshold()
        if found:
            return found
        if np.any(self.check == Check.PENDING):
            return [self._missing("check_pending", Fault.ENVIRONMENT)]
        if np.any(self.passed):
            return self._lost_at_the_end()
        return self._never_compared()

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
        if np.any(self.passed & (self.at > self.at[rows[0]])):
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
        """Pictures that stand still or repeat: a hint that a later check that passes outweighs."""
        rows = np.flatnonzero((self.check == Check.REVIEW) & self.still)
        if not len(rows) or np.any(self.passed & (self.at > self.at[rows[-1]])):
            return []
        finding = self._finding("feed_not_live", rows, Outcome.REVIEW)
        count = float(len(rows))
        return [replace(finding, measured=count, limit=0.0, unit="count", voids=False)]

    def _near_threshold(self) -> list[Finding]:
        rows = np.flatnonzero((self.check == Check.REVIEW) & ~self.still)
        if not len(rows) or np.any(self.passed & (self.at > self.at[rows[-1]])):
            return []
        return [replace(self._finding("near_threshold", rows, Outcome.REVIEW), voids=False)]

    def _lost_at_the_end(self) -> list[Finding]:
        """Checks that failed for light or framing after the last passed one: minutes, no more."""
        last = self.at[self.passed].max()
        rows = np.flatnonzero(np.isin(self.check, _UNCLEAR) & (self.at > last))
        if len(rows) < self.rule["retries"]:
            return []
        return [self._finding("comparison_lost", rows, Outcome.CLEAR)]

    def _never_compared(self) -> list[Finding]:
        if np.any(self.check == Check.NO_CONSENT):
            return [self._missing("no_consent", Fault.UNDETERMINED)]
        if np.any(self.check == Check.NO_REFERENCE) or not (
            self.flags & SessionFlag.REFERENCE_PHOTO
        ):
            return [self._missing("no_reference_photo", Fault.INSTITUTION)]
        if np.any(self.check == Check.LOST):
            return [self._missing("photos_lost", Fault.ENVIRONMENT)]
        long_enough = self.told > self.rule.ms("retry_window_s")
        if not self.demanded and not len(self.photos):
            if self.flags & SessionFlag.PLATFORM_CONTROLS and long_enough:
                return [self._absent("no_face_control", Fault.PLATFORM)]
            return [self._missing("no_face_check", Fault.UNDETERMINED)]
        if 0 < np.count_nonzero(np.isin(self.check, _UNCLEAR)) < self.rule["retries"]:
            # One dark picture is bad luck; nobody is accused before the tries are used up.
            return [self._missing("comparison_unclear", Fault.ENVIRONMENT)]
        if self.told > self.rule.ms("resume_after_s"):
            return [self._absent("never_compared", Fault.UNDETERMINED)]
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
