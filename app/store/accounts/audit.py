"""The audit log: who did what, in rows that are only added and each chained to the one before."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Sequence
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, Engine, func, insert, select, text

from app.store.row import fetch, fetch_one_or_none
from models import AuditEntry

GENESIS = bytes(32)
_KEY = "zhenxue_audit_key"
_LOCK = 0x7A780001  # any number that no other advisory lock of this service uses


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
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
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
    chain = link(last or GENESIS, row)
    key = connection.get_execution_options().get(_KEY)
    connection.execute(
        insert(AuditEntry).values(**row, chain=chain, seal=key and seal_of(key, chain))
    )


def seal_with(engine: Engine, key: bytes) -> None:
    """Have every entry that is made through the engine sealed with the key."""
    engine.update_execution_options(**{_KEY: key})


def seal_of(key: bytes, chain: bytes) -> bytes:
    """What only who has the key can set on an entry: over its link, hence over all before it."""
    return hmac.new(key, chain, hashlib.sha256).digest()


def link(previous: bytes, row: dict[str, Any]) -> bytes:
    """SHA-256 over the previous link and the row's canonical JSON."""
    canonical = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(previous + canonical.encode()).digest()


def first_broken(connection: Connection) -> int | None:
    """The id of the first entry that does not follow from the one before, or whose seal is not of
    this installation; None if all hold. Entries before the first seal have none."""
    previous = GENESIS
    key = connection.get_execution_options().get(_KEY)
    sealed = False
    entries = connection.execution_options(stream_results=True).execute(
        select(
            AuditEntry.id,
            AuditEntry.at_ms,
            AuditEntry.actor,
            AuditEntry.action,
            AuditEntry.subject,
            AuditEntry.detail,
            AuditEntry.chain,
            AuditEntry.seal,
        ).order_by(AuditEntry.id)
    )
    for entry in entries.mappings():
        row = {name: entry[name] for name in ("at_ms", "actor", "action", "subject", "detail")}
        if link(previous, row) != entry["chain"]:
            return int(entry["id"])
        sealed = sealed or entry["seal"] is not None
        if key and sealed and entry["seal"] != seal_of(key, entry["chain"]):
            return int(entry["id"])
        previous = entry["chain"]
    return None


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


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of the log; what is empty matches all.

    `actors`: any of these. `action`: a beginning. `subject`: the whole of one, like `class:7`, or
    a part of it, without a colon. `since_ms` is in it, `until_ms` is not.
    """

    actors: tuple[str, ...] | None = None
    action: str = ""
    subject: str = ""
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
        query = query.where(AuditEntry.subject.contains(wanted.subject, autoescape=True))
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
