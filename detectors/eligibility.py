"""From class-hours, findings and checks to the verdict on an enrolment and on a class.

The engine proposes, people decide: what reaches beyond a class-hour stands only when two different
persons upheld it, and until then the verdict is `pending`. What could not be told is `pending` too,
and is never printed as a violation. docs/rules.md sections 4 and 5.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from detectors.batch_facts import CheckOutcome, CheckResult, Unknown
from detectors.dates import AssessmentWindow, window_after, window_from
from detectors.finding import Evidence, Fault, Outcome
from detectors.policy import Policy, Reach


class Cure(StrEnum):
    """How what was lost may be made up."""

    AUTOMATIC = "automatic"
    AUTHORITY = "authority_approval"
    NONE = "none"


class Eligibility(StrEnum):
    """Verdict on an enrolment, mildest first."""

    ELIGIBLE = "eligible"
    PENDING = "pending"
    INELIGIBLE = "ineligible"


class Acceptance(StrEnum):
    """Verdict on a class, mildest first."""

    ACCEPTABLE = "acceptable"
    PENDING = "pending"
    NOT_ACCEPTABLE = "not_acceptable"


# Reasons that are over once people have decided; until then nothing is concluded on a learner.
AWAITS_PEOPLE = frozenset(
    {
        "violation_in_review",
        "violation_awaits_reviewers",
        "finding_in_review",
        "hours_in_review",
        "appeal_waiting",
    }
)
# What a class waits for, and each learner whom it concerns has a reason of their own for.
_TOLD_OF_LEARNERS = frozenset(
    {"case_open", "attested_not_accepted", "platform_controls_not_accepted"}
)


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a pack says beyond single rules.

    grave            reach of confirmed impersonation, attack or forgery
    missing_control  reach of a control that the platform lacks
    reviewers        different persons who must uphold what reaches beyond a class-hour
    leave, not_misconduct, misconduct, missing_control_cure   how each kind of loss is made up
    required_share   share of the planned class-hours that must be valid
    """

    grave: Reach
    missing_control: Reach
    reviewers: int
    leave: Cure
    not_misconduct: Cure
    misconduct: Cure
    missing_control_cure: Cure
    required_share: float


@dataclass(frozen=True, slots=True)
class HourCounts:
    """Class-hours of one learner by outcome; `planned` minus their sum was never studied.

    `excused` of those not valid were missed on approved written leave. `attested` of the valid
    ones rest on a platform's log that nobody of the authority has accepted, `platform_controls` on
    controls that a platform runs and nobody has accepted; `made_up` were lost to misconduct and
    studied again, which nobody of the authority has approved.
    """

    planned: int
    valid: int = 0
    violation: int = 0
    review: int = 0
    not_proven: int = 0
    excused: int = 0
    attested: int = 0
    platform_controls: int = 0
    made_up: int = 0

    @property
    def untouched(self) -> int:
        return self.planned - self.valid - self.violation - self.review - self.not_proven


@dataclass(frozen=True, slots=True)
class StandingFinding:
    """A finding on one learner that nobody overturned, and the persons who upheld it so far.

    `grave`: another person, an attack or a forgery (`Finding.needs_two_reviewers`). `undecided`:
    people have not settled it yet; `appealed`: an appeal against it waits for its answer. A
    `review` on statistics alone does not hold a verdict.
    """

    rule: str
    outcome: Outcome
    fault: Fault
    evidence: Evidence = Evidence.SERVER
    grave: bool = False
    upheld_by: frozenset[str] = frozenset()
    undecided: bool = False
    appealed: bool = False


@dataclass(frozen=True, slots=True)
class ControlAtWork:
    """One of the six controls in one class. `missing` None: the evidence does not tell."""

    rule: str
    missing: bool | None
    upheld_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ClassBacklog:
    """What a class as a whole waits for besides its checks and controls.

    attested, valid  class-hours of all learners that are valid, and those of them that rest on a
                     platform's log which nobody of the authority has accepted
    platform_controls   those of them that rest on controls which the platform itself runs
    alone            there is no other evidence in the class at all
    cases            rules of open cases that hold several learners at once
    """

    attested: int = 0
    valid: int = 0
    platform_controls: int = 0
    alone: bool = False
    cases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerdictReason:
    """Why a verdict is not the best one. `source` is a rule, a check, or `class_hour`.

    `blocks`: it makes the verdict `ineligible` or `not_acceptable`; otherwise it holds it at
    `pending`. `count` is the number of class-hours or findings behind it, `of` so many.
    """

    code: str
    source: str
    clause: str
    blocks: bool
    cure: Cure
    count: int = 1
    of: int = 0


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Until when a learner can still be cured for this assessment, and which one is next."""

    cut_off: date | None
    next_window: AssessmentWindow


@dataclass(frozen=True, slots=True)
class EnrolmentConclusion:
    """`own` looks at the learner alone; `outcome` also at the class.

    `curable`: every reason that blocks can be cured. As long as people have to decide on something
    of the learner's the outcome is `pending`, whatever else stands against them: nobody is
    admitted or refused meanwhile. A class that is not acceptable refuses all that are settled, one
    that waits for something of its own admits nobody yet.
    """

    outcome: Eligibility
    own: Eligibility
    reasons: tuple[VerdictReason, ...]
    curable: bool
    deadlines: Deadlines

    @property
    def let_off(self) -> bool:
        """Whether it hangs on the class being over."""
        return _hangs_on_the_end(self.reasons)


@dataclass(frozen=True, slots=True)
class ClassConclusion:
    outcome: Acceptance
    reasons: tuple[VerdictReason, ...]
    curable: bool
    deadlines: Deadlines

    @property
    def let_off(self) -> bool:
        """Whether it hangs on the class being over."""
        return _hangs_on_the_end(self.reasons)


def deadlines(
    planned_on: date | None, days_ahead: int, months: Collection[int], as_of: date
) -> Deadlines:
    """The cut-off is the last day to apply (C7); the next window follows the planned one (C1).

    Without a planned assessment there is no cut-off. Then, and once the planned one is over, the
    next window is the first in which one can be held that is applied for on `as_of`.
    """
    cut_off = planned_on - timedelta(days=days_ahead) if planned_on else None
    if planned_on is not None and planned_on >= as_of:
        return Deadlines(cut_off, window_after(planned_on, months))
    return Deadlines(cut_off, window_from(as_of + timedelta(days=days_ahead), months))


def judge_enrolment(
    hours: HourCounts,
    findings: Sequence[StandingFinding],
    checks: Sequence[CheckResult],
    klass: ClassConclusion,
    policy: Policy,
    consequences: Consequences,
    *,
    running: bool = False,
) -> EnrolmentConclusion:
    """The verdict on one learner in one class, under one pack.

    `checks` are those of the learner. Run it with another pack's policy and consequences for the
    outcome that is printed beside it. While the class is `running`, nobody is refused for what is
    made up for by going on.
    """
    acting = [it for it in findings if policy.acts_on(it.rule)]
    violations = [it for it in acting if it.outcome is Outcome.VIOLATION]
    reasons = [
        *_let_off(_hour_reasons(hours, violations, policy, consequences), running=running),
        *_finding_reasons(acting, policy, consequences),
        *_let_off(_check_reasons(checks), running=running),
    ]
    own = _enrolment_outcome(reasons)
    if klass.outcome is Acceptance.NOT_ACCEPTABLE:
        cure = Cure.AUTOMATIC if klass.curable else Cure.NONE
        reasons.append(VerdictReason("class_not_acceptable", "class", "", blocks=True, cure=cure))
    elif any(it.code not in _TOLD_OF_LEARNERS for it in klass.reasons):
        reasons.append(VerdictReason("class_pending", "class", "", False, Cure.AUTOMATIC))
    return EnrolmentConclusion(
        outcome=_enrolment_outcome(reasons),
        own=own,
        reasons=tuple(reasons),
        curable=_curable(reasons),
        deadlines=klass.deadlines,
    )


def judge_class(
    controls: Sequence[ControlAtWork],
    checks: Sequence[CheckResult],
    policy: Policy,
    consequences: Consequences,
    due: Deadlines,
    waiting: ClassBacklog = ClassBacklog(),
    *,
    running: bool = False,
) -> ClassConclusion:
    """The verdict on a class: its checks, the six controls of its platform, and what it waits for.
    While it is `running`, it is not refused for what can still be mended.

    A missing control blocks the class where the pack lets it reach that far and two persons
    upheld it; one that the evidence does not show holds the verdict at `pending`. So does evidence
    that only a platform attests, and an open case on several learners.
    """
    reasons = [
        *_control_reasons(controls, policy, consequences),
        *_let_off(_check_reasons(checks), running=running),
        *_waiting_reasons(waiting, policy),
    ]
    outcome = Acceptance.ACCEPTABLE
    if reasons:
        blocked = any(it.blocks for it in reasons)
        outcome = Acceptance.NOT_ACCEPTABLE if blocked else Acceptance.PENDING
    return ClassConclusion(outcome, tuple(reasons), _curable(reasons), due)


def _let_off(reasons: list[VerdictReason], *, running: bool) -> list[VerdictReason]:
    """The same, as they stand before the class's last day is over if it is `running`."""
    if not running:
        return reasons
    return [replace(it, blocks=False) if it.cure is Cure.AUTOMATIC else it for it in reasons]


def _hangs_on_the_end(reasons: Iterable[VerdictReason]) -> bool:
    return any(it.cure is Cure.AUTOMATIC for it in reasons)


def awaits_people(finding: StandingFinding, policy: Policy, consequences: Consequences) -> bool:
    """Whether people still have to decide on a violation, so that its class-hours are not lost."""
    if finding.outcome is not Outcome.VIOLATION:
        return False
    beyond = reach_of(finding, policy, consequences) is not Reach.CLASS_HOUR
    return (
        finding.undecided
        or finding.appealed
        or (beyond and not _upheld(finding.upheld_by, consequences))
    )


def reach_of(finding: StandingFinding, policy: Policy, consequences: Consequences) -> Reach:
    """How far a violation goes. What was not the learner's doing stays in its class-hour."""
    if finding.grave:
        return consequences.grave
    if finding.fault is Fault.LEARNER and finding.rule in policy.rules:
        return policy[finding.rule].reach
    return Reach.CLASS_HOUR


def cure_of(finding: StandingFinding, policy: Policy, consequences: Consequences) -> Cure:
    """How the class-hours that a violation cost may be made up."""
    if finding.grave:
        return Cure.NONE
    if finding.fault not in (Fault.LEARNER, Fault.INSTITUTION):
        return consequences.not_misconduct
    ends_it = (
        finding.fault is Fault.LEARNER
        and finding.rule in policy.rules
        and not policy[finding.rule].curable
    )
    return Cure.NONE if ends_it else consequences.misconduct


def _hour_reasons(
    hours: HourCounts, violations: Sequence[StandingFinding], policy: Policy, pack: Consequences
) -> list[VerdictReason]:
    """Why class-hours are short. Hours lost to a violation that people have not upheld yet hold
    the verdict and do not block it."""
    # Rounded up, with room for the binary error of a share such as 0.9.
    short = math.ceil(hours.planned * pack.required_share - 1e-9) - hours.valid
    clause = policy["class_hour"].clause
    resting = [
        VerdictReason(code, "class_hour", clause, False, Cure.AUTHORITY, count)
        for code, count in (
            ("hours_attested", hours.attested),
            ("hours_platform_controls", hours.platform_controls),
            ("hours_made_up", hours.made_up),
        )
        if count and short + count > 0
    ]
    if short <= 0:
        return resting
    undecided = hours.review + hours.not_proven
    settled = not any(awaits_people(it, policy, pack) for it in violations)
    never_studied = short > undecided + hours.violation
    cures = [cure_of(it, policy, pack) for it in violations] or [pack.misconduct]
    worst_cure = max(cures, key=list(Cure).index)
    rows = [
        ("hours_violation", hours.violation, short > undecided and settled, worst_cure),
        ("hours_on_leave", hours.excused, never_studied, pack.leave),
        ("hours_not_studied", hours.untouched - hours.excused, never_studied, Cure.AUTOMATIC),
        ("hours_in_review", hours.review, False, Cure.AUTOMATIC),
        ("hours_not_proven", hours.not_proven, False, pack.not_misconduct),
    ]
    return [
        *(
            VerdictReason(code, "class_hour", clause, blocks, cure, count)
            for code, count, blocks, cure in rows
            if count > 0
        ),
        *resting,
    ]


def _finding_reasons(
    findings: Sequence[StandingFinding], policy: Policy, pack: Consequences
) -> list[VerdictReason]:
    """What findings do beyond the class-hours they cost: one reason for each rule and code."""
    counted: Counter[tuple[str, str, bool, Cure]] = Counter()
    for it in findings:
        beyond = reach_of(it, policy, pack) is not Reach.CLASS_HOUR
        if it.appealed:
            counted[it.rule, "appeal_waiting", False, Cure.AUTOMATIC] += 1
        elif it.outcome is Outcome.VIOLATION and beyond:
            upheld = _upheld(it.upheld_by, pack)
            code = "violation_upheld" if upheld else "violation_awaits_reviewers"
            counted[it.rule, code, upheld, cure_of(it, policy, pack)] += 1
        elif it.outcome is Outcome.VIOLATION and it.undecided:
            counted[it.rule, "violation_in_review", False, cure_of(it, policy, pack)] += 1
        elif it.outcome is Outcome.REVIEW and it.evidence is not Evidence.STATISTIC:
            counted[it.rule, "finding_in_review", False, Cure.AUTOMATIC] += 1
    return [
        VerdictReason(code, rule, policy[rule].clause, blocks, cure, count)
        for (rule, code, blocks, cure), count in counted.items()
    ]


def _control_reasons(
    controls: Sequence[ControlAtWork], policy: Policy, pack: Consequences
) -> list[VerdictReason]:
    reasons = []
    for it in controls:
        if not policy.acts_on(it.rule) or it.missing is False:
            continue
        clause = policy[it.rule].clause
        if it.missing is None:
            reasons.append(
                VerdictReason("control_not_proven", it.rule, clause, False, Cure.AUTOMATIC)
            )
        elif pack.missing_control is Reach.CLASS:
            upheld = _upheld(it.upheld_by, pack)
            code = "control_missing" if upheld else "control_missing_awaits_reviewers"
            reasons.append(VerdictReason(code, it.rule, clause, upheld, pack.missing_control_cure))
    return reasons


def _waiting_reasons(waiting: ClassBacklog, policy: Policy) -> list[VerdictReason]:
    reasons = [
        VerdictReason("case_open", rule, policy[rule].clause, False, Cure.AUTOMATIC, count)
        for rule, count in sorted(Counter(waiting.cases).items())
        if policy.acts_on(rule)
    ]
    if waiting.alone or waiting.attested:
        clause, count = policy["class_hour"].clause, waiting.attested
        code = "attested_not_accepted" if waiting.attested else "attested_alone"
        reasons.append(
            VerdictReason(code, "class_hour", clause, False, Cure.AUTHORITY, count, waiting.valid)
        )
    if waiting.platform_controls:
        code, count = "platform_controls_not_accepted", waiting.platform_controls
        clause = policy["class_hour"].clause
        reasons.append(
            VerdictReason(code, "class_hour", clause, False, Cure.AUTHORITY, count, waiting.valid)
        )
    return reasons


def _check_reasons(checks: Sequence[CheckResult]) -> list[VerdictReason]:
    reasons = []
    for it in checks:
        if it.reach is None:
            continue
        if it.result is CheckOutcome.FAIL:
            cure = Cure.AUTOMATIC if it.curable else Cure.NONE
            reasons.append(VerdictReason(it.reason, it.check, it.clause, blocks=True, cure=cure))
        elif it.result is CheckOutcome.NEEDS_AUTHORITY:
            reasons.append(VerdictReason(it.reason, it.check, it.clause, False, Cure.AUTHORITY))
        elif it.result is CheckOutcome.NOT_PROVEN and it.unknown is Unknown.PENDING:
            reasons.append(VerdictReason(it.reason, it.check, it.clause, False, Cure.AUTOMATIC))
    return reasons


def _upheld(reviewers: frozenset[str], pack: Consequences) -> bool:
    return len(reviewers) >= pack.reviewers


def _enrolment_outcome(reasons: Sequence[VerdictReason]) -> Eligibility:
    if not reasons:
        return Eligibility.ELIGIBLE
    if any(it.code in AWAITS_PEOPLE for it in reasons):
        return Eligibility.PENDING
    blocked = any(it.blocks for it in reasons)
    return Eligibility.INELIGIBLE if blocked else Eligibility.PENDING


def _curable(reasons: Sequence[VerdictReason]) -> bool:
    return all(it.cure is not Cure.NONE for it in reasons if it.blocks)
