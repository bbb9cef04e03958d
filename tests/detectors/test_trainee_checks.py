"""Who may be trained in what: the plan's words, and where the authority decides."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.batch_facts import CheckOutcome, CheckResult, Trainee
from detectors.qualifications import TraineeKind, trainee_of
from tests.detectors.enrolment_facts import check_learner

PASS, FAIL, LEFT = CheckOutcome.PASS, CheckOutcome.FAIL, CheckOutcome.NEEDS_AUTHORITY
ABSENT, OUT = CheckOutcome.NOT_PROVEN, CheckOutcome.NOT_APPLICABLE
TRAINED = {"occupation_code": "4-01-02-01", "occupation": "电子商务师"}


def check(which: str, kind: str | None, **told: Any) -> CheckResult:
    return check_learner(which, TRAINED, trainee=Trainee(kind=kind, **told))


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("4-01-02-01", PASS),  # the same
        ("4-01-02-03", PASS),  # of one 小类
        ("4-01-03-01", LEFT),
        ("6-29-01-01", LEFT),
        (None, ABSENT),
    ],
)
def test_an_employee_is_trained_in_the_posts_occupation_or_one_near_it(
    code: str | None, result: CheckOutcome
) -> None:
    told = check("B2", "企业职工", post_code=code)
    assert told.result is result
    assert told.unknown == "listed"  # nobody waits for a column that was left blank


@pytest.mark.parametrize(
    ("code", "result"),
    [("4-01-02-01", FAIL), ("4-01-02-03", LEFT), ("4-02-02-01", PASS), (None, ABSENT)],
)
def test_who_changes_posts_is_trained_in_another_class_of_occupations(
    code: str | None, result: CheckOutcome
) -> None:
    assert check("B3", "困难企业转岗职工", former_post_code=code).result is result


@pytest.mark.parametrize(
    ("own_school", "major", "result"),
    [
        (True, "电子商务", FAIL),
        (True, "电子商务师", FAIL),
        (True, "市场营销", LEFT),
        (True, None, LEFT),
        (False, "电子商务", PASS),
        (None, "电子商务", ABSENT),
    ],
)
def test_a_school_trains_its_own_students_in_no_major_of_theirs(
    own_school: bool | None, major: str | None, result: CheckOutcome
) -> None:
    assert check("B4", "在校生", own_school=own_school, major=major).result is result


@pytest.mark.parametrize(("age", "result"), [(59, PASS), (60, LEFT), (61, FAIL), (None, ABSENT)])
def test_sixty_is_a_limit_for_those_of_whom_the_text_says_so(
    age: int | None, result: CheckOutcome
) -> None:
    assert check("B8", "社区矫正对象", age=age).result is result
    assert check("B8", "企业职工", age=age).result is OUT


def test_words_that_are_not_known_are_told_and_accuse_nobody() -> None:
    told = check("B2", "临时工")
    assert (told.result, told.reason, told.found) == (ABSENT, "unknown_trainee_kind", "临时工")
    assert check("B2", None).reason == "trainee_kind_unknown"
    assert check_learner("B2", TRAINED, trainee=None).reason == "trainee_kind_unknown"


def test_every_kind_is_known_by_its_own_name() -> None:
    assert [trainee_of(it) for it in TraineeKind] == list(TraineeKind)
    assert trainee_of("农民工") is TraineeKind.RURAL
