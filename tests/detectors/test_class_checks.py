"""Checks on a class, on each side of every limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.judging.check_sentences import limit_of
from detectors.batch_facts import (
    ApplicantKind,
    Apprentices,
    CheckOutcome,
    Mode,
    Survey,
    TrainingKind,
)
from detectors.recordings import Recording, TaughtDay, Teaching
from tests.detectors.enrolment_facts import GRADED, check_class

PASS, FAIL = CheckOutcome.PASS, CheckOutcome.FAIL
NA, AUTHORITY = CheckOutcome.NOT_APPLICABLE, CheckOutcome.NEEDS_AUTHORITY
NOT_PROVEN = CheckOutcome.NOT_PROVEN


@pytest.mark.parametrize(("number", "result"), [("4115", PASS), (None, FAIL), ("  ", FAIL)])
def test_a_class_outside_the_official_system_fails(
    number: str | None, result: CheckOutcome
) -> None:
    assert check_class("B1", official_class_no=number).result is result


@pytest.mark.parametrize(
    ("roster", "teachers", "result"),
    [(60, 3, PASS), (61, 3, FAIL), (20, 1, PASS), (21, 1, FAIL), (1, 0, FAIL), (80, 4, PASS)],
)
def test_twenty_learners_to_a_teacher_and_no_more(
    roster: int, teachers: int, result: CheckOutcome
) -> None:
    assert check_class("B10", roster=roster, teachers=teachers).result is result


@pytest.mark.parametrize(("roster", "result"), [(80, PASS), (81, FAIL)])
def test_eighty_persons_are_a_class_and_eighty_one_are_not(
    roster: int, result: CheckOutcome
) -> None:
    check = check_class("B11", roster=roster)
    assert check.result is result
    assert (check.found, limit_of(check.check, GRADED)) == (str(roster), "≤ 80")


@pytest.mark.parametrize(
    ("practical", "planned", "result"),
    [(26, 40, PASS), (25.9, 40, FAIL), (13, 20, PASS), (12, 20, FAIL), (65, 100, PASS)],
)
def test_practice_makes_up_65_per_cent(
    practical: float, planned: float, result: CheckOutcome
) -> None:
    facts = {"mode": Mode.OFFLINE, "occupation": "育婴员"}
    check = check_class("B13", practical_hours=practical, plan_hours=planned, **facts)
    assert check.result is result


def test_practice_is_not_asked_of_annex_3_nor_of_online_training() -> None:
    assert check_class("B13", occupation="营销员").reason == "annex_3"
    assert check_class("B13", occupation="育婴员", mode=Mode.ONLINE).result is NA
    assert check_class("B13", occupation="育婴员", plan_hours=0).result is NOT_PROVEN


def test_an_online_class_outside_annex_3_is_for_the_authority() -> None:
    assert check_class("B17", mode=Mode.ONLINE, occupation="社会工作者").result is PASS
    assert check_class("B17", mode=Mode.ONLINE, occupation="育婴员").result is AUTHORITY
    assert check_class("B17", mode=Mode.BLENDED, occupation="育婴员").result is NA
    assert check_class("B17", mode=Mode.OFFLINE, occupation="育婴员").result is NA


def test_a_match_by_alias_is_shown_as_one() -> None:
    check = check_class("B17", mode=Mode.ONLINE, occupation="花艺师")
    assert (check.result, check.found) == (PASS, "插花花艺师")
    assert check.said == "listed_by_alias"


def test_the_conflict_of_annex_3_is_shown_with_the_reading_applied() -> None:
    check = check_class("B19", occupation="电子商务师")
    assert check.found == "电子商务师(含跨境电子商务师)（全线上培训）/ 电子商务师（不少于8个学时）"
    assert (limit_of(check.check, GRADED), check.reach) == ("stricter", None)
    assert check_class("B19", occupation="社会工作者").result is NA


@pytest.mark.parametrize(
    ("planned", "result", "next_on"),
    [
        (date(2026, 4, 1), PASS, None),
        (date(2026, 4, 30), PASS, None),
        (date(2026, 5, 1), FAIL, date(2026, 8, 1)),
        (date(2026, 8, 31), PASS, None),
        (date(2026, 12, 31), PASS, None),
        (date(2027, 1, 1), FAIL, date(2027, 4, 1)),
        (None, NOT_PROVEN, None),
    ],
)
def test_assessments_are_in_april_august_and_december(
    planned: date | None, result: CheckOutcome, next_on: date | None
) -> None:
    check = check_class("C1", assessment_planned_on=planned)
    assert (check.result, check.next_on) == (result, next_on)
    assert limit_of(check.check, GRADED) == "4月、8月、12月"


@pytest.mark.parametrize(
    ("mode", "result"), [(Mode.OFFLINE, PASS), (Mode.ONLINE, FAIL), (Mode.BLENDED, FAIL)]
)
def test_the_assessment_is_offline(mode: Mode, result: CheckOutcome) -> None:
    assert check_class("C2", assessment_mode=mode).result is result


@pytest.mark.parametrize(
    ("applicant", "mode", "occupation", "result"),
    [
        (ApplicantKind.ENTERPRISE, Mode.ONLINE, "营销员", PASS),
        (ApplicantKind.INSTITUTION, Mode.ONLINE, "营销员", FAIL),
        (ApplicantKind.INDIVIDUAL, Mode.BLENDED, "营销员", FAIL),
        (ApplicantKind.INSTITUTION, Mode.OFFLINE, "营销员", AUTHORITY),
        (ApplicantKind.INSTITUTION, Mode.ONLINE, "育婴员", NA),
        (None, Mode.ONLINE, "营销员", NOT_PROVEN),
    ],
)
def test_for_annex_3_only_an_enterprise_applies(
    applicant: ApplicantKind | None, mode: Mode, occupation: str, result: CheckOutcome
) -> None:
    check = check_class("C3", applicant=applicant, mode=mode, occupation=occupation)
    assert check.result is result


@pytest.mark.parametrize(
    ("applied", "result", "next_on"),
    [
        (date(2026, 8, 17), PASS, None),
        (date(2026, 8, 18), FAIL, date(2026, 8, 21)),
        (date(2026, 8, 21), FAIL, date(2026, 8, 24)),
        (date(2026, 7, 1), PASS, None),
        (None, NOT_PROVEN, None),
    ],
)
def test_the_application_comes_three_days_before_the_assessment(
    applied: date | None, result: CheckOutcome, next_on: date | None
) -> None:
    check = check_class("C7", assessment_applied_on=applied)
    assert (check.result, check.next_on) == (result, next_on)


@pytest.mark.parametrize(
    ("satisfied", "answers", "result"),
    [
        (17, 20, PASS),
        (16, 20, FAIL),
        (51, 60, PASS),
        (849, 1000, FAIL),
        (850, 1000, PASS),
        (84_999, 100_000, FAIL),
        (0, 0, NOT_PROVEN),
    ],
)
def test_85_per_cent_satisfied_is_enough(
    satisfied: int, answers: int, result: CheckOutcome
) -> None:
    survey = Survey(satisfied, answers, date(2026, 1, 31))
    check = check_class("C11", roster=max(60, answers), survey=survey)
    assert check.result is result
    assert check.next_on == (date(2026, 3, 1) if result is FAIL else None)
    assert check.reach is None


@pytest.mark.parametrize(
    ("opening", "result"),
    [
        (date(2026, 4, 10), PASS),
        (date(2026, 4, 11), FAIL),
        (date(2026, 5, 10), FAIL),
        (date(2026, 5, 11), PASS),
    ],
)
def test_no_class_opens_in_the_month_after_a_low_survey(
    opening: date, result: CheckOutcome
) -> None:
    low = (Survey(16, 20, date(2026, 4, 10)), Survey(20, 20, date(2026, 5, 1)))
    check = check_class("C11_opening", starts_on=opening, institution_surveys=low)
    assert check.result is result
    assert check.next_on == (date(2026, 5, 11) if result is FAIL else None)


def test_a_low_survey_without_a_date_leaves_the_opening_undecided() -> None:
    check = check_class("C11_opening", institution_surveys=(Survey(1, 20),))
    assert check.reason == "survey_date_unknown"


@pytest.mark.parametrize(
    ("places", "mode", "result"),
    [
        (3, Mode.BLENDED, PASS),
        (2, Mode.BLENDED, FAIL),
        (2, Mode.ONLINE, PASS),
        (None, Mode.OFFLINE, PASS),
    ],
)
def test_a_workplace_serves_twenty_where_one_is_needed(
    places: int | None, mode: Mode, result: CheckOutcome
) -> None:
    assert check_class("B10", workplaces=places, mode=mode).result is result


def test_more_answers_than_learners_are_no_survey() -> None:
    check = check_class("C11", survey=Survey(80, 80, date(2026, 8, 15)))
    assert (check.result, check.reason) == (NOT_PROVEN, "more_answers_than_learners")


TAUGHT_ON = date(2026, 4, 10)
FILM = Recording("a.mp4", TAUGHT_ON, False, 1, 2, 80.0, sealed=True)


@pytest.mark.parametrize(
    ("film", "result", "found"),
    [(FILM, PASS, "2/2"), (replace(FILM, last=1, minutes=40), AUTHORITY, "1/2")],
)
def test_theory_in_person_is_recorded_or_left_to_the_authority(
    film: Recording, result: CheckOutcome, found: str
) -> None:
    teaching = Teaching((TaughtDay(TAUGHT_ON, False, 2),), (film,))
    check = check_class("B6", teaching=teaching)
    assert (check.result, check.found) == (result, found)
    assert check_class("B7", teaching=teaching).result is NA


def test_recordings_of_a_class_whose_attendance_nobody_reported_are_unknown() -> None:
    assert check_class("B7", teaching=None).result is NOT_PROVEN
    assert check_class("B7", mode=Mode.ONLINE, teaching=None).result is NA


@pytest.mark.parametrize(
    ("at_once", "of_year", "teachers", "result", "reason"),
    [
        (40, 40, 2, PASS, "met"),
        (41, 41, 2, FAIL, "too_many_apprentices"),
        (1, 1, 0, FAIL, "too_many_apprentices"),
        (40, 41, 2, AUTHORITY, "many_apprentices_of_year"),
        (12, 12, None, AUTHORITY, "teachers_not_filed"),
    ],
)
def test_twenty_apprentices_of_an_occupation_to_each_of_its_full_time_teachers(
    at_once: int, of_year: int, teachers: int | None, result: CheckOutcome, reason: str
) -> None:
    check = check_class(
        "B14",
        training_kind=TrainingKind.APPRENTICESHIP,
        apprentices=Apprentices(at_once, of_year, teachers),
    )
    assert (check.result, check.reason) == (result, reason)


def test_who_is_no_apprentice_is_not_counted_and_a_kind_that_nobody_told_is_open() -> None:
    assert check_class("B14").result is NA
    assert check_class("B14", training_kind=None).result is NOT_PROVEN
    apprenticeship = TrainingKind.APPRENTICESHIP
    assert check_class("B14", training_kind=apprenticeship).result is NOT_PROVEN
