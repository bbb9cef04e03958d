"""Who is in a class: accounts, the natural persons behind them, and their consent.

A row is refused by itself, by the person's name. One natural person stands once on a roster, and
what names a person stays once there is evidence: from then on a correction is a recorded act.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from app.domain.answer import Answer, EpochMs
from app.domain.catalogue import classes
from app.domain.catalogue.learner_account import masked
from app.domain.catalogue.roster_intake import Enrolled, RosterIntake, Rows
from app.domain.catalogue.roster_rows import Cleaned, CleanedRow, LearnerTerms, RowError
from app.errors import BadInput
from app.security import Vault
from app.store.accounts import audit
from app.store.catalogue import catalogue
from app.store.catalogue import people as store


class ConsentRecord(Answer, frozen=True, kw_only=True):
    """What the learner agreed to, when, and the document that says so."""

    face: bool
    at_ms: EpochMs | None
    document: str | None


class Learner(Answer, frozen=True, kw_only=True):
    """Of the ID number all but the last four characters are masked."""

    learner_id: str
    name: str
    id_number: str | None
    employer: str | None
    category: str | None
    real_name_verified: bool | None
    consent: ConsentRecord


class RefusedRow(Answer, frozen=True, kw_only=True):
    """A row that was not taken, by its place in what was sent; `detail` names the person."""

    index: int
    learner_id: str | None
    name: str
    field: str
    code: str
    detail: str


class Roster(Answer, frozen=True, kw_only=True):
    """Everybody in the class. `rejected` and `cleaned` are about the rows of this call."""

    class_id: str
    enrolled: int
    learners: list[Learner]
    rejected: list[RefusedRow]
    cleaned: list[CleanedRow]


def enrol(
    connection: Connection,
    vault: Vault,
    row: catalogue.ClassRow,
    learners: Rows,
    *,
    actor: str,
    now_ms: int,
    everyone: Sequence[LearnerTerms] | None = None,
) -> Enrolled:
    """Add learners, given with their index, to the class; who is in it already is updated.

    `everyone` are all that is said of this roster, where these rows are but a part of it.
    Nobody is taken out. Raises BadInput `roster_too_large` when the class would have more persons
    than its pack allows, counting those who are in it; then nobody is added. `tell_swaps` enters
    what was tried into the audit log, whatever became of the transaction.
    """
    catalogue.lock_platform(connection, row.platform_id)
    intake = RosterIntake(connection, vault, row, learners, now_ms)
    intake.everyone = everyone or [learner for _, learner in learners]
    good = intake.examined()
    _check_size(row, intake, good)
    for _, learner in good:
        account = intake.account(learner)
        learner_id, touched = account.store(learner, actor=actor, now_ms=now_ms)
        member = intake.members.get(learner.learner_id)
        place = {"employer": learner.employer, "category": learner.category}
        if member is None:
            ids = {"class_id": row.id, "learner_id": learner_id}
            store.enrol(connection, [ids | place | {"enrolled_ms": now_ms}])
            touched = True
        elif place != {"employer": member.employer, "category": member.category}:
            store.update_enrolment(connection, row.id, learner_id, **place)
            touched = True
        intake.done.changed += touched
    intake.done.refused.sort(key=lambda error: error.index)
    return intake.done


def tell_swaps(
    connection: Connection, class_id: str, done: Enrolled, *, actor: str, now_ms: int
) -> None:
    """Who tried to put another person behind an account that has evidence."""
    for learner_id, fields in done.swaps:
        audit.append(
            connection,
            at_ms=now_ms,
            actor=actor,
            action="roster.identity_refused",
            subject=f"learner:{learner_id}",
            detail={"class": class_id, "fields": fields},
        )


def view(
    connection: Connection,
    row: catalogue.ClassRow,
    rejected: Sequence[RowError] = (),
    cleaned: Sequence[Cleaned] = (),
) -> Roster:
    """The roster, and what became of the rows of who writes it."""
    members = store.enrolled(connection, row.id)
    return Roster(
        class_id=row.external_id,
        enrolled=len(members),
        learners=[
            Learner(
                learner_id=member.external_id,
                name=member.name,
                id_number=masked(member.id_last4),
                employer=member.employer,
                category=member.category,
                real_name_verified=member.real_name_verified,
                consent=ConsentRecord(
                    face=member.face_consent,
                    at_ms=member.consent_ms,
                    document=member.consent_document,
                ),
            )
            for member in members
        ],
        rejected=[refused_row(it) for it in rejected],
        cleaned=[it.shown() for it in cleaned],
    )


def refused_row(error: RowError) -> RefusedRow:
    where = f"learners[{error.index}]"
    return RefusedRow(
        index=error.index,
        learner_id=error.learner_id,
        name=error.name,
        field=f"{where}.{error.field}",
        code=error.code,
        detail=f"{where}.{error.detail}",
    )


def _check_size(row: catalogue.ClassRow, intake: RosterIntake, good: Rows) -> None:
    """Persons, not accounts: who stands twice from earlier data counts once."""
    check = classes.pack_of(row).checks.get("B11")
    if check is None:
        return
    people: dict[str, Any] = {
        name: it.id_hash or it.external_id for name, it in intake.members.items()
    }
    before = len(set(people.values()))
    for _, learner in good:
        if learner.id_number:
            people[learner.learner_id] = intake.hashes[learner.id_number]
        else:
            people.setdefault(learner.learner_id, learner.learner_id)
    after, limit = len(set(people.values())), int(check["max_learners"])
    if after <= max(limit, before):
        return
    raise BadInput(
        "roster_too_large",
        f"learners: 全班将有{after}人（已有{before}人），最多{limit}人，本次未接收任何人 / "
        f"the class would have {after} learners ({before} are in it already), "
        f"at most {limit} are allowed",
        learners=after,
        enrolled=before,
        limit=limit,
    )
