"""Facts, limits and results of the checks before an offline assessment (docs/rules.md section 5).

Every fact may be None: nobody supplied it. A check never takes that for a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from detectors.policy import Reach, Value
from detectors.recordings import Teaching

Limit = Value | tuple[int, ...]


class Mode(StrEnum):
    """How a class is taught, and how it is assessed."""

    ONLINE = "online"
    BLENDED = "blended"
    OFFLINE = "offline"


class ApplicantKind(StrEnum):
    ENTERPRISE = "enterprise"
    INSTITUTION = "institution"
    INDIVIDUAL = "individual"


class TrainingKind(StrEnum):
    """What a class is under the plan of 2021 (003, clauses 2, 8, 14 and 附件1)."""

    UPSKILLING = "upskilling"
    EMPLOYMENT = "employment"
    BUSINESS = "business"
    APPRENTICESHIP = "apprenticeship"
    OTHER = "other"


class CheckScope(StrEnum):
    CLASS = "class"
    LEARNER = "learner"


class CheckOutcome(StrEnum):
    """Result of one check; `not_proven` when a fact is absent."""

    PASS = "pass"
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    NEEDS_AUTHORITY = "needs_authority"
    NOT_PROVEN = "not_proven"


class Unknown(StrEnum):
    """What an absent fact does: hold the verdict at `pending`, or only stand in the list."""

    PENDING = "pending"
    LISTED = "listed"


@dataclass(frozen=True, slots=True)
class CheckPolicy:
    """One check of a pack: its clause, how far a failure goes (None: no further than the list)."""

    check: str
    clause: str
    scope: CheckScope
    reach: Reach | None
    curable: bool
    unknown: Unknown
    parameters: Mapping[str, Limit]

    def __getitem__(self, name: str) -> float:
        value = self.parameters[name]
        if isinstance(value, str | tuple):
            raise TypeError(f"{self.check}.{name} is not a number: {value!r}")
        return float(value)

    def word(self, name: str) -> str:
        value = self.parameters[name]
        if not isinstance(value, str):
            raise TypeError(f"{self.check}.{name} is not a word: {value!r}")
        return value

    def numbers(self, name: str) -> tuple[int, ...]:
        value = self.parameters[name]
        if not isinstance(value, tuple):
            raise TypeError(f"{self.check}.{name} is not a list: {value!r}")
        return value


@dataclass(frozen=True, slots=True)
class Survey:
    """One satisfaction survey: satisfied among valid answers, and the day its result stood."""

    satisfied: int
    valid_answers: int
    closed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Training:
    """An earlier subsidised training of a person, from imported history or this service's classes.

    `assessed` None: nobody said whether it was assessed. `left`: the person left the class before
    its end and moved to no other. `elsewhere`: that the person was in it, and when it was assessed,
    is another platform's word.
    """

    class_id: str
    occupation: str
    level: str
    opened_on: date
    assessed: bool | None = None
    assessed_on: date | None = None
    left: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Absence:
    """One absence: asked for in writing, approved, and the day the missed lessons were made up.

    `accepted`: the authority says so too, where the pack asks for that.
    """

    first_day: date
    last_day: date
    written: bool
    approved: bool
    made_up_on: date | None = None
    accepted: bool = True


@dataclass(frozen=True, slots=True)
class AuthorityDecision:
    """What the authority decided on a check that is left to it, and what it had before it then: a
    decision on a fourth training says nothing of a fifth."""

    check: str
    reason: str
    found: str
    allowed: bool


@dataclass(frozen=True, slots=True)
class Apprentices:
    """Persons whom the institution trains as apprentices (企业新型学徒制) in the occupation of the
    class, in it and those it opened before: the most on any one day of the class, and all of
    the calendar year in which it opens. `teachers` are the full-time ones of the occupation that
    it had on file on the opening day; None: it filed none of any occupation."""

    at_once: int
    of_year: int
    teachers: int | None = None


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """Facts of one class. Hours are class-hours, `institution_surveys` those of earlier classes.

    `explicit_hours` is what an explicit rule on the hours of such a training asks for, where the
    authority recorded that there is one. `roster` is the most persons on any one day. `teaching` is
    what was taught in person, and its films.
    """

    class_id: str
    official_class_no: str | None = None
    occupation: str | None = None
    level: str | None = None
    certificate_type: str | None = None
    mode: Mode | None = None
    applicant: ApplicantKind | None = None
    starts_on: date | None = None
    roster: int | None = None
    teachers: int | None = None
    plan_hours: float | None = None
    practical_hours: float | None = None
    workplaces: int | None = None
    explicit_hours: float | None = None
    occupation_code: str | None = None
    assessment_planned_on: date | None = None
    assessment_applied_on: date | None = None
    assessment_mode: Mode | None = None
    survey: Survey | None = None
    institution_surveys: tuple[Survey, ...] | None = None
    teaching: Teaching | None = None
    training_kind: TrainingKind | None = None
    apprentices: Apprentices | None = None
    decisions: tuple[AuthorityDecision, ...] = ()


@dataclass(frozen=True, slots=True)
class Trainee:
    """Who a learner is, as far as the plan says who may be trained. `kind` is in the words of the
    roster; codes are those of the 国家职业分类大典; `own_school`: a student of
    the institution that trains; `age` in full years when the class opens."""

    kind: str | None = None
    post_code: str | None = None
    former_post_code: str | None = None
    own_school: bool | None = None
    major: str | None = None
    age: int | None = None


@dataclass(frozen=True, slots=True)
class InPerson:
    """Class-hours that a learner attended in person at one time, and the minutes that they took;
    None: nobody said so. `practical` None: nobody said whether it was practice or theory."""

    hours: float
    practical: bool | None = None
    minutes: float | None = None


@dataclass(frozen=True, slots=True)
class LearnerFacts:
    """Facts of one learner in the class. `open_hours` are in review or not proven: undecided.

    `history` and `leaves` are None when nobody supplied such a list, and empty when it was empty.
    `in_person` are all hours in person one by one, for packs whose checks ask for them.
    `same_person` are other accounts in the class under the same ID number. `offline_hours` are of
    practice in person; of `unsaid_hours` among them nobody said that they were practice.
    """

    learner_id: str
    valid_hours: float | None = None
    open_hours: float = 0
    offline_hours: float | None = None
    unsaid_hours: float = 0
    real_name_verified: bool | None = None
    history: tuple[Training, ...] | None = None
    leaves: tuple[Absence, ...] | None = None
    same_person: tuple[str, ...] = ()
    trainee: Trainee | None = None
    decisions: tuple[AuthorityDecision, ...] = ()
    in_person: tuple[InPerson, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check says of one class (`subject` is its id) or of one learner.

    `found` is the value that was found; `reason` is an id for messages; `said` names the sentence
    that people read, and `numbers` what stands in it; `next_on` is the next date on which the check
    could pass. What is said is worded when it is read.
    """

    check: str
    clause: str
    scope: CheckScope
    subject: str
    result: CheckOutcome
    reason: str
    found: str
    said: str
    numbers: Mapping[str, str | float]
    reach: Reach | None
    curable: bool
    unknown: Unknown
    next_on: date | None = None
