"""Rows of `identity_corrections`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, insert, select, update

from app.store.row import fetch_one
from models import Enrolment, IdentityCorrection


def add(connection: Connection, **values: Any) -> None:
    connection.execute(insert(IdentityCorrection).values(**values))


class CorrectionRow(Protocol):
    name: str | None
    id_hash: bytes | None
    hash_generation: int
    id_number_encrypted: bytes | None
    id_last4: str | None
    person_id: int | None
    former_person_id: int | None
    former_name: str | None
    former_encrypted: bytes | None
    former_last4: str | None


def of_act(connection: Connection, act_id: int) -> CorrectionRow:
    query = select(IdentityCorrection).where(IdentityCorrection.act_id == act_id)
    return fetch_one(connection, query, CorrectionRow)


def change(connection: Connection, act_id: int, **values: Any) -> None:
    connection.execute(
        update(IdentityCorrection).where(IdentityCorrection.act_id == act_id).values(**values)
    )


def classes_of(connection: Connection, learner_id: int) -> Sequence[int]:
    query = select(Enrolment.class_id).where(Enrolment.learner_id == learner_id)
    return connection.execute(query.order_by(Enrolment.class_id)).scalars().all()
