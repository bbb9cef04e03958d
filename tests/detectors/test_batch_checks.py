"""What holds for every check before an assessment, whichever it is."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import product

import pytest

from app.domain.judging.check_sentences import limit_of, sentence_of
from app.domain.policy import packs
from detectors.batch_checks import CLASS_CHECKS, LEARNER_CHECKS, check_class, check_learner
from detectors.batch_facts import (
    ApplicantKind,
    CheckOutcome,
    CheckResult,
    CheckScope,
    ClassFacts,
    LearnerFacts,
    Mode,
)
from tests.detectors.enrolment_facts import BOOK, CLASS, GRADED, LIN, LITERAL

ABSENT = ClassFacts(class_id="c-1")
NOBODY = LearnerFacts(learner_id="lin")


def all_checks(klass: ClassFacts, learner: LearnerFacts) -> dict[str, CheckResult]:
    results = [*check_class(klass, BOOK), *check_learner(learner, klass, BOOK)]
    return {result.check: result for result in results}


@pytest.mark.parametrize("pack", [GRADED, LITERAL], ids=lambda pack: pack.id)
def test_every_check_of_a_pack_has_a_function_of_its_scope(pack: packs.Pack) -> None:
    by_scope = {CheckScope.CLASS: CLASS_CHECKS, CheckScope.LEARNER: LEARNER_CHECKS}
    assert all(check in by_scope[policy.scope] for check, policy in pack.checks.items())


def test_every_check_stands_in_some_pack() -> None:
    asked = {check for it in packs.available() for check in packs.load(it.name).checks}
    assert asked == CLASS_CHECKS.keys() | LEARNER_CHECKS.keys()


def test_a_class_in_order_fails_nothing() -> None:
    results = all_checks(CLASS, LIN)
    kinds = {it.result for it in results.values()}
    assert kinds == {CheckOutcome.PASS, CheckOutcome.NOT_APPLICABLE}
    skipped = {check for check, it in results.items() if it.result is CheckOutcome.NOT_APPLICABLE}
    assert skipped == {"B3", "B4", "B6", "B8", "B13", "B14", "B24"}


def test_without_any_fact_nothing_passes() -> None:
    for result in all_checks(ABSENT, NOBODY).values():
        assert result.result is not CheckOutcome.PASS, result


@pytest.mark.parametrize("name", [it.name for it in fields(ClassFacts) if it.name != "class_id"])
def test_dropping_a_fact_of_the_class_turns_no_result_into_a_pass(name: str) -> None:
    for mode, occupation in product(Mode, ("营销员", "育婴员")):
        facts = replace(
            CLASS, mode=mode, occupation=occupation, applicant=ApplicantKind.INSTITUTION, roster=81
        )
        before = all_checks(facts, LIN)
        after = all_checks(replace(facts, **{name: getattr(ABSENT, name)}), LIN)
        for check, result in after.items():
            if result.result is CheckOutcome.PASS:
                assert before[check].result is CheckOutcome.PASS, check
            if result.result is CheckOutcome.FAIL and check != "B1":
                assert before[check].result is CheckOutcome.FAIL, check


@pytest.mark.parametrize(
    "name", [it.name for it in fields(LearnerFacts) if it.name != "learner_id"]
)
def test_dropping_a_fact_of_the_learner_turns_no_result_into_a_pass(name: str) -> None:
    wu = replace(LIN, valid_hours=39, offline_hours=7, real_name_verified=False)
    for learner in (LIN, wu):
        before = all_checks(CLASS, learner)
        after = all_checks(CLASS, replace(learner, **{name: getattr(NOBODY, name)}))
        for check, result in after.items():
            if result.result is CheckOutcome.PASS:
                assert before[check].result is CheckOutcome.PASS, check


def test_every_result_carries_its_clause_its_subject_and_both_sentences() -> None:
    for facts, learner in ((CLASS, LIN), (ABSENT, NOBODY)):
        for check, result in all_checks(facts, learner).items():
            assert GRADED.clause_of(check).key == result.clause
            assert result.subject == ("c-1" if result.scope is CheckScope.CLASS else "lin")
            assert result.found and result.reason and limit_of(check, GRADED)
            words = sentence_of(check, result.reason, result.said, result.numbers, GRADED)
            assert words.zh and words.en and "{" not in words.zh + words.en


def test_the_same_facts_give_the_same_results() -> None:
    assert check_class(CLASS, BOOK) == check_class(CLASS, BOOK)
