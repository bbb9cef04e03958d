"""Reading events back, and joining a closed session's batches into one row.

The night reads one row per session. The manifest keeps where each batch began and when it came, so
that the hash chain is still checked batch by batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, delete, insert, literal, select, update

from app.store.events import archive, ledgers
from app.store.events.archive import ArchiveDamaged, SealedLog
from app.store.events.packed import notes_of, records_of
from app.store.row import fetch_one
from detectors.trace import CONTROL, EVENT, PHOTO
from models import EventBatch, EventLog, Session

GENESIS = bytes(32)
FORWARDED = "batch"  # a note of a batch that the service numbered

# Where each batch lies in a log, and when it came.
MANIFEST = np.dtype([("received_ms", "<i8"), ("count", "<i4"), ("notes", "<i4")])


def link(chain: bytes, received_ms: int, records: bytes, notes: bytes) -> bytes:
    """The next head of a session's hash chain: sha256(head, receive time, records, notes)."""
    received = received_ms.to_bytes(8, "little")
    return hashlib.sha256(b"".join((chain, received, records, notes))).digest()


@dataclass(frozen=True, slots=True)
class EventColumns:
    """A session's events in order of arrival, EVENT[n], and the words beside them."""

    events: NDArray[np.void]
    notes: list[dict[str, Any]]
    head: bytes = GENESIS  # of the chain that was made at their receipt
    intact: bool = True  # they still hash to it

    def in_order(self) -> NDArray[np.void]:
        """The events sorted by seq, as the detectors expect them."""
        return in_order(self.events)


def in_order(events: NDArray[np.void]) -> NDArray[np.void]:
    seq = events["seq"]
    if len(seq) < 2 or np.all(seq[1:] > seq[:-1]):
        return events
    _, first = np.unique(seq, return_index=True)
    return events[first]


SEALED = select(
    EventLog.session_id,
    EventLog.manifest,
    EventLog.events,
    EventLog.notes,
    EventLog.controls,
    EventLog.photos,
    EventLog.chain,
    EventLog.sealed_ms,
).execution_options(zhenxue_binary=True)
_PARTS = select(EventBatch.received_ms, EventBatch.records, EventBatch.notes, EventBatch.chain)
_LOOKS = 3  # at evidence that seems altered: two statements may lie either side of a seal


def sealed(connection: Connection, session_ids: Collection[int]) -> Iterator[SealedLog]:
    """The logs that there are of these sessions, in no order, from wherever they lie. Raises
    ArchiveDamaged."""
    missing = set(session_ids)
    for row in connection.execute(SEALED.where(EventLog.session_id.in_(missing))).all():
        missing.remove(row.session_id)
        yield SealedLog(*row)
    yield from archive.logs(connection, missing)


def sealed_of(connection: Connection, session_id: int) -> SealedLog | None:
    """A session's log. Raises ArchiveDamaged."""
    return next(sealed(connection, (session_id,)), None)


def read(connection: Connection, session_id: int) -> EventColumns:
    """All events of a session, open or closed, as they stand in this transaction."""
    parts: list[NDArray[np.void]] = [np.zeros(0, EVENT)]
    notes: list[dict[str, Any]] = []
    head, intact = GENESIS, True
    log = sealed_of(connection, session_id)
    if log is not None:
        parts.append(records_of(log.events))
        notes += _split_notes(log.notes, log.manifest)
        head = log.chain
        intact = verify(log.manifest, log.events, log.notes, log.chain)
    batches = _PARTS.where(EventBatch.session_id == session_id).order_by(EventBatch.ordinal)
    for batch in connection.execute(batches):
        parts.append(records_of(batch.records))
        notes += notes_of(batch.notes)
        intact &= link(head, batch.received_ms, batch.records, batch.notes) == batch.chain
        head = batch.chain
    return EventColumns(np.concatenate(parts), notes, head, intact)


def read_judged(connection: Connection, session_id: int) -> EventColumns:
    """`read` for whoever judges by it: also held against the head that the session keeps, so that
    a batch that is gone is missed. Nothing is called altered at a single look."""
    head = select(Session.chain).where(Session.id == session_id)
    for _ in range(_LOOKS):
        found = read(connection, session_id)
        if found.intact and found.head == connection.execute(head).scalar_one():
            return found
    return replace(found, intact=False)


def altered(connection: Connection) -> tuple[int, list[str]]:
    """How many sessions there are, and the ids of those whose events no longer fit their chain."""
    sessions = connection.execute(  # class by class, as they are archived
        select(Session.id, Session.external_id).order_by(Session.class_id, Session.id)
    ).all()
    return len(sessions), [row.external_id for row in sessions if not _intact(connection, row.id)]


def _intact(connection: Connection, session_id: int) -> bool:
    try:
        return read_judged(connection, session_id).intact
    except ArchiveDamaged:
        return False


def _split_notes(data: bytes, manifest: bytes) -> list[dict[str, Any]]:
    return [note for _, note in _timed_notes(data, manifest)]


def _timed_notes(data: bytes, manifest: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    at = 0
    for received_ms, _, size in np.frombuffer(manifest, MANIFEST).tolist():
        for note in notes_of(data[at : at + size]):
            yield received_ms, note
        at += size


def heard_notes(connection: Connection, session_id: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The words of a session's events with when they were received, without the events."""
    log = sealed_of(connection, session_id)
    if log is not None:
        yield from _timed_notes(log.notes, log.manifest)
    batches = select(EventBatch.received_ms, EventBatch.notes).order_by(EventBatch.ordinal)
    for received_ms, notes in connection.execute(
        batches.where(EventBatch.session_id == session_id)
    ):
        for note in notes_of(notes):
            yield received_ms, note


def heard_ms(connection: Connection, session_id: int) -> list[int]:
    """Receive times of a session's events, rising, one for each."""
    heard: list[int] = []
    log = sealed_of(connection, session_id)
    if log is not None:
        for received, times, _ in np.frombuffer(log.manifest, MANIFEST).tolist():
            heard += [int(received)] * int(times)
    batches = select(EventBatch.received_ms, EventBatch.count)
    for received, times in connection.execute(batches.where(EventBatch.session_id == session_id)):
        heard += [received] * times
    return sorted(heard)


_BATCHES = select(
    EventBatch.received_ms,
    EventBatch.count,
    EventBatch.records,
    EventBatch.notes,
    EventBatch.chain,
)


def seal(
    connection: Connection,
    session_id: int,
    controls: NDArray[np.void],
    photos: NDArray[np.void],
    now_ms: int,
) -> None:
    """Join a session's batches into its log, with the ledger as the detectors read it.

    May be repeated: late batches are added, the ledger is replaced, the events already in the log
    are never touched. A log that was archived comes back with what is new.
    """
    batches = connection.execute(
        _BATCHES.where(EventBatch.session_id == session_id).order_by(EventBatch.ordinal)
    ).all()
    manifest = np.array(
        [(row.received_ms, row.count, len(row.notes)) for row in batches], MANIFEST
    ).tobytes()
    events = b"".join(row.records for row in batches)
    notes = b"".join(row.notes for row in batches)
    old = _taken_back(connection, session_id)
    chain = batches[-1].chain if batches else (old.chain if old else GENESIS)
    ledger = {
        "controls": controls.astype(CONTROL, copy=False).tobytes(),
        "photos": photos.astype(PHOTO, copy=False).tobytes(),
        "chain": chain,
        "sealed_ms": now_ms,
    }
    if old is None:
        joined = {"manifest": manifest, "events": events, "notes": notes}
        connection.execute(insert(EventLog).values(session_id=session_id, **joined, **ledger))
    else:
        connection.execute(
            update(EventLog)
            .where(EventLog.session_id == session_id)
            .values(
                manifest=old.manifest + manifest,
                events=old.events + events,
                notes=old.notes + notes,
                **ledger,
            )
        )
    connection.execute(delete(EventBatch).where(EventBatch.session_id == session_id))
    connection.execute(update(Session).where(Session.id == session_id).values(settled=True))


def _taken_back(connection: Connection, session_id: int) -> SealedLog | None:
    """A session's log, in the table again where it was archived."""
    old = next(archive.logs(connection, (session_id,)), None)
    if old is not None:
        put_back(connection, [old])
        return old
    row = connection.execute(SEALED.where(EventLog.session_id == session_id)).first()
    return None if row is None else SealedLog(*row)


def put_back(connection: Connection, logs: Sequence[SealedLog]) -> None:
    """Logs out of the archive into the table, which may hold them still."""
    ids = [it.session_id for it in logs]
    connection.execute(delete(EventLog).where(EventLog.session_id.in_(ids)))
    connection.execute(insert(EventLog), [it._asdict() for it in logs])
    archive.taken_back(connection, ids)


def verify(manifest: bytes, events: bytes, notes: bytes, chain: bytes) -> bool:
    """Recompute a log's hash chain batch by batch."""
    if len(manifest) % MANIFEST.itemsize:
        return False
    head, event_at, note_at = GENESIS, 0, 0
    for received, count, size in np.frombuffer(manifest, MANIFEST).tolist():
        if received < 0:
            return False
        event_end = event_at + count * EVENT.itemsize
        note_end = note_at + size
        head = link(head, received, events[event_at:event_end], notes[note_at:note_end])
        event_at, note_at = event_end, note_end
    return head == chain and event_at == len(events) and note_at == len(notes)


class EndedSitting(Protocol):
    state: str
    class_id: int
    learner_id: int
    opened_ms: int


def ended(connection: Connection, session_id: int) -> EndedSitting | None:
    """The session, locked, if it is over. Raises NoResultFound.

    Like every lock on a session it leaves the key alone, so that whoever enters a finding that
    names the session does not wait for it, and both for each other.
    """
    row = fetch_one(
        connection,
        select(Session.state, Session.class_id, Session.learner_id, Session.opened_ms)
        .where(Session.id == session_id)
        .with_for_update(key_share=True),
        EndedSitting,
    )
    return None if row.state == "open" else row


_UNSETTLE = (
    update(Session)
    .where(Session.id == bindparam("session"))
    .values(settled=False, evidence_version=Session.evidence_version + 1)
)
# Spelt out, not bound: so the condition of the index over these sessions is recognised.
_ENDED = Session.state != literal("open", literal_execute=True)


def unsettle(connection: Connection, session_ids: Collection[int]) -> None:
    """Say that these sittings' evidence changes in this transaction, before it does.

    It writes even where nothing is settled: only so does it wait for whoever settles just now,
    and has read the evidence as it was. A ledger that was archived is in its tables afterwards.
    Raises ArchiveDamaged.
    """
    if session_ids:
        connection.execute(_UNSETTLE, [{"session": it} for it in sorted(session_ids)])
        ledgers.put_back(connection, session_ids)


def unsettled(connection: Connection, class_id: int | None = None) -> Sequence[int]:
    """Ended sessions, of one class or of all, whose log is missing or behind."""
    query = select(Session.id).where(~Session.settled, _ENDED)
    if class_id is not None:
        query = query.where(Session.class_id == class_id)
    return connection.execute(query.order_by(Session.class_id, Session.id)).scalars().all()
