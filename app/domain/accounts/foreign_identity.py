"""Identities that a bureau's sign-on service tells: nobody's until an administrator gives one to a
user who is there already. None makes a user, and none brings a right with it."""

from __future__ import annotations

from sqlalchemy import Connection

from app.domain.accounts import users
from app.domain.accounts.users import User
from app.errors import Conflict, NotFound
from app.store.accounts import audit
from app.store.accounts import foreign_identities as store
from app.store.accounts import users as user_store
from app.store.accounts.foreign_identities import IdentityRow


def meet(
    connection: Connection, issuer: str, subject: str, told_name: str, now_ms: int
) -> tuple[User | None, int]:
    """Whose identity it is, if a user's who may sign in; and its number, by which the
    administrator finds it."""
    row = store.meet(connection, issuer, subject, told_name, now_ms)
    if row.username is None:
        audit.append(
            connection,
            at_ms=now_ms,
            actor="system",
            action="sign_on.unknown",
            subject=f"identity:{row.id}",
        )
        return None, row.id
    known = user_store.by_username(connection, row.username)
    if known is None or known.disabled_ms is not None:
        users.record(connection, now_ms, "system", "sign_on.refused", row.username)
        return None, row.id
    return users.named(connection, row.username), row.id


def link(
    connection: Connection, identity_id: int, username: str, *, by: User, now_ms: int, reason: str
) -> None:
    """Give an identity to a user. Raises NotFound, and Conflict where it is somebody's, or where
    somebody gives one to themselves."""
    row = _row(connection, identity_id)
    if row.user_id is not None:
        raise Conflict("identity_taken", f"the identity is {row.username}'s already")
    user = users.named(connection, username)
    if user.id == by.id:
        raise Conflict("own_identity", "another administrator links one's own identity")
    store.link(connection, identity_id, user.id, by.username, now_ms)
    detail = {"identity": f"{row.issuer} {row.subject}", "reason": reason}
    users.record(connection, now_ms, by.actor, "sign_on.linked", username, detail)


def unlink(connection: Connection, identity_id: int, *, by: User, now_ms: int, reason: str) -> None:
    """Take it away again; the logins of that user end. Raises NotFound."""
    row = _row(connection, identity_id)
    if row.user_id is None or row.username is None:
        return
    store.link(connection, identity_id, None, None, now_ms)
    user_store.delete_logins_of(connection, row.user_id)
    detail = {"identity": f"{row.issuer} {row.subject}", "reason": reason}
    users.record(connection, now_ms, by.actor, "sign_on.unlinked", row.username, detail)


def _row(connection: Connection, identity_id: int) -> IdentityRow:
    row = store.one(connection, identity_id)
    if row is None:
        raise NotFound("unknown_identity", f"there is no identity {identity_id}")
    return row
