"""Who is in a class: accounts, the natural persons behind them, and their consent.

A row is refused by itself, by the person's name. One natural person stands once on a roster, and
what names a person stays once there is evidence: from then on a correction is a recorded act.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from app.domain import id_numbers
from app.domain.answer import Answer, Date, EpochMs
from app.domain.catalogue import claims, classes, roster_days
from app.domain.catalogue.learner_account import masked
from app.domain.catalogue.roster_intake import Enrolled, RosterIntake, Rows
from app.domain.catalogue.roster_rows import Cleaned, CleanedRow, LearnerTerms, RowError
from app.errors import BadInput
from app.store.accounts import audit
from app.store.catalogue import catalogue
from app.store.catalogue import people as store
from app.store.stays import Away
from app.vault import Vault

_PLACE = ("employer", "category")  # what a later row leaves out stays


class ConsentRecord(Answer, frozen=True, kw_only=True):
    """What the learner agreed to, when, and the document that says so."""

    face: bool
    at_ms: EpochMs | None
    document: str | None


class EndedBy(StrEnum):
    LEFT = "left"
    MOVED = "moved"


class AwayDays(Answer, frozen=True, kw_only=True):
    """When somebody who left and came back was not in the class, both days included."""

    first_day: Date
    last_day: Date


class Learner(Answer, frozen=True, kw_only=True):
    """Of the ID number all but the last four characters are masked. `first_day` null: from the
    class's first day; `last_day` null: nothing has ended the enrolment; `away`: between them."""

    learner_id: str
    name: str
    id_number: str | None
    employer: str | None
    category: str | None
    real_name_verified: bool | None
    consent: ConsentRecord
    first_day: Date | None
    last_day: Date | None
    ended_by: EndedBy | None
    away: list[AwayDays]


class RefusedRow(Answer, frozen=True, kw_only=True):
    """A row that was not taken, by its place in what was sent; `detail` names the person."""

    index: int
    learner_id: str | None
    name: str
    field: str
    code: str
    detail: str


class Roster(Answer, frozen=True, kw_only=True):
    """Who is or was in the class; `enrolled` counts who is in it now. `rejected` and `cleaned`
    are about the rows of this call."""

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
    of_the_past: bool = False,
) -> Enrolled:
    """Add learners, given with their index, to the class; who is in it already is updated.

    `everyone` are all that is said of this roster, where these rows are but a part of it.
    `of_the_past`: an import tells what was, also who was in two classes of one course at a time;
    D1 tells of that.
    Nobody is taken out. Raises BadInput `roster_too_large` when the class would have more persons
    than its pack allows, counting those who are in it; then nobody is added. `tell_swaps` enters
    what was tried into the audit log, whatever became of the transaction.
    """
    catalogue.lock_platform(connection, row.platform_id)
    intake = RosterIntake(connection, vault, row, learners, now_ms)
    intake.of_the_past = of_the_past
    intake.everyone = everyone or [learner for _, learner in learners]
    good = intake.examined()
    _check_size(row, intake, good)
    for _, learner in good:
        account = intake.account(learner)
        learner_id, touched = account.store(learner, actor=actor, now_ms=now_ms)
        member = intake.members.get(learner.learner_id)
        told = [it for it in _PLACE if member is None or it in learner.model_fields_set]
        place: dict[str, Any] = {name: getattr(learner, name) for name in told}
        place["trainee"] = _trainee(row, learner, member)
        if member is None:
            ids = {"class_id": row.id, "learner_id": learner_id}
            late = _joined(connection, row, learner, learner_id, actor, now_ms)
            store.enrol(connection, ids | place | {"enrolled_ms": now_ms, "first_on": late})
            touched = True
        elif any(getattr(member, name) != it for name, it in place.items()):
            store.update_enrolment(connection, row.id, learner_id, **place)
            touched = True
        intake.done.changed += touched
    intake.done.refused.sort(key=lambda error: error.index)
    return intake.done


def _trainee(
    row: catalogue.ClassRow, learner: LearnerTerms, member: store.EnrolledRow | None
) -> dict[str, Any] | None:
    """What the checks on who may be trained ask of a learner; what a later row leaves out stays."""
    told: dict[str, Any] = {
        name: getattr(learner, name)
        for name in ("post_code", "former_post_code", "school", "major")
    }
    born = id_numbers.birthday(learner.id_number or "")
    if born is not None:
        opening = date.fromisoformat(row.starts_on)
        told["age"] = (
            opening.year - born.year - ((opening.month, opening.day) < (born.month, born.day))
        )
    before = (member.trainee if member else None) or {}
    return before | {name: it for name, it in told.items() if it is not None} or None


def _joined(
    connection: Connection,
    row: catalogue.ClassRow,
    learner: LearnerTerms,
    learner_id: int,
    actor: str,
    now_ms: int,
) -> str | None:
    """The first day of who comes late, which an act records."""
    if learner.joined_on is None or learner.joined_on.isoformat() == row.starts_on:
        return None
    first = learner.joined_on.isoformat()
    claims.joined(connection, row, learner_id, first, actor, now_ms)
    return first


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
        enrolled=sum(it.ended_by is None for it in members),
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
                first_day=member.first_on,
                last_day=member.last_on,
                ended_by=EndedBy(member.ended_by) if member.ended_by else None,
                away=[
                    AwayDays(first_day=it.from_on.isoformat(), last_day=it.to_on.isoformat())
                    for it in filter(None, Away.all(member.away))
                ],
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
    """Persons in the class on one day, not accounts: who stands twice from earlier data counts
    once, and who left before others came makes room for them."""
    check = classes.pack_of(row).checks.get("B11")
    if check is None:
        return
    starts_on = row.starts_on
    stays = {
        name: roster_days.stay(it.id_hash or name, starts_on, it)
        for name, it in intake.members.items()
    }
    before = roster_days.most_at_once(stays.values())
    for _, learner in good:
        name = learner.learner_id
        person = intake.hashes[learner.id_number] if learner.id_number else None
        if name not in stays:
            stays[name] = intake.stay_of(person or name, learner)
        elif person:
            stays[name] = replace(stays[name], person=person)
    after, limit = roster_days.most_at_once(stays.values()), int(check["max_learners"])
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
