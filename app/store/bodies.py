"""What verdicts and findings store: the one schema of every body, written and read.

Digests are taken of their canonical JSON (app.canonical), so a field that is new, gone or renamed
makes new verdicts; one that is UNSET is not written. Bodies of earlier versions stay readable: what
they lack has a default here, and what nobody reads any more is passed over. Times are epoch
milliseconds, positions content milliseconds; `Number` keeps a whole number whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from app.languages import Text
from detectors.assess import Decision, HourOutcome, SessionOutcome
from detectors.batch_facts import CheckOutcome, CheckScope
from detectors.eligibility import Acceptance, Cure, Eligibility
from detectors.finding import Evidence, Fault, FindingScope, Outcome
from detectors.policy import Reach, Status

Number = int | float
Interval = tuple[int, int, int, int]  # content from and to, server time from and to

Kind = TypeVar("Kind", bound="Body")


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all that is stored of a judgement."""


def extended(kind: type[Kind], body: Body, **more: Any) -> Kind:
    """A body of another kind: what both have in common, and `more`."""
    shared = set(body.__struct_fields__) & set(kind.__struct_fields__) - more.keys()
    return kind(**{name: getattr(body, name) for name in shared}, **more)


def document(body: Body) -> dict[str, Any]:
    """A body as a column of documents takes it."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(body))
    return plain


def finding_key(*parts: object) -> str:
    """The name of a finding, made of what it is about: the same in every run, so that reviews stay
    attached to it."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]


# ------------------------------------------------------------------------------------ in common


class ClauseBody(Body, frozen=True, kw_only=True):
    """A clause with its exact words."""

    key: str
    quote: str
    instrument: str
    article: str


class PackBody(Body, frozen=True, kw_only=True):
    """The pack that judged."""

    id: str
    version: str
    sha256: str


# ----------------------------------------------------------------------- a platform's controls


class CourseLock(Body, frozen=True, kw_only=True):
    """How a course of the class is taught."""

    course_id: str
    course_kind: str | None
    sequential_lock: bool


class ControlConfiguration(Body, frozen=True, kw_only=True):
    """A control by the terms of class and courses: who runs it, and by what."""

    run_by: str
    courses: Sequence[CourseLock] | UnsetType = UNSET
    max_rate: Number | UnsetType = UNSET
    on_second: str | UnsetType = UNSET


class ControlObservation(Body, frozen=True, kw_only=True):
    """Counts out of ledger and verdicts: `seen` (on the wire `with`) of `of` subjects show the
    control. Each control counts what it has; an occurrence counts `findings`."""

    subject: str
    seen: int | UnsetType = msgspec.field(default=UNSET, name="with")
    of: int
    share: float | UnsetType | None = UNSET
    issued: int | UnsetType = UNSET
    shown: int | UnsetType = UNSET
    answered: int | UnsetType = UNSET
    expired: int | UnsetType = UNSET
    unannounced: int | UnsetType = UNSET
    compared: int | UnsetType = UNSET
    passed: int | UnsetType = UNSET
    live_sittings: int | UnsetType = UNSET
    photos: int | UnsetType = UNSET
    kept: int | UnsetType = UNSET
    random: int | UnsetType = UNSET
    lost: int | UnsetType = UNSET
    findings: int | UnsetType = UNSET


class ControlRecord(Body, frozen=True, kw_only=True):
    """One of the six in one class; `kind` is control or occurrence, `missing` None where the
    evidence does not tell."""

    rule: str
    kind: str
    configured: ControlConfiguration
    observed: ControlObservation
    missing: bool | None


class EvidenceCounts(Body, frozen=True, kw_only=True):
    """How much of the class's evidence there is. `unseen` is play while the page was hidden;
    `not_seconds` are sittings whose positions are no seconds, `opened_late` those that were told of
    what was over when they were opened."""

    sittings: int
    judged: int
    with_events: int
    ended_by_lease: int
    complete: int
    complete_share: float | None
    live: int
    attested: int
    unseen_sittings: int | UnsetType = UNSET
    unseen_s: Number | UnsetType = UNSET
    not_seconds: int | UnsetType = UNSET
    opened_late: int | UnsetType = UNSET


class FaultCounts(Body, frozen=True, kw_only=True):
    """Findings that are one side's fault, and its share of all violations."""

    violations: int
    in_review: int
    not_proven: int
    violation_share: float | None


class ConformityBody(Body, frozen=True, kw_only=True):
    """The six controls of a class, its evidence, and findings by whose fault they are."""

    controls: Sequence[ControlRecord]
    evidence: EvidenceCounts
    faults: Mapping[str, FaultCounts]


# ------------------------------------------------------------------------------------- findings


class PhotoCopy(Body, frozen=True, kw_only=True):
    """The earlier photo that one repeats, and by how little they differ; of an enrolled photo, and
    of one from outside the class, both names are null."""

    session_id: str | None
    snapshot_id: str | None
    residual: Number


class Place(Body, frozen=True, kw_only=True):
    """A control or photo, by its place among those of its own sitting, when it was issued or
    received."""

    place: int
    at_ms: int
    same_as: PhotoCopy | UnsetType = UNSET


class CrowdMember(Body, frozen=True, kw_only=True):
    """Somebody whom a finding of class scope is about, with their sittings."""

    learner_id: str
    sessions: Sequence[str]


class FindingEvidence(Body, frozen=True, kw_only=True):
    """What a finding rests on; one on a missing control rests on its record instead."""

    controls: Sequence[Place] | UnsetType = UNSET
    photos: Sequence[Place] | UnsetType = UNSET
    configured: ControlConfiguration | UnsetType = UNSET
    observed: ControlObservation | UnsetType = UNSET


class FindingBody(Body, frozen=True, kw_only=True):
    """A finding; see `detectors.finding.Finding`. `decision` stands in verdicts only, where
    `members` do not: who else is in a crowd is nobody's business there."""

    key: str
    rule: str
    reason: str
    outcome: Outcome
    fault: Fault
    evidence_class: Evidence
    rule_status: Status
    reach: Reach
    curable: bool
    needs_two_reviewers: bool
    session_id: str | None = None
    class_hour: int | None = None
    start_ms: int
    end_ms: int
    start_position_ms: int | None = None
    end_position_ms: int | None = None
    measured: Number
    limit: Number
    unit: str
    voids: bool = False
    rival_session_id: str | None = None
    clause: ClauseBody
    evidence: FindingEvidence
    rival_elsewhere: bool | UnsetType = UNSET  # then wording keeps the rival's id from platforms
    numbers: Mapping[str, Number] | UnsetType = UNSET
    scope: FindingScope | UnsetType = UNSET
    subject: str | UnsetType = UNSET
    holds: bool | UnsetType = UNSET
    members: Sequence[CrowdMember] | UnsetType = UNSET
    stretches: Sequence[tuple[int, int]] | UnsetType = UNSET  # of a lesson, as its player counts
    decision: Decision | UnsetType | None = UNSET

    def sessions_named(self) -> list[str]:
        """The sittings of whom a finding of class scope is about."""
        return [it for member in self.members or () for it in member.sessions]


# ---------------------------------------------------------------------- sittings and class-hours


class SessionSubject(Body, frozen=True, kw_only=True):
    kind: str = "session"
    session_id: str
    learner_id: str
    class_id: str
    lesson_id: str


class SessionFields(Body, frozen=True, kw_only=True):
    """What a verdict on one sitting says of it. `reason` tells why one without content is not
    proven."""

    outcome: SessionOutcome
    reason: str | UnsetType = UNSET
    findings: Sequence[FindingBody]
    started_ms: int
    ended_ms: int
    media_ms: int
    played_ms: int
    credited_ms: int
    credited: Sequence[Interval] = ()
    provenance: str
    pack: PackBody
    detectors: Mapping[str, str]
    facts_sha256: str


class SessionVerdict(SessionFields, frozen=True, kw_only=True):
    subject: SessionSubject


class HourSubject(Body, frozen=True, kw_only=True):
    kind: str = "class_hour"
    class_id: str
    learner_id: str
    class_hour: int


class HourFields(Body, frozen=True, kw_only=True):
    """What a verdict on a learner's class-hour says of it. `withheld` are findings that cost credit
    and accuse nobody."""

    outcome: HourOutcome
    coverage: Number
    credited_ms: int
    played_ms: int
    length_ms: int
    photos: int
    sessions: Sequence[str]
    findings: Sequence[FindingBody]
    withheld: Sequence[FindingBody] | UnsetType = UNSET
    provenance: Sequence[str]


class HourVerdict(HourFields, frozen=True, kw_only=True):
    subject: HourSubject
    pack: PackBody
    facts_sha256: str


# ----------------------------------------------------------------------- enrolments and classes


class WindowBody(Body, frozen=True, kw_only=True):
    """Days in which assessments are held, both inclusive."""

    first: str
    last: str


class CureBody(Body, frozen=True, kw_only=True):
    """How what was lost may be made up, and until which day."""

    how: Cure
    until: str | None


class ReasonBody(Body, frozen=True, kw_only=True):
    """Why a verdict is not the best one: of a check, what it said; of class-hours, which."""

    code: str
    source: str
    clause: ClauseBody | None
    blocks: bool
    count: int
    of: int = 0
    cure: CureBody
    class_hours: Sequence[int] | UnsetType = UNSET
    said: str | UnsetType = UNSET
    numbers: Mapping[str, str | Number] | UnsetType = UNSET
    sentence: Text | UnsetType = UNSET  # stored until words were written when read


class CheckBody(Body, frozen=True, kw_only=True):
    """One check before an assessment. `evidence` names the list that its facts come from."""

    check: str
    clause: ClauseBody
    scope: CheckScope
    result: CheckOutcome
    reason: str
    found: str
    said: str | UnsetType = UNSET
    numbers: Mapping[str, str | Number] | UnsetType = UNSET
    reach: Reach | None
    curable: bool
    next_on: str | None
    evidence: str
    sentence: Text | UnsetType = UNSET  # stored until words were written when read


class ScaleVerdict(Body, frozen=True, kw_only=True):
    """What one of the two scales comes to."""

    outcome: str
    curable: bool
    reasons: Sequence[ReasonBody]
    pack: PackBody


class Conclusion(Body, frozen=True, kw_only=True):
    """What verdicts on an enrolment and on a class have in common. `scale` applies: its reasons
    stand out, and its checks are shown; a pack without a sibling has one scale, `own`."""

    scale: str
    curable: bool
    reasons: Sequence[ReasonBody]
    graded: ScaleVerdict | None
    literal: ScaleVerdict | None
    checks: Sequence[CheckBody]
    cut_off: str | None
    next_window: WindowBody
    provenance: Sequence[str] = ()
    pack: PackBody
    detectors: Mapping[str, str]
    facts_sha256: str

    def on(self, scale: str) -> ScaleVerdict | None:
        return {"graded": self.graded, "literal": self.literal}.get(scale)


class EnrolmentHours(Body, frozen=True, kw_only=True):
    """A learner's class-hours by outcome, and those attended in person."""

    planned: int
    valid: int
    invalid: int
    pending_review: int
    not_proven: int
    incomplete: int
    not_started: int
    attested: int | UnsetType = UNSET
    platform_controls: int | UnsetType = UNSET
    made_up: int | UnsetType = UNSET
    on_leave: int = 0
    attended: Number | None = None


class StandingBody(Body, frozen=True, kw_only=True):
    """A finding that counts in an enrolment's verdict."""

    key: str
    rule: str
    outcome: Outcome
    fault: Fault
    status: str


class EnrolmentSubject(Body, frozen=True, kw_only=True):
    kind: str = "enrolment"
    class_id: str
    learner_id: str


class EnrolmentFields(Conclusion, frozen=True, kw_only=True):
    """What a verdict on an enrolment says. `own` looks at the learner alone."""

    outcome: Eligibility
    own: Eligibility
    hours: EnrolmentHours
    findings: Sequence[StandingBody]


class EnrolmentVerdict(EnrolmentFields, frozen=True, kw_only=True):
    subject: EnrolmentSubject


class ClassSubject(Body, frozen=True, kw_only=True):
    kind: str = "class"
    class_id: str


class ClassLearners(Body, frozen=True, kw_only=True):
    """How many are enrolled, and how many have which outcome."""

    enrolled: int
    eligible: int
    pending: int
    ineligible: int


class ClassFields(Conclusion, frozen=True, kw_only=True):
    """What a verdict on a class says, its conformity record included."""

    outcome: Acceptance
    learners: ClassLearners
    class_hours_planned: int
    controls: Sequence[ControlRecord]
    evidence: EvidenceCounts
    faults: Mapping[str, FaultCounts]


class ClassVerdict(ClassFields, frozen=True, kw_only=True):
    subject: ClassSubject


session_verdict = msgspec.json.Decoder(SessionVerdict).decode
class_verdict = msgspec.json.Decoder(ClassVerdict).decode

# ------------------------------------------------------------------------------------- as stored

KINDS: Mapping[type[Body], str] = {
    SessionVerdict: "session",
    HourVerdict: "class_hour",
    EnrolmentVerdict: "enrolment",
    ClassVerdict: "class",
}


class StoredVerdict(NamedTuple, Generic[Kind]):
    """A verdict out of the store. `hour` is 0 except for a class-hour; `subject_id` is the id of
    the session, the enrolment (class-hours too) or the class."""

    subject_id: int
    hour: int
    outcome: str
    body: Kind
    created_ms: int


def stored(rows: Iterable[Any], kind: type[Kind]) -> list[StoredVerdict[Kind]]:
    """Rows with these columns, their bodies decoded."""
    decode = msgspec.json.Decoder(kind).decode
    return [
        StoredVerdict(row.subject_id, row.hour, row.outcome, decode(row.body), row.created_ms)
        for row in rows
    ]
