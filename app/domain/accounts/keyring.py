"""The exchange of the purposes' keys: a new generation at once, and what the former one sealed is
sealed anew in small steps, each on its own, so that a run that died is gone on with.

Nothing stops meanwhile. Processes look for new generations every few seconds, and whatever does not
open makes them look; the former key goes only when nothing rests on it any more.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy import Connection

from app.clock import DAY_MS
from app.errors import BadInput, Conflict, NotReady
from app.security import Unsealable
from app.store.accounts import audit, sealed, vault_keys
from app.store.accounts.sealed import SealedColumn
from app.store.accounts.vault_keys import VaultKeyRow
from app.store.faces.blobs import BlobMissing
from app.vault import GROUPS, KEPT, NUMBER_HASH, WHOLE, KeyStanding, PurposeKey, Vault

ALL = tuple(GROUPS)
GRACE_MS = 15 * 60_000  # how long a process may seal by a key that it should not any more
AT_ONCE = 500


class Busy(NotReady):
    """Others enter persons or acts just now: the next try succeeds."""


class Objects(Protocol):
    """The store of objects, as far as it matters here."""

    def get(self, key: str) -> bytes: ...

    def put(self, key: str, data: bytes) -> object: ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """One purpose's exchange that is under way. `waiting`: what else still needs the former key."""

    purpose: str
    since_ms: int
    swept: bool
    waiting: str = ""


def purposes_of(groups: Collection[str]) -> list[str]:
    """Raises BadInput for a group that is none."""
    unknown = sorted(set(groups) - set(GROUPS))
    if unknown:
        raise BadInput(
            "unknown_keys", f"{', '.join(unknown)}: the keys are {', '.join(GROUPS)} or all"
        )
    return [purpose for group in GROUPS if group in groups for purpose in GROUPS[group]]


def vault_behind(connection: Connection) -> Vault:
    vault = vault_keys.vault_of(connection)
    assert vault is not None  # every connection of a service or command has one
    return vault


def begin(
    connection: Connection,
    groups: Collection[str],
    *,
    actor: str,
    now_ms: int,
    at_once: bool = False,
) -> list[str]:
    """A new generation for every purpose of the groups; the purposes.

    at_once: the former generations of links and pages go now, and with them what they signed.
    Raises Busy, BadInput, and Conflict where an exchange of one of them, or of the master key, is
    not over.
    """
    purposes = purposes_of(groups)
    if not vault_keys.keep_out(connection):
        raise Busy("keys_busy", "others are writing just now: try again")
    open_still = {it.purpose for it in _formers(connection) if places_of(it.purpose)}
    if unfinished := sorted(open_still.intersection(purposes)):
        raise Conflict(
            "exchange_unfinished", f"the exchange of {', '.join(unfinished)} is not over: resume it"
        )
    vault = vault_behind(connection)
    if vault_keys.masters(connection) > 1:
        raise Conflict("master_exchange", "the exchange of the master key is not over")
    write_down(connection, groups, now_ms)
    for row in vault_keys.rows(connection):
        if row.purpose in purposes and row.standing == KeyStanding.CURRENT:
            _succeed(connection, vault, row, now_ms, at_once)
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action="keys.exchanged",
        subject="keys:purposes",
        detail={"purposes": purposes, "suite": vault.suite, "at_once": at_once},
    )
    return purposes


def _succeed(
    connection: Connection, vault: Vault, row: VaultKeyRow, now_ms: int, at_once: bool
) -> None:
    fresh = PurposeKey(row.generation + 1, vault.suite, secrets.token_bytes(32))
    signs_only = row.purpose in _TERMS and row.purpose != "recovery-code"
    verifies = row.purpose in KEPT and row.purpose != NUMBER_HASH
    standing = KeyStanding.KEPT if verifies else KeyStanding.FORMER
    if at_once and signs_only:
        vault_keys.drop(connection, row.id)
    else:
        vault_keys.change(connection, row.id, standing=standing, superseded_ms=now_ms)
    vault_keys.add(connection, row.purpose, fresh, vault.master, now_ms)


def write_down(connection: Connection, groups: Collection[str], now_ms: int) -> None:
    """Give the keys that follow from the master key alone a row each."""
    vault = vault_behind(connection)
    known = {it.purpose for it in vault_keys.rows(connection)}
    for purpose in purposes_of(groups):
        if purpose in known:
            continue
        (first,) = vault.generations(purpose)
        if purpose in sealed.WITH_PARTS:
            first = replace(first, secret=WHOLE + vault.master.text.encode())
        vault_keys.add(connection, purpose, first, vault.master, now_ms)


def under_way(connection: Connection, now_ms: int) -> list[Exchange]:
    """The exchanges that are not over."""
    return [
        Exchange(
            purpose=it.purpose,
            since_ms=it.superseded_ms or it.made_ms,
            swept=_swept(it),
            waiting=_needed(connection, it, now_ms),
        )
        for it in _formers(connection)
    ]


def step(
    connection: Connection, vault: Vault, purpose: str, place: SealedColumn, objects: Objects
) -> int | None:
    """Seal the next rows anew; how many were looked at, None once there are none left. Objects of
    the store are read and put by `objects`."""
    former = next((it for it in _formers(connection) if it.purpose == purpose), None)
    if former is None:
        return None
    after = former.swept.get(place.name)
    rows = sealed.rows(connection, place, after, AT_ONCE)
    for row in rows:
        if purpose in sealed.OBJECTS:
            _renew_object(vault, purpose, row.value, objects)
        else:
            _renew(connection, vault, purpose, place, row)
    swept = former.swept | {place.name: rows[-1].id if rows else after}
    if not rows:
        swept |= {f"{place.name} over": True}
    vault_keys.change(connection, former.id, swept=swept)
    return len(rows) or None


def _renew(
    connection: Connection, vault: Vault, purpose: str, place: SealedColumn, row: sealed.SealedRow
) -> bool:
    """Whether it had to be sealed anew. What no key opens is left as it is."""
    if purpose == NUMBER_HASH:
        generation = row.generation or 1
        fresh = vault.raised(row.value, generation)
        if fresh.generation == generation:
            return False
        return sealed.replace(connection, place, row, bytes(fresh), fresh.generation)
    fresh_value = _fresh(vault, row.value, purpose)
    return fresh_value is not None and sealed.replace(connection, place, row, fresh_value)


def _renew_object(vault: Vault, purpose: str, name: str, objects: Objects) -> None:
    try:
        fresh = _fresh(vault, objects.get(name), f"{purpose}:{name}")
    except BlobMissing:
        return
    if fresh is not None:
        objects.put(name, fresh)


def _fresh(vault: Vault, value: bytes, purpose: str) -> bytes | None:
    """The value sealed by the newest key; None where it is, or where no key opens it."""
    try:
        vault.generations(purpose)[0].open(value, purpose)
    except Unsealable:
        try:
            return vault.seal(vault.open(value, purpose), purpose)
        except Unsealable:
            return None
    return None


def begin_last_pass(connection: Connection, purpose: str) -> None:
    """Look at every row once more, for those that were sealed by the former key meanwhile."""
    for former in _formers(connection):
        if former.purpose == purpose:
            vault_keys.change(connection, former.id, swept={"last": True})


def finish(connection: Connection, purpose: str, *, actor: str, now_ms: int) -> bool:
    """Let the former generations go that nothing needs any more; whether one went."""
    gone = [
        it
        for it in _formers(connection)
        if it.purpose == purpose and _swept(it) and not _needed(connection, it, now_ms)
    ]
    for former in gone:
        if purpose == NUMBER_HASH:
            vault_keys.change(connection, former.id, standing=KeyStanding.KEPT)
        else:
            vault_keys.drop(connection, former.id)
        audit.append(
            connection,
            at_ms=now_ms,
            actor=actor,
            action="keys.former_gone",
            subject=f"keys:{purpose}",
            detail={"generation": former.generation},
        )
    return bool(gone)


def ready_for_last_pass(connection: Connection, purpose: str, now_ms: int, grace_ms: int) -> bool:
    """Whether nobody can be sealing by the former key any more."""
    return any(
        now_ms >= (it.superseded_ms or 0) + grace_ms and not it.swept.get("last")
        for it in _formers(connection)
        if it.purpose == purpose
    )


def places_of(purpose: str) -> tuple[SealedColumn, ...]:
    """Where there is something to seal anew: columns, and a column that names sealed objects."""
    there = sealed.OBJECTS.get(purpose)
    return (there,) if there else sealed.PLACES.get(purpose, ())


def _formers(connection: Connection) -> list[VaultKeyRow]:
    return [it for it in vault_keys.rows(connection) if it.standing == KeyStanding.FORMER]


def _swept(row: VaultKeyRow) -> bool:
    places = places_of(row.purpose)
    over = all(row.swept.get(f"{it.name} over") for it in places)
    return over and (row.purpose == NUMBER_HASH or not places or bool(row.swept.get("last")))


def _needed(connection: Connection, row: VaultKeyRow, now_ms: int) -> str:
    term = _TERMS.get(row.purpose)
    return term(connection, row.superseded_ms or 0, now_ms) if term else ""


def _links(connection: Connection, since_ms: int, now_ms: int) -> str:
    count = sealed.links_before(connection, since_ms + GRACE_MS, now_ms)
    return f"{count} links that were given before" if count else ""


def _codes(connection: Connection, since_ms: int, _now_ms: int) -> str:
    count = sealed.codes_before(connection, since_ms + GRACE_MS)
    return f"{count} recovery codes that were made before" if count else ""


def _a_day(_connection: Connection, since_ms: int, now_ms: int) -> str:
    return "a day for what was begun before" if now_ms < since_ms + DAY_MS else ""


# What else rests on a former key than rows that can be sealed anew; a sentence while it does.
_TERMS = {
    "learner-link": _links,
    "recovery-code": _codes,
    "enrolment-link": _a_day,
    **dict.fromkeys(GROUPS["pages"], _a_day),
}
