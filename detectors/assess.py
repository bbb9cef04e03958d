"""From facts and a policy to findings, credit, and the outcome of sessions and class-hours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from detectors import (
    cloned_traces,
    contradicting_times,
    evidence_altered,
    face_liveness,
    lesson_length,
    photo_retention,
    unseen_play,
)
from detectors.class_hours import Coverage, HourParts, coverage, hour_key, runs, without
from detectors.face_liveness import asked_in, checks_passed
from detectors.facts import Facts, facts
from detectors.finding import Evidence, Finding, FindingScope, Outcome
from detectors.photo_retention import checked_in_person, hour_length, kept_photos
from detectors.policy import Policy
from detectors.registry import ALL
from detectors.trace import Bools, Ints, Trace


class Decision(StrEnum):
    """What people decided on a finding, once as many of them as it needs have."""

    UPHELD = "upheld"
    OVERTURNED = "overturned"


class SessionOutcome(StrEnum):
    VALID = "valid"
    INVALID = "invalid"
    NOT_PROVEN = "not_proven"
    PENDING_REVIEW = "pending_review"


class HourOutcome(StrEnum):
    VALID = "valid"
    INVALID = "invalid"
    NOT_PROVEN = "not_proven"
    PENDING_REVIEW = "pending_review"
    INCOMPLETE = "incomplete"
    NOT_STARTED = "not_started"


_OF_SESSION = {
    Outcome.CLEAR: SessionOutcome.VALID,
    Outcome.NOT_PROVEN: SessionOutcome.NOT_PROVEN,
    Outcome.REVIEW: SessionOutcome.PENDING_REVIEW,
    Outcome.VIOLATION: SessionOutcome.INVALID,
}

# A player reports its first and last position a few frames inside the content (I3: 0.25 s each).
EDGE_MS = 500

Decisions = Callable[[Finding], Decision | None]


class JudgedHour(NamedTuple):
    """One class-hour of one case: what was played, what of it counts, and the outcome."""

    case: int
    hour: int
    outcome: HourOutcome
    played_ms: int
    credited_ms: int
    length_ms: int
    photos: int
    findings: tuple[int, ...]

    @property
    def coverage(self) -> float:
        return self.credited_ms / self.length_ms if self.length_ms else 0.0


@dataclass(frozen=True, slots=True)
class JudgedFacts:
    """findings: of every rule, people's decisions applied; credited: the parts that count, less
    every voided stretch; outcomes: SessionOutcome per session row; hours: every class-hour that
    was played, in (case, hour) order; by_film: rows of sittings that a case on their lesson's film
    excuses of something."""

    facts: Facts
    findings: list[Finding]
    credited: HourParts
    outcomes: list[SessionOutcome]
    hours: list[JudgedHour]
    by_film: frozenset[int] = frozenset()


def assess(
    trace: Trace,
    policy: Policy,
    decisions: Decisions = lambda _: None,
    standing: Sequence[Finding] | None = None,
) -> JudgedFacts:
    """Judge a trace. The same trace, policy and decisions give the same assessment.

    standing: what was found on the class as a whole, where the trace is only a part of it and
    cannot tell; detectors that look at whole classes are not asked then.
    """
    trace, altered = evidence_altered.set_aside(
        trace, lambda it: decisions(it) is Decision.OVERTURNED
    )
    known = facts(trace, policy)
    found = [
        finding
        for detector in ALL
        if detector.rule in policy.rules and policy[detector.rule].runs
        if standing is None or not detector.crowd
        for finding in detector.detect(known, policy)
    ]
    found = [it for it in found if not evidence_altered.spoken_for(it, altered)]
    cases = [it for it in (*found, *(standing or ())) if it.rule == lesson_length.RULE]
    found = [it for it in (*found, *(standing or ())) if it.rule != lesson_length.RULE]
    cases = [decided(it, decisions(it)) for it in cases]
    found, by_film = lesson_length.by_the_film(known, policy, [*found, *cases])
    found = contradicting_times.doubtless(found)
    copies = [it for it in found if it.rule == cloned_traces.RULE and it.holds]
    copies = [it for it in copies if decisions(it) is not Decision.OVERTURNED]
    found = cloned_traces.without_blame(found, copies, trace)
    findings = [decided(it, decisions(it)) for it in found]
    acting = [finding for finding in findings if acts(finding, policy)]
    voids = _voids(acting, trace)
    fine = known.fine_parts(np.array(sorted(voids), np.int64))
    credited = without(known.parts, fine, voids)
    outcomes = _session_outcomes(acting, len(trace))
    for session in np.flatnonzero(known.played.total_ms(len(trace)) == 0).tolist():
        if outcomes[session] is SessionOutcome.VALID:  # nothing was learnt, and nothing is wrong
            outcomes[session] = SessionOutcome.NOT_PROVEN
    hours = _hours(known, credited, findings, acting, policy)
    hours = sorted([*hours, *_unplayed(known, findings, hours, policy)])
    hours = _undecided(known, findings, hours)
    return JudgedFacts(known, findings, credited, outcomes, hours, by_film)


def decided(finding: Finding, decision: Decision | None) -> Finding:
    """The finding as people left it: upheld suspicion is a violation, overturned is nothing."""
    if decision is Decision.UPHELD and finding.outcome is Outcome.REVIEW:
        voids = finding.voids or finding.holds
        return replace(finding, outcome=Outcome.VIOLATION, voids=voids)
    if decision is Decision.OVERTURNED:
        return replace(finding, outcome=Outcome.CLEAR, voids=False, holds=False)
    return finding


def acts(finding: Finding, policy: Policy) -> bool:
    """Whether a finding changes anything: not in the shadow, and more than a statistic."""
    return policy.acts_on(finding.rule) and finding.evidence is not Evidence.STATISTIC


def concerned(finding: Finding) -> tuple[int, ...]:
    """The rows of the sittings whose verdict a finding bears on."""
    if finding.scope is FindingScope.CLASS:
        return finding.members if finding.holds else ()
    return (finding.session,) if finding.session >= 0 else ()


def _voids(findings: list[Finding], trace: Trace) -> dict[int, list[tuple[int, int]]]:
    """Voided stretches of time by session. A finding on a class-hour reaches every sitting that
    the person spent on it."""
    case = trace.sessions["case"]
    voids: dict[int, list[tuple[int, int]]] = {}
    for finding in findings:
        if not finding.voids:
            continue
        if finding.scope is FindingScope.CLASS:
            for session in finding.members if finding.holds else ():
                row = trace.sessions[session]
                whole = int(row["start_ms"]), int(row["end_ms"]) + 1
                voids.setdefault(session, []).append(whole)
            continue
        sittings = [finding.session]
        if finding.hour >= 0:
            low, high = np.searchsorted(case, (case[finding.session], case[finding.session] + 1))
            sittings = list(range(int(low), int(high)))
        for session in sittings:
            voids.setdefault(session, []).append((finding.start_ms, finding.end_ms))
    return voids


def _session_outcomes(findings: list[Finding], sessions: int) -> list[SessionOutcome]:
    worst = [Outcome.CLEAR] * sessions
    for finding in findings:
        for session in concerned(finding):
            if finding.outcome.severity > worst[session].severity:
                worst[session] = finding.outcome
    return [_OF_SESSION[outcome] for outcome in worst]


def _hours(
    known: Facts,
    credited: HourParts,
    findings: list[Finding],
    acting: list[Finding],
    policy: Policy,
) -> list[JudgedHour]:
    rule = policy["class_hour"]
    least_ms = round(rule["min_minutes"] * 60_000)
    played = coverage(known.parts)
    if not len(played.case):
        return []
    keys = hour_key(played.case, played.hour)
    length = hour_length(known)[played.hour]
    joined = runs(credited)
    potential = _credited(joined, keys)
    # Credit whose session is not proven or waits for a reviewer does not count yet.
    proven = _credited(joined.where(_settled(known, joined, acting)), keys)
    photos = kept_photos(known, played.case, played.hour)

    pieces = known.trace.pieces
    slack = EDGE_MS * np.bincount(pieces["hour"], minlength=int(played.hour.max()) + 1)[played.hour]

    def enough(covered: Ints) -> Bools:
        return (covered >= length * rule["coverage"]) & (covered + slack >= least_ms)

    valid = enough(proven) & _seen(known, played, photos, policy)
    reachable = enough(potential)
    touching = _touching(known, findings)
    acting_ids = {id(finding) for finding in acting}
    columns = (
        keys,
        played.case,
        played.hour,
        played.credited_ms,
        potential,
        length,
        photos,
        valid,
        reachable,
    )
    needed = _looked_for(policy)
    hours: list[JudgedHour] = []
    for key, case, number, play, credit, long, taken, good, near in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        mine = touching.get(key, [])
        its = [findings[i] for i in mine]
        worst = _worst([it for it in its if id(it) in acting_ids])
        lacks = _hour_violated(its, number, needed)
        outcome = _hour_outcome(good and not lacks, near, worst, credit)
        hours.append(
            JudgedHour(
                case=case,
                hour=number,
                outcome=outcome,
                played_ms=play,
                credited_ms=credit,
                length_ms=long,
                photos=taken,
                findings=tuple(mine),
            )
        )
    return hours


def _looked_for(policy: Policy) -> frozenset[str]:
    """Which of a photo and a face every class-hour needs, by rule: both, unless the pack asks
    for no more than the rules that it acts on."""
    always = policy["class_hour"].word("photo_and_face") == "always"
    both = (photo_retention.RULE, face_liveness.RULE)
    return frozenset(rule for rule in both if always or policy[rule].acts)


def _seen(known: Facts, played: Coverage, photos: Ints, policy: Policy) -> Bools:
    """Whether each class-hour has its photos and faces, or somebody saw the learner study it."""
    needed = _looked_for(policy)
    good = np.ones(len(played.case), np.bool_)
    in_person = checked_in_person(known, played.case, played.hour)
    if photo_retention.RULE in needed:
        rule = policy[photo_retention.RULE]
        good &= (photos >= rule["photos_min"]) | (in_person & bool(rule["in_person_counts"]))
    if face_liveness.RULE in needed:
        compared = kept_photos(known, played.case, played.hour, matching=True)
        own = checks_passed(known, policy, played.case, played.hour)
        least = policy[face_liveness.RULE]["random_checks_min"]
        unasked = ~asked_in(known, policy, played.hour)
        good &= in_person | unasked | ((own > 0) & (compared >= least))
    return good


def _worst(findings: list[Finding]) -> Outcome:
    return max(
        (it.outcome for it in findings),
        key=lambda outcome: outcome.severity,
        default=Outcome.CLEAR,
    )


def _hour_violated(findings: list[Finding], number: int, needed: frozenset[str]) -> bool:
    """Whether the class-hour itself lacks a photo or a face that it needs."""
    return any(
        it.hour == number and it.rule in needed and it.outcome is not Outcome.CLEAR
        for it in findings
    )


def _unplayed(
    known: Facts, findings: list[Finding], there: list[JudgedHour], policy: Policy
) -> list[JudgedHour]:
    """Class-hours of which nothing counts as played, and of which something was tried all the same:
    they must not look as if nobody had begun."""
    cases, length = known.trace.sessions["case"], hour_length(known)
    have = {(it.case, it.hour) for it in there}
    tried: dict[tuple[int, int], list[int]] = {}
    for at, finding in enumerate(findings):
        if finding.rule == unseen_play.RULE and finding.hour >= 0 and acts(finding, policy):
            key = int(cases[finding.session]), finding.hour
            if finding.outcome is Outcome.NOT_PROVEN and key not in have:
                tried.setdefault(key, []).append(at)
    return [
        JudgedHour(case, hour, HourOutcome.NOT_PROVEN, 0, 0, int(length[hour]), 0, tuple(mine))
        for (case, hour), mine in tried.items()
    ]


_OPEN = (HourOutcome.NOT_STARTED, HourOutcome.INCOMPLETE, HourOutcome.NOT_PROVEN)


def _undecided(known: Facts, findings: list[Finding], hours: list[JudgedHour]) -> list[JudgedHour]:
    """The hours with those of altered sittings waiting for a person: what was played of their
    lesson nobody knows."""
    trace = known.trace
    pieces, length = trace.pieces, hour_length(known)
    judged = {(it.case, it.hour): it for it in hours}
    for at, finding in enumerate(findings):
        if finding.rule != evidence_altered.RULE or finding.outcome is not Outcome.REVIEW:
            continue
        row = trace.sessions[finding.session]
        mine = (pieces["klass"] == row["klass"]) & (pieces["lesson"] == row["lesson"])
        for number in np.unique(pieces["hour"][mine]).tolist():
            key = int(row["case"]), number
            blank = JudgedHour(*key, HourOutcome.NOT_STARTED, 0, 0, int(length[number]), 0, ())
            it = judged.get(key, blank)
            if it.outcome in _OPEN:
                waits, named = HourOutcome.PENDING_REVIEW, (*it.findings, at)
                judged[key] = it._replace(outcome=waits, findings=named)
    return [judged[key] for key in sorted(judged)]


_SETTLED = (SessionOutcome.VALID, SessionOutcome.INVALID)


def _settled(known: Facts, parts: HourParts, acting: list[Finding]) -> Bools:
    """Parts whose sitting is proven and waits for nobody. What one class-hour lacks leaves the
    sitting's others alone, and a check in person stands in for the comparisons."""

    def sittings(findings: list[Finding]) -> Bools:
        outcomes = _session_outcomes(findings, len(known.trace))
        return np.array([outcome in _SETTLED for outcome in outcomes], np.bool_)

    whole = [it for it in acting if it.hour < 0 or it.outcome is not Outcome.NOT_PROVEN]
    compared = [
        it for it in whole if it.rule != face_liveness.RULE or it.outcome is not Outcome.NOT_PROVEN
    ]
    in_person = checked_in_person(known, parts.case, parts.hour)
    settled: Bools = sittings(whole)[parts.session]
    return settled | (in_person & sittings(compared)[parts.session])


def _credited(parts: HourParts, keys: Ints) -> Ints:
    """Union of credited content of the given (case, hour) keys, which are sorted."""
    covered = coverage(parts)
    found = hour_key(covered.case, covered.hour)
    if not len(found):
        return np.zeros(len(keys), np.int64)
    row = np.minimum(np.searchsorted(found, keys), len(found) - 1)
    return np.where(found[row] == keys, covered.credited_ms[row], 0)


def _hour_outcome(valid: bool, reachable: bool, worst: Outcome, credited: int) -> HourOutcome:
    if valid:
        return HourOutcome.VALID
    if worst is Outcome.VIOLATION:
        return HourOutcome.INVALID
    if worst is Outcome.REVIEW:
        return HourOutcome.PENDING_REVIEW
    if reachable or worst is Outcome.NOT_PROVEN:
        return HourOutcome.NOT_PROVEN
    return HourOutcome.INCOMPLETE if credited else HourOutcome.NOT_STARTED


def _touching(known: Facts, findings: list[Finding]) -> dict[int, list[int]]:
    """Findings by the (case, hour) key whose play they lie in."""
    parts = known.parts
    result: dict[int, list[int]] = {}
    order = np.argsort(parts.session, kind="stable")
    by_session = parts.session[order]
    cases = known.trace.sessions["case"]
    for index, finding in enumerate(findings):
        if finding.scope is FindingScope.CLASS:
            rows = order[np.isin(by_session, np.array(concerned(finding), np.int64))]
            rows = rows[parts.hour[rows] >= 0]
            for key in np.unique(hour_key(parts.case[rows], parts.hour[rows])).tolist():
                result.setdefault(key, []).append(index)
            continue
        if finding.hour >= 0:
            key = hour_key(int(cases[finding.session]), finding.hour)
            result.setdefault(key, []).append(index)
            continue
        low, high = np.searchsorted(by_session, (finding.session, finding.session + 1))
        rows = order[low:high]
        inside = (parts.t0_ms[rows] < finding.end_ms) & (parts.t1_ms[rows] > finding.start_ms)
        rows = rows[inside & (parts.hour[rows] >= 0)]
        for key in np.unique(hour_key(parts.case[rows], parts.hour[rows])).tolist():
            result.setdefault(key, []).append(index)
    return result
