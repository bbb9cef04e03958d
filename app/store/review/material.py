"""Requests for material, by case and by whom they ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute

from app.store.row import fetch, fetch_one_or_none
from app.store.scope import AccessScope
from models import (
    CaseNote,
    Enrolment,
    Finding,
    Institution,
    Learner,
    MaterialRequest,
    Platform,
    TrainingClass,
)


class MaterialRow(Protocol):
    """A request with whom it asks, and the answer."""

    id: int
    case_id: int
    platform_id: int | None
    institution_id: int | None
    enrolment_id: int | None
    wanted: str
    due_on: str
    asked_ms: int
    reminded_ms: int | None
    withdrawn_ms: int | None
    answered_ms: int | None
    platform: str | None
    institution: str | None
    learner: str | None
    answer: str | None
    file_name: str | None


def _rows() -> Any:
    return (
        select(
            MaterialRequest,
            Platform.name.label("platform"),
            Institution.name.label("institution"),
            Learner.name.label("learner"),
            CaseNote.body.label("answer"),
            CaseNote.file_name,
        )
        .join(Platform, Platform.id == MaterialRequest.platform_id, isouter=True)
        .join(Institution, Institution.id == MaterialRequest.institution_id, isouter=True)
        .join(Enrolment, Enrolment.id == MaterialRequest.enrolment_id, isouter=True)
        .join(Learner, Learner.id == Enrolment.learner_id, isouter=True)
        .join(CaseNote, CaseNote.id == MaterialRequest.note_id, isouter=True)
        .order_by(MaterialRequest.id)
    )


def add(connection: Connection, **values: Any) -> int:
    query = insert(MaterialRequest).values(**values).returning(MaterialRequest.id)
    return connection.execute(query).scalar_one()


def of_case(connection: Connection, case_id: int) -> Sequence[MaterialRow]:
    """Oldest first."""
    return fetch(connection, _rows().where(MaterialRequest.case_id == case_id), MaterialRow)


def one(connection: Connection, request_id: int) -> MaterialRow | None:
    return fetch_one_or_none(
        connection, _rows().where(MaterialRequest.id == request_id), MaterialRow
    )


def addressed_to(
    connection: Connection,
    *,
    platform_id: int | None = None,
    institution_id: int | None = None,
    enrolment_id: int | None = None,
) -> Sequence[MaterialRow]:
    """What one addressee is asked, or was, but what was withdrawn."""
    chosen: ColumnElement[bool] = MaterialRequest.enrolment_id == (enrolment_id or -1)
    if platform_id is not None:
        chosen = MaterialRequest.platform_id == platform_id
    elif institution_id is not None:
        chosen = MaterialRequest.institution_id == institution_id
    query = _rows().where(chosen, MaterialRequest.withdrawn_ms.is_(None))
    return fetch(connection, query, MaterialRow)


def change(connection: Connection, request_id: int, **values: Any) -> None:
    connection.execute(
        update(MaterialRequest).where(MaterialRequest.id == request_id).values(**values)
    )


def close(connection: Connection, request_id: int, now_ms: int) -> bool:
    """Note that it was answered; False where somebody was quicker, or it was withdrawn."""
    result = connection.execute(
        update(MaterialRequest)
        .where(
            MaterialRequest.id == request_id,
            MaterialRequest.answered_ms.is_(None),
            MaterialRequest.withdrawn_ms.is_(None),
        )
        .values(answered_ms=now_ms)
    )
    return result.rowcount == 1


class AskedParty(Protocol):
    """Who can be asked about a case: of one of its findings."""

    platform_id: int
    platform: str
    institution_id: int | None
    institution: str
    enrolment_id: int | None
    learner: str | None
    class_name: str


def parties(connection: Connection, scope: AccessScope, case_id: int) -> Sequence[AskedParty]:
    """Whom the findings of a case concern."""
    query = (
        select(
            TrainingClass.platform_id,
            Platform.name.label("platform"),
            TrainingClass.institution_id,
            TrainingClass.institution,
            Enrolment.id.label("enrolment_id"),
            Learner.name.label("learner"),
            TrainingClass.external_id.label("class_name"),
        )
        .select_from(Finding)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .join(Platform, Platform.id == TrainingClass.platform_id)
        .join(
            Enrolment,
            and_(
                Enrolment.class_id == Finding.class_id,
                Enrolment.learner_id == Finding.learner_id,
            ),
            isouter=True,
        )
        .join(Learner, Learner.id == Enrolment.learner_id, isouter=True)
        .where(Finding.case_id == case_id, scope.covers_class())
        .distinct()
    )
    return fetch(connection, query, AskedParty)


def waits_for_material(case_id: InstrumentedAttribute[int], today: str) -> ColumnElement[bool]:
    """Whether something asked for is still to come: not answered, not withdrawn, not overdue."""
    return case_id.in_(  # few are: looked up once, not for each case
        select(MaterialRequest.case_id).where(
            MaterialRequest.answered_ms.is_(None),
            MaterialRequest.withdrawn_ms.is_(None),
            MaterialRequest.due_on >= today,
        )
    )
