"""Checks on who may be trained in what, before an assessment (003, clauses 12 and 20).

The text names the trainees and leaves to a reader what is near, or one class of occupations: codes
of the 国家职业分类大典 are compared by their groups (大类, 中类, 小类, 细类), and where they do not
settle it the authority decides. Which groups are compared is the product's default.
"""

from __future__ import annotations

from typing import Any

from detectors.batch_facts import CheckResult, ClassFacts, LearnerFacts, Trainee
from detectors.check_sheet import CheckSheet, Rulebook
from detectors.qualifications import TraineeKind, trainee_of, without_level

_UP_TO_AN_AGE = (TraineeKind.INMATE, TraineeKind.CORRECTED, TraineeKind.DETOXIFIED)


def occupation_of_post(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B2: an employee is trained in the occupation of the own post, or one near it."""
    sheet = CheckSheet(book.checks["B2"], learner.learner_id)
    told = _of_kind(learner, sheet, (TraineeKind.EMPLOYEE,))
    if isinstance(told, CheckResult):
        return told
    post, trained = told.post_code, klass.occupation_code
    if post is None or trained is None:
        return sheet.absent("post_code" if post is None else "occupation_code")
    codes: dict[str, Any] = {"post": post, "trained": trained}
    if _alike(post, trained, book.checks["B2"]["near_groups"]):
        return sheet.judged(True, "", f"{post}/{trained}", "near", **codes)
    return sheet.needs_authority("other_occupation", f"{post}/{trained}", **codes)


def other_than_former_post(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B3: who changes posts is trained in an occupation of another class than the former post."""
    sheet = CheckSheet(book.checks["B3"], learner.learner_id)
    told = _of_kind(learner, sheet, (TraineeKind.TRANSFERRED,))
    if isinstance(told, CheckResult):
        return told
    former, trained = told.former_post_code, klass.occupation_code
    if former is None or trained is None:
        return sheet.absent("former_post_code" if former is None else "occupation_code")
    found, codes = f"{former}/{trained}", dict[str, Any](former=former, trained=trained)
    if former == trained:
        return sheet.judged(False, "former_occupation", found, "former_occupation", **codes)
    if _alike(former, trained, book.checks["B3"]["same_groups"]):
        return sheet.needs_authority("same_class_of_occupations", found, **codes)
    return sheet.judged(True, "", found, "other_class", **codes)


def own_students(learner: LearnerFacts, klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B4: a school trains its own students in no major that they study there. A major and an
    occupation bear different names, so another name is for the authority to compare."""
    sheet = CheckSheet(book.checks["B4"], learner.learner_id)
    told = _of_kind(learner, sheet, (TraineeKind.STUDENT,))
    if isinstance(told, CheckResult):
        return told
    if told.own_school is None:
        return sheet.absent("school")
    if not told.own_school:
        return sheet.judged(True, "", "-", "other_school")
    if not klass.occupation:
        return sheet.absent("occupation")
    major = told.major or "-"
    names: dict[str, Any] = {"major": major, "occupation": klass.occupation}
    if told.major and _stem(told.major) == _stem(klass.occupation):
        return sheet.judged(False, "own_major", major, "own_major", **names)
    return sheet.needs_authority("own_student", major, **names)


def age_limit(learner: LearnerFacts, _klass: ClassFacts, book: Rulebook) -> CheckResult:
    """B8: 60周岁以内, of the trainees of whom the text says so. Whether the year after the sixtieth
    birthday is within is for the authority to say."""
    policy = book.checks["B8"]
    most = policy["max_age"]
    sheet = CheckSheet(policy, learner.learner_id)
    told = _of_kind(learner, sheet, _UP_TO_AN_AGE)
    if isinstance(told, CheckResult):
        return told
    if told.age is None:
        return sheet.absent("age")
    if told.age == most:
        return sheet.needs_authority("at_age_limit", told.age, age=told.age)
    return sheet.judged(told.age < most, "too_old", told.age, "aged", age=told.age)


def _of_kind(
    learner: LearnerFacts, sheet: CheckSheet, kinds: tuple[TraineeKind, ...]
) -> Trainee | CheckResult:
    """What is known of a trainee of these kinds; of others, why the check says nothing."""
    words = learner.trainee.kind if learner.trainee else None
    if learner.trainee is None or not words:
        return sheet.absent("trainee_kind")
    kind = trainee_of(words)
    if kind is None:
        return sheet.open("unknown_trainee_kind", words, kind=words)
    if kind not in kinds:
        return sheet.not_applicable("other_trainee", words, kind=words)
    return learner.trainee


def _alike(one: str, other: str, groups: float) -> bool:
    count = round(groups)
    return one.split("-")[:count] == other.split("-")[:count]


def _stem(name: str) -> str:
    """An occupation or a major without level, and without what only one of the two is called by."""
    return without_level(name)[0].removesuffix("专业").rstrip("员师工")
