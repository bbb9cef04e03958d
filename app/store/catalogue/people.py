"""Natural persons, their accounts on platforms, and who is in which class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import Connection, exists, insert, select, update

from app.store import stays
from app.store.accounts import vault_keys
from app.store.row import fetch, fetch_one
from app.store.upsert import insert_new
from app.vault import NumberHash
from models import (
    AssessmentRecord,
    Enrolment,
    HistoryRecord,
    Learner,
    OfflineAttendance,
    Person,
    ReferencePhoto,
    Session,
    SubsidyPayment,
    TrainingClass,
)

_IDS_A_QUERY = 500
Known = TypeVar("Known", bound="LearnerRow")
_OF_A_STAY = ("first_on", "last_on", "ended_by", "moved_from", "away", "trainee")


class AccountRow(Protocol):
    """A learner's account on a platform."""

    id: int
    platform_id: int
    external_id: str
    person_id: int
    name: str
    id_number_encrypted: bytes | None
    id_last4: str | None
    real_name_verified: bool | None
    face_consent: bool
    consent_ms: int | None
    consent_document: str | None


class LearnerRow(AccountRow, Protocol):
    """An account with the hash of its person's ID number."""

    id_hash: bytes | None  # by the newest generation of its key
    hash_generation: int


class EnrolledRow(LearnerRow, Protocol):
    employer: str | None
    category: str | None
    trainee: dict[str, Any] | None
    first_on: str | None
    last_on: str | None
    ended_by: str | None
    away: list[Any] | None


def ensure_person(connection: Connection, id_hash: NumberHash) -> int:
    """The one natural person with that ID number's hash. Raises KeysMovedOn."""
    vault_keys.require_newest(connection, id_hash)
    known = select(Person.id).where(Person.id_hash.in_(id_hash.all))
    found = connection.execute(known).scalar_one_or_none()
    if found is not None:
        return found
    row = {"id_hash": bytes(id_hash), "hash_generation": id_hash.generation}
    insert_new(connection, Person, [row], ("id_hash",))
    return connection.execute(known).scalar_one()


def new_person(connection: Connection) -> int:
    """A person whose ID number nobody told."""
    return connection.execute(insert(Person).values(id_hash=None).returning(Person.id)).scalar_one()


def move_person(connection: Connection, account: LearnerRow, person_id: int) -> None:
    """Behind an account stands another natural person than was thought: its sittings are that
    person's, and so is what was told of earlier trainings by the account's id. Sittings of both
    persons are judged again, for what they are held against has changed."""
    connection.execute(
        update(Session).where(Session.learner_id == account.id).values(person_id=person_id)
    )
    _move_history(connection, account, person_id)
    _move_payments(connection, account, person_id)
    connection.execute(
        update(Session)
        .where(Session.person_id.in_({person_id, account.person_id}), Session.state != "open")
        .values(settled=False)
    )


def _move_payments(connection: Connection, account: LearnerRow, person_id: int) -> None:
    """What the account was paid stands for the right person from now on, so that they are not paid
    for the same again; where they were paid for it before, both stay."""
    paid = connection.execute(
        select(SubsidyPayment.id, SubsidyPayment.held).where(
            SubsidyPayment.learner_id == account.id, SubsidyPayment.held.is_not(None)
        )
    ).all()
    for row in paid:
        held = f"{person_id}:{row.held.partition(':')[2]}"
        if connection.scalar(select(exists().where(SubsidyPayment.held == held))):
            continue
        connection.execute(
            update(SubsidyPayment).where(SubsidyPayment.id == row.id).values(held=held)
        )


def _move_history(connection: Connection, account: LearnerRow, person_id: int) -> None:
    """All but what is known of the other person already."""
    platform = HistoryRecord.platform_id == account.platform_id
    there = set(
        connection.scalars(
            select(HistoryRecord.item).where(HistoryRecord.person_id == person_id, platform)
        )
    )
    told = connection.execute(
        select(HistoryRecord.id, HistoryRecord.item, HistoryRecord.body).where(
            HistoryRecord.person_id == account.person_id, platform
        )
    ).all()
    ids = [
        row.id
        for row in told
        if row.body.get("learner_id") == account.external_id and row.item not in there
    ]
    connection.execute(
        update(HistoryRecord).where(HistoryRecord.id.in_(ids)).values(person_id=person_id)
    )


def holders(
    connection: Connection, platform_id: int, id_hashes: Iterable[NumberHash]
) -> Sequence[LearnerRow]:
    """The platform's accounts under these ID numbers. Raises KeysMovedOn."""
    asked = set(id_hashes)
    for it in list(asked)[:1]:
        vault_keys.require_newest(connection, it)
    wanted = sorted({hashed for it in asked for hashed in it.all})
    found: list[LearnerRow] = []
    for start in range(0, len(wanted), _IDS_A_QUERY):
        query = _learners().where(
            Learner.platform_id == platform_id,
            Person.id_hash.in_(wanted[start : start + _IDS_A_QUERY]),
        )
        found += fetch(connection, query.order_by(Learner.id), LearnerRow)
    return _raised(connection, found)


def evidence_of(connection: Connection, learner_id: int) -> list[str]:
    """What there is of an account that belongs to a person: `consent`, `sittings`, `photos`,
    `attendance`, `assessments`."""
    columns = {
        "sittings": Session.learner_id,
        "photos": ReferencePhoto.learner_id,
        "attendance": OfflineAttendance.learner_id,
        "assessments": AssessmentRecord.learner_id,
    }
    found = [
        name
        for name, column in columns.items()
        if connection.scalar(select(exists().where(column == learner_id)))
    ]
    consented = select(Learner.face_consent).where(Learner.id == learner_id)
    return [*found, "consent"] if connection.scalar(consented) else found


def of_other_kind(connection: Connection, learner_ids: Sequence[int], *, sandbox: bool) -> set[int]:
    """Those of the accounts that are in a class of the other kind: real ones for a sandbox."""
    found: set[int] = set()
    for start in range(0, len(learner_ids), _IDS_A_QUERY):
        query = (
            select(Enrolment.learner_id)
            .join(TrainingClass, TrainingClass.id == Enrolment.class_id)
            .where(Enrolment.learner_id.in_(learner_ids[start : start + _IDS_A_QUERY]))
            .where(TrainingClass.sandbox.is_(not sandbox))
        )
        found.update(connection.execute(query).scalars())
    return found


def learners(
    connection: Connection, platform_id: int, external_ids: Iterable[str]
) -> dict[str, LearnerRow]:
    """Accounts of the platform by the platform's own ids."""
    wanted = list(external_ids)
    found: dict[str, LearnerRow] = {}
    for start in range(0, len(wanted), _IDS_A_QUERY):
        query = _learners().where(
            Learner.platform_id == platform_id,
            Learner.external_id.in_(wanted[start : start + _IDS_A_QUERY]),
        )
        rows = _raised(connection, fetch(connection, query, LearnerRow))
        found |= {row.external_id: row for row in rows}
    return found


def by_id(connection: Connection, learner_id: int) -> LearnerRow:
    row = fetch_one(connection, _learners().where(Learner.id == learner_id), LearnerRow)
    return _raised(connection, [row])[0]


def insert_learner(connection: Connection, **values: Any) -> int:
    return connection.execute(insert(Learner).values(**values).returning(Learner.id)).scalar_one()


def update_learner(connection: Connection, learner_id: int, **values: Any) -> None:
    connection.execute(update(Learner).where(Learner.id == learner_id).values(**values))


def enrolled(connection: Connection, class_id: int) -> Sequence[EnrolledRow]:
    """Who is or was in the class, by the platform's ids."""
    rows = fetch(
        connection,
        _learners(
            Enrolment.employer,
            Enrolment.category,
            Enrolment.trainee,
            Enrolment.first_on,
            Enrolment.last_on,
            Enrolment.ended_by,
            Enrolment.away,
        )
        .join(Enrolment, Enrolment.learner_id == Learner.id)
        .where(Enrolment.class_id == class_id, stays.ever_in_class())
        .order_by(Learner.external_id),
        EnrolledRow,
    )
    return _raised(connection, rows)


def enrol(connection: Connection, row: dict[str, Any]) -> None:
    """Into a class, also who was in it by a move that was taken back."""
    whole = {**dict.fromkeys(_OF_A_STAY), **row}
    insert_new(connection, Enrolment, [whole], ("class_id", "learner_id"))
    stays.revive(connection, whole)


def update_enrolment(connection: Connection, class_id: int, learner_id: int, **values: Any) -> None:
    connection.execute(
        update(Enrolment)
        .where(Enrolment.class_id == class_id, Enrolment.learner_id == learner_id)
        .values(**values)
    )


def _learners(*more: Any) -> Any:
    return select(Learner, Person.id_hash, Person.hash_generation, *more).join(
        Person, Person.id == Learner.person_id
    )


def _raised(connection: Connection, rows: Sequence[Known]) -> Sequence[Known]:
    """The rows with their hashes as the newest key makes them, whatever made them."""
    raised = vault_keys.raising(connection)
    return rows if raised is None else [_with_hash(row, raised) for row in rows]


def _with_hash(row: Known, raised: Callable[[bytes, int], bytes]) -> Known:
    id_hash = row.id_hash and raised(row.id_hash, row.hash_generation)
    if id_hash == row.id_hash:
        return row
    return cast(Known, SimpleNamespace(**dict(cast(Any, row)._mapping) | {"id_hash": id_hash}))
