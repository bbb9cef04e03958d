"""Whether the master key is the one that this database was begun with, or goes on with.

With another one ID numbers hash to other values, so that one person passes for two, and nothing
that was encrypted opens again. Such a service must not start. While the master key is exchanged
two are right: the present one and the next.
"""

from __future__ import annotations

from sqlalchemy import Connection

from app.domain.accounts import keyring
from app.errors import BadInput, Conflict, NotReady
from app.security import MasterKey, Suite, Unsealable
from app.store.accounts import audit, installation, vault_keys
from app.vault import Vault

PRESENT, NEXT = "master-key", "master-key-next"
_PURPOSE = "master-key-check"
_WORD = b"zhenxue"
_LEAST = 32


class WrongMasterKey(NotReady):
    """Another key than the database's."""


def require(connection: Connection, master: MasterKey) -> bool:
    """Whether the key was checked against a sealed word; False where there is none yet.

    Raises WrongMasterKey, also when it opens nothing of what an earlier version encrypted.
    """
    sealed = [installation.fact(connection, name) for name in (PRESENT, NEXT)]
    known = [it for it in sealed if it is not None]
    if any(_opens(master, it) for it in known):
        return True
    wrapped = None if known else installation.any_wrapped_key(connection)
    if known or (wrapped is not None and not _opens_derived(master, wrapped)):
        raise WrongMasterKey(
            "wrong_master_key",
            "the master key is not the one that this database was begun with: set"
            " ZHENXUE_MASTER_KEY or ZHENXUE_MASTER_KEY_FILE to that one",
        )
    return False


def take_over(connection: Connection, vault: Vault, now_ms: int) -> None:
    """Keep the sealed word of the key that this installation goes on with. Where 国密 is asked for,
    the purposes' keys begin with it. Of services that start together the first does it.

    Raises WrongMasterKey where that one has another key.
    """
    if not installation.begin(connection, PRESENT, _sealed_word(vault, vault.master), now_ms):
        require(connection, vault.master)
    elif vault.suite is Suite.NATIONAL and not vault_keys.rows(connection):
        keyring.begin(connection, keyring.ALL, actor="system", now_ms=now_ms)


def next_announced(connection: Connection) -> bool:
    return installation.fact(connection, NEXT) is not None


def is_next(connection: Connection, master: MasterKey) -> bool:
    """Whether this is the master key that is to follow."""
    sealed = installation.fact(connection, NEXT)
    return sealed is not None and _opens(master, sealed)


def announce(connection: Connection, text: str, *, actor: str, now_ms: int) -> None:
    """Wrap every purpose's key by another master key too; from now on both are right. Doing it
    again with the same one changes nothing. Raises BadInput, Conflict."""
    vault, following = keyring.vault_behind(connection), MasterKey(text)
    if len(text) < _LEAST:
        raise BadInput("short_master_key", f"the master key must have at least {_LEAST} characters")
    if following.fingerprint == vault.master.fingerprint:
        raise Conflict("same_master_key", "this is the present master key")
    if next_announced(connection):
        if is_next(connection, following):
            return
        raise Conflict("another_announced", "another master key was announced: abandon that first")
    keyring.write_down(connection, keyring.ALL, now_ms)
    ring = keyring.vault_behind(connection).ring
    by_number = {
        (purpose, key.generation): key for purpose, keys in ring.keys.items() for key in keys
    }
    for row in vault_keys.rows(connection):
        key = by_number[row.purpose, row.generation]
        vault_keys.add_wrap(connection, row.id, row.purpose, key, following)
    _keep(connection, NEXT, vault, following, now_ms)
    _record(connection, "keys.master_announced", vault.master, following, actor, now_ms)


def settle(connection: Connection, *, actor: str, now_ms: int) -> None:
    """Forget the former master key. Raises Conflict unless this process goes by the next one."""
    vault = keyring.vault_behind(connection)
    if not is_next(connection, vault.master):
        raise Conflict(
            "not_the_next_key",
            "this command does not go by the master key that was announced: put that one into"
            " ZHENXUE_MASTER_KEY_FILE first",
        )
    _leave_only(connection, vault, now_ms)
    _record(connection, "keys.master_exchanged", vault.master, None, actor, now_ms)


def abandon(connection: Connection, *, actor: str, now_ms: int) -> None:
    """Go on with the present master key and forget the next one. Raises Conflict."""
    vault = keyring.vault_behind(connection)
    if not next_announced(connection) or is_next(connection, vault.master):
        raise Conflict("nothing_announced", "no master key other than this one was announced")
    _leave_only(connection, vault, now_ms)
    _record(connection, "keys.master_abandoned", vault.master, None, actor, now_ms)


def _leave_only(connection: Connection, vault: Vault, now_ms: int) -> None:
    vault_keys.keep_wraps_of(connection, vault.master)
    _keep(connection, PRESENT, vault, vault.master, now_ms)
    installation.drop(connection, NEXT)


def _keep(connection: Connection, name: str, vault: Vault, master: MasterKey, now_ms: int) -> None:
    installation.keep(connection, name, _sealed_word(vault, master), now_ms)


def _sealed_word(vault: Vault, master: MasterKey) -> bytes:
    suite = vault.suite
    return suite.seal(master.derive(_PURPOSE, suite), _WORD, _PURPOSE.encode())


def _opens(master: MasterKey, sealed: bytes) -> bool:
    for suite in Suite:
        try:
            suite.open(master.derive(_PURPOSE, suite), sealed, _PURPOSE.encode())
        except Unsealable:
            continue
        return True
    return False


def _opens_derived(master: MasterKey, wrapped: bytes) -> bool:
    purpose = "learner-key"
    try:
        Suite.INTERNATIONAL.open(master.derive(purpose), wrapped, purpose.encode())
    except Unsealable:
        return False
    return True


def _record(
    connection: Connection,
    action: str,
    master: MasterKey,
    following: MasterKey | None,
    actor: str,
    now_ms: int,
) -> None:
    detail = {"master": master.fingerprint}
    if following is not None:
        detail["next"] = following.fingerprint
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action=action,
        subject="keys:master",
        detail=detail,
    )
