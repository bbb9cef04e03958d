"""Appending events: one durable row per acknowledged batch.

Batches are appended by one writer per process that commits as many at a time as are waiting (group
commit): an acknowledgement means that the disk has it, and thirty-two clients share one sync. The
head of the hash chain and the sequence numbers are read inside the same transaction, so that
several service processes may append to one session. `app.store.events.event_log` reads them back.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from functools import lru_cache
from typing import Any, Protocol, cast

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from sqlalchemy import (
    Connection,
    Dialect,
    Executable,
    Table,
    bindparam,
    false,
    func,
    insert,
    select,
)

from app import tracing
from app.db import Database
from app.outages import DatabaseAway, DeadlockVictim
from app.store.events.appending import (
    MOST_GATHERED,
    Append,
    Gathering,
    Patience,
    Receipt,
    Stand,
    Waiting,
)
from app.store.events.event_log import FORWARDED, GENESIS, link, read
from app.store.events.packed import Packed, note_bytes, notes_of, numbered_from, records_of
from detectors.trace import NONE, Flag
from models import EventBatch, ForwardedBatch, Session

MOST_AT_ONCE = 256
_TRIES = 4


class BatchRuling(Protocol):
    """What becomes of a batch: a word, whether it is refused, and what of the session changes."""

    @property
    def fate(self) -> str: ...
    @property
    def refused(self) -> bool: ...
    @property
    def changes(self) -> Mapping[str, Any]: ...


Decide = Callable[[Any, Append, Callable[[], bool]], BatchRuling]
"""(the session's row, a batch, whether its person has another session open) → what becomes of it"""


class EventStore:
    """Durable appends for many clients at once. `start()` and `stop()` frame its writer."""

    def __init__(self, database: Database, decide: Decide) -> None:
        self._database = database
        self._decide = decide
        self._waiting: queue.SimpleQueue[list[Waiting] | None] = queue.SimpleQueue()
        self._gathering = Gathering(self._waiting.put)
        self._patience = Patience()
        self._writer: threading.Thread | None = None

    def start(self) -> None:
        self._writer = threading.Thread(target=self._run, name="event-writer", daemon=True)
        self._writer.start()

    def stop(self) -> None:
        """Write what is waiting, then end."""
        if self._writer is not None:
            self._gathering.end()
            self._waiting.put(None)
            self._writer.join()
            self._writer = None

    async def append(self, append: Append) -> Receipt:
        """Store a batch; returns once the disk has it. Raises DatabaseAway when that is not known
        within seconds: whoever sends the batch again loses nothing and adds nothing twice."""
        waiting = Waiting.here(append)
        self._patience.begin(waiting)
        self._gathering.add(waiting)
        try:
            return await waiting.future
        finally:
            self._patience.end(waiting)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            first = self._waiting.get()
            if first is None:
                return
            group = first
            while len(group) + MOST_GATHERED <= MOST_AT_ONCE:
                try:
                    following = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    stopping = True
                    break
                group += following
            self._write(group)

    def _write(self, group: list[Waiting]) -> None:
        group = [waiting for waiting in group if not waiting.future.done()]  # nobody was given up
        with _traced(group):
            outcomes = self._outcomes([waiting.append for waiting in group])
        for waiting, outcome in zip(group, outcomes, strict=True):
            waiting.outcome = outcome
        for loop in {waiting.loop for waiting in group}:
            mine = [waiting for waiting in group if waiting.loop is loop]
            # The loop may be closed already when a server stops under load.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_deliver, mine)

    def _outcomes(self, group: list[Append]) -> Sequence[Receipt | Exception]:
        """What became of each. A deadlock's victim is tried again; one batch that cannot be stored
        costs no other its place."""
        error: Exception
        for _ in range(_TRIES):
            try:
                with self._database.write() as connection:
                    return append_all(connection, group, self._decide)
            except DeadlockVictim as victim:
                error = victim
            except DatabaseAway as away:
                return [away] * len(group)
            except Exception as fault:  # noqa: BLE001 - its client is told, nothing is acknowledged
                error = fault
                break
        if len(group) == 1:
            return [error]
        return [outcome for append in group for outcome in self._outcomes([append])]


def _traced(group: Sequence[Waiting]) -> AbstractContextManager[Any]:
    """The commit as a span: of the first request's trace, linked to the others'."""
    traced = [it.traced for it in group if it.traced is not None]
    first = traced[0] if traced else None
    return tracing.span("events.commit", {"batches": len(group)}, after=first, links=traced[1:])


def _deliver(group: list[Waiting]) -> None:
    for waiting in group:
        waiting.deliver()


_SESSIONS = cast(Table, Session.__table__)
_BATCHES = cast(Table, EventBatch.__table__)
_KEPT = (
    "state",
    "closed_ms",
    "close_reason",
    "seed_revealed",
    "chain",
    "batch_count",
    "event_count",
    "forwarded_count",
    "words_bytes",
    "next_seq",
    "seq_conflict",
    "learning_ms",
    "play_pos_ms",
    "lease_expires_ms",
    "last_recv_ms",
)
_BOUND = [(f"b_{name}", name) for name in ("id", *_KEPT)]
_READ = ("id", "person_id", "opened_ms", "provenance", "evidence_version", *_KEPT)
_HEAD = select(*(_SESSIONS.c[name] for name in _READ)).with_for_update(key_share=True)
_KEEP = (
    _SESSIONS.update()
    .where(_SESSIONS.c.id == bindparam("b_id"))
    .values({name: bindparam(f"b_{name}") for name in _KEPT})
    .values(settled=false())
)


class _Spelt:
    """A statement as the driver takes it: spelt out once, where SQLAlchemy goes over its
    parameters, and over how many they are, at every batch."""

    def __init__(self, statement: Executable, dialect: Dialect, names: Sequence[str]) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(names))  # type: ignore[attr-defined]
        self.sql = str(compiled)
        self._order: Sequence[str] = compiled.positiontup or ()

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Any:
        values = (
            [tuple([row[name] for name in self._order]) for row in rows] if self._order else rows
        )
        return connection.exec_driver_sql(self.sql, values[0] if len(values) == 1 else values)


@lru_cache(maxsize=1_024)
def _heads(dialect: Dialect, count: int) -> _Spelt:
    """In the one order in which everybody locks several of them."""
    names = [f"s{at}" for at in range(count)]
    query = _HEAD.where(
        _SESSIONS.c.id.in_([bindparam(name, type_=_SESSIONS.c.id.type) for name in names])
    )
    return _Spelt(query.order_by(_SESSIONS.c.id), dialect, names)


@lru_cache(maxsize=1_024)
def _add(dialect: Dialect) -> _Spelt:
    return _Spelt(_BATCHES.insert(), dialect, _BATCHES.c.keys())


@lru_cache(maxsize=1_024)
def _keep(dialect: Dialect) -> _Spelt:
    return _Spelt(_KEEP, dialect, [bound for bound, _ in _BOUND])


class _ChainHead:
    """Running state of one session within a transaction."""

    def __init__(self, row: Any) -> None:
        self.__dict__.update(zip(_READ, row, strict=True))
        self.seq_conflict = bool(self.__dict__["seq_conflict"])
        self.fresh: list[dict[str, Any]] = []
        self.forwarded: dict[str, dict[str, Any]] = {}  # of this transaction, by name

    def kept(self) -> dict[str, Any]:
        return {bound: self.__dict__[name] for bound, name in _BOUND}


def append_all(connection: Connection, group: list[Append], decide: Decide) -> list[Receipt]:
    """Append batches in order, in the caller's transaction; one receipt each."""
    if not group:
        return []
    ids = {append.session_id for append in group}
    wanted = {f"s{at}": session_id for at, session_id in enumerate(ids)}
    found = _heads(connection.dialect, len(ids)).run(connection, [wanted])
    heads = {row.id: _ChainHead(row) for row in found}
    receipts = [_append(connection, heads, append, decide) for append in group]
    touched = [head for head in heads.values() if head.fresh]
    if touched:
        dialect = connection.dialect
        _add(dialect).run(connection, [row for head in touched for row in head.fresh])
        _keep(dialect).run(connection, [head.kept() for head in touched])
    forwarded = [row for head in touched for row in head.forwarded.values()]
    if forwarded:
        connection.execute(insert(ForwardedBatch), forwarded)
    return receipts


def _append(
    connection: Connection, heads: Mapping[int, Any], append: Append, decide: Decide
) -> Receipt:
    head, packed = heads.get(append.session_id), append.packed
    if head is None:
        return Receipt(0, 0, (), 0, GENESIS, "gone", 0, NONE, 0, "gone", refused="unknown_session")
    decided = decide(head, append, lambda: _rival(connection, head, heads))
    if decided.refused:
        return _receipt(head, decided, 0, 0, ())
    before = Stand(head.learning_ms, head.play_pos_ms, head.last_recv_ms)
    received_ms = append.received_ms
    if not append.imported and received_ms < head.last_recv_ms:
        received_ms = head.last_recv_ms  # another process's clock, or the former one, was ahead
        packed = _not_before(packed, received_ms - head.opened_ms)
    duplicates = 0
    conflicts: tuple[int, ...] = ()
    first_seq: int | None = None
    if append.batch_id is not None:
        told = _of_platform(connection, head, append.batch_id, packed)
        if not isinstance(told, Packed):
            return replace(_receipt(head, decided, 0, 0, ()), **told)
        packed, first_seq = told, head.next_seq
    elif not packed.rising or packed.first_seq < head.next_seq:
        packed, duplicates, conflicts = _without_known(connection, head, packed)
        if conflicts and head.forwarded_count:
            return replace(_receipt(head, decided, 0, 0, ()), refused="numbered_by_server")
        head.seq_conflict = bool(head.seq_conflict or conflicts)
    if packed.count or conflicts:
        for name, value in decided.changes.items():
            setattr(head, name, value)
    head.last_recv_ms = max(head.last_recv_ms, received_ms)
    if head.state == "open":
        head.lease_expires_ms = append.received_ms + append.lease_ms
    if packed.count or conflicts:
        _put_behind(head, packed, received_ms)
    return _receipt(head, decided, packed.count, duplicates, conflicts, first_seq, before)


def _put_behind(head: Any, packed: Packed, received_ms: int) -> None:
    """The batch follows what the session has, in its chain too."""
    notes = note_bytes(packed.notes)
    head.chain = link(head.chain, received_ms, packed.records, notes)
    head.fresh.append(
        {
            "session_id": head.id,
            "ordinal": head.batch_count,
            "received_ms": received_ms,
            "count": packed.count,
            "records": packed.records,
            "notes": notes,
            "chain": head.chain,
        }
    )
    head.batch_count += 1
    head.event_count += packed.count
    head.words_bytes += len(notes)
    head.next_seq = max(head.next_seq, packed.last_seq + 1)
    _advance(head, packed, received_ms)


def _forwarded(connection: Connection, head: Any, name: str) -> Mapping[str, Any] | None:
    """The session's batch of that name that was numbered here before, be it in this group."""
    if name in head.forwarded:
        return cast(Mapping[str, Any], head.forwarded[name])
    query = select(ForwardedBatch.digest, ForwardedBatch.first_seq).where(
        ForwardedBatch.session_id == head.id, ForwardedBatch.name == name
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else dict(row)


def _of_platform(
    connection: Connection, head: Any, batch_id: str, packed: Packed
) -> Packed | dict[str, Any]:
    """The batch with the session's next numbers and a note by which it is known again; else what
    its receipt says of it: it was stored before, or it does not fit what was."""
    digest = _digest(packed)
    batch_id = batch_id or f"sha256:{digest}"
    earlier = _forwarded(connection, head, batch_id) if head.forwarded_count else None
    if earlier is not None and earlier["digest"] == digest:
        return {"duplicates": packed.count, "first_seq": earlier["first_seq"]}
    if earlier is not None:
        return {"refused": "batch_conflict"}
    if head.forwarded_count != head.event_count:
        return {"refused": "numbered_by_client"}
    head.forwarded_count += packed.count
    head.forwarded[batch_id] = {
        "session_id": head.id,
        "name": batch_id,
        "digest": digest,
        "first_seq": head.next_seq,
    }
    note = {
        "seq": NONE,
        "type": FORWARDED,
        "batch": batch_id,
        "digest": digest,
        "first": head.next_seq,
        "count": packed.count,
    }
    numbered = numbered_from(packed, head.next_seq)
    return replace(numbered, notes=[note, *numbered.notes])


def _digest(packed: Packed) -> str:
    """Of a batch that has no numbers yet: of what its client said."""
    records = records_of(packed.records).copy()
    records["recv_ms"] = 0
    return hashlib.sha256(records.tobytes() + note_bytes(packed.notes)).hexdigest()[:32]


def _not_before(packed: Packed, recv_ms: int) -> Packed:
    """The batch as received no earlier: within a sitting time never runs backwards."""
    records = records_of(packed.records).copy()
    records["recv_ms"] = np.maximum(records["recv_ms"], recv_ms)
    return replace(packed, records=records.tobytes())


def _receipt(
    head: Any,
    decided: BatchRuling,
    accepted: int,
    duplicates: int,
    conflicts: tuple[int, ...],
    first_seq: int | None = None,
    before: Stand | None = None,
) -> Receipt:
    return Receipt(
        accepted,
        duplicates,
        conflicts,
        head.next_seq,
        head.chain,
        head.state,
        head.learning_ms,
        head.play_pos_ms,
        head.lease_expires_ms or 0,
        decided.fate,
        decided.fate if decided.refused else None,
        head.batch_count,
        head.evidence_version,
        first_seq,
        before,
    )


def _advance(head: Any, packed: Packed, received_ms: int) -> None:
    """Move the learning clock on which controls are drawn; it may run fast, never slow."""
    if packed.first_ms >= 0:
        moved = packed.moved_ms + max(0, packed.first_ms - head.play_pos_ms)
        # Held against the whole sitting: a backlog brings at once what an outage kept back.
        head.learning_ms += min(moved, max(0, received_ms - head.opened_ms - head.learning_ms))
        head.play_pos_ms = packed.last_ms


def _rival(connection: Connection, head: Any, heads: Mapping[int, Any]) -> bool:
    """Whether the person has another session open, or one that this very group opened again."""
    for other in heads.values():
        if other.person_id == head.person_id and other is not head and other.state == "open":
            return True
    query = (
        select(func.count())
        .select_from(Session)
        .where(
            Session.person_id == head.person_id,
            Session.state == "open",
            Session.id != head.id,
        )
    )
    return bool(connection.execute(query).scalar_one())


def _content(record: NDArray[np.void]) -> bytes:
    """An event less all clocks' stamps: what makes two deliveries the same event. A client may put
    new ones on what it sends again."""
    copy = record.copy()
    for stamp in ("recv_ms", "at_ms", "mono_ms"):
        copy[stamp] = 0
    copy["flags"] &= ~np.uint8(Flag.REPEATING)
    return copy.tobytes()


def _words(note: Mapping[str, Any] | None) -> dict[str, Any]:
    """What was told in words, less how long something took by the client's clock."""
    return {name: it for name, it in (note or {}).items() if name != "latency_ms"}


def _without_known(
    connection: Connection, head: Any, packed: Packed
) -> tuple[Packed, int, tuple[int, ...]]:
    """The batch less events whose seq is known: same content is ignored, other is a conflict."""
    stored, words = _stored(connection, head)
    known = {int(record["seq"]): record for record in stored}
    before = frozenset(known)
    known_words = {note["seq"]: note for note in words}
    fresh_words = {note["seq"]: note for note in packed.notes}
    keep: list[int] = []
    duplicates, repeats, conflicts = 0, False, []
    records = records_of(packed.records)
    for row, record in enumerate(records):
        seq = int(record["seq"])
        if seq not in known:
            known[seq] = record
            if seq in fresh_words:
                known_words[seq] = fresh_words[seq]
            keep.append(row)
        elif _content(known[seq]) == _content(record) and (
            _words(known_words.get(seq)) == _words(fresh_words.get(seq))
        ):
            duplicates += 1
            repeats |= seq in before
        else:
            conflicts.append(seq)
    kept = records[keep]
    if repeats:
        kept["flags"] |= np.uint8(Flag.REPEATING)
    left = set(kept["seq"].tolist())
    notes = [note for note in packed.notes if note["seq"] in left]
    if conflicts:
        notes.append({"seq": NONE, "type": "seq_conflict", "seqs": conflicts})
    ordered = bool(np.all(np.diff(kept["seq"]) > 0)) if len(kept) else True
    return (
        Packed(
            kept.tobytes(),
            len(kept),
            int(kept["seq"].min()) if len(kept) else NONE,
            int(kept["seq"].max()) if len(kept) else NONE,
            ordered,
            notes,
            packed.first_ms if len(kept) else NONE,
            packed.last_ms,
            packed.moved_ms,
        ),
        duplicates,
        tuple(conflicts),
    )


def _stored(connection: Connection, head: Any) -> tuple[NDArray[np.void], list[dict[str, Any]]]:
    log = read(connection, head.id)
    records = [log.events, *(records_of(row["records"]) for row in head.fresh)]
    notes = [
        *log.notes,
        *(note for row in head.fresh for note in notes_of(row["notes"])),
    ]
    return np.concatenate(records), notes


def store_received(
    connection: Connection,
    session_id: int,
    packed: Iterable[tuple[int, Packed]],
    decide: Decide,
) -> list[Receipt]:
    """Append batches with given receive times: what an import does, in its own transaction."""
    group = [Append(session_id, batch, received, 0, True) for received, batch in packed]
    return append_all(connection, group, decide)
