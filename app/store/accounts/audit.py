"""The audit log: who did what, in rows that are only added and each chained to the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from typing import Any, Protocol

import msgspec
from cryptography.hazmat.primitives import hashes
from sqlalchemy import Connection, func, insert, or_, select, text

from app.security import Suite
from app.store.accounts.vault_keys import AUDIT_LOCK, vault_of
from app.store.row import fetch, fetch_one_or_none
from app.vault import AUDIT_LOG, PurposeKey
from models import AuditEntry

GENESIS = bytes(32)


def append(
    connection: Connection,
    *,
    at_ms: int,
    actor: str,
    action: str,
    subject: str,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add one entry in the caller's transaction, so that a deed and its record commit together.

    `actor` is `user:<name>`, `key:<label>` or `system`; `action` a dotted word like `login.opened`.
    """
    if connection.dialect.name == "postgresql":  # SQLite has but one writer anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": AUDIT_LOCK})
    last = connection.execute(
        select(AuditEntry.chain).order_by(AuditEntry.id.desc()).limit(1)
    ).scalar_one_or_none()
    row = {
        "at_ms": at_ms,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": detail or {},
    }
    key = _newest(connection)
    chain = link(last or GENESIS, row, key.suite if key else Suite.INTERNATIONAL)
    connection.execute(insert(AuditEntry).values(**row, chain=chain, seal=key and key.mac(chain)))


def _newest(connection: Connection) -> PurposeKey | None:
    vault = vault_of(connection)  # after the lock, so that nobody seals by the key before
    return vault.generations(AUDIT_LOG)[0] if vault else None


def link(previous: bytes, row: dict[str, Any], suite: Suite = Suite.INTERNATIONAL) -> bytes:
    """SHA-256, or SM3 of 国密, over the previous link and the row's canonical JSON."""
    canonical = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    told = previous + canonical.encode()
    if suite is Suite.INTERNATIONAL:
        return hashlib.sha256(told).digest()
    made = hashes.Hash(hashes.SM3())
    made.update(told)
    return made.finalize()


def first_broken(connection: Connection) -> int | None:
    """The id of the first entry that does not follow from the one before, or whose seal is not of
    this installation; None if all hold. Entries before the first seal have none.

    Generations of the key follow one another along the log, and the last entry is sealed by the
    newest: who has a former one can neither go on with it nor put it in place of a later one.
    """
    previous, last = GENESIS, None
    vault = vault_of(connection)
    keys = list(reversed(vault.generations(AUDIT_LOG))) if vault else []
    sealed = False
    with connection.execution_options(stream_results=True).execute(_ENTRIES) as entries:
        for entry in entries.mappings():
            row = {name: entry[name] for name in ("at_ms", "actor", "action", "subject", "detail")}
            if not any(entry["chain"] == link(previous, row, suite) for suite in Suite):
                return int(entry["id"])
            sealed = sealed or entry["seal"] is not None
            while sealed and keys and entry["seal"] != keys[0].mac(entry["chain"]):
                del keys[0]
                if not keys:
                    return int(entry["id"])
            previous, last = entry["chain"], int(entry["id"])
    return last if sealed and len(keys) > 1 else None


_ENTRIES = select(
    AuditEntry.id,
    AuditEntry.at_ms,
    AuditEntry.actor,
    AuditEntry.action,
    AuditEntry.subject,
    AuditEntry.detail,
    AuditEntry.chain,
    AuditEntry.seal,
).order_by(AuditEntry.id)


class AuditRow(Protocol):
    id: int
    at_ms: int
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    chain: bytes


def head(connection: Connection) -> AuditRow | None:
    """The last entry."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)
    return fetch_one_or_none(connection, query, AuditRow)


def chains(connection: Connection, ids: Collection[int]) -> dict[int, bytes]:
    """The links of these entries, as far as there are such entries."""
    query = select(AuditEntry.id, AuditEntry.chain).where(AuditEntry.id.in_(ids))
    return {row.id: row.chain for row in connection.execute(query)}


def last_ms(connection: Connection) -> int | None:
    """When the last entry was made."""
    query = select(AuditEntry.at_ms).order_by(AuditEntry.id.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()


def last_of(connection: Connection, action: str) -> int | None:
    """When this was done last."""
    query = select(AuditEntry.at_ms).where(AuditEntry.action == action)
    query = query.order_by(AuditEntry.id.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of the log; what is empty matches all.

    `actors`: any of these. `action`: a beginning. `subject`: the whole of one, like `class:7`, or
    a part of it, without a colon; or any of `subjects`, which its words name. `since_ms` is in it,
    `until_ms` is not.
    """

    actors: tuple[str, ...] | None = None
    action: str = ""
    subject: str = ""
    subjects: tuple[str, ...] = ()
    since_ms: int | None = None
    until_ms: int | None = None


ALL = AuditFilter()


def page(
    connection: Connection, wanted: AuditFilter = ALL, *, before: int | None = None, size: int
) -> Sequence[AuditRow]:
    """Entries newest first, below id `before`."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(size)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    if wanted.actors is not None:
        query = query.where(AuditEntry.actor.in_(wanted.actors))
    if wanted.action:
        query = query.where(AuditEntry.action.startswith(wanted.action, autoescape=True))
    if ":" in wanted.subject:
        query = query.where(AuditEntry.subject == wanted.subject)
    elif wanted.subject:
        part = AuditEntry.subject.contains(wanted.subject, autoescape=True)
        query = query.where(or_(part, AuditEntry.subject.in_(wanted.subjects)))
    if wanted.since_ms is not None:
        query = query.where(AuditEntry.at_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        query = query.where(AuditEntry.at_ms < wanted.until_ms)
    return fetch(connection, query, AuditRow)


def actors(connection: Connection) -> list[str]:
    """Everybody who stands in the log."""
    # From one name to the next over the index: the log is long, and those who stand in it are few.
    step = select(func.min(AuditEntry.actor).label("actor")).cte("step", recursive=True)
    further = select(func.min(AuditEntry.actor)).where(AuditEntry.actor > step.c.actor)
    step = step.union_all(select(further.scalar_subquery()).where(step.c.actor.is_not(None)))
    query = select(step.c.actor).where(step.c.actor.is_not(None)).order_by(step.c.actor)
    return list(connection.execute(query).scalars())
