"""The second factor: what somebody shows beside the password, and who has to.

An authenticator app's code (TOTP, RFC 6238), a passkey (`passkeys`), or one of ten recovery codes
that each open once. Who has a factor is asked for it at every login. Who decides, and who keeps
accounts, needs one from a day on that the first login sets; nobody is locked out: a factor is set
up by oneself at any time, and administrators take lost ones away, two of them where there are two.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import pyotp
from sqlalchemy import Connection

from app.clock import DAY_MS
from app.domain.accounts import users
from app.domain.accounts.users import Login, Role, User
from app.domain.wire import shows_all
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.security import token_digest
from app.store.accounts import foreign_identities
from app.store.accounts import second_factors as store
from app.store.accounts import users as user_store
from app.store.accounts.second_factors import FactorRow
from app.vault import Vault

TOTP, PASSKEY, RECOVERY = "totp", "passkey", "recovery"
ISSUER = "真学 Zhenxue"
CODES = 10
MOST = 10  # factors of one person, a product default
RESET_LASTS_MS = DAY_MS
_STEP_S = 30
_PURPOSE = "totp-seed"
_CODE_PURPOSE = "recovery-code"
_ALPHABET = "bcdfghjkmnpqrstvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Factors:
    """What somebody has set up; `codes_left` counts recovery codes."""

    listed: Sequence[FactorRow]
    codes_left: int

    @property
    def passkeys(self) -> list[FactorRow]:
        return [it for it in self.listed if it.kind == PASSKEY]

    def __bool__(self) -> bool:
        return bool(self.listed)


def of(connection: Connection, user_id: int) -> Factors:
    rows = store.of_user(connection, user_id)
    listed = [it for it in rows if it.kind != RECOVERY]
    return Factors(listed, len(rows) - len(listed))


def due(connection: Connection, user: User, grace_days: int, now_ms: int) -> None:
    """At a login of who must have a factor: set the day from which on, unless set."""
    row = user_store.by_username(connection, user.username)
    if user.proves_twice and row is not None and row.factor_due_ms is None:
        due_ms = now_ms + grace_days * DAY_MS
        user_store.update_user(connection, user.id, factor_due_ms=due_ms)


def require(login: Login, now_ms: int) -> None:
    """Raises NotAllowed `second_factor_needed` to who has to show a factor, has not, and is past
    the day."""
    late = login.factor_due_ms is not None and now_ms >= login.factor_due_ms
    if login.user.proves_twice and late and not login.confirmed:
        raise NotAllowed("second_factor_needed", "set up a second factor under /console/account")


def new_seed() -> str:
    """A seed for an authenticator app: 160 bits, base32."""
    return pyotp.random_base32()


def address_of(user: User, seed: str) -> str:
    """The `otpauth://` address that an authenticator app reads."""
    return pyotp.TOTP(seed).provisioning_uri(name=user.username, issuer_name=ISSUER)


def add_totp(
    connection: Connection, vault: Vault, user: User, seed: str, code: str, name: str, now_ms: int
) -> list[str]:
    """Set up an authenticator app that shows `code` now. Returns the recovery codes where these
    are the person's first factor, else none. Raises BadInput."""
    step = _step_of(seed, code, now_ms)
    if step is None:
        raise BadInput("wrong_code", "the code is not the one that the app shows now")
    secret = vault.seal(seed.encode(), _PURPOSE)
    return add(connection, vault, user, TOTP, name, now_ms, secret=secret, counter=step)


def add(
    connection: Connection,
    vault: Vault,
    user: User,
    kind: str,
    name: str,
    now_ms: int,
    *,
    secret: bytes,
    counter: int,
    credential: bytes | None = None,
) -> list[str]:
    """Keep a factor that was shown to be theirs; see `add_totp`."""
    before = of(connection, user.id)
    if len(before.listed) >= MOST:
        raise BadInput("too_many_factors", f"a person has {MOST} factors at most")
    store.add(
        connection,
        user_id=user.id,
        kind=kind,
        name=_name(name),
        secret=secret,
        credential=credential,
        counter=counter,
        created_ms=now_ms,
    )
    users.record(connection, now_ms, user.actor, "factor.added", user.username, {"kind": kind})
    if before:
        return []
    foreign_identities.doubt(connection, user.id)  # linked when there was nothing to confirm by
    return new_codes(connection, vault, user, now_ms)


def new_codes(connection: Connection, vault: Vault, user: User, now_ms: int) -> list[str]:
    """Ten recovery codes instead of those that were; told once, kept as keyed hashes."""
    store.drop_all(connection, user.id, RECOVERY)
    codes = [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(2))
        for _ in range(CODES)
    ]
    for code in codes:
        store.add(
            connection,
            user_id=user.id,
            kind=RECOVERY,
            name="",
            secret=_code_hash(vault, user.id, code),
            credential=None,
            counter=0,
            created_ms=now_ms,
        )
    users.record(connection, now_ms, user.actor, "factor.codes", user.username)
    return codes


def accepts(connection: Connection, vault: Vault, user: User, code: str, now_ms: int) -> bool:
    """Whether this is a code of the person's app, each good once, or a recovery code, which is
    gone with it."""
    typed = re.sub(r"\s", "", code).lower()
    for row in store.of_user(connection, user.id):
        if row.kind == TOTP:
            step = _step_of(vault.open(row.secret, _PURPOSE).decode(), typed, now_ms)
            if step is not None and store.take(connection, row.id, step, now_ms):
                return True
        elif row.kind == RECOVERY and _is_code(vault, row, typed):
            if taken := store.take(connection, row.id, 1, now_ms):
                store.drop(connection, row.id)
                users.record(connection, now_ms, user.actor, "factor.code_used", user.username)
            return taken
    return False


def refuse(connection: Connection, user: User, address: str, now_ms: int) -> None:
    """Record that the password was right and the second factor was not."""
    detail = {"address": address}
    users.record(connection, now_ms, user.actor, "factor.refused", user.username, detail)


def rename(connection: Connection, user: User, factor_id: int, name: str) -> None:
    """Call one of one's factors otherwise. Raises NotFound, BadInput."""
    store.rename(connection, own(connection, user, factor_id).id, _name(name))


def remove(connection: Connection, user: User, factor_id: int, now_ms: int) -> None:
    """Take one of one's factors away; with the last one go the recovery codes, and that a login has
    shown one. Raises NotFound."""
    row = own(connection, user, factor_id)
    store.drop(connection, row.id)
    if not of(connection, user.id):
        store.drop_all(connection, user.id)
        user_store.unconfirm_logins_of(connection, user.id)
    users.record(
        connection, now_ms, user.actor, "factor.removed", user.username, {"kind": row.kind}
    )


def reset(connection: Connection, username: str, actor: str, now_ms: int, reason: str = "") -> None:
    """Take all factors of somebody away, and end their logins; who decides sets up new ones before
    the next decision. Raises NotFound."""
    row = user_store.by_username(connection, username)
    if row is None:
        raise NotFound("unknown_user", f"there is no user {username}")
    store.drop_all(connection, row.id)
    due_ms = None if row.factor_due_ms is None else now_ms
    user_store.update_user(
        connection, row.id, factor_due_ms=due_ms, reset_asked_ms=None, reset_asked_by=None
    )
    user_store.delete_logins_of(connection, row.id)
    users.record(connection, now_ms, actor, "factor.reset", username, {"reason": reason})


def ask_reset(
    connection: Connection, admin: User, username: str, now_ms: int, reason: str = ""
) -> bool:
    """As `reset`, by an administrator in the console: True where it was done. Where another
    administrator can agree, one asks and a second one does it within a day.

    Raises NotFound, NotAllowed, Conflict `own_account` and `second_person`.
    """
    row = user_store.by_username(connection, username)
    if row is None:
        raise NotFound("unknown_user", f"there is no user {username}")
    if admin.role is not Role.ADMIN:
        raise NotAllowed("role", "administrators take factors away")
    if row.id == admin.id:
        raise Conflict("own_account", "nobody takes their own factors away like this")
    asked = row.reset_asked_ms is not None and now_ms < row.reset_asked_ms + RESET_LASTS_MS
    if asked and row.reset_asked_by == admin.username:
        raise Conflict("second_person", "another administrator has to agree")
    if asked or not user_store.other_admins(connection, admin.id, row.id):
        reset(connection, username, admin.actor, now_ms, reason)
        return True
    user_store.update_user(connection, row.id, reset_asked_ms=now_ms, reset_asked_by=admin.username)
    said = {"reason": reason}
    users.record(connection, now_ms, admin.actor, "factor.reset_asked", username, said)
    return False


def _step_of(seed: str, code: str, now_ms: int) -> int | None:
    """The time step whose code this is: now's, or a neighbour of it as clocks differ."""
    now, app = now_ms // 1000 // _STEP_S, pyotp.TOTP(seed)
    typed = re.sub(r"\s", "", code).encode()
    for step in (now, now - 1, now + 1):
        if hmac.compare_digest(app.at(step * _STEP_S).encode(), typed):
            return step
    return None


def _code_hash(vault: Vault, user_id: int, code: str) -> bytes:
    return vault.sign(_code(user_id, code), _CODE_PURPOSE)


def _is_code(vault: Vault, row: FactorRow, code: str) -> bool:
    return vault.signed(
        _code(row.user_id, code),
        _CODE_PURPOSE,
        lambda made: hmac.compare_digest(made, row.secret),
    )


def _code(user_id: int, code: str) -> bytes:
    return f"{user_id}\n{code.replace('-', '')}".encode()


def _name(name: str) -> str:
    if not name.strip() or len(name.strip()) > 40 or not shows_all(name):
        raise BadInput("bad_factor_name", "a factor's name has 1 to 40 visible characters")
    return name.strip()


def own(connection: Connection, user: User, factor_id: int) -> FactorRow:
    """One of the person's factors but recovery codes. Raises NotFound."""
    for row in of(connection, user.id).listed:
        if row.id == factor_id:
            return row
    raise NotFound("unknown_factor", "there is no such factor")


def password_mark(connection: Connection, username: str) -> str:
    """What changes with a person's password; by it a login that waits for the second factor ends
    when the password does, or the account is disabled."""
    row = user_store.by_username(connection, username)
    known = row is not None and row.disabled_ms is None
    return token_digest(row.password_hash).hex()[:32] if row is not None and known else ""
