"""Rows of `foreign_identities`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection, select, update

from app.store.row import fetch, fetch_one_or_none
from app.store.upsert import insert_new
from models import ForeignIdentity, User


class IdentityRow(Protocol):
    """`username`: whose it is, if somebody's."""

    id: int
    issuer: str
    subject: str
    told_name: str
    first_ms: int
    user_id: int | None
    username: str | None
    linked_by: str | None
    linked_ms: int | None


_ROWS = select(ForeignIdentity, User.username).outerjoin(User, User.id == ForeignIdentity.user_id)


def meet(
    connection: Connection, issuer: str, subject: str, told_name: str, now_ms: int
) -> IdentityRow:
    """The identity, entered as nobody's where it was never seen; its name as told now."""
    row = {
        "issuer": issuer,
        "subject": subject,
        "told_name": told_name,
        "first_ms": now_ms,
        "user_id": None,
        "linked_by": None,
        "linked_ms": None,
    }
    insert_new(connection, ForeignIdentity, [row], ("issuer", "subject"))
    mine = (ForeignIdentity.issuer == issuer, ForeignIdentity.subject == subject)
    connection.execute(update(ForeignIdentity).where(*mine).values(told_name=told_name))
    found = fetch_one_or_none(connection, _ROWS.where(*mine), IdentityRow)
    assert found is not None
    return found


def one(connection: Connection, identity_id: int) -> IdentityRow | None:
    query = _ROWS.where(ForeignIdentity.id == identity_id)
    return fetch_one_or_none(connection, query, IdentityRow)


def listed(connection: Connection) -> Sequence[IdentityRow]:
    """Those that are nobody's first, then the newest."""
    order = (ForeignIdentity.user_id.is_not(None), ForeignIdentity.id.desc())
    return fetch(connection, _ROWS.order_by(*order), IdentityRow)


def link(
    connection: Connection,
    identity_id: int,
    user_id: int | None,
    by: str | None,
    linked_ms: int | None,
) -> None:
    mine = ForeignIdentity.id == identity_id
    values = {"user_id": user_id, "linked_by": by, "linked_ms": linked_ms}
    connection.execute(update(ForeignIdentity).where(mine).values(values))


def confirm(connection: Connection, identity_id: int, user_id: int, now_ms: int) -> None:
    """Note that the user showed a factor of their own in a login by it, if it waits for that."""
    waiting = ForeignIdentity.linked_ms.is_(None), ForeignIdentity.user_id == user_id
    connection.execute(
        update(ForeignIdentity)
        .where(ForeignIdentity.id == identity_id, *waiting)
        .values(linked_ms=now_ms)
    )


def doubt(connection: Connection, user_id: int) -> None:
    """Have the user confirm all identities that are theirs, by a factor of their own."""
    mine = ForeignIdentity.user_id == user_id
    connection.execute(update(ForeignIdentity).where(mine).values(linked_ms=None))
