"""职业培训电子档案: one person over all classes, years and platforms that the reader may see.

阿行办发〔2019〕50号, 23: 探索建立劳动者职业培训电子档案. Every look is entered into the audit log.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import msgspec
from sqlalchemy import Connection

from app.domain import standing
from app.domain.accounts.users import User
from app.domain.judging import unsettled
from app.domain.policy import pack_term
from app.errors import NotFound
from app.languages import Text
from app.store.accounts import audit
from app.store.bodies import EnrolmentVerdict, HourVerdict
from app.store.catalogue import class_file
from app.store.catalogue import person_file as store
from app.store.catalogue.person_file import AssessedRow, EarlierRow, EnrolledTraining
from app.store.judging import enrolment_facts
from app.store.money import payments


class AssessedOnce(msgspec.Struct, frozen=True, kw_only=True):
    """One assessment of a training; `certificate_no` of who passed, once it is known."""

    held_on: str
    passed: bool | None
    score: float | None
    certificate_no: str | None


class SubsidyOnFile(msgspec.Struct, frozen=True, kw_only=True):
    """What was paid for a training, and what of it came back, in 分."""

    paid_on: str
    amount_fen: int
    returned_fen: int


class TrainingOnFile(msgspec.Struct, frozen=True, kw_only=True):
    """One class of the person. Hours are class-hours; `attended` in person, None: nobody reported
    any. `left_on`: the last day of who left early. `outcome` of the enrolment is empty before it
    was judged. `pack_warning`: the class lies outside the days of the rules that judge it.
    """

    class_id: int
    learner_id: int
    klass: str
    official_class_no: str | None
    platform: str
    learner: str
    institution: str
    county: str
    occupation: str
    level: str | None
    certificate_type: str | None
    starts_on: str
    ends_on: str
    left_on: str | None
    planned: int
    valid: int
    attended: float | None
    outcome: str
    pack_warning: Text | None
    assessments: list[AssessedOnce]
    subsidies: list[SubsidyOnFile]

    @property
    def certificates(self) -> list[str]:
        return [it.certificate_no for it in self.assessments if it.certificate_no]


class EarlierTraining(msgspec.Struct, frozen=True, kw_only=True):
    """A training that a platform reported from the official register."""

    occupation: str
    level: str | None
    started_on: str
    assessed_on: str | None
    subsidised: bool
    institution: str | None
    official_class_no: str | None
    told_by: str


class PersonFile(msgspec.Struct, frozen=True, kw_only=True):
    """`names` are all that the person's accounts have, the newest first."""

    person_id: int
    names: list[str]
    id_last4: str | None
    generated_ms: int
    trainings: list[TrainingOnFile]
    earlier: list[EarlierTraining]

    @property
    def counties(self) -> list[str]:
        return list(dict.fromkeys(it.county for it in self.trainings))

    @property
    def certificates(self) -> list[str]:
        return [number for it in self.trainings for number in it.certificates]

    @property
    def subsidy_fen(self) -> int:
        """What was paid and did not come back."""
        paid = [each for it in self.trainings for each in it.subsidies]
        return sum(each.amount_fen - each.returned_fen for each in paid)

    @property
    def valid(self) -> int:
        """Valid class-hours in all."""
        return sum(it.valid for it in self.trainings)


def look(connection: Connection, user: User, person_id: int, how: str, now_ms: int) -> PersonFile:
    """The file of somebody who is in a class that the user may see; `how` it is looked at (page,
    or a file's format) is entered into the audit log. Raises NotFound."""
    rows = store.trainings(connection, user.scope, person_id)
    if not rows:
        raise NotFound("unknown_person", "there is no such person")
    assessed: dict[int, list[AssessedOnce]] = defaultdict(list)
    for it in store.assessments(connection, [row.learner_id for row in rows]):
        assessed[it.class_id].append(_assessed(it))
    platforms = {row.platform_id for row in rows}
    file = PersonFile(
        person_id=person_id,
        names=list(dict.fromkeys(row.name for row in rows)),
        id_last4=next((row.id_last4 for row in rows if row.id_last4), None),
        generated_ms=now_ms,
        trainings=[_training(connection, row, assessed[row.class_id]) for row in rows],
        earlier=[_earlier(it) for it in store.earlier(connection, person_id, platforms)],
    )
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action="person.file_seen",
        subject=f"person:{person_id}",
        detail={"format": how, "classes": len(rows)},
    )
    return file


def _training(
    connection: Connection, row: EnrolledTraining, assessed: list[AssessedOnce]
) -> TrainingOnFile:
    pack = f"{row.pack_id}@{row.pack_version}"
    class_id, mine = row.class_id, row.enrolment_id
    hours = class_file.latest(connection, class_id, HourVerdict, pack, mine)
    verdict = next(
        iter(class_file.latest(connection, class_id, EnrolmentVerdict, pack, mine)), None
    )
    undecided = unsettled.of_class(connection, row.class_id, pack).learners
    there = enrolment_facts.attendance(connection, row.class_id).get(row.learner_id)
    return TrainingOnFile(
        class_id=row.class_id,
        learner_id=row.learner_id,
        klass=row.klass,
        official_class_no=row.official_class_no,
        platform=row.platform,
        learner=row.learner,
        institution=row.institution,
        county=row.county,
        occupation=row.occupation,
        level=row.terms.get("level"),
        certificate_type=row.terms.get("certificate_type"),
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        left_on=row.last_on,
        planned=len(class_file.hours(connection, row.class_id)),
        valid=sum(it.outcome == "valid" for it in hours),
        attended=there.hours if there else None,
        outcome=standing.of_learner(verdict.outcome if verdict else "", row.learner_id, undecided),
        pack_warning=pack_term.warning(pack, row.starts_on, row.ends_on),
        assessments=assessed,
        subsidies=_subsidies(connection, row),
    )


def _subsidies(connection: Connection, row: EnrolledTraining) -> list[SubsidyOnFile]:
    back: Counter[int] = Counter()
    for it in payments.recoveries(connection, row.class_id):
        back[it.payment_id] += it.amount_fen if it.deed == "returned" else 0
    return [
        SubsidyOnFile(
            paid_on=it.paid_on.isoformat(), amount_fen=it.amount_fen, returned_fen=back[it.id]
        )
        for it in payments.of_class(connection, row.class_id)
        if it.learner_id == row.learner_id
    ]


def _assessed(row: AssessedRow) -> AssessedOnce:
    return AssessedOnce(
        held_on=row.held_on,
        passed=row.passed,
        score=row.body.get("score"),
        certificate_no=row.body.get("certificate_no"),
    )


def _earlier(row: EarlierRow) -> EarlierTraining:
    return EarlierTraining(
        occupation=row.occupation,
        level=row.level,
        started_on=row.started_on,
        assessed_on=row.assessed_on,
        subsidised=row.subsidised,
        institution=row.body.get("institution"),
        official_class_no=row.body.get("official_class_no"),
        told_by=row.platform,
    )
