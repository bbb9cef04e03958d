"""Rows of `sign_offs`."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.orm import aliased

from app.store.row import typed
from app.store.scope import AccessScope
from models import SignOff, TrainingClass, User

_PREPARER, _SIGNER, _WITHDRAWER = aliased(User), aliased(User), aliased(User)


class SignOffRow(msgspec.Struct, frozen=True, kw_only=True):
    """One submission of a class's lists, with the names of who prepared, signed or withdrew it."""

    id: int
    class_id: int
    digest: str
    counts: dict[str, int]
    reason: str
    prepared_by: int
    prepared_ms: int
    signed_ms: int | None
    withdrawn_ms: int | None
    withdrawn_reason: str | None
    preparer: str
    signer: str | None
    withdrawer: str | None


def of_class(connection: Connection, class_id: int) -> list[SignOffRow]:
    """All submissions of a class, oldest first."""
    rows = connection.execute(
        select(
            SignOff.id,
            SignOff.class_id,
            SignOff.digest,
            SignOff.counts,
            SignOff.reason,
            SignOff.prepared_by,
            SignOff.prepared_ms,
            SignOff.signed_ms,
            SignOff.withdrawn_ms,
            SignOff.withdrawn_reason,
            _PREPARER.display_name.label("preparer"),
            _SIGNER.display_name.label("signer"),
            _WITHDRAWER.display_name.label("withdrawer"),
        )
        .join(_PREPARER, _PREPARER.id == SignOff.prepared_by)
        .join(_SIGNER, _SIGNER.id == SignOff.signed_by, isouter=True)
        .join(_WITHDRAWER, _WITHDRAWER.id == SignOff.withdrawn_by, isouter=True)
        .where(SignOff.class_id == class_id)
        .order_by(SignOff.id)
    )
    return typed(rows, SignOffRow)


class ListsToSign(msgspec.Struct, frozen=True, kw_only=True):
    """A class whose lists wait for a second person."""

    class_id: int
    external_id: str
    occupation: str
    institution: str
    preparer: str


def waiting_for(connection: Connection, scope: AccessScope, user_id: int) -> list[ListsToSign]:
    """Classes in scope whose lists somebody else has submitted, oldest first."""
    rows = connection.execute(
        select(
            SignOff.class_id,
            TrainingClass.external_id,
            TrainingClass.occupation,
            TrainingClass.institution,
            User.display_name.label("preparer"),
        )
        .join(TrainingClass, TrainingClass.id == SignOff.class_id)
        .join(User, User.id == SignOff.prepared_by)
        .where(
            scope.covers_class(),
            SignOff.signed_ms.is_(None),
            SignOff.withdrawn_ms.is_(None),
            SignOff.prepared_by != user_id,
        )
        .order_by(SignOff.id)
    )
    return typed(rows, ListsToSign)


def sealed_lists(connection: Connection, sign_off_id: int) -> bytes:
    query = select(SignOff.lists).where(SignOff.id == sign_off_id)
    return bytes(connection.execute(query).scalar_one())


def add(connection: Connection, **values: Any) -> int:
    added = connection.execute(insert(SignOff).values(**values).returning(SignOff.id))
    return int(added.scalar_one())


def end(connection: Connection, sign_off_id: int, **values: Any) -> None:
    """Sign or withdraw one."""
    connection.execute(update(SignOff).where(SignOff.id == sign_off_id).values(**values))
