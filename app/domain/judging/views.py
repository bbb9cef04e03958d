"""Judgements as they are read, with their words: what the API, the console and the reports are
given. Nothing of it is stored; see `app.store.bodies` for what is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from app.domain.exchange.platform_notes import PlatformNote
from app.domain.faces.face_confidence import FaceEnrolment
from app.domain.policy.pack_term import PackTerm
from app.domain.review.appeals import AppealView
from app.domain.review.review import ReviewView
from app.languages import Text
from app.store.bodies import (
    Body,
    CheckBody,
    ClassFields,
    ConformityBody,
    CureBody,
    EnrolmentFields,
    FindingBody,
    HourFields,
    PackBody,
    ReasonBody,
    ScaleVerdict,
    SessionFields,
    SessionVerdict,
)
from detectors.assess import HourOutcome, SessionOutcome


class FindingView(FindingBody, frozen=True, kw_only=True):
    """A finding with its sentence; a rival on another platform has no id here."""

    sentence: Text


class EnteredFinding(FindingView, frozen=True, kw_only=True):
    """A finding as it was entered, and where it stands. `learner_id` is None where it is about the
    class; `platform_id` is a slug, `pack` id@version. `face_enrolment`: of rules that compare
    faces, how sure that is with the photos enrolled now."""

    id: int
    platform_id: str
    class_id: str
    learner_id: str | None
    status: str
    pack: str
    pack_term: PackTerm | None
    created_ms: int
    updated_ms: int
    face_enrolment: FaceEnrolment | UnsetType = UNSET


class FindingDetail(EnteredFinding, frozen=True, kw_only=True):
    """One finding with its reviews and appeals."""

    reviews: Sequence[ReviewView]
    appeals: Sequence[AppealView]


class FindingPage(Body, frozen=True, kw_only=True):
    """A page of findings in the order of entry."""

    findings: Sequence[EnteredFinding]
    next_cursor: str | None


class SessionVerdictView(SessionVerdict, frozen=True, kw_only=True):
    """The verdict on a sitting, beside the sitting itself: `outcome` is what the machine proposes,
    `standing` how it stands while people decide."""

    standing: SessionOutcome
    findings: Sequence[FindingView]


class JudgedSession(SessionFields, frozen=True, kw_only=True):
    """The verdict on a sitting among others: its subject laid open, how it stands now, and when it
    was reached."""

    session_id: str
    learner_id: str
    class_id: str
    lesson_id: str
    standing: SessionOutcome
    findings: Sequence[FindingView]
    judged_ms: int


class HourVerdictView(HourFields, frozen=True, kw_only=True):
    """A class-hour of one learner; one that nobody played has no verdict and no digest. `outcome`
    is what the machine proposes, `standing` how it stands while people decide."""

    class_hour: int
    standing: HourOutcome
    findings: Sequence[FindingView]
    withheld: Sequence[FindingView] | UnsetType = UNSET
    facts_sha256: str | None
    judged_ms: int | None
    credited_seconds: float


class HourOfLearner(HourVerdictView, frozen=True, kw_only=True):
    learner_id: str


class LearnerHours(Body, frozen=True, kw_only=True):
    """The class-hours of one learner, and how many have which standing. `face_enrolment`: how sure
    comparisons of the face are; not there where nobody agreed to them."""

    learner_id: str
    class_hours: Sequence[HourVerdictView]
    counts: Mapping[str, int]
    face_enrolment: FaceEnrolment | UnsetType = UNSET


class ClassHoursView(Body, frozen=True, kw_only=True):
    """Every learner × every class-hour of the plan. `counts` are of standings;
    `unsettled_sessions` ended and are not judged yet."""

    class_id: str
    pack: PackBody
    pack_term: PackTerm | None
    planned: int
    unsettled_sessions: int
    counts: Mapping[str, int]
    learners: Sequence[LearnerHours]


class CureAdvice(CureBody, frozen=True, kw_only=True):
    zh: str
    en: str


class ReasonView(ReasonBody, frozen=True, kw_only=True):
    """Why a verdict is not the best one, and what can still be done about it."""

    cure: CureAdvice
    sentence: Text


class CheckView(CheckBody, frozen=True, kw_only=True):
    """A check with its title and limit by the pack that judged."""

    title: Text
    limit: str
    sentence: Text | UnsetType = UNSET


class ScaleVerdictView(ScaleVerdict, frozen=True, kw_only=True):
    reasons: Sequence[ReasonView]


class EnrolmentVerdictView(EnrolmentFields, frozen=True, kw_only=True):
    """The verdict on an enrolment: its subject laid open, and what depends on the day alone."""

    class_id: str
    learner_id: str
    reasons: Sequence[ReasonView]
    graded: ScaleVerdictView | None
    literal: ScaleVerdictView | None
    checks: Sequence[CheckView]
    cut_off_passed: bool | None
    judged_ms: int


class ClassVerdictView(ClassFields, frozen=True, kw_only=True):
    """The verdict on a class: its subject laid open, and what depends on the day alone."""

    class_id: str
    reasons: Sequence[ReasonView]
    graded: ScaleVerdictView | None
    literal: ScaleVerdictView | None
    checks: Sequence[CheckView]
    cut_off_passed: bool | None
    judged_ms: int


class ScaleChoice(Body, frozen=True, kw_only=True):
    """The scale that applies to a class, and who of the authority picked it when."""

    applied: str
    chosen: str | None
    chosen_by: str | None
    chosen_ms: int | None


class ClassEligibility(Body, frozen=True, kw_only=True):
    """The current verdicts on a class (on the wire `class`) and its learners."""

    class_id: str
    today: str
    pack_term: PackTerm | None
    scale: ScaleChoice
    klass: ClassVerdictView = msgspec.field(name="class")
    learners: Sequence[EnrolmentVerdictView]


class ClassReport(Body, frozen=True, kw_only=True):
    """All current verdicts of a class with their findings."""

    klass: ClassVerdictView = msgspec.field(name="class")
    enrolments: Sequence[EnrolmentVerdictView]
    class_hours: Sequence[HourOfLearner]
    sessions: Sequence[JudgedSession]
    findings: Sequence[EnteredFinding]


class ClassConformity(ConformityBody, frozen=True, kw_only=True):
    """The record of one class; without verdict it was looked at now."""

    class_id: str
    controls_by: str
    outcome: str | None
    pack_term: PackTerm | None
    judged_ms: int | None


class ControlSum(Body, frozen=True, kw_only=True):
    """One control over several classes: `observed` is those of `of` subjects that show it, or the
    findings of an occurrence."""

    observed: int
    of: int
    share: float | None
    classes_missing: int


class EvidenceSum(Body, frozen=True, kw_only=True):
    sittings: int
    judged: int
    complete: int
    complete_share: float | None


class FaultSum(Body, frozen=True, kw_only=True):
    violations: int
    violation_share: float | None


class ConformitySum(Body, frozen=True, kw_only=True):
    """What judged classes add up to; shares are made of the sums."""

    classes: int
    controls: Mapping[str, ControlSum]
    evidence: EvidenceSum
    faults: Mapping[str, FaultSum]


class ConformityMonth(ConformitySum, frozen=True, kw_only=True):
    """Of the classes that opened in one month, as 2026-03."""

    month: str


class PlatformConformity(Body, frozen=True, kw_only=True):
    """A platform's classes, a page at a time, and of all of them the year's months. `missing` names
    the classes of the page in which a control is missing, by control."""

    platform_id: str
    name: str
    county: str
    missing: Mapping[str, Sequence[str]]
    notes: Sequence[PlatformNote]
    trend: Sequence[ConformityMonth]
    classes: Sequence[ClassConformity]
    next_cursor: str | None
