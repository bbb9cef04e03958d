"""The generations of the purposes' keys, and which of them stand behind a connection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, delete, func, insert, select, text, update

from app.errors import NotReady
from app.security import MasterKey, Suite, Unsealable
from app.store.row import fetch, fetch_one_or_none
from app.vault import NUMBER_HASH, NumberHash, PurposeKey, Ring, Vault
from models import VaultKey, VaultKeyWrap

_VAULT = "zhenxue_vault"
# Any numbers that no other advisory lock of this service uses: of persons, and of the audit log.
_LOCK, AUDIT_LOCK = 0x7A780002, 0x7A780001


class KeysMovedOn(NotReady):
    """A key was exchanged while this was under way: the same again succeeds."""


class VaultKeyRow(Protocol):
    id: int
    purpose: str
    generation: int
    suite: str
    standing: str
    made_ms: int
    superseded_ms: int | None
    swept: dict[str, Any]


def attach(engine: Engine, vault: Vault) -> None:
    """Have everything that goes through the engine find the vault: the audit log for its seals,
    and the readers of persons for the hashes of their numbers."""
    engine.update_execution_options(**{_VAULT: vault})


def vault_of(connection: Connection) -> Vault | None:
    """The vault behind a connection, with the keys that are in the database now."""
    vault: Vault | None = connection.get_execution_options().get(_VAULT)
    if vault is None:
        return None
    if vault.version == version(connection):
        vault.still_newest()
    else:
        vault.hold(ring(connection, vault.master))
    return vault


def version(connection: Connection) -> tuple[int, int]:
    """Another one with every generation that comes or goes, and never an earlier one again."""
    newest, count = connection.execute(select(func.max(VaultKey.id), func.count())).one()
    return (newest or 0, -count)


def ring(connection: Connection, master: MasterKey) -> Ring:
    """All generations. Raises Unsealable where this master key wrapped them not."""
    now = version(connection)
    by_row = {
        row.key_id: row.wrapped
        for row in connection.execute(
            select(VaultKeyWrap).where(VaultKeyWrap.master == master.fingerprint)
        )
    }
    keys: dict[str, list[PurposeKey]] = defaultdict(list)
    for row in rows(connection):
        if row.id not in by_row:
            raise Unsealable("the keys in the database are wrapped by another master key")
        key = unwrapped(row.purpose, row.generation, row.suite, by_row[row.id], master)
        keys[row.purpose].append(replace(key, standing=row.standing))
    return Ring(now, {purpose: tuple(found) for purpose, found in keys.items()})


class WrappedKey(Protocol):
    generation: int
    suite: str
    wrapped: bytes


def wrapped(connection: Connection, purpose: str, master: MasterKey) -> WrappedKey | None:
    """The purpose's newest key as the master key wrapped it; None while it follows from that."""
    query = (
        select(VaultKey.generation, VaultKey.suite, VaultKeyWrap.wrapped)
        .join(VaultKeyWrap, VaultKeyWrap.key_id == VaultKey.id)
        .where(VaultKey.purpose == purpose, VaultKeyWrap.master == master.fingerprint)
        .order_by(VaultKey.generation.desc())
        .limit(1)
    )
    return fetch_one_or_none(connection, query, WrappedKey)


def unwrapped(
    purpose: str, generation: int, suite: str, wrapped: bytes, master: MasterKey
) -> PurposeKey:
    """Raises Unsealable, ValueError for a suite that is none."""
    by = Suite(suite)
    return PurposeKey(generation, by, master.unwrap(wrapped, _name(purpose, generation), by))


def rows(connection: Connection) -> Sequence[VaultKeyRow]:
    """By purpose, the newest generation first."""
    query = select(VaultKey).order_by(VaultKey.purpose, VaultKey.generation.desc())
    return fetch(connection, query, VaultKeyRow)


def add(
    connection: Connection, purpose: str, key: PurposeKey, master: MasterKey, now_ms: int
) -> None:
    """A generation, wrapped by the master key."""
    made = insert(VaultKey).values(
        purpose=purpose,
        generation=key.generation,
        suite=key.suite,
        standing=key.standing,
        made_ms=now_ms,
        superseded_ms=None,
        swept={},
    )
    key_id = connection.execute(made.returning(VaultKey.id)).scalar_one()
    add_wrap(connection, key_id, purpose, key, master)


def add_wrap(
    connection: Connection, key_id: int, purpose: str, key: PurposeKey, master: MasterKey
) -> None:
    """The same key, wrapped by one more master key."""
    wrapped = master.wrap(key.secret, _name(purpose, key.generation), key.suite)
    mine = (VaultKeyWrap.key_id == key_id, VaultKeyWrap.master == master.fingerprint)
    connection.execute(delete(VaultKeyWrap).where(*mine))
    connection.execute(
        insert(VaultKeyWrap).values(key_id=key_id, master=master.fingerprint, wrapped=wrapped)
    )


def keep_wraps_of(connection: Connection, master: MasterKey) -> None:
    """Forget the wraps of every other master key."""
    connection.execute(delete(VaultKeyWrap).where(VaultKeyWrap.master != master.fingerprint))


def change(connection: Connection, key_id: int, **values: Any) -> None:
    connection.execute(update(VaultKey).where(VaultKey.id == key_id).values(**values))


def drop(connection: Connection, key_id: int) -> None:
    """Forget a generation for good."""
    connection.execute(delete(VaultKeyWrap).where(VaultKeyWrap.key_id == key_id))
    connection.execute(delete(VaultKey).where(VaultKey.id == key_id))


def keep_out(connection: Connection) -> bool:
    """Let nobody enter a person or an audit entry until this transaction is over. False where
    somebody does just now: whoever waits while holding one of the two may wait for ever."""
    if connection.dialect.name != "postgresql":  # SQLite has but one writer anyway
        return True
    taken = text("SELECT pg_try_advisory_xact_lock(:lock)")
    locks = (_LOCK, AUDIT_LOCK)
    return all(connection.execute(taken, {"lock": it}).scalar_one() for it in locks)


def masters(connection: Connection) -> int:
    """How many master keys open the keys."""
    query = select(func.count(VaultKeyWrap.master.distinct()))
    return connection.execute(query).scalar_one()


def require_newest(connection: Connection, id_hash: NumberHash) -> None:
    """That the hash is by the key that is the newest one now, and stays it until the transaction
    is over. Raises KeysMovedOn."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": _LOCK})
    vault = vault_of(connection)
    if vault is not None and vault.generations(NUMBER_HASH)[0].generation != id_hash.generation:
        raise KeysMovedOn(
            "keys_exchanged", "the key of ID numbers was exchanged just now: send it again"
        )


def raising(connection: Connection) -> Callable[[bytes, int], bytes] | None:
    """How hashes of earlier generations are brought to the newest; None while there is but one."""
    vault = vault_of(connection)
    if vault is None or len(vault.generations(NUMBER_HASH)) == 1:
        return None
    return vault.raised


def _name(purpose: str, generation: int) -> str:
    return f"{purpose}:{generation}"
