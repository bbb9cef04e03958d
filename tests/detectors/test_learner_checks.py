"""Checks on a learner, on each side of every limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.policy import packs
from detectors.batch_facts import Absence, CheckOutcome, CheckPolicy, InPerson, Mode
from detectors.check_sheet import Rulebook
from detectors.learner_checks import (
    length_in_person,
    offline_practice,
    subsidies_of_the_year,
    theory_offline,
)
from tests.detectors.enrolment_facts import BOOK, CLASS, LIN, check_learner, earlier

PASS, FAIL = CheckOutcome.PASS, CheckOutcome.FAIL
NA, AUTHORITY = CheckOutcome.NOT_APPLICABLE, CheckOutcome.NEEDS_AUTHORITY
NOT_PROVEN = CheckOutcome.NOT_PROVEN


def with_parameter(check: str, name: str, value: float | str) -> Rulebook:
    """The rulebook of a pack in which one parameter differs."""
    policy: CheckPolicy = BOOK.checks[check]
    changed = replace(policy, parameters={**policy.parameters, name: value})
    return replace(BOOK, checks={**BOOK.checks, check: changed})


@pytest.mark.parametrize(
    ("valid", "open_hours", "result"),
    [(40, 0, PASS), (39, 0, FAIL), (39, 1, NOT_PROVEN), (38, 1, FAIL), (None, 0, NOT_PROVEN)],
)
def test_a_training_certificate_takes_forty_valid_class_hours(
    valid: float | None, open_hours: float, result: CheckOutcome
) -> None:
    assert check_learner("B5", valid_hours=valid, open_hours=open_hours).result is result


def test_another_certificate_has_no_such_limit() -> None:
    check = check_learner("B5", {"certificate_type": "职业技能等级证书"}, valid_hours=1)
    assert check.result is NA


@pytest.mark.parametrize(("valid", "result"), [(24, PASS), (23, FAIL)])
def test_an_explicit_rule_on_hours_is_held_to_instead(valid: float, result: CheckOutcome) -> None:
    check = check_learner("B5", {"explicit_hours": 24}, valid_hours=valid)
    assert (check.result, check.said) == (result, "counted_by_own_rule")


def test_a_certificate_nobody_knows_waits() -> None:
    check = check_learner("B5", {"certificate_type": "结业证明"}, valid_hours=24)
    assert (check.result, check.reason) == (NOT_PROVEN, "unknown_certificate")


@pytest.mark.parametrize(("hours", "result"), [(8, PASS), (7.5, FAIL), (None, NOT_PROVEN)])
def test_the_second_row_of_annex_3_takes_eight_hours_offline(
    hours: float | None, result: CheckOutcome
) -> None:
    assert check_learner("B18", offline_hours=hours).result is result


@pytest.mark.parametrize(
    ("hours", "unsaid", "result"),
    [(8, 8, NOT_PROVEN), (8, 1, NOT_PROVEN), (9, 1, PASS), (7, 7, FAIL)],
)
def test_hours_of_which_nobody_said_that_they_were_practice_prove_nothing(
    hours: float, unsaid: float, result: CheckOutcome
) -> None:
    assert check_learner("B18", offline_hours=hours, unsaid_hours=unsaid).result is result


def test_the_first_row_alone_takes_none() -> None:
    assert check_learner("B18", {"occupation": "社会工作者"}, offline_hours=0).result is NA
    assert check_learner("B18", {"mode": Mode.OFFLINE}, offline_hours=0).result is NA


def test_the_lenient_reading_asks_for_no_offline_hours() -> None:
    lenient = with_parameter("B19", "reading", "lenient")
    result = offline_practice(replace(LIN, offline_hours=0), CLASS, lenient)
    assert (result.result, result.reason) == (NA, "lenient_reading")


@pytest.mark.parametrize(
    ("opening", "result"), [("2026-05-10", FAIL), ("2026-05-11", PASS), ("2026-04-10", FAIL)]
)
def test_a_full_month_lies_between_assessment_and_opening(
    opening: str, result: CheckOutcome
) -> None:
    history = (earlier("2026-03-01", "2026-04-10"),)
    check = check_learner("B20", {"starts_on": date.fromisoformat(opening)}, history=history)
    assert check.result is result
    assert check.next_on == (date(2026, 5, 11) if result is FAIL else None)


@pytest.mark.parametrize(
    ("assessed", "refused", "allowed"),
    [
        ("2026-01-31", "2026-02-28", "2026-03-01"),
        ("2028-01-31", "2028-02-29", "2028-03-01"),
        ("2028-02-29", "2028-03-29", "2028-03-30"),
        ("2026-08-31", "2026-09-30", "2026-10-01"),
    ],
)
def test_the_month_is_full_at_the_end_of_short_months(
    assessed: str, refused: str, allowed: str
) -> None:
    history = (earlier("2025-12-01", assessed),)
    for opening, result in ((refused, FAIL), (allowed, PASS)):
        day = {"starts_on": date.fromisoformat(opening)}
        assert check_learner("B20", day, history=history).result is result


def test_a_previous_project_without_assessment_bars_the_next() -> None:
    check = check_learner("B20", history=(earlier("2026-03-01", assessed=False),))
    assert (check.result, check.reason) == (FAIL, "previous_not_assessed")


def test_what_only_another_platform_says_of_an_earlier_project_is_for_the_authority() -> None:
    recent = replace(earlier("2026-03-01", "2026-05-20"), elsewhere=True)
    abandoned = replace(earlier("2026-03-01", assessed=False), elsewhere=True)
    long_ago = earlier("2026-01-01", "2026-04-10", class_id="c-9")
    for theirs, reason in (
        (recent, "assessed_too_recently"),
        (abandoned, "previous_not_assessed"),
    ):
        for history in ((theirs,), (long_ago, theirs)):
            check = check_learner("B20", history=history)
            assert (check.result, check.reason) == (AUTHORITY, reason)
            assert check.said == f"{reason}_elsewhere"


def test_what_the_platform_itself_says_bars_whatever_another_one_says() -> None:
    theirs = replace(earlier("2026-01-01", "2026-05-20", class_id="c-9"), elsewhere=True)
    check = check_learner("B20", history=(theirs, earlier("2026-03-01", assessed=False)))
    assert (check.result, check.reason) == (FAIL, "previous_not_assessed")


def test_when_nobody_said_whether_it_was_assessed_nothing_is_proven() -> None:
    assert check_learner("B20", history=(earlier("2026-03-01"),)).result is NOT_PROVEN
    undated = earlier("2026-03-01", assessed=True)
    assert check_learner("B20", history=(undated,)).result is NOT_PROVEN
    assert check_learner("B20", history=None).reason == "history_unknown"


def test_only_the_previous_project_must_be_assessed() -> None:
    abandoned = earlier("2019-03-01", assessed=False, class_id="c-9")
    history = (abandoned, earlier("2026-01-01", "2026-04-10"))
    assert check_learner("B20", history=history).result is PASS


def test_a_first_training_and_the_class_itself_bar_nobody() -> None:
    assert check_learner("B20", history=()).result is PASS
    itself = earlier("2026-06-01", assessed=False, class_id="c-1")
    assert check_learner("B20", history=(itself,)).result is PASS


def test_a_later_training_is_not_the_previous_one() -> None:
    later = earlier("2026-06-02", assessed=False)
    assert check_learner("B20", history=(later,)).result is PASS


def leave(*, written: bool = True, approved: bool = True, made_up: str | None = None) -> Absence:
    day = date.fromisoformat(made_up) if made_up else None
    return Absence(date(2026, 6, 8), date(2026, 6, 9), written, approved, day)


@pytest.mark.parametrize(
    ("taken", "result", "reason"),
    [
        (leave(made_up="2026-08-19"), PASS, "met"),
        (leave(made_up="2026-08-20"), FAIL, "made_up_too_late"),
        (leave(made_up="2026-07-01", written=False), FAIL, "leave_not_written"),
        (leave(made_up="2026-07-01", approved=False), FAIL, "leave_not_written"),
        (leave(), NOT_PROVEN, "make_up_open"),
    ],
)
def test_written_leave_counts_when_made_up_before_the_assessment(
    taken: Absence, result: CheckOutcome, reason: str
) -> None:
    check = check_learner("B24", leaves=(taken,))
    assert (check.result, check.reason) == (result, reason)


@pytest.mark.parametrize(("before", "result"), [(2, PASS), (3, AUTHORITY)])
def test_three_trainings_a_year_and_a_fourth_only_by_the_authority(
    before: int, result: CheckOutcome
) -> None:
    names = ["收银员", "收发员", "导购员"][:before]
    history = tuple(
        earlier(f"2026-0{month}-01", class_id=f"c-{name}", occupation=name)
        for month, name in enumerate(names, start=1)
    )
    check = check_learner("D1", history=history)
    assert (check.result, check.found) == (result, str(before + 1))


def test_the_year_is_the_calendar_year_of_the_opening() -> None:
    names = ["收银员", "收发员", "导购员"]
    history = tuple(earlier("2025-12-31", class_id=name, occupation=name) for name in names)
    assert check_learner("D1", history=history).found == "1"


def test_one_training_reported_twice_counts_once() -> None:
    twice = (earlier("2026-01-01"), earlier("2026-01-01"))
    assert check_learner("D1", history=twice).found == "2"


@pytest.mark.parametrize(
    ("occupation", "level", "result"),
    [
        ("营销员", "五级", AUTHORITY),
        (" 营销员", "五级", AUTHORITY),
        ("营销员", "", AUTHORITY),
        ("营销员", "四级", PASS),
        ("收银员", "五级", PASS),
    ],
)
def test_the_same_occupation_at_the_same_level_is_subsidised_once(
    occupation: str, level: str, result: CheckOutcome
) -> None:
    history = (earlier("2020-01-01", occupation=occupation, level=level),)
    assert check_learner("D1", history=history).result is result


def test_where_the_text_is_no_principle_a_fourth_training_fails() -> None:
    strict = with_parameter("D1", "in_principle", False)
    learner = replace(LIN, history=(earlier("2020-01-01", occupation="营销员"),))
    assert subsidies_of_the_year(learner, CLASS, strict).result is FAIL


@pytest.mark.parametrize(("verified", "result"), [(True, PASS), (False, FAIL), (None, NOT_PROVEN)])
def test_real_names_are_verified(verified: bool | None, result: CheckOutcome) -> None:
    assert check_learner("D17", real_name_verified=verified).result is result


def test_two_accounts_under_one_number_are_settled_for_neither() -> None:
    shared = check_learner("D17", real_name_verified=True, same_person=("lin-2",))
    assert (shared.result, shared.reason, shared.found) == (
        NOT_PROVEN, "identity_shared", "lin-2",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("attended", "result"),
    [(10 + 12, PASS), (10 + 11.9, FAIL), (12, FAIL), (0, FAIL), (None, NOT_PROVEN)],
)
def test_three_tenths_of_the_theory_is_offline_and_practice_is_no_theory(attended, result):
    book = packs.load("aq-8011-2023").rulebook
    klass = replace(CLASS, mode=Mode.BLENDED, plan_hours=50, practical_hours=10)
    each = () if attended is None else (InPerson(attended),)
    learner = replace(LIN, offline_hours=attended, in_person=each)
    assert theory_offline(learner, klass, book).result is result
    assert theory_offline(learner, replace(klass, mode=Mode.OFFLINE), book).result is NA
    assert theory_offline(learner, replace(klass, plan_hours=None), book).result is NOT_PROVEN


@pytest.mark.parametrize(
    ("each", "result"),
    [
        (((12, False), (10, True)), PASS),
        (((11.9, False), (10, True)), FAIL),
        (((12, False), (4, True)), PASS),  # practice that is wanting is another check's
        (((10, None), (12, False)), PASS),
        (((20, None), (2, False)), PASS),
        (((22, True),), FAIL),
    ],
)
def test_theory_that_is_said_to_be_theory_counts_as_such(each, result):
    book = packs.load("aq-8011-2023").rulebook
    klass = replace(CLASS, mode=Mode.BLENDED, plan_hours=50, practical_hours=10)
    told = tuple(InPerson(hours, practical) for hours, practical in each)
    attended = sum(it.hours for it in told if it.practical is not False)
    learner = replace(LIN, offline_hours=attended, in_person=told)
    assert theory_offline(learner, klass, book).result is result


@pytest.mark.parametrize(
    ("each", "result", "reason"),
    [
        (((4, 180), (2, 90)), PASS, "met"),
        (((4, 180), (2, 89)), FAIL, "class_hour_too_short"),
        (((4, 180), (2, None)), NOT_PROVEN, "minutes_untold"),
        ((), PASS, "met"),
        (None, NOT_PROVEN, "offline_hours_unknown"),
    ],
)
def test_a_class_hour_in_person_takes_the_minutes_of_the_place(each, result, reason):
    book = packs.load("aq-8011-2023").rulebook
    told = tuple(InPerson(hours, None, minutes) for hours, minutes in each or ())
    attended = None if each is None else sum(it.hours for it in told)
    learner = replace(LIN, offline_hours=attended, in_person=told)
    check = length_in_person(learner, replace(CLASS, mode=Mode.BLENDED), book)
    assert (check.result, check.reason) == (result, reason)
    assert length_in_person(learner, replace(CLASS, mode=Mode.ONLINE), book).result is NA
