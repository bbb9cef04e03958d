"""Lin may apply, Wu may not, and where nobody can tell the verdict waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app.domain.policy import packs
from detectors.batch_checks import check_class, check_learner
from detectors.batch_facts import ClassFacts, LearnerFacts
from detectors.dates import AssessmentWindow
from detectors.eligibility import (
    Acceptance,
    ClassBacklog,
    ClassConclusion,
    ControlAtWork,
    Cure,
    Deadlines,
    Eligibility,
    EnrolmentConclusion,
    HourCounts,
    StandingFinding,
    deadlines,
    judge_class,
    judge_enrolment,
)
from detectors.finding import Evidence, Fault, Outcome
from tests.detectors.enrolment_facts import CLASS, GRADED, LIN, LITERAL

DUE = Deadlines(date(2026, 8, 17), AssessmentWindow(date(2026, 12, 1), date(2026, 12, 31)))
GOOD_CLASS = ClassConclusion(Acceptance.ACCEPTABLE, (), True, DUE)
GOOD_HOURS = HourCounts(planned=40, valid=40)
NOTHING = ClassBacklog()
TWO = frozenset({"zhao", "sun"})


def violation(
    rule: str = "popup_gap", fault: Fault = Fault.LEARNER, **more: object
) -> StandingFinding:
    return StandingFinding(rule, Outcome.VIOLATION, fault, **more)  # type: ignore[arg-type]


def judge(
    hours: HourCounts = GOOD_HOURS,
    *findings: StandingFinding,
    pack: packs.Pack = GRADED,
    klass: ClassConclusion = GOOD_CLASS,
    learner: LearnerFacts = LIN,
) -> EnrolmentConclusion:
    checks = check_learner(learner, CLASS, pack.rulebook)
    return judge_enrolment(hours, findings, checks, klass, pack.policy, pack.consequences)


def judged_class(
    *controls: ControlAtWork,
    pack: packs.Pack = GRADED,
    facts: ClassFacts = CLASS,
    waiting: ClassBacklog = NOTHING,
) -> ClassConclusion:
    checks = check_class(facts, pack.rulebook)
    return judge_class(controls, checks, pack.policy, pack.consequences, DUE, waiting)


def test_nobody_is_refused_while_the_class_runs_for_what_going_on_makes_up_for() -> None:
    begun = HourCounts(planned=40, valid=1)
    said: tuple[Any, ...] = (GOOD_CLASS, GRADED.policy, GRADED.consequences)
    checks = check_learner(replace(LIN, valid_hours=1), CLASS, GRADED.rulebook)
    running = judge_enrolment(begun, (), checks, *said, running=True)
    over = judge_enrolment(begun, (), checks, *said)
    assert (running.outcome, over.outcome) == (Eligibility.PENDING, Eligibility.INELIGIBLE)
    assert codes(running) == codes(over) and running.let_off
    lost = HourCounts(planned=40, valid=39, violation=1)
    unnumbered = check_class(replace(CLASS, official_class_no=None), GRADED.rulebook)
    klass = judge_class((), unnumbered, GRADED.policy, GRADED.consequences, DUE, running=True)
    assert klass.outcome is Acceptance.PENDING and klass.let_off
    cheated = judge_enrolment(lost, (violation(),), (), *said, running=True)
    assert cheated.outcome is Eligibility.INELIGIBLE


def codes(verdict: EnrolmentConclusion | ClassConclusion) -> list[str]:
    return [reason.code for reason in verdict.reasons]


@pytest.mark.parametrize("pack", [GRADED, LITERAL], ids=lambda pack: pack.id)
def test_lin_who_studied_every_hour_is_eligible(pack: packs.Pack) -> None:
    verdict = judge(pack=pack)
    assert (verdict.outcome, verdict.reasons, verdict.curable) == (Eligibility.ELIGIBLE, (), True)


def test_one_hour_short_is_ineligible_and_can_be_cured_by_studying_it() -> None:
    verdict = judge(HourCounts(planned=40, valid=39))
    assert verdict.outcome is Eligibility.INELIGIBLE
    assert codes(verdict) == ["hours_not_studied"]
    assert verdict.curable and verdict.deadlines.cut_off == date(2026, 8, 17)


def test_an_hour_that_is_not_proven_waits_and_is_no_violation() -> None:
    verdict = judge(HourCounts(planned=40, valid=38, not_proven=1, review=1))
    assert verdict.outcome is Eligibility.PENDING
    assert codes(verdict) == ["hours_in_review", "hours_not_proven"]


def test_a_violation_costs_its_hour_and_is_cured_with_the_authoritys_approval() -> None:
    verdict = judge(HourCounts(planned=40, valid=39, violation=1), violation())
    assert verdict.outcome is Eligibility.INELIGIBLE
    [reason] = verdict.reasons
    assert (reason.code, reason.count, reason.cure) == ("hours_violation", 1, Cure.AUTHORITY)
    assert verdict.curable


def test_a_made_up_hour_leaves_no_reason() -> None:
    assert judge(GOOD_HOURS, violation()).outcome is Eligibility.ELIGIBLE


@pytest.mark.parametrize("fault", [Fault.PLATFORM, Fault.ENVIRONMENT, Fault.UNDETERMINED])
@pytest.mark.parametrize("pack", [GRADED, LITERAL], ids=lambda pack: pack.id)
def test_what_the_platform_or_the_network_did_is_made_up_freely(
    fault: Fault, pack: packs.Pack
) -> None:
    verdict = judge(
        HourCounts(planned=40, valid=39, violation=1), violation(fault=fault), pack=pack
    )
    [reason] = verdict.reasons
    assert (reason.code, reason.cure) == ("hours_violation", Cure.AUTOMATIC)


@pytest.mark.parametrize(
    ("upheld_by", "outcome", "code"),
    [
        (frozenset(), Eligibility.PENDING, "violation_awaits_reviewers"),
        (frozenset({"zhao"}), Eligibility.PENDING, "violation_awaits_reviewers"),
        (TWO, Eligibility.INELIGIBLE, "violation_upheld"),
    ],
)
def test_the_literal_pack_ends_the_training_once_two_persons_upheld_it(
    upheld_by: frozenset[str], outcome: Eligibility, code: str
) -> None:
    finding = violation(upheld_by=upheld_by)
    verdict = judge(HourCounts(planned=40, valid=39, violation=1), finding, pack=LITERAL)
    assert verdict.outcome is outcome
    assert codes(verdict) == ["hours_violation", code]
    assert verdict.curable is (outcome is Eligibility.PENDING)


@pytest.mark.parametrize(
    ("upheld_by", "outcome"),
    [(frozenset({"zhao"}), Eligibility.PENDING), (TWO, Eligibility.INELIGIBLE)],
)
@pytest.mark.parametrize("pack", [GRADED, LITERAL], ids=lambda pack: pack.id)
def test_another_persons_face_reaches_the_whole_training_in_both_packs(
    pack: packs.Pack, upheld_by: frozenset[str], outcome: Eligibility
) -> None:
    finding = violation("face_liveness", grave=True, upheld_by=upheld_by)
    verdict = judge(GOOD_HOURS, finding, pack=pack)
    assert verdict.outcome is outcome
    assert verdict.reasons[0].cure is Cure.NONE


def test_nobody_is_refused_while_a_violation_awaits_its_reviewers_whatever_else_blocks() -> None:
    hours = HourCounts(planned=40, valid=38, violation=1)
    verdict = judge(hours, violation(), pack=LITERAL)
    assert verdict.outcome is Eligibility.PENDING
    assert [reason.code for reason in verdict.reasons if reason.blocks] == ["hours_not_studied"]


def test_an_open_review_waits_but_statistics_alone_hold_nobody() -> None:
    review = StandingFinding("forged_telemetry", Outcome.REVIEW, Fault.UNDETERMINED)
    assert codes(judge(GOOD_HOURS, review, review)) == ["finding_in_review"]
    statistic = replace(review, evidence=Evidence.STATISTIC)
    assert judge(GOOD_HOURS, statistic).outcome is Eligibility.ELIGIBLE


def test_a_rule_in_the_shadow_touches_nobody() -> None:
    finding = violation("one_face_several_accounts", grave=True, upheld_by=TWO)
    assert judge(GOOD_HOURS, finding).outcome is Eligibility.ELIGIBLE


def test_leave_taken_in_writing_is_named_apart_and_made_up_freely() -> None:
    verdict = judge(HourCounts(planned=40, valid=37, excused=2), pack=LITERAL)
    counts = [(reason.code, reason.count, reason.cure) for reason in verdict.reasons]
    assert counts == [
        ("hours_on_leave", 2, Cure.AUTOMATIC),
        ("hours_not_studied", 1, Cure.AUTOMATIC),
    ]


def test_a_failed_check_blocks_and_an_absent_fact_waits() -> None:
    assert judge(learner=replace(LIN, real_name_verified=False)).outcome is Eligibility.INELIGIBLE
    unknown = judge(learner=replace(LIN, real_name_verified=None))
    assert (unknown.outcome, codes(unknown)) == (Eligibility.PENDING, ["real_name_unknown"])


def test_a_class_in_order_is_acceptable() -> None:
    verdict = judged_class(ControlAtWork("popup_gap", missing=False))
    assert (verdict.outcome, verdict.reasons) == (Acceptance.ACCEPTABLE, ())


@pytest.mark.parametrize(
    ("control", "outcome", "code"),
    [
        (ControlAtWork("popup_gap", None), Acceptance.PENDING, "control_not_proven"),
        (ControlAtWork("popup_gap", True), Acceptance.PENDING, "control_missing_awaits_reviewers"),
        (ControlAtWork("popup_gap", True, TWO), Acceptance.NOT_ACCEPTABLE, "control_missing"),
    ],
)
def test_a_missing_control_blocks_the_class_once_two_persons_upheld_it(
    control: ControlAtWork, outcome: Acceptance, code: str
) -> None:
    verdict = judged_class(control)
    assert (verdict.outcome, codes(verdict)) == (outcome, [code])


def test_a_missing_control_is_cured_in_the_graded_pack_only() -> None:
    control = ControlAtWork("popup_gap", True, TWO)
    assert judged_class(control, pack=GRADED).curable
    assert not judged_class(control, pack=LITERAL).curable


def test_low_satisfaction_stops_the_next_opening_and_not_this_class() -> None:
    assert CLASS.survey is not None
    low = replace(CLASS, survey=replace(CLASS.survey, satisfied=1))
    assert judged_class(facts=low).outcome is Acceptance.ACCEPTABLE
    assert judged_class(facts=replace(CLASS, survey=None)).outcome is Acceptance.ACCEPTABLE


def test_a_class_of_81_takes_its_learners_with_it() -> None:
    klass = judged_class(facts=replace(CLASS, roster=81, teachers=5))
    verdict = judge(klass=klass)
    assert klass.outcome is Acceptance.NOT_ACCEPTABLE
    assert (verdict.own, verdict.outcome) == (Eligibility.ELIGIBLE, Eligibility.INELIGIBLE)
    assert not verdict.curable


def test_a_pending_class_admits_nobody_yet_and_leaves_the_learners_own_verdict() -> None:
    klass = judged_class(facts=replace(CLASS, assessment_planned_on=None))
    assert klass.outcome is Acceptance.PENDING
    verdict = judge(klass=klass)
    assert (verdict.own, verdict.outcome) == (Eligibility.ELIGIBLE, Eligibility.PENDING)
    assert [it.code for it in verdict.reasons] == ["class_pending"]


def test_a_case_on_others_of_the_class_holds_none_but_them() -> None:
    klass = judged_class(waiting=ClassBacklog(cases=("shared_device",)))
    assert klass.outcome is Acceptance.PENDING
    assert judge(klass=klass).outcome is Eligibility.ELIGIBLE


@pytest.mark.parametrize("hours", [GOOD_HOURS, HourCounts(planned=40, valid=39, violation=1)])
def test_a_violation_in_one_class_hour_waits_for_its_first_look(hours: HourCounts) -> None:
    found = violation(undecided=True)
    waiting = judge(hours, found)
    assert waiting.outcome is Eligibility.PENDING
    assert "violation_in_review" in codes(waiting) and not any(it.blocks for it in waiting.reasons)
    settled = judge(hours, replace(found, undecided=False, upheld_by=frozenset({"zhao"})))
    assert settled.outcome is not Eligibility.PENDING


def test_an_appeal_that_waits_for_its_answer_keeps_the_learner_off_both_lists() -> None:
    hours = HourCounts(planned=40, valid=39, violation=1)
    upheld = violation(upheld_by=frozenset({"zhao"}))
    assert judge(hours, upheld).outcome is Eligibility.INELIGIBLE
    appealed = judge(hours, replace(upheld, appealed=True))
    assert appealed.outcome is Eligibility.PENDING and "appeal_waiting" in codes(appealed)


@pytest.mark.parametrize(
    ("planned", "as_of", "cut_off", "next_first"),
    [
        (date(2026, 8, 20), date(2026, 7, 1), date(2026, 8, 17), date(2026, 12, 1)),
        (date(2026, 8, 20), date(2026, 12, 2), date(2026, 8, 17), date(2026, 12, 1)),
        (date(2026, 8, 20), date(2026, 8, 21), date(2026, 8, 17), date(2026, 8, 1)),
        (date(2026, 12, 1), date(2026, 12, 1), date(2026, 11, 28), date(2027, 4, 1)),
        (None, date(2026, 7, 1), None, date(2026, 8, 1)),
        (None, date(2026, 8, 28), None, date(2026, 8, 1)),
        (None, date(2026, 8, 29), None, date(2026, 12, 1)),
        (None, date(2026, 12, 31), None, date(2027, 4, 1)),
    ],
)
def test_the_cut_off_is_the_last_day_to_apply_and_the_next_window_follows(
    planned: date | None, as_of: date, cut_off: date | None, next_first: date
) -> None:
    due = deadlines(planned, 3, (4, 8, 12), as_of)
    assert (due.cut_off, due.next_window.first) == (cut_off, next_first)


def test_a_share_of_the_hours_is_rounded_up_and_exact_where_it_is_whole() -> None:
    consequences = replace(GRADED.consequences, required_share=0.9)
    for planned, valid, outcome in (
        (40, 36, Eligibility.ELIGIBLE),
        (40, 35, Eligibility.INELIGIBLE),
        (41, 36, Eligibility.INELIGIBLE),
        (41, 37, Eligibility.ELIGIBLE),
    ):
        hours = HourCounts(planned=planned, valid=valid)
        verdict = judge_enrolment(hours, (), (), GOOD_CLASS, GRADED.policy, consequences)
        assert verdict.outcome is outcome
