"""The facts that a class and its learners are judged by, out of every list that bears on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from app.domain.catalogue import apprentices, films, roster_days, trainings
from app.domain.catalogue.classes import pack_of
from app.domain.review.review import UNDECIDED
from app.domain.standing import Found, of_stored
from app.store import stays
from app.store.catalogue.catalogue import ClassRow, class_hours
from app.store.judging import enrolment_facts as store
from app.store.judging.enrolment_facts import (
    HourVerdictRow,
    LeaveRow,
    RosterEntry,
    StandingRow,
    SurveyRow,
)
from app.store.judging.unsettled import finding_keys
from app.store.review import acts
from app.store.review.act_bodies import CheckDecidedBody, ExplicitHoursBody, MakeUpApprovedBody
from app.store.review.acts import ActInForce
from detectors.batch_checks import IN_PERSON_CHECKS, TRAINEE_CHECKS
from detectors.batch_facts import (
    Absence,
    ApplicantKind,
    AuthorityDecision,
    ClassFacts,
    InPerson,
    LearnerFacts,
    Mode,
    Survey,
    Trainee,
    TrainingKind,
)
from detectors.eligibility import ClassBacklog, HourCounts, StandingFinding
from detectors.qualifications import plain

HOUR_OUTCOMES = (
    "valid",
    "invalid",
    "pending_review",
    "not_proven",
    "incomplete",
    "not_started",
)

# By what provenance of the evidence a class-hour rests on a platform's word about it.
RESTS_ON = {"attested": "attested", "platform_controls": "live"}


@dataclass(frozen=True, slots=True)
class CountedFinding:
    """A finding that counts, and its name."""

    key: str
    status: str
    finding: StandingFinding


@dataclass(frozen=True, slots=True)
class Candidate:
    """One learner: `hours` are class-hour numbers by outcome, `verdicts` the digests behind them.
    `attended` are class-hours in person."""

    enrolment_id: int
    learner: str
    facts: LearnerFacts
    counts: HourCounts
    hours: Mapping[str, tuple[int, ...]]
    verdicts: tuple[str, ...]
    findings: tuple[CountedFinding, ...]
    attended: float | None

    def content(self) -> dict[str, Any]:
        """What goes into the digest of the facts."""
        return {
            "facts": self._facts(),
            "counts": counts_document(self.counts),
            "verdicts": list(self.verdicts),
            "findings": [
                [it.key, it.finding.outcome.value, it.status, _agreed(it)]
                + ["appealed"] * it.finding.appealed
                for it in self.findings
            ],
        }

    def _facts(self) -> Any:
        """Without the accounts of the same person and the authority's decisions where there are
        none, as in all but a few, without that leave is accepted where it needs nobody's word,
        and without that somebody left another class, or was in one elsewhere, where nobody was."""
        facts = asdict(self.facts)
        for rare in ("same_person", "decisions", "unsaid_hours", "trainee", "in_person"):
            if not facts[rare]:
                del facts[rare]
        for training in facts["history"] or ():
            for rare in ("left", "elsewhere"):
                if not training[rare]:
                    del training[rare]
        for leave in facts["leaves"]:
            if leave["accepted"]:
                del leave["accepted"]
        return as_json(facts)


@dataclass(frozen=True, slots=True)
class Gathered:
    klass: ClassFacts
    planned: int
    candidates: tuple[Candidate, ...]
    waiting: ClassBacklog


def gather(connection: Connection, klass: ClassRow, found: Sequence[StandingRow]) -> Gathered:
    """Everything that is known now, in the order of the platform's learner ids; `found` stands in
    the class."""
    roster = store.roster(connection, klass.id)
    planned = len(class_hours(connection, klass.id))
    most = roster_days.most_at_once(roster_days.of_class(connection, klass))
    facts = _class_facts(connection, klass, most)
    people = _People(connection, klass, roster, planned, facts.mode, found)
    candidates = tuple(people.candidate(row) for row in roster)
    return Gathered(facts, planned, candidates, _waiting(connection, klass, people, candidates))


def _waiting(
    connection: Connection, klass: ClassRow, people: _People, candidates: Collection[Candidate]
) -> ClassBacklog:
    return ClassBacklog(
        attested=sum(it.counts.attested for it in candidates),
        valid=sum(it.counts.valid for it in candidates),
        platform_controls=sum(it.counts.platform_controls for it in candidates),
        alone=people.asks["attested"] and store.attested_alone(connection, klass.id),
        cases=tuple(store.open_cases(connection, klass.id)),
    )


def counts_document(counts: HourCounts | ClassBacklog) -> dict[str, Any]:
    """As digests of facts hold it: without what later versions count, where there is none."""
    later = ("platform_controls", "made_up")
    return {name: it for name, it in asdict(counts).items() if it or name not in later}


def class_document(facts: ClassFacts) -> Any:
    """A class's facts as digests hold them: without what later versions know where that is none."""
    told = asdict(facts)
    if not told["decisions"]:
        del told["decisions"]
    for rare in ("workplaces", "teaching", "occupation_code", "training_kind", "apprentices"):
        if told[rare] is None:
            del told[rare]
    told["explicit_hours_rule"] = facts.explicit_hours is not None
    if facts.explicit_hours is None:
        del told["explicit_hours"]
    return as_json(told)


def as_json(value: Any) -> Any:
    """Facts as canonical JSON takes them."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: as_json(it) for key, it in value.items()}
    if isinstance(value, tuple | list):
        return [as_json(it) for it in value]
    return value


def _class_facts(connection: Connection, klass: ClassRow, roster: int) -> ClassFacts:
    terms = klass.terms
    assessment = terms.get("assessment") or {}
    applicant = terms.get("applicant") or {}
    surveys = store.surveys(connection, [klass.id])[klass.id]
    decided = acts.in_force(connection, [klass.id], {"class_check_decided", "explicit_hours"})
    hours = [it.said(ExplicitHoursBody) for it in decided if it.kind == "explicit_hours"]
    checks, kind = pack_of(klass).checks, terms.get("training_kind")
    return ClassFacts(
        class_id=klass.external_id,
        official_class_no=terms.get("official_class_no"),
        occupation=terms.get("occupation"),
        level=terms.get("level"),
        certificate_type=terms.get("certificate_type"),
        mode=Mode(terms["mode"]),
        applicant=ApplicantKind(applicant["type"]) if applicant else None,
        starts_on=_day(terms["starts_on"]),
        roster=roster,
        teachers=terms.get("teachers"),
        plan_hours=terms.get("plan_hours"),
        practical_hours=terms.get("practical_hours"),
        workplaces=terms.get("workplaces"),
        occupation_code=terms.get("occupation_code"),
        assessment_planned_on=_day(assessment.get("planned_on")),
        assessment_applied_on=_day(assessment.get("applied_on")),
        assessment_mode=Mode(assessment["mode"]) if assessment.get("mode") else None,
        survey=_latest(surveys),
        institution_surveys=_surveys_before(connection, klass),
        explicit_hours=hours[-1].least_hours if hours else None,
        teaching=films.teaching(connection, klass) if "B6" in checks else None,
        training_kind=TrainingKind(kind) if kind and "B14" in checks else None,
        apprentices=apprentices.of_class(connection, klass) if "B14" in checks else None,
        decisions=tuple(_decision(it) for it in decided if it.kind == "class_check_decided"),
    )


def _decision(act: ActInForce) -> AuthorityDecision:
    body = act.said(CheckDecidedBody)
    return AuthorityDecision(body.check, body.because, body.found, body.decision == "allowed")


def _latest(surveys: Sequence[SurveyRow]) -> Survey | None:
    """The survey of the last day on which there was one; several of that day are one."""
    if not surveys:
        return None
    day = surveys[-1].surveyed_on
    mine = [row for row in surveys if row.surveyed_on == day]
    return Survey(sum(it.satisfied for it in mine), sum(it.answered for it in mine), _day(day))


def _surveys_before(connection: Connection, klass: ClassRow) -> tuple[Survey, ...] | None:
    """Of the institution's earlier classes; None when it had some and none was surveyed."""
    ids = store.earlier_of_institution(
        connection, klass.county, klass.terms["institution"], klass.terms["starts_on"]
    )
    found = store.surveys(connection, ids)
    if ids and not found:
        return None
    latest = [_latest(found[class_id]) for class_id in ids if class_id in found]
    return tuple(it for it in latest if it is not None)


def _asks_for_acts(connection: Connection, klass: ClassRow) -> dict[str, bool]:
    """What only a platform says and nobody of the authority has accepted, though the pack asks."""
    pack = pack_of(klass)
    needs = {"attested": pack.attested_needs_act}
    if klass.controls == "platform":
        needs["platform_controls"] = pack.platform_controls_need_act
    there = {it.kind for it in acts.in_force(connection, [klass.id], set(needs.values()))}
    return {name: bool(kind) and kind not in there for name, kind in needs.items()}


def _made_up(
    connection: Connection, klass: ClassRow
) -> tuple[dict[int, set[int]], dict[int | None, set[int]]]:
    """Where the pack asks for the authority's word: class-hours that were lost to misconduct and
    studied again, by enrolment, and those that it approved, by learner."""
    lost: dict[int, set[int]] = defaultdict(set)
    approved: dict[int | None, set[int]] = defaultdict(set)
    kind = pack_of(klass).misconduct_needs_act
    if kind:
        for enrolment_id, hour in store.hours_made_up(connection, klass.id):
            lost[enrolment_id].add(hour)
        for act in acts.in_force(connection, [klass.id], {kind}):
            approved[act.learner_id].update(act.said(MakeUpApprovedBody).class_hours)
    return lost, approved


class _People:
    """Candidates of one class, each list read once."""

    def __init__(
        self,
        connection: Connection,
        klass: ClassRow,
        roster: Sequence[RosterEntry],
        planned: int,
        mode: Mode | None,
        found: Sequence[StandingRow],
    ) -> None:
        self.planned, self.mode = planned, mode
        checks = pack_of(klass).checks
        self.asks_who = not TRAINEE_CHECKS.isdisjoint(checks)
        self.asks_each = not IN_PERSON_CHECKS.isdisjoint(checks)
        self.institution = klass.terms["institution"]
        self.accounts: dict[int, list[str]] = defaultdict(list)
        for row in roster:
            self.accounts[row.person_id].append(row.external_id)
        self.attendance = store.attendance(connection, klass.id)
        self.trainings = trainings.earlier(connection, klass, {row.person_id for row in roster})
        self.leaves: dict[int, list[Absence]] = defaultdict(list)
        waiting = store.waiting_leaves(connection, klass.id)
        for leave in store.leaves(connection, klass.id):
            self.leaves[leave.learner_id].append(_leave(leave, leave.id not in waiting))
        self.hours: dict[int, list[HourVerdictRow]] = defaultdict(list)
        self.found = finding_keys(connection, klass.id)
        for hour in store.hour_verdicts(connection, klass.id):
            self.hours[hour.subject_id].append(hour)
        self.decisions: dict[int | None, list[AuthorityDecision]] = defaultdict(list)
        for act in acts.in_force(connection, [klass.id], {"learner_check_decided"}):
            self.decisions[act.learner_id].append(_decision(act))
        rows = [*found]
        for mover in stays.movers(connection, klass.id):  # what was found before the move follows
            before = store.standing_findings(connection, mover.moved_from)
            rows += [it for it in before if it.learner_id == mover.learner_id]
        upheld = store.upholders(connection, {row.id for row in rows})
        self.asks = _asks_for_acts(connection, klass)
        self.resting: dict[str, dict[int, set[int]]] = {}
        for name, asked in self.asks.items():
            resting = self.resting[name] = defaultdict(set)
            for enrolment_id, number in (
                store.hours_resting_on(connection, klass.id, RESTS_ON[name]) if asked else ()
            ):
                resting[enrolment_id].add(number)
        self.made_up, self.approved = _made_up(connection, klass)
        self.findings: dict[int, list[CountedFinding]] = defaultdict(list)
        for it in rows:
            if it.learner_id is not None:
                stands = standing(it, upheld.get(it.id, ()))
                self.findings[it.learner_id].append(CountedFinding(it.key, it.status, stands))

    def candidate(self, row: RosterEntry) -> Candidate:
        judged = self.hours[row.id]
        hours = _by_standing(judged, self.planned, self.found)
        for name, asked in self.asks.items():
            if asked:
                resting = self.resting[name][row.id] & set(hours["valid"])
                hours |= {name: tuple(sorted(resting))}
        if waiting := self.made_up[row.id] - self.approved[row.learner_id]:
            hours |= {"made_up": tuple(sorted(waiting & set(hours["valid"])))}
        leaves = tuple(self.leaves[row.learner_id])
        there = self.attendance.get(row.learner_id, store.Attended()) if self.attendance else None
        attended = there.hours if there else None
        counts = _counts(hours, self.planned, leaves)
        return Candidate(
            enrolment_id=row.id,
            learner=row.external_id,
            facts=LearnerFacts(
                learner_id=row.external_id,
                valid_hours=counts.valid + self._in_person(attended),
                open_hours=counts.review + counts.not_proven,
                offline_hours=there.practical + there.unsaid if there else None,
                unsaid_hours=there.unsaid if there else 0,
                real_name_verified=row.real_name_verified,
                history=self.trainings.get(row.person_id, ()) if row.known else None,
                leaves=leaves,
                same_person=tuple(
                    it for it in self.accounts[row.person_id] if it != row.external_id
                ),
                trainee=self._trainee(row),
                decisions=tuple(self.decisions[row.learner_id]),
                in_person=tuple(
                    InPerson(*it) for it in (there.each if there and self.asks_each else ())
                ),
            ),
            counts=counts,
            hours=hours,
            verdicts=tuple(f"{it.hour}:{it.digest.hex()}" for it in judged),
            findings=tuple(self.findings[row.learner_id]),
            attended=attended,
        )

    def _trainee(self, row: RosterEntry) -> Trainee | None:
        """Who a learner is, where the pack has checks that ask."""
        if not self.asks_who:
            return None
        told = row.trainee or {}
        school = told.get("school")
        own = plain(school) == plain(self.institution) if school else None
        codes = {name: told.get(name) for name in ("post_code", "former_post_code", "major", "age")}
        return Trainee(kind=row.category, own_school=own, **codes)

    def _in_person(self, attended: float | None) -> float:
        """Attendance is part of the training where the class is not wholly online."""
        return attended or 0.0 if self.mode is not Mode.ONLINE else 0.0


def _by_standing(
    judged: Sequence[HourVerdictRow], planned: int, found: Found
) -> dict[str, tuple[int, ...]]:
    """Numbers of the planned class-hours; one without a verdict was never studied, and none is lost
    before people decided."""
    outcome = dict.fromkeys(range(1, planned + 1), "not_started")
    outcome |= {
        row.hour: of_stored(row.outcome, row.body, found) for row in judged if row.hour in outcome
    }
    return {
        name: tuple(number for number, it in outcome.items() if it == name)
        for name in HOUR_OUTCOMES
    }


def _counts(
    hours: Mapping[str, tuple[int, ...]], planned: int, leaves: Sequence[Absence]
) -> HourCounts:
    """Online lessons have no fixed day, so what a learner on approved leave has not studied yet is
    taken to be missed on that leave until it is made up."""
    untouched = len(hours["incomplete"]) + len(hours["not_started"])
    on_leave = any(
        it.written and it.approved and it.accepted and it.made_up_on is None for it in leaves
    )
    return HourCounts(
        planned=planned,
        valid=len(hours["valid"]),
        violation=len(hours["invalid"]),
        review=len(hours["pending_review"]),
        not_proven=len(hours["not_proven"]),
        attested=len(hours.get("attested", ())),
        platform_controls=len(hours.get("platform_controls", ())),
        made_up=len(hours.get("made_up", ())),
        excused=untouched if on_leave else 0,
    )


def _leave(row: LeaveRow, accepted: bool) -> Absence:
    return Absence(
        first_day=date.fromisoformat(row.from_on),
        last_day=date.fromisoformat(row.to_on),
        written=row.written,
        approved=row.approved,
        made_up_on=_day(row.body.get("made_up_on")),
        accepted=accepted,
    )


def _agreed(it: CountedFinding) -> int:
    """How many uphold it, once that is settled: what one of two thinks so far shows nowhere."""
    return 0 if it.status in UNDECIDED else len(it.finding.upheld_by)


def standing(row: StandingRow, upheld_by: Collection[int] = ()) -> StandingFinding:
    """A row of `standing_findings`, with the persons who uphold it."""
    return StandingFinding(
        rule=row.rule,
        outcome=row.outcome,
        fault=row.fault,
        evidence=row.evidence,
        # The column also says so where only the scale asks for two.
        grave=row.body is not None and row.body.needs_two_reviewers,
        upheld_by=frozenset(map(str, upheld_by)),
        undecided=row.status in UNDECIDED,
        appealed=row.appealed,
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
