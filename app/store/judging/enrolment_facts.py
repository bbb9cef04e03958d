"""What bears on whether learners may be assessed: rosters, lists, earlier classes, verdicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, or_, select, update

from app.store import stays
from app.store.among import among
from app.store.bodies import FindingBody
from app.store.current_verdicts import current_ids
from app.store.review import claims
from app.store.row import fetch, stream, typed
from app.store.stays import Mover, StayRow
from detectors.finding import Evidence, Fault, Outcome
from models import (
    Appeal,
    AssessmentRecord,
    Enrolment,
    Finding,
    HistoryRecord,
    Learner,
    LeaveRecord,
    OfflineAttendance,
    Person,
    Platform,
    Review,
    SatisfactionRecord,
    Session,
    TrainingClass,
    Verdict,
)

STANDING = ("open", "first_review", "upheld")
_IDS_A_QUERY = 500


class RosterEntry(Protocol):
    id: int
    learner_id: int
    external_id: str
    person_id: int
    real_name_verified: bool | None
    category: str | None
    trainee: dict[str, Any] | None
    known: bool


def roster(connection: Connection, class_id: int) -> Sequence[RosterEntry]:
    """Who is in the class now; `known` tells whether the person's ID number is."""
    return fetch(
        connection,
        select(
            Enrolment.id,
            Enrolment.learner_id,
            Learner.external_id,
            Learner.person_id,
            Learner.real_name_verified,
            Enrolment.category,
            Enrolment.trainee,
            Person.id_hash.is_not(None).label("known"),
        )
        .join(Learner, Learner.id == Enrolment.learner_id)
        .join(Person, Person.id == Learner.person_id)
        .where(Enrolment.class_id == class_id, stays.in_class())
        .order_by(Learner.external_id),
        RosterEntry,
    )


class HourVerdictRow(Protocol):
    """`body` only where it is invalid."""

    subject_id: int
    hour: int
    outcome: str
    digest: bytes
    body: bytes | None


def hour_verdicts(connection: Connection, class_id: int) -> Sequence[HourVerdictRow]:
    """The current verdicts on class-hours, by enrolment."""
    current = current_ids(Verdict.class_id == class_id, Verdict.subject_kind == "class_hour")
    return fetch(
        connection,
        select(
            Verdict.subject_id,
            Verdict.hour,
            Verdict.outcome,
            Verdict.digest,
            case((Verdict.outcome == "invalid", Verdict.body)).label("body"),
        )
        .where(Verdict.id.in_(current))
        .order_by(Verdict.subject_id, Verdict.hour),
        HourVerdictRow,
    )


class _Provenance(msgspec.Struct):
    provenance: list[str] = msgspec.field(default_factory=list)


_provenance = msgspec.json.Decoder(_Provenance)


def hours_resting_on(
    connection: Connection, class_id: int, provenance: str
) -> list[tuple[int, int]]:
    """(enrolment id, class-hour) of the current verdicts that rest on a platform's log (`attested`)
    or on what this service timed (`live`), be it in part."""
    if not _has(connection, class_id, provenance):
        return []
    return [
        (enrolment_id, hour)
        for enrolment_id, hour, body in _valid_hours(connection, class_id)
        if provenance in _provenance.decode(body).provenance
    ]


def _valid_hours(connection: Connection, class_id: int) -> Iterator[tuple[int, int, bytes]]:
    """(enrolment id, class-hour, stored body) of the current verdicts that are valid."""
    current = current_ids(Verdict.class_id == class_id, Verdict.subject_kind == "class_hour")
    query = (
        select(Verdict.subject_id, Verdict.hour, Verdict.body)
        .where(Verdict.id.in_(current), Verdict.outcome == "valid")
        .order_by(Verdict.subject_id, Verdict.hour)
    )
    yield from connection.execute(query)


class _LostPart(msgspec.Struct):
    """Of a finding in the verdict on a class-hour."""

    outcome: Outcome
    fault: Fault
    voids: bool = False
    session_id: str | None = None


class _HourParts(msgspec.Struct):
    sessions: list[str] = msgspec.field(default_factory=list)
    findings: list[_LostPart] = msgspec.field(default_factory=list)


_hour_parts = msgspec.json.Decoder(_HourParts)


def hours_made_up(connection: Connection, class_id: int) -> list[tuple[int, int]]:
    """(enrolment id, class-hour) of the current verdicts that are valid though a learner's
    violation voided study of one sitting in it: another sitting made up for that."""
    return [
        (enrolment_id, hour)
        for enrolment_id, hour, body in _valid_hours(connection, class_id)
        if _made_up(_hour_parts.decode(body))
    ]


def _made_up(hour: _HourParts) -> bool:
    lost = {
        it.session_id
        for it in hour.findings
        if it.outcome is Outcome.VIOLATION and it.fault is Fault.LEARNER and it.voids
    }
    return bool(lost) and bool(set(hour.sessions) - lost)


def attested_alone(connection: Connection, class_id: int) -> bool:
    """Whether a class has sittings, and none that this service itself timed."""
    return _has(connection, class_id, "attested") and not _has(connection, class_id, "live")


def _has(connection: Connection, class_id: int, provenance: str) -> bool:
    query = select(Session.id).where(Session.class_id == class_id, Session.provenance == provenance)
    return connection.execute(query.limit(1)).first() is not None


def open_cases(connection: Connection, class_id: int) -> list[str]:
    """Rules of the undecided findings on a class as a whole that hold its learners' sittings."""
    rows = connection.execute(
        select(Finding.rule, Finding.body)
        .where(
            Finding.class_id == class_id,
            Finding.learner_id.is_(None),
            Finding.session_id.is_(None),
            Finding.shadow.is_(False),
            Finding.outcome == "review",
            Finding.status.in_(("open", "first_review")),
        )
        .order_by(Finding.rule)
    )
    return [rule for rule, body in rows if msgspec.convert(body, FindingBody).holds]


class StandingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that stands; its body only where two persons decide it. `appealed`: an appeal
    against it waits for its answer."""

    id: int
    key: str
    learner_id: int | None
    rule: str
    outcome: Outcome
    fault: Fault
    evidence: Evidence
    status: str
    needs_two_reviewers: bool
    appealed: bool
    body: FindingBody | None


def standing_findings(connection: Connection, class_id: int) -> list[StandingRow]:
    """Findings of acting rules that nobody overturned and that still hold, class's own
    included."""
    rows = connection.execute(
        select(
            Finding.id,
            Finding.key,
            Finding.learner_id,
            Finding.rule,
            Finding.outcome,
            Finding.fault,
            Finding.evidence,
            Finding.status,
            Finding.needs_two_reviewers,
            exists()
            .where(Appeal.finding_id == Finding.id, Appeal.replied_ms.is_(None))
            .label("appealed"),
            case((Finding.needs_two_reviewers, Finding.body)).label("body"),
        )
        .where(
            Finding.class_id == class_id,
            Finding.shadow.is_(False),
            Finding.status.in_(STANDING),
        )
        .order_by(Finding.key)
    )
    return typed(rows, StandingRow)


def upholders(connection: Connection, finding_ids: Collection[int]) -> dict[int, set[int]]:
    """The persons whose last word on each finding upholds it; what was said before an appeal
    opened the case again counts no more."""
    reopened = (
        select(func.max(Appeal.replied_ms))
        .where(Appeal.finding_id == Review.finding_id, Appeal.outcome == "reopened")
        .correlate(Review)
        .scalar_subquery()
    )
    query = (
        select(Review.finding_id, Review.reviewer_id, Review.decision)
        .where(
            among(connection, Review.finding_id, finding_ids),
            Review.decision.in_(("uphold", "overturn")),
            Review.superseded_ms.is_(None),
            Review.created_ms > func.coalesce(reopened, -1),
        )
        .order_by(Review.id)
    )
    last = {(row.finding_id, row.reviewer_id): row.decision for row in connection.execute(query)}
    found: dict[int, set[int]] = defaultdict(set)
    for (finding_id, reviewer_id), decision in last.items():
        if decision == "uphold":
            found[finding_id].add(reviewer_id)
    return found


def ask_two(connection: Connection, finding_ids: Collection[int], now_ms: int) -> None:
    """Two persons decide these findings; what one upheld alone waits for the second."""
    for chunk in _chunks(finding_ids):
        mine = Finding.id.in_(chunk)
        connection.execute(
            update(Finding)
            .where(mine, Finding.status == "upheld")
            .values(status="first_review", updated_ms=now_ms)
        )
        connection.execute(update(Finding).where(mine).values(needs_two_reviewers=True))


class FindingStatus(Protocol):
    id: int
    key: str
    status: str


def class_findings(connection: Connection, class_id: int) -> dict[str, FindingStatus]:
    """(id, status) of findings on the class itself, by key."""
    query = select(Finding.id, Finding.key, Finding.status).where(
        Finding.class_id == class_id, Finding.learner_id.is_(None)
    )
    return {row.key: row for row in stream(connection, query, FindingStatus)}


@dataclass(slots=True)
class Attended:
    """Class-hours in person: all of them, those said to be practical, and those of which nobody
    said whether they were; `each` has (hours, practical, minutes) as they were reported."""

    hours: float = 0.0
    practical: float = 0.0
    unsaid: float = 0.0
    each: list[tuple[float, bool | None, float | None]] = field(default_factory=list)


def attendance(connection: Connection, class_id: int) -> dict[int, Attended]:
    """By learner, with what who moved attended before; empty when nobody reported any."""
    before = carried_attendance(connection, class_id)
    query = select(
        OfflineAttendance.learner_id, OfflineAttendance.hours, OfflineAttendance.body
    ).where(or_(OfflineAttendance.class_id == class_id, OfflineAttendance.id.in_(before)))
    found: dict[int, Attended] = defaultdict(Attended)
    for learner_id, hours, body in connection.execute(query.order_by(OfflineAttendance.id)):
        mine, practical = found[learner_id], body.get("practical")
        mine.hours += hours
        mine.practical += hours if practical else 0.0
        mine.unsaid += hours if practical is None else 0.0
        mine.each.append((hours, practical, body.get("minutes")))
    return dict(found)


def carried_attendance(connection: Connection, class_id: int) -> list[int]:
    """Ids of what learners attended in another class before they moved here, but for days of which
    this class reported theirs itself."""
    attended = OfflineAttendance
    found = []
    for it in stays.movers(connection, class_id):
        mine = attended.learner_id == it.learner_id
        told = select(attended.held_on).where(mine, attended.class_id == class_id)
        query = select(attended.id).where(
            mine,
            attended.class_id == it.moved_from,
            attended.held_on < it.first_on.isoformat(),
            attended.held_on.not_in(told),
        )
        found += list(connection.scalars(query))
    return found


class LeaveRow(Protocol):
    id: int
    class_id: int
    learner_id: int
    item: str
    from_on: str
    to_on: str
    written: bool
    approved: bool
    body: dict[str, Any]


def leaves(connection: Connection, class_id: int) -> list[LeaveRow]:
    """Of the class's learners, with what who moved took before, by learner and day."""
    own = _leaves(connection, LeaveRecord.class_id == class_id)
    return _with_carried(connection, own, stays.movers(connection, class_id))


def leaves_of(connection: Connection, class_id: int, stay: StayRow) -> list[LeaveRow]:
    """As `leaves`, of one learner of the class."""
    mine = and_(LeaveRecord.class_id == class_id, LeaveRecord.learner_id == stay.learner_id)
    return _with_carried(connection, _leaves(connection, mine), stays.moves(stay))


def _with_carried(
    connection: Connection, own: Sequence[LeaveRow], movers: Iterable[Mover]
) -> list[LeaveRow]:
    told = {(it.learner_id, it.from_on) for it in own}
    carried = []
    for it in movers:
        mine = and_(
            LeaveRecord.learner_id == it.learner_id,
            LeaveRecord.class_id == it.moved_from,
            LeaveRecord.from_on < it.first_on.isoformat(),
        )
        before = _leaves(connection, mine)
        carried += [row for row in before if (row.learner_id, row.from_on) not in told]
    return sorted([*own, *carried], key=lambda it: (it.learner_id, it.from_on, it.item))


def waiting_leaves(connection: Connection, class_id: int) -> set[int]:
    """Ids of those that platforms call approved and the authority has not accepted."""
    before = {it.moved_from for it in stays.movers(connection, class_id)}
    return set().union(*(claims.unaccepted_leaves(connection, it) for it in {class_id, *before}))


def _leaves(connection: Connection, which: ColumnElement[bool]) -> Sequence[LeaveRow]:
    return fetch(connection, select(LeaveRecord).where(which), LeaveRow)


class SurveyRow(Protocol):
    class_id: int
    satisfied: int
    answered: int
    surveyed_on: str


def surveys(connection: Connection, class_ids: Collection[int]) -> dict[int, list[SurveyRow]]:
    """Survey results by class, in the order of their days."""
    found: dict[int, list[SurveyRow]] = defaultdict(list)
    for chunk in _chunks(class_ids):
        query = (
            select(SatisfactionRecord)
            .where(SatisfactionRecord.class_id.in_(chunk))
            .order_by(SatisfactionRecord.surveyed_on, SatisfactionRecord.item)
        )
        for row in stream(connection, query, SurveyRow):
            found[row.class_id].append(row)
    return found


def earlier_of_institution(
    connection: Connection, county: str, institution: str, before: str
) -> Sequence[int]:
    """Classes that the institution opened in the county before that day, on any platform."""
    query = select(TrainingClass.id).where(
        TrainingClass.county == county,
        TrainingClass.institution == institution,
        TrainingClass.starts_on < before,
    )
    return connection.execute(query.order_by(TrainingClass.id)).scalars().all()


class OpenedClass(Protocol):
    id: int
    starts_on: str
    ends_on: str
    occupation: str
    terms: dict[str, Any]


def opened_until(
    connection: Connection, county: str, institution: str, until: str
) -> Sequence[OpenedClass]:
    """Classes that the institution opened in the county up to that day, on any platform."""
    columns = (
        TrainingClass.id,
        TrainingClass.starts_on,
        TrainingClass.ends_on,
        TrainingClass.occupation,
        TrainingClass.terms,
    )
    query = select(*columns).where(
        TrainingClass.county == county,
        TrainingClass.institution == institution,
        TrainingClass.starts_on <= until,
    )
    return fetch(connection, query.order_by(TrainingClass.starts_on, TrainingClass.id), OpenedClass)


class HistoryRow(Protocol):
    person_id: int
    item: str
    occupation: str
    level: str | None
    started_on: str
    assessed_on: str | None
    body: dict[str, Any]


def history(
    connection: Connection, platform_id: int, person_ids: Collection[int]
) -> Iterator[HistoryRow]:
    """Subsidised trainings of these persons that the platform reported from the register."""
    for chunk in _chunks(person_ids):
        yield from stream(
            connection,
            select(HistoryRecord)
            .where(
                HistoryRecord.platform_id == platform_id,
                HistoryRecord.person_id.in_(chunk),
                HistoryRecord.subsidised.is_(True),
            )
            .order_by(HistoryRecord.started_on, HistoryRecord.item),
            HistoryRow,
        )


class OtherClass(Protocol):
    person_id: int
    learner_id: int
    class_id: int
    external_id: str
    platform_id: int
    official_class_no: str | None
    occupation: str
    starts_on: str
    assessment_on: str | None
    terms: dict[str, Any]
    slug: str
    ended_by: str | None


def other_classes(
    connection: Connection, class_id: int, person_ids: Collection[int], until: str
) -> Iterator[OtherClass]:
    """These persons' enrolments in other classes opened until that day, on any platform; but for
    those that they moved out of, which are one training with the class they moved to."""
    for chunk in _chunks(person_ids):
        yield from stream(
            connection,
            select(
                Learner.person_id,
                Enrolment.learner_id,
                TrainingClass.id.label("class_id"),
                TrainingClass.external_id,
                TrainingClass.platform_id,
                TrainingClass.official_class_no,
                TrainingClass.occupation,
                TrainingClass.starts_on,
                TrainingClass.assessment_on,
                TrainingClass.terms,
                Platform.slug,
                Enrolment.ended_by,
            )
            .join(Enrolment, Enrolment.learner_id == Learner.id)
            .join(TrainingClass, TrainingClass.id == Enrolment.class_id)
            .join(Platform, Platform.id == TrainingClass.platform_id)
            .where(
                Learner.person_id.in_(chunk),
                TrainingClass.id != class_id,
                TrainingClass.starts_on <= until,
                func.coalesce(Enrolment.ended_by, stays.LEFT) == stays.LEFT,
            )
            .order_by(TrainingClass.starts_on, Platform.slug, TrainingClass.external_id),
            OtherClass,
        )


def assessments(connection: Connection, class_ids: Collection[int]) -> dict[int, dict[int, str]]:
    """The last day that each learner was assessed on, by class and learner."""
    found: dict[int, dict[int, str]] = defaultdict(dict)
    for chunk in _chunks(class_ids):
        query = (
            select(
                AssessmentRecord.class_id,
                AssessmentRecord.learner_id,
                func.max(AssessmentRecord.held_on).label("held_on"),
            )
            .where(AssessmentRecord.class_id.in_(chunk))
            .group_by(AssessmentRecord.class_id, AssessmentRecord.learner_id)
        )
        for row in connection.execute(query):
            found[row.class_id][row.learner_id] = row.held_on
    return found


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    wanted = sorted(set(ids))
    for at in range(0, len(wanted), _IDS_A_QUERY):
        yield wanted[at : at + _IDS_A_QUERY]
