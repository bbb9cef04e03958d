"""Identities that a bureau's sign-on service tells: nobody's until an administrator gives one to a
user who is there already. None makes a user, and none brings a right with it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from app.domain.accounts import second_factors, users
from app.domain.accounts.users import User
from app.errors import Conflict, NotFound
from app.store.accounts import audit
from app.store.accounts import foreign_identities as store
from app.store.accounts import users as user_store
from app.store.accounts.foreign_identities import IdentityRow


@dataclass(frozen=True, slots=True)
class MetIdentity:
    """Whose identity it is, if a user's who may sign in, and its number, by which the administrator
    finds it. Until it is `confirmed` it shows no second factor, whatever the service tells."""

    number: int
    user: User | None = None
    confirmed: bool = False


def meet(
    connection: Connection, issuer: str, subject: str, told_name: str, now_ms: int
) -> MetIdentity:
    """Note that somebody came with this identity."""
    row = store.meet(connection, issuer, subject, told_name, now_ms)
    if row.username is None:
        audit.append(
            connection,
            at_ms=now_ms,
            actor="system",
            action="sign_on.unknown",
            subject=f"identity:{row.id}",
        )
        return MetIdentity(row.id)
    known = user_store.by_username(connection, row.username)
    if known is None or known.disabled_ms is not None:
        users.record(connection, now_ms, "system", "sign_on.refused", row.username)
        return MetIdentity(row.id)
    user = users.named(connection, row.username)
    return MetIdentity(row.id, user, row.linked_ms is not None)


def link(
    connection: Connection, identity_id: int, username: str, *, by: User, now_ms: int, reason: str
) -> None:
    """Give an identity to a user; one who has second factors confirms it by one of them, so that
    no administrator alone gets past these. Raises NotFound, and Conflict where it is somebody's, or
    where somebody gives one to themselves."""
    row = _row(connection, identity_id)
    if row.user_id is not None:
        raise Conflict("identity_taken", f"the identity is {row.username}'s already")
    user = users.named(connection, username)
    if user.id == by.id:
        raise Conflict("own_identity", "another administrator links one's own identity")
    waits = second_factors.of(connection, user.id)
    store.link(connection, identity_id, user.id, by.username, None if waits else now_ms)
    detail = {"identity": f"{row.issuer} {row.subject}", "reason": reason}
    users.record(connection, now_ms, by.actor, "sign_on.linked", username, detail)


def unlink(connection: Connection, identity_id: int, *, by: User, now_ms: int, reason: str) -> None:
    """Take it away again; the logins of that user end. Raises NotFound."""
    row = _row(connection, identity_id)
    if row.user_id is None or row.username is None:
        return
    store.link(connection, identity_id, None, None, None)
    user_store.delete_logins_of(connection, row.user_id)
    detail = {"identity": f"{row.issuer} {row.subject}", "reason": reason}
    users.record(connection, now_ms, by.actor, "sign_on.unlinked", row.username, detail)


def _row(connection: Connection, identity_id: int) -> IdentityRow:
    row = store.one(connection, identity_id)
    if row is None:
        raise NotFound("unknown_identity", f"there is no identity {identity_id}")
    return row
