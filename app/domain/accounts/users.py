"""People who sign in: who they are, what they may see, and how long a login lasts.

Passwords are checked outside a write transaction (Argon2 takes a while and SQLite has one
writer), so signing in is two steps: `check_password`, then `open_login`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Connection
from zxcvbn import zxcvbn

from app.domain.policy.procedure import Office
from app.domain.wire import shows_all
from app.errors import BadInput, Conflict, NotFound
from app.security import hash_password, new_token, password_matches, token_digest
from app.store.accounts import audit, installation
from app.store.accounts import users as store
from app.store.review import assignments
from app.store.scope import EVERYTHING, AccessScope

ABSOLUTE_MS = 10 * 3600 * 1000  # a working day
IDLE_MS = 60 * 60 * 1000
TOUCH_MS = 60 * 1000  # "last seen" is written at most this often
MIN_PASSWORD = 10
_NAME_TELLS = 4  # a shorter username stands in many a good password by chance
_LOOKED_AT = 72  # characters; what is longer is no list's
_HARD_ENOUGH = 3  # of 4: a hundred million guesses and more, leaked lists and patterns first
ALL_COUNTIES = "*"

_LOG_IS_READ = "log-reader"  # by somebody who keeps no users, once and for all
_USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")


class Role(StrEnum):
    """What someone may do.

    auditor          reads and decides within their counties, works on classes
    reviewer         reads and decides within their counties
    platform_viewer  reads what concerns their own platform, keeps its keys and webhooks
    school           sets up the classes of their own institution and reads them; decides nothing
    chief            reads within their counties, no photos; decides nothing
    admin            reads everything, keeps users; decides nothing
    log_reader       reads the audit log and nothing else; once there was one, admins do not
    """

    AUDITOR = "auditor"
    REVIEWER = "reviewer"
    PLATFORM_VIEWER = "platform_viewer"
    SCHOOL = "school"
    CHIEF = "chief"
    ADMIN = "admin"
    LOG_READER = "log_reader"


OF_AUTHORITY = frozenset({*Role} - {Role.PLATFORM_VIEWER, Role.SCHOOL, Role.LOG_READER})
DECIDES = frozenset({Role.AUDITOR, Role.REVIEWER})
OF_COUNTIES = DECIDES | {Role.CHIEF}
SEES_PHOTOS = frozenset({Role.AUDITOR, Role.REVIEWER})
KEEPS_KEYS = frozenset({Role.PLATFORM_VIEWER, Role.ADMIN})
SETS_UP = frozenset({Role.AUDITOR, Role.SCHOOL})
HANDS_IN = DECIDES | {Role.SCHOOL}
KEEPS_INSTITUTIONS = frozenset({Role.AUDITOR, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class User:
    id: int
    username: str
    display_name: str
    role: Role
    counties: tuple[str, ...]
    platform_id: int | None
    institution_id: int | None = None
    office: Office | None = None

    @property
    def actor(self) -> str:
        """How the audit log names this person."""
        return f"user:{self.username}"

    @property
    def decides(self) -> bool:
        return self.role in DECIDES

    @property
    def proves_twice(self) -> bool:
        """Whether what this person does needs a second factor where one is required: who decides,
        and who could make themselves people who do."""
        return self.decides or self.role is Role.ADMIN

    @property
    def sees_photos(self) -> bool:
        return self.role in SEES_PHOTOS

    @property
    def sets_up(self) -> bool:
        """Whether this person makes courses and classes."""
        return self.role in SETS_UP

    @property
    def hands_in(self) -> bool:
        """Whether this person hands in tables and photos of a class."""
        return self.role in HANDS_IN

    @property
    def keeps_institutions(self) -> bool:
        """Whether this person keeps the lists of institutions."""
        return self.role in KEEPS_INSTITUTIONS

    @property
    def keeps_counties(self) -> bool:
        return self.role is Role.ADMIN

    @property
    def keeps_keys(self) -> bool:
        """Whether this person keeps keys and webhooks of a platform they see."""
        return self.role in KEEPS_KEYS

    @property
    def of_authority(self) -> bool:
        """Neither a platform's nor an institution's: told who at the authority did what."""
        return self.role in OF_AUTHORITY

    @property
    def scope(self) -> AccessScope:
        """What this person sees; everything else does not exist for them."""
        if self.role is Role.ADMIN:
            return EVERYTHING
        if self.role is Role.PLATFORM_VIEWER:
            return AccessScope(platform_id=self.platform_id or -1)
        if self.role is Role.SCHOOL:
            return AccessScope(institution_id=self.institution_id or -1)
        if self.role is Role.LOG_READER:
            return AccessScope(counties=())
        if ALL_COUNTIES in self.counties:
            return EVERYTHING
        return AccessScope(counties=self.counties)


@dataclass(frozen=True, slots=True)
class Login:
    """A signed-in person, and the token that their forms must carry.

    `confirmed`: a second factor was shown. `factor_due_ms`: from when on deciding needs one; None
    where nothing set it.
    """

    user: User
    csrf: str
    confirmed: bool = False
    factor_due_ms: int | None = None


@dataclass(frozen=True, slots=True)
class LoginPlace:
    """Where somebody signs in: the address, and what the browser calls itself."""

    address: str = ""
    browser: str = ""


@dataclass(frozen=True, slots=True)
class OpenLogin:
    """One of a person's logins. `mark` names it and opens nothing; `here`: it asks."""

    mark: str
    address: str
    browser: str
    created_ms: int
    seen_ms: int
    here: bool


def check_password(connection: Connection, username: str, password: str) -> User | None:
    """The active user with this password. Takes the same time whatever was wrong."""
    row = store.by_username(connection, username.strip().lower())
    matches = password_matches(password, row.password_hash if row else _nobody())
    if row is None or not matches or row.disabled_ms is not None:
        return None
    return _user(row)


@cache
def _nobody() -> str:
    """What an unknown name's password is held against."""
    return hash_password(secrets.token_hex(16))


def open_login(
    connection: Connection,
    user: User,
    now_ms: int,
    instead_of: str | None = None,
    where: LoginPlace = LoginPlace(),
    *,
    confirmed: bool = False,
) -> str:
    """Start a login and return the cookie's token; only its digest is kept. `instead_of`: the
    token that the browser still holds, whose login ends. `confirmed`: a second factor was shown."""
    token = new_token("zxs")
    if instead_of:
        store.delete_login(connection, token_digest(instead_of))
    store.delete_expired_logins(connection, now_ms, now_ms - IDLE_MS)
    store.insert_login(
        connection,
        token_digest=token_digest(token),
        user_id=user.id,
        csrf=secrets.token_urlsafe(32),
        address=where.address[:128],
        browser=where.browser[:128],
        now_ms=now_ms,
        expires_ms=now_ms + ABSOLUTE_MS,
        confirmed_ms=now_ms if confirmed else None,
    )
    record(connection, now_ms, user.actor, "login.opened", user.username)
    return token


def refuse_login(connection: Connection, username: str, address: str, now_ms: int) -> None:
    """Record a failed attempt. A name that is nobody's stays out: often it is a password that was
    typed into the wrong field."""
    known = store.by_username(connection, username) is not None
    audit.append(
        connection,
        at_ms=now_ms,
        actor="system",
        action="login.refused",
        subject=f"user:{username if known else '?'}",
        detail={"address": address},
    )


def login_of(connection: Connection, token: str, now_ms: int) -> tuple[Login, bool] | None:
    """The login a cookie stands for, and whether `touch_login` is due; None once it has expired."""
    row = store.login(connection, token_digest(token))
    if row is None or now_ms >= row.expires_ms:
        return None
    if abs(now_ms - row.seen_ms) >= IDLE_MS:  # ahead: of a clock that was wrong, and never idle
        return None
    if row.disabled_ms is not None:
        return None
    login = Login(_user(row), row.csrf, row.confirmed_ms is not None, row.factor_due_ms)
    return login, now_ms >= row.seen_ms + TOUCH_MS


def touch_login(connection: Connection, token: str, now_ms: int) -> None:
    store.touch_login(connection, token_digest(token), now_ms)


def confirm_login(connection: Connection, token: str, now_ms: int) -> None:
    """Note that this login's person has shown a second factor."""
    store.confirm_login(connection, token_digest(token), now_ms)


def close_login(connection: Connection, token: str, user: User, now_ms: int) -> None:
    store.delete_login(connection, token_digest(token))
    record(connection, now_ms, user.actor, "login.closed", user.username)


def logins_of(connection: Connection, user: User, token: str, now_ms: int) -> list[OpenLogin]:
    """The person's open logins, the latest first."""
    here = token_digest(token)
    return [
        OpenLogin(
            _mark(row.token_digest),
            row.address,
            row.browser,
            row.created_ms,
            row.seen_ms,
            row.token_digest == here,
        )
        for row in store.logins_of(connection, user.id, now_ms, now_ms - IDLE_MS)
    ]


def end_logins(connection: Connection, user: User, which: str, token: str, now_ms: int) -> int:
    """End the person's login of that mark, or `others`: all but the one with this token; how many
    ended. The login that asks ends by signing out."""
    here = token_digest(token)
    ended = [
        row.token_digest
        for row in store.logins_of(connection, user.id, now_ms, now_ms - IDLE_MS)
        if row.token_digest != here and which in ("others", _mark(row.token_digest))
    ]
    for digest in ended:
        store.delete_login(connection, digest)
    if ended:
        detail = {"count": len(ended)}
        record(connection, now_ms, user.actor, "login.ended", user.username, detail)
    return len(ended)


def _mark(digest: bytes) -> str:
    return token_digest(digest.hex()).hex()[:16]


def active(connection: Connection) -> list[User]:
    """Everybody who may sign in."""
    return [_user(it) for it in store.all_users(connection) if it.disabled_ms is None]


def reads_log(connection: Connection, user: User) -> bool:
    """Whether somebody reads the audit log: who keeps users only until somebody else was first
    appointed to read what they do, also after they ended that one's account."""
    if user.role is Role.ADMIN:
        appointed = installation.fact(connection, _LOG_IS_READ) is not None
        return not appointed and not store.any_with(connection, Role.LOG_READER)
    return user.role is Role.LOG_READER


def named(connection: Connection, username: str) -> User:
    """The user of that name. Raises NotFound."""
    return _user(_row_of(connection, username))


def add_user(  # noqa: PLR0913 - what an account has, and why
    connection: Connection,
    *,
    username: str,
    display_name: str,
    password: str,
    role: str,
    counties: Collection[str] = (),
    platform: str | None = None,
    institution: int | None = None,
    office: str | None = None,
    actor: str,
    now_ms: int,
    reason: str = "",
) -> int:
    """Create a user and return the id. Raises BadInput on a bad field, Conflict on a taken name."""
    if not _USERNAME.fullmatch(username):
        raise BadInput(
            "bad_username", "a username is 2 to 32 of a-z 0-9 . _ - and begins with a letter"
        )
    _check_role(role)
    if not display_name.strip() or len(display_name) > 64 or not shows_all(display_name):
        raise BadInput("bad_display_name", "a display name has 1 to 64 visible characters")
    _check_password_strength(username, password)
    if store.by_username(connection, username) is not None:
        raise Conflict("username_taken", f"there is already a user {username}")
    wanted = _counties(role, counties)
    platform_id = _platform_id(connection, role, platform)
    institution_id = _institution_id(connection, role, institution)
    of_office = _office(role, office)
    user_id = store.insert_user(
        connection,
        username=username,
        display_name=display_name.strip(),
        password_hash=hash_password(password),
        role=role,
        counties=wanted,
        platform_id=platform_id,
        institution_id=institution_id,
        office=of_office,
        created_ms=now_ms,
    )
    detail = _rights(connection, role, wanted, platform_id, institution_id, of_office)
    record(connection, now_ms, actor, "user.added", username, {**detail, "reason": reason})
    _remember_reader(connection, role, now_ms)
    return user_id


def change_user(
    connection: Connection,
    username: str,
    *,
    role: str,
    counties: Collection[str] = (),
    platform: str | None = None,
    institution: int | None = None,
    office: str | None = None,
    actor: str,
    now_ms: int,
    reason: str = "",
) -> bool:
    """Give a user another role, other counties, platform, institution or office; whether anything
    changed. Without `office` it stays as it is.

    It ends that person's logins and takes back findings they may not decide any more. Raises
    NotFound, BadInput, Conflict `own_role` and `last_admin`.
    """
    row = _row_of(connection, username)
    if actor == _user(row).actor:
        raise Conflict("own_role", "nobody changes what they may do themselves")
    _check_role(role)
    wanted = _counties(role, counties)
    platform_id = _platform_id(connection, role, platform)
    institution_id = _institution_id(connection, role, institution)
    before = (row.role, list(row.counties), row.platform_id, row.institution_id, row.office)
    after = (role, wanted, platform_id, institution_id, _office(role, office or row.office))
    if after == before:
        return False
    if role != Role.ADMIN:
        _keep_an_admin(connection, row)
    for it in (row.role, role):
        _remember_reader(connection, it, now_ms)
    store.update_user(
        connection,
        row.id,
        role=role,
        counties=wanted,
        platform_id=platform_id,
        institution_id=institution_id,
        office=after[-1],
    )
    store.delete_logins_of(connection, row.id)
    if ALL_COUNTIES not in wanted:
        assignments.release_outside(connection, row.id, wanted)
    rights = {"before": _rights(connection, *before), "after": _rights(connection, *after)}
    record(connection, now_ms, actor, "user.changed", username, rights | {"reason": reason})
    return True


def disable_user(
    connection: Connection, username: str, *, actor: str, now_ms: int, reason: str = ""
) -> None:
    """Shut a user out at once. Raises NotFound, Conflict `own_account` and `last_admin`."""
    row = _row_of(connection, username)
    if actor == _user(row).actor:
        raise Conflict("own_account", "nobody disables their own account")
    _keep_an_admin(connection, row)
    store.update_user(connection, row.id, disabled_ms=now_ms)
    store.delete_logins_of(connection, row.id)
    assignments.release_outside(connection, row.id, ())
    record(connection, now_ms, actor, "user.disabled", username, {"reason": reason})


def enable_user(
    connection: Connection, username: str, *, actor: str, now_ms: int, reason: str = ""
) -> None:
    """Let a disabled user in again. Raises NotFound."""
    store.update_user(connection, _row_of(connection, username).id, disabled_ms=None)
    record(connection, now_ms, actor, "user.enabled", username, {"reason": reason})


def set_password(
    connection: Connection,
    username: str,
    password: str,
    *,
    actor: str,
    now_ms: int,
    reason: str = "",
) -> None:
    """Change a password and end that person's logins. Raises NotFound or BadInput."""
    user_id = _row_of(connection, username).id
    _check_password_strength(username, password)
    store.update_user(connection, user_id, password_hash=hash_password(password))
    store.delete_logins_of(connection, user_id)
    record(connection, now_ms, actor, "user.password", username, {"reason": reason})


def change_password(
    connection: Connection,
    user: User,
    password: str,
    now_ms: int,
    where: LoginPlace = LoginPlace(),
    *,
    confirmed: bool = False,
) -> str:
    """Give a person the password of their own choice. It ends all their logins; the token of a
    new one is returned. Raises BadInput."""
    _check_password_strength(user.username, password)
    store.update_user(connection, user.id, password_hash=hash_password(password))
    store.delete_logins_of(connection, user.id)
    record(connection, now_ms, user.actor, "password.changed", user.username)
    return open_login(connection, user, now_ms, where=where, confirmed=confirmed)


def refuse_password(connection: Connection, user: User, address: str, now_ms: int) -> None:
    """Record that a signed-in person did not know their own password."""
    detail = {"address": address}
    record(connection, now_ms, user.actor, "password.refused", user.username, detail)


def new_password() -> str:
    """A password to hand out once: about 95 bits, without look-alike characters, and without
    vowels: by chance it is no word and holds nobody's name."""
    alphabet = "bcdfghjkmnpqrstvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


def _platform_id(connection: Connection, role: str, slug: str | None) -> int | None:
    if role != Role.PLATFORM_VIEWER:
        return None
    if not slug:
        raise BadInput("platform_missing", "a platform_viewer needs a platform")
    platform_id = store.platform_id(connection, slug)
    if platform_id is None:
        raise BadInput("unknown_platform", f"there is no platform {slug}")
    return platform_id


def _institution_id(connection: Connection, role: str, institution: int | None) -> int | None:
    if role != Role.SCHOOL:
        return None
    if institution is None:
        raise BadInput("institution_missing", "a school's clerk needs an institution")
    if store.institution_name(connection, institution) is None:
        raise BadInput("unknown_institution", f"there is no institution {institution}")
    return institution


def _check_password_strength(username: str, password: str) -> None:
    if len(password) < MIN_PASSWORD or len(password) > 256:
        raise BadInput("weak_password", f"a password has {MIN_PASSWORD} to 256 characters")
    named = len(username) >= _NAME_TELLS and username in password.lower()
    if named or len(set(password)) < 5:
        raise BadInput(
            "weak_password",
            "a password has five different characters or more and does not contain the username",
        )
    if zxcvbn(password[:_LOOKED_AT], user_inputs=[username])["score"] < _HARD_ENOUGH:
        raise BadInput("common_password", "a password that is often used, or guessed soon")


def _rights(
    connection: Connection,
    role: str,
    counties: Collection[str],
    platform_id: int | None,
    institution_id: int | None,
    office: str | None,
) -> dict[str, Any]:
    return {
        "role": role,
        "counties": list(counties),
        "platform": store.platform_slug(connection, platform_id),
        "institution": store.institution_name(connection, institution_id),
        "office": office,
    }


def _office(role: str, said: str | None) -> Office | None:
    """Whose steps somebody who decides may sign: the labour office's where none is said."""
    if role not in DECIDES:
        return None
    if said and said not in set(Office):
        raise BadInput("bad_office", f"the office must be one of {', '.join(Office)}")
    return Office(said or Office.LABOUR)


def _check_role(role: str) -> None:
    if role not in set(Role):
        raise BadInput("bad_role", f"the role must be one of {', '.join(Role)}")


def _remember_reader(connection: Connection, role: str, now_ms: int) -> None:
    if role == Role.LOG_READER:
        installation.begin(connection, _LOG_IS_READ, b"appointed", now_ms)


def _counties(role: str, counties: Collection[str]) -> list[str]:
    """What was typed, once each and in order; none for who is not bound to counties."""
    if role not in OF_COUNTIES:
        return []
    wanted = sorted({county.strip() for county in counties if county.strip()})
    if not wanted:
        raise BadInput(
            "county_missing", f"a user with role {role} needs a county, or {ALL_COUNTIES} for all"
        )
    return wanted


def _keep_an_admin(connection: Connection, row: store.UserRow) -> None:
    """Raises Conflict when this is the last administrator who can sign in."""
    active = row.role == Role.ADMIN and row.disabled_ms is None
    if active and not store.other_admins(connection, row.id):
        raise Conflict("last_admin", f"{row.username} is the last active administrator")


def _row_of(connection: Connection, username: str) -> store.UserRow:
    row = store.by_username(connection, username)
    if row is None:
        raise NotFound("unknown_user", f"there is no user {username}")
    return row


def _user(row: store.UserRow) -> User:
    return User(
        id=row.id,
        username=row.username,
        display_name=row.display_name,
        role=Role(row.role),
        counties=tuple(row.counties),
        platform_id=row.platform_id,
        institution_id=row.institution_id,
        office=Office(row.office) if row.office else None,
    )


def record(
    connection: Connection,
    now_ms: int,
    actor: str,
    action: str,
    username: str,
    detail: dict[str, Any] | None = None,
) -> None:
    """Enter in the audit log what `actor` did about a person's account."""
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action=action,
        subject=f"user:{username}",
        detail=detail,
    )
