"""A class and a learner with which everything is in order; tests change one fact at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from app.domain.policy import packs
from detectors.batch_checks import CLASS_CHECKS, LEARNER_CHECKS
from detectors.batch_facts import (
    ApplicantKind,
    CheckResult,
    ClassFacts,
    LearnerFacts,
    Mode,
    Survey,
    Trainee,
    Training,
    TrainingKind,
)
from detectors.recordings import Recording, TaughtDay, Teaching

GRADED = packs.load("huangchuan-2021-graded")
LITERAL = packs.load("huangchuan-2021-literal")
BOOK = GRADED.rulebook

PRACTISED_ON = date(2026, 7, 10)
PRACTICE = Teaching(
    (TaughtDay(PRACTISED_ON, True, 8),),
    (Recording("practice.mp4", PRACTISED_ON, True, 1, 8, 330.0, sealed=True),),
)
CLASS = ClassFacts(
    class_id="c-1",
    official_class_no="41152620260001",
    occupation="营销员",
    occupation_code="4-01-02-01",
    level="五级",
    certificate_type="培训合格证书",
    mode=Mode.BLENDED,
    applicant=ApplicantKind.ENTERPRISE,
    starts_on=date(2026, 6, 1),
    roster=60,
    teachers=3,
    plan_hours=40,
    practical_hours=26,
    assessment_planned_on=date(2026, 8, 20),
    assessment_applied_on=date(2026, 8, 17),
    assessment_mode=Mode.OFFLINE,
    survey=Survey(17, 20, date(2026, 8, 15)),
    institution_surveys=(),
    teaching=PRACTICE,
    training_kind=TrainingKind.UPSKILLING,
)
LIN = LearnerFacts(
    learner_id="lin",
    valid_hours=40,
    offline_hours=8,
    real_name_verified=True,
    history=(),
    leaves=(),
    trainee=Trainee(kind="企业职工", post_code="4-01-02-01"),
)


def check_class(check: str, **facts: Any) -> CheckResult:
    return CLASS_CHECKS[check](replace(CLASS, **facts), BOOK)


def check_learner(check: str, klass: dict[str, Any] | None = None, **facts: Any) -> CheckResult:
    return LEARNER_CHECKS[check](replace(LIN, **facts), replace(CLASS, **(klass or {})), BOOK)


def earlier(
    opened: str,
    assessed_on: str | None = None,
    *,
    assessed: bool | None = None,
    class_id: str = "c-0",
    occupation: str = "收银员",
    level: str = "五级",
) -> Training:
    """An earlier training of the learner; assessed when a date is given."""
    day = date.fromisoformat(assessed_on) if assessed_on else None
    known = True if day else assessed
    return Training(class_id, occupation, level, date.fromisoformat(opened), known, day)
