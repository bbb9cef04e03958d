"""Users of the console and their logins."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, delete, insert, select, update

from app.store.row import fetch, fetch_one_or_none
from models import Institution, Platform, User, UserSession


class UserRow(Protocol):
    """What both a user and a login carry of a user."""

    id: int
    username: str
    display_name: str
    role: str
    counties: list[str]
    platform_id: int | None
    institution_id: int | None
    office: str | None
    password_hash: str
    disabled_ms: int | None
    factor_due_ms: int | None
    reset_asked_ms: int | None
    reset_asked_by: str | None


class LoginRow(UserRow, Protocol):
    csrf: str
    seen_ms: int
    expires_ms: int
    confirmed_ms: int | None


def by_username(connection: Connection, username: str) -> UserRow | None:
    return fetch_one_or_none(connection, select(User).where(User.username == username), UserRow)


class ListedUser(UserRow, Protocol):
    """A user with the platform or institution that they are tied to, if to one."""

    platform_name: str | None
    platform: str | None
    institution: str | None


def all_users(connection: Connection) -> Sequence[ListedUser]:
    """Every user with the name of the platform or institution they are tied to, by username."""
    return fetch(
        connection,
        select(
            User,
            Platform.name.label("platform_name"),
            Platform.slug.label("platform"),
            Institution.name.label("institution"),
        )
        .join(Platform, Platform.id == User.platform_id, isouter=True)
        .join(Institution, Institution.id == User.institution_id, isouter=True)
        .order_by(User.username),
        ListedUser,
    )


def names(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """Display names of users by id."""
    rows = connection.execute(select(User.id, User.display_name).where(User.id.in_(ids)))
    return {row.id: row.display_name for row in rows}


def display_names(connection: Connection, usernames: Collection[str]) -> dict[str, str]:
    """Display names of users by username."""
    query = select(User.username, User.display_name).where(User.username.in_(usernames))
    return {row.username: row.display_name for row in connection.execute(query)}


def platform_id(connection: Connection, slug: str) -> int | None:
    return connection.execute(select(Platform.id).where(Platform.slug == slug)).scalar_one_or_none()


def platform_slug(connection: Connection, platform_id: int | None) -> str | None:
    return connection.scalar(select(Platform.slug).where(Platform.id == platform_id))


def institution_name(connection: Connection, institution_id: int | None) -> str | None:
    return connection.scalar(select(Institution.name).where(Institution.id == institution_id))


class PlatformName(Protocol):
    slug: str
    name: str


def platforms(connection: Connection) -> Sequence[PlatformName]:
    """Slug and name of every platform, by name."""
    return fetch(
        connection, select(Platform.slug, Platform.name).order_by(Platform.name), PlatformName
    )


def insert_user(connection: Connection, **columns: Any) -> int:
    statement = insert(User).values(**columns, disabled_ms=None).returning(User.id)
    return connection.execute(statement).scalar_one()


def update_user(connection: Connection, user_id: int, **columns: Any) -> None:
    connection.execute(update(User).where(User.id == user_id).values(**columns))


def other_admins(connection: Connection, *user_ids: int) -> int:
    """How many administrators but these may sign in; all of them are held until the transaction
    ends, so that two cannot shut each other out at once."""
    admins = connection.scalars(
        select(User.id)
        .where(User.role == "admin", User.disabled_ms.is_(None))
        .order_by(User.id)
        .with_for_update()
    ).all()
    return len(set(admins).difference(user_ids))


def any_with(connection: Connection, role: str) -> bool:
    """Whether there is an account of that role, ended ones too."""
    query = select(User.id).where(User.role == role).limit(1)
    return connection.scalar(query) is not None


def login(connection: Connection, token_digest: bytes) -> LoginRow | None:
    """The login with this digest, with its user's columns."""
    return fetch_one_or_none(
        connection,
        select(
            User,
            UserSession.csrf,
            UserSession.seen_ms,
            UserSession.expires_ms,
            UserSession.confirmed_ms,
        )
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.token_digest == token_digest),
        LoginRow,
    )


def insert_login(
    connection: Connection,
    *,
    token_digest: bytes,
    user_id: int,
    csrf: str,
    address: str,
    browser: str,
    now_ms: int,
    expires_ms: int,
    confirmed_ms: int | None,
) -> None:
    connection.execute(
        insert(UserSession).values(
            address=address,
            browser=browser,
            token_digest=token_digest,
            user_id=user_id,
            csrf=csrf,
            created_ms=now_ms,
            seen_ms=now_ms,
            expires_ms=expires_ms,
            confirmed_ms=confirmed_ms,
        )
    )


def logins_of(
    connection: Connection, user_id: int, now_ms: int, seen_after_ms: int
) -> Sequence[Any]:
    """A user's logins that are neither over nor idle since then, the latest first."""
    return connection.execute(
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.expires_ms > now_ms,
            UserSession.seen_ms > seen_after_ms,
        )
        .order_by(UserSession.seen_ms.desc(), UserSession.created_ms.desc())
    ).all()


def confirm_login(connection: Connection, token_digest: bytes, now_ms: int) -> None:
    connection.execute(
        update(UserSession)
        .where(UserSession.token_digest == token_digest)
        .values(confirmed_ms=now_ms)
    )


def unconfirm_logins_of(connection: Connection, user_id: int) -> None:
    connection.execute(
        update(UserSession).where(UserSession.user_id == user_id).values(confirmed_ms=None)
    )


def touch_login(connection: Connection, token_digest: bytes, now_ms: int) -> None:
    connection.execute(
        update(UserSession).where(UserSession.token_digest == token_digest).values(seen_ms=now_ms)
    )


def delete_login(connection: Connection, token_digest: bytes) -> None:
    connection.execute(delete(UserSession).where(UserSession.token_digest == token_digest))


def delete_logins_of(connection: Connection, user_id: int) -> None:
    connection.execute(delete(UserSession).where(UserSession.user_id == user_id))


def delete_expired_logins(connection: Connection, now_ms: int, idle_before_ms: int) -> None:
    connection.execute(
        delete(UserSession).where(
            (UserSession.expires_ms <= now_ms) | (UserSession.seen_ms <= idle_before_ms)
        )
    )
