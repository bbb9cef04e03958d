"""Rows of `identity_corrections`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from app.store.row import AnyRow
from models import Enrolment, IdentityCorrection


def add(connection: Connection, **values: Any) -> None:
    connection.execute(insert(IdentityCorrection).values(**values))


def of_act(connection: Connection, act_id: int) -> AnyRow:
    query = select(IdentityCorrection).where(IdentityCorrection.act_id == act_id)
    return connection.execute(query).one()


def change(connection: Connection, act_id: int, **values: Any) -> None:
    connection.execute(
        update(IdentityCorrection).where(IdentityCorrection.act_id == act_id).values(**values)
    )


def classes_of(connection: Connection, learner_id: int) -> Sequence[int]:
    query = select(Enrolment.class_id).where(Enrolment.learner_id == learner_id)
    return connection.execute(query.order_by(Enrolment.class_id)).scalars().all()
