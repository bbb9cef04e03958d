"""Statements taken in and given out: kept whole, and turned into events of the platform's sittings.

A batch is one transaction: all of its statements are stored or none. Statements carry no order of
their own, so their events take the next numbers of the session in the order of arrival; a statement
that is sent again is known by its id. Only the time of receipt counts, as for every event.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection

from app.domain import sitting_terms
from app.domain.controls import Batch
from app.domain.events import Event, pack
from app.domain.xapi_batch import Sent, completed, says_the_same
from app.domain.xapi_keys import agent_key, object_key, verb_key
from app.domain.xapi_model import VOIDED
from app.domain.xapi_values import dump_json
from app.domain.xapi_video import event_of, session_of
from app.errors import Conflict, NotFound
from app.store import statements as store
from app.store.events import Append, append_all
from app.store.row import AnyRow
from app.store.statements import Wanted

log = structlog.get_logger("zhenxue.xapi")

PAGE = 100
SETTLING_MS = 2_000  # what is younger may belong to a transaction that still runs
_LAST_SEQ = 2**31 - 2
_LONGEST_MS = 2**31 - 1


@dataclass(slots=True)
class Taken:
    """What became of a batch: the ids in its order, how many statements met which fate (`event`,
    `kept`, `unknown_session`, `session_closed`, `duplicate`), and what the control desk is told."""

    ids: list[str]
    fates: Counter[str] = field(default_factory=Counter)
    batches: list[Batch] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """Bodies of statements; `after` is set when there are more."""

    bodies: Sequence[bytes]
    newest_ms: int
    after: int | None


def queue(connection: Connection, platform_id: int) -> None:
    """Before the clock is asked: statements become visible in the order of their `stored`."""
    store.queue(connection, platform_id)


def take(
    connection: Connection,
    platform_id: int,
    batch: Sequence[Sent],
    authority: dict[str, Any],
    two: bool,
    now_ms: int,
) -> Taken:
    """Store a batch. Raises Conflict when an id stands for another statement already."""
    known = store.bodies(connection, platform_id, [sent.key for sent in batch])
    _require_same(batch, known)
    fresh = [sent for sent in batch if sent.key not in known]
    taken = Taken([sent.id for sent in batch])
    taken.fates["duplicate"] = len(batch) - len(fresh)
    store.add(connection, [_row(platform_id, sent, authority, two, now_ms) for sent in fresh])
    events: dict[str, list[Event]] = {}
    for sent in fresh:
        session = session_of(sent.statement)
        event = event_of(sent.statement, now_ms if sent.at_ms is None else sent.at_ms)
        if session is None or event is None:
            taken.fates["kept"] += 1
        else:
            events.setdefault(session, []).append(event)
    if events:
        _append(connection, platform_id, events, now_ms, taken)
    return taken


def _require_same(batch: Sequence[Sent], known: dict[str, bytes]) -> None:
    for sent in batch:
        stored = known.get(sent.key)
        if stored is not None and not says_the_same(json.loads(stored), sent):
            raise Conflict(
                "statement_conflict", f"id: {sent.id} is stored already and says something else"
            )


def _row(
    platform_id: int, sent: Sent, authority: dict[str, Any], two: bool, now_ms: int
) -> dict[str, Any]:
    statement = sent.statement
    verb = statement["verb"]["id"]
    registration = statement.get("context", {}).get("registration")
    return {
        "platform_id": platform_id,
        "statement_id": sent.key,
        "stored_ms": now_ms,
        "body": dump_json(completed(sent, authority, now_ms, two)),
        "actor": agent_key(statement["actor"]),
        "verb": verb_key(verb),
        "object": object_key(statement["object"]),
        "registration": registration and registration.lower(),
        "session": session_of(statement),
        "voids": statement["object"]["id"].lower() if verb == VOIDED else None,
    }


def _append(
    connection: Connection,
    platform_id: int,
    events: dict[str, list[Event]],
    now_ms: int,
    taken: Taken,
) -> None:
    """Events to their sittings, each after the last one there."""
    sittings = store.sessions(connection, platform_id, list(events))
    for name in events.keys() - {sitting.external_id for sitting in sittings}:
        taken.fates["unknown_session"] += len(events[name])
        log.info("statements of an unknown session", session=name, statements=len(events[name]))
    appends = []
    for sitting in sittings:
        mine = events[sitting.external_id]
        if _has_room(sitting, len(mine), now_ms):
            appends.append(_numbered(sitting, mine, now_ms))
        else:
            _came_too_late(taken, sitting.external_id, len(mine))
    names = {sitting.id: sitting.external_id for sitting in sittings}
    for append, receipt in zip(appends, append_all(connection, appends), strict=True):
        if receipt.refused:
            _came_too_late(taken, names[append.session_id], append.packed.count)
            continue
        taken.fates["event"] += append.packed.count
        position = receipt.position_ms if append.packed.first_ms >= 0 else None
        taken.batches.append(Batch(append.session_id, receipt.learning_ms, position, now_ms))


def _has_room(sitting: AnyRow, count: int, now_ms: int) -> bool:
    """Numbers and times of events have 31 bits: a sitting that used them up is long over."""
    numbers_left = sitting.next_seq + count - 1 <= _LAST_SEQ
    return bool(numbers_left and now_ms - sitting.opened_ms <= _LONGEST_MS)


def _numbered(sitting: AnyRow, events: Sequence[Event], now_ms: int) -> Append:
    for seq, event in enumerate(events, sitting.next_seq):
        event.seq = seq
    terms = sitting_terms.of_pack(sitting.pack_id, sitting.pack_version)
    packed = pack(events, now_ms - sitting.opened_ms)
    return Append(sitting.id, packed, now_ms, terms.lease_ms)


def _came_too_late(taken: Taken, session: str, count: int) -> None:
    taken.fates["session_closed"] += count
    log.info("statements of a session that is over", session=session, statements=count)


# --------------------------------------------------------------------------------------- reading


def statement(
    connection: Connection, platform_id: int, statement_id: str, voided: bool
) -> tuple[bytes, int]:
    """(body, stored_ms) of one statement. Raises NotFound, also where it is voided and `voided` is
    not asked for, or the other way about."""
    row = store.one(connection, platform_id, statement_id.lower())
    if row is None or bool(row.voided) is not voided:
        raise NotFound("unknown_statement", f"there is no such statement {statement_id}")
    return row.body, row.stored_ms


def page(
    connection: Connection, platform_id: int, wanted: Wanted, after: int | None, size: int
) -> Page:
    """A page of the statements that match; `size` 0 asks for as many as there may be."""
    size = min(size or PAGE, PAGE)
    rows = store.page(connection, platform_id, wanted, after, size + 1)
    shown = rows[:size]
    newest_ms = max((row.stored_ms for row in shown), default=0)
    more = shown[-1].id if len(rows) > size else None
    return Page([row.body for row in shown], newest_ms, more)
