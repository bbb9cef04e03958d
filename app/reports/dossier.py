"""Everything the lists of one class are made from, read once and only as far as a list needs it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from app.clock import day, midnight_ms
from app.domain.catalogue import films, roster_days
from app.domain.catalogue.classes import pack_of, term_of
from app.domain.catalogue.roster_days import Stay
from app.domain.faces import face_confidence
from app.domain.faces.face_confidence import FaceEnrolment
from app.domain.judging import class_report, conformity_trend, eligibility
from app.domain.judging.views import (
    ClassEligibility,
    ConformitySum,
    EnrolmentVerdictView,
    HourVerdictView,
)
from app.domain.policy.pack import Pack
from app.domain.review import presence, recoveries, stages, subsidies
from app.domain.review.inspections import RECORDINGS
from app.domain.review.presence import Presence
from app.domain.review.recoveries import Recovery
from app.domain.review.review import UNDECIDED
from app.domain.review.stages import StepState, StepView
from app.domain.review.subsidies import ClassSubsidy
from app.reports import labels
from app.reports.sheet import Heading, said
from app.store.accounts import users
from app.store.catalogue import films as film_rows
from app.store.catalogue import institutions as institution_rows
from app.store.catalogue.catalogue import ClassRow
from app.store.catalogue.films import FilmRow
from app.store.catalogue.institutions import InstitutionRow
from app.store.exchange import report_rows
from app.store.exchange.report_rows import AssessmentRow, KeptOnDay, MemberRow, PlanRow
from app.store.judging import enrolment_facts
from app.store.judging.enrolment_facts import LeaveRow
from app.store.review import inspections
from app.store.review.finding_rows import FindingRow
from app.store.review.findings import AppealRow
from app.store.review.inspections import InspectionCheckRow, InspectionNoteRow, InspectionRow
from app.store.review.reviews import ReviewRow
from app.store.review.stages import StageEventRow
from app.store.scope import AccessScope
from detectors.eligibility import Eligibility
from detectors.qualifications import certificate_of
from detectors.recordings import RecordedHour

WITHHELD = "（已署名，不对平台公开）"


def office_of(county: str) -> str:
    """The office whose seal stands on a county's papers, as 附件2 names it."""
    return f"{county}人力资源和社会保障局"


class Dossier:
    """A class as its verdicts, ledger and records stand in this transaction.

    `named`: whether people's names as reviewers may be told; platforms are never told them. What
    is not decided yet is told to nobody, so that a second reviewer's judgement stays their own.
    `on` is the day that ten-day and monthly reports look back from.
    """

    def __init__(
        self,
        connection: Connection,
        klass: ClassRow,
        now_ms: int,
        *,
        named: bool,
        on: date,
        chosen: Sequence[str] = (),
    ) -> None:
        self.connection, self.id, self.now_ms = connection, klass.id, now_ms
        self.named, self.on, self.chosen = named, on, tuple(chosen)
        self.row: Any = report_rows.klass(connection, klass.id)
        self.klass = klass
        self.pack: Pack = pack_of(klass)

    @property
    def terms(self) -> dict[str, Any]:
        return self.klass.terms

    def heading(self, period: str = "", *, scaled: bool = False) -> Heading:
        """`scaled`: the list hangs on the scale that applies."""
        term = term_of(self.klass)
        return Heading(
            institution=self.row.institution,
            class_no=said(self.row.official_class_no),
            class_id=self.row.external_id,
            occupation=self.row.occupation,
            pack=self.pack.name,
            pack_digest=self.row.pack_digest,
            period=period or f"{self.row.starts_on} 至 {self.row.ends_on}",
            generated_ms=self.now_ms,
            instrument=f"{self.pack.instrument.number}《{self.pack.instrument.title}》",
            remark=term.warning.zh if term and term.warning else "",
            level=self.terms.get("level") or "",
            scale=labels.SCALES.get(self.concluded.scale.applied, "") if scaled else "",
            office=office_of(self.row.county),
        )

    @cached_property
    def institution(self) -> InstitutionRow | None:
        """As the county's list has it; None where the class names one that is on none."""
        if self.klass.institution_id is None:
            return None
        return institution_rows.institution(
            self.connection,
            AccessScope(institution_id=self.klass.institution_id),
            self.klass.institution_id,
        )

    @property
    def published(self) -> str:
        """From when to when and where the notice of the subsidies is posted; empty while nobody
        said. No other list's notice is a step."""
        notice = self.steps["publication"].body if "publication" in self.steps else {}
        if not notice.get("from_on"):
            return ""
        return f"{notice['from_on']} 至 {notice['to_on']}（{notice['site']}）"

    @property
    def number(self) -> str:
        """The official class number, or under its own name the class's."""
        return self.row.official_class_no or f"自编号{self.row.external_id}"

    @cached_property
    def everybody(self) -> Sequence[MemberRow]:
        """Who is or was in the class."""
        return report_rows.members(self.connection, self.id)

    @cached_property
    def members(self) -> Sequence[MemberRow]:
        """Who is in the class now."""
        return [it for it in self.everybody if it.ended_by is None]

    @cached_property
    def stays(self) -> Sequence[Stay]:
        return roster_days.of_class(self.connection, self.klass)

    def on_roster(self, on: date) -> int:
        """How many persons were in the class on a day."""
        return roster_days.on_roster(self.stays, on)

    @cached_property
    def by_id(self) -> dict[int, MemberRow]:
        """Everybody by row id."""
        return {it.id: it for it in self.everybody}

    @cached_property
    def by_external_id(self) -> dict[str, MemberRow]:
        """Everybody by the platform's id."""
        return {it.external_id: it for it in self.everybody}

    @cached_property
    def plan(self) -> dict[int, PlanRow]:
        """Class-hours by number."""
        return {it.number: it for it in report_rows.hours(self.connection, self.id)}

    @cached_property
    def hours(self) -> dict[str, Sequence[HourVerdictView]]:
        """Every planned class-hour with its outcome, by the learner's own id."""
        matrix = class_report.class_hours(self.connection, self.klass)
        return {it.learner_id: it.class_hours for it in matrix.learners}

    @cached_property
    def concluded(self) -> ClassEligibility:
        """The verdicts on class and enrolments."""
        return eligibility.view(self.connection, self.klass, self.now_ms)

    @cached_property
    def verdicts(self) -> dict[str, EnrolmentVerdictView]:
        """Enrolment verdicts by the learner's own id."""
        return {it.learner_id: it for it in self.concluded.learners}

    @cached_property
    def platform_before(self) -> ConformitySum:
        """What the platform's classes in this county showed in the year before this one opened."""
        scope = AccessScope((self.row.county,), self.klass.platform_id)
        opened = date.fromisoformat(self.row.starts_on)
        return conformity_trend.before(self.connection, scope, self.klass.platform_id, opened)

    @cached_property
    def enrolled(self) -> dict[int, FaceEnrolment]:
        """How sure comparisons of each learner's face are."""
        return face_confidence.of_learners(self.connection, self.by_id)

    def fact(self, rule: str, learner_id: int | None, sentence: str) -> str:
        """A finding's sentence, and with how few enrolled photos it compares."""
        it = self.enrolled.get(learner_id or 0)
        if it is None or not it.low or rule not in face_confidence.FACE_RULES:
            return sentence
        return f"{sentence}（登记照片{it.photos}张，不足{it.photos_wanted}张，比对把握较低）"

    @cached_property
    def findings(self) -> Sequence[FindingRow]:
        return report_rows.findings(self.connection, self.id)

    @cached_property
    def findings_by_key(self) -> dict[str, FindingRow]:
        return {it.key: it for it in self.findings}

    @cached_property
    def reviews(self) -> dict[int, list[ReviewRow]]:
        """Reviews of settled findings, by finding."""
        settled = {it.id for it in self.findings if it.status not in UNDECIDED}
        found: dict[int, list[ReviewRow]] = defaultdict(list)
        for row in report_rows.reviews(self.connection, self.id):
            if row.finding_id in settled:
                found[row.finding_id].append(row)
        return found

    @cached_property
    def appeals(self) -> dict[int, list[AppealRow]]:
        found: dict[int, list[AppealRow]] = defaultdict(list)
        for row in report_rows.appeals(self.connection, self.id):
            found[row.finding_id].append(row)
        return found

    @cached_property
    def steps(self) -> dict[str, StepView]:
        """The steps from application to payment by id."""
        views = stages.of_class(self.connection, self.id, day(self.now_ms))
        return {it.step.id: it for it in views}

    @cached_property
    def subsidy(self) -> ClassSubsidy:
        return subsidies.of_class(self.connection, self.klass)

    @cached_property
    def recoveries(self) -> Sequence[Recovery]:
        return recoveries.of_subsidy(self.connection, self.id, self.subsidy)

    @property
    def claim_batch(self) -> int:
        """Which batch of claims is under way, or was the last one."""
        return self.steps["claim_filed"].batch

    @cached_property
    def batch_of_payment(self) -> dict[int, int]:
        """The batch that each signed payment was for, by its event's id."""
        view = self.steps["payment"]
        found = {it.second.id: it.batch for it in view.earlier if it.second}
        if view.state is StepState.DONE and view.second:
            found[view.second.id] = view.batch
        return found

    def done(self, step: str) -> Mapping[str, Any]:
        """What was filled in at a step that is done; empty before."""
        view = self.steps[step]
        return view.body if view.state is StepState.DONE else {}

    def signer(self, event: StageEventRow) -> str:
        """Who did something about a step."""
        if not self.named:
            return WITHHELD
        username = event.done_by.partition(":")[2]
        return users.display_names(self.connection, [username]).get(username, username)

    @cached_property
    def draws(self) -> Sequence[InspectionRow]:
        """Everything that was drawn at random in the class, oldest first."""
        return inspections.of_class(self.connection, self.id)[::-1]

    @cached_property
    def inspections(self) -> Sequence[InspectionRow]:
        """Remote inspections of learners, oldest first."""
        return [it for it in self.draws if it.frame_kind != RECORDINGS]

    @cached_property
    def films(self) -> Sequence[FilmRow]:
        """Recordings of teaching in person."""
        return film_rows.of_class(self.connection, self.id)

    @cached_property
    def recorded(self) -> list[RecordedHour]:
        """Every class-hour taught in person, and whether it is recorded."""
        return films.recorded(self.connection, self.klass)

    @cached_property
    def inspection_checks(self) -> dict[tuple[int, str], InspectionCheckRow]:
        """What counts of each who was drawn: the last entry, by inspection and learner's own id."""
        found = inspections.checks_of_class(self.connection, self.id)
        return {(it.inspection_id, it.learner): it for it in found}

    @cached_property
    def inspection_notes(self) -> dict[int, InspectionNoteRow]:
        """What counts of each inspection as a whole."""
        return inspections.notes_of_class(self.connection, self.id)

    @cached_property
    def presence(self) -> Presence:
        return presence.of_class(self.connection, self.klass)

    @cached_property
    def kept_on_first_day(self) -> KeptOnDay:
        first = date.fromisoformat(self.row.starts_on)
        bounds = midnight_ms(first), midnight_ms(first + timedelta(days=1))
        return report_rows.kept_on(self.connection, self.id, *bounds)

    @cached_property
    def assessed(self) -> Sequence[AssessmentRow]:
        return report_rows.assessments(self.connection, self.id)

    @cached_property
    def results(self) -> Sequence[AssessmentRow]:
        """Assessments of who may be assessed: what 附件2 and the certificates count. 视同培训无效
        means that who may not is not assessed either."""
        return [it for it in self.assessed if it.learner_id in self.admitted]

    @cached_property
    def outside(self) -> Sequence[AssessmentRow]:
        """Assessments of who is not admitted, which somebody has to look into."""
        return [it for it in self.assessed if it.learner_id not in self.admitted]

    @cached_property
    def admitted(self) -> frozenset[int]:
        """Row ids of who may be assessed, as the lists say it."""
        return frozenset(
            it.id
            for it in self.members
            if self.verdicts[it.external_id].outcome is Eligibility.ELIGIBLE
        )

    @property
    def inconsistent(self) -> tuple[str, ...]:
        """That there are results of people who were not admitted, for lists that leave them out."""
        if not self.outside:
            return ()
        heads = len({it.learner_id for it in self.outside})
        passed = len({it.learner_id for it in self.outside if it.passed})
        return (
            f"资料不一致：另有{heads}人未列入准予申请线下考核名单而有考核结果（其中合格{passed}人），"
            "不计入参加考核、合格和取证人数，也不享受补贴，见《取证名单》；请核实考核名单和准予名单，"
            "确应准予的，先审结再更正名单。",
        )

    def certificate_of(self, result: AssessmentRow) -> str | None:
        """What an examination leads to: the class's kind of certificate where nobody said another,
        by its usual name."""
        known = result.body.get("certificate_type") or self.terms.get("certificate_type")
        return certificate_of(known) or known if known else None

    @cached_property
    def leaves(self) -> Sequence[LeaveRow]:
        return enrolment_facts.leaves(self.connection, self.id)

    @cached_property
    def leaves_waiting(self) -> set[int]:
        """Ids of those that only the platform calls approved."""
        return enrolment_facts.waiting_leaves(self.connection, self.id)

    def reviewer(self, row: ReviewRow | None) -> str:
        """The name under a review, blank where there is none yet."""
        if row is None:
            return ""
        return str(row.reviewer) if self.named else WITHHELD

    def last_of_stage(self, finding_id: int, stage: str) -> ReviewRow | None:
        """The last review of a settled finding at that stage (first, second)."""
        given = [it for it in self.reviews[finding_id] if it.stage == stage]
        return given[-1] if given else None
