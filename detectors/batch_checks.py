"""The checks before an offline assessment (docs/rules.md section 5): which there are, run.

A check is a function of facts, its limits and the catalogue of occupations. It prints what it found
beside the limit, and never takes an absent fact for a pass. A pack says which checks apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from detectors import class_checks, learner_checks, trainee_checks
from detectors.batch_facts import (
    AuthorityDecision,
    CheckOutcome,
    CheckResult,
    CheckScope,
    ClassFacts,
    LearnerFacts,
)
from detectors.check_sheet import Rulebook

ALLOWED, REFUSED = "authority_allowed", "authority_refused"

ClassCheck = Callable[[ClassFacts, Rulebook], CheckResult]
LearnerCheck = Callable[[LearnerFacts, ClassFacts, Rulebook], CheckResult]

CLASS_CHECKS: Mapping[str, ClassCheck] = {
    "B1": class_checks.official_class_number,
    "B6": class_checks.theory_recorded,
    "B7": class_checks.practice_recorded,
    "B10": class_checks.learners_per_teacher,
    "B11": class_checks.class_size,
    "B13": class_checks.practical_share,
    "B14": class_checks.apprentices_per_teacher,
    "B17": class_checks.in_catalogue,
    "B19": class_checks.annex_conflict,
    "C1": class_checks.assessment_month,
    "C2": class_checks.assessment_offline,
    "C3": class_checks.enterprise_applies,
    "C7": class_checks.applied_ahead,
    "C11": class_checks.satisfaction,
    "C11_opening": class_checks.opened_outside_rectification,
}

LEARNER_CHECKS: Mapping[str, LearnerCheck] = {
    "B2": trainee_checks.occupation_of_post,
    "B3": trainee_checks.other_than_former_post,
    "B4": trainee_checks.own_students,
    "B8": trainee_checks.age_limit,
    "B5": learner_checks.enough_class_hours,
    "B18": learner_checks.offline_practice,
    "B20": learner_checks.month_since_assessment,
    "B24": learner_checks.leave_made_up,
    "D1": learner_checks.subsidies_of_the_year,
    "D17": learner_checks.real_name,
    "E1": learner_checks.theory_offline,
    "E2": learner_checks.length_in_person,
}

IN_PERSON_CHECKS = frozenset({"E1", "E2"})
"""Those that ask for hours in person one by one; see `InPerson`."""

TRAINEE_CHECKS = frozenset({"B2", "B3", "B4", "B8"})
"""Those that ask who is trained; see `Trainee`."""


def check_class(klass: ClassFacts, book: Rulebook) -> list[CheckResult]:
    """Every check of the pack on the class. KeyError for a check that has no function here."""
    return [
        decided(CLASS_CHECKS[check](klass, book), klass.decisions)
        for check, policy in book.checks.items()
        if policy.scope is CheckScope.CLASS
    ]


def check_learner(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> list[CheckResult]:
    """Every check of the pack on one learner of the class, in the pack's order."""
    return [
        decided(LEARNER_CHECKS[check](learner, klass, book), learner.decisions)
        for check, policy in book.checks.items()
        if policy.scope is CheckScope.LEARNER
    ]


def decided(result: CheckResult, decisions: Iterable[AuthorityDecision]) -> CheckResult:
    """A check that is left to the authority, as it decided on what was found; else as it is."""
    if result.result is not CheckOutcome.NEEDS_AUTHORITY:
        return result
    asked = (result.check, result.reason, result.found)
    mine = [it for it in decisions if (it.check, it.reason, it.found) == asked]
    if not mine:
        return result
    if mine[-1].allowed:
        return replace(result, result=CheckOutcome.PASS, reason=ALLOWED)
    return replace(result, result=CheckOutcome.FAIL, reason=REFUSED, curable=False)
