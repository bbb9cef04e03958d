"""What belongs to an imported sitting: its controls, its events, its photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from pydantic import Field
from sqlalchemy import Connection

from app.clock import DAY_MS
from app.domain.controls.scheduler import lines_of
from app.domain.events import events as wire_events
from app.domain.events import intake
from app.domain.events.events import Event, problem
from app.domain.exchange.import_book import Book
from app.domain.exchange.import_source import Source
from app.domain.faces import snapshots
from app.domain.faces.photo_store import PhotoStore
from app.domain.policy import sitting_terms
from app.domain.sittings import platform_controls
from app.domain.sittings.platform_controls import ControlReport
from app.domain.wire import ClientInstant, Id, Instant, ItemError, Wire
from app.store.controls import controls as control_store
from app.store.events import event_log
from app.store.events.packed import records_of
from app.store.exchange.staging import Staged
from app.store.faces import snapshots as photo_store
from app.store.sittings import sittings as store
from app.store.sittings.sittings import SittingRow
from detectors.trace import ControlFlag, Flag

MAX_EVENTS = 500_000  # of one sitting: a heartbeat a second for six days
MAX_LENGTH_MS = 24 * DAY_MS  # times within a sitting are 31-bit milliseconds


class ImportedControl(ControlReport):
    session_id: Id
    issued_at_ms: Instant
    shown_at_ms: Instant | None = None
    answered_at_ms: Instant | None = None
    due_at_ms: Instant | None = None
    answer_window_s: Annotated[float | None, Field(gt=0, le=86_400)] = None
    reissue_of: Id | None = None


class SnapshotRecord(Wire):
    session_id: Id
    snapshot_id: Id
    purpose: Literal["start", "random", "resume", "challenge"]
    challenge_id: Id | None = None
    frame: Annotated[int, Field(ge=0, le=10_000)] = 0
    taken_at_ms: ClientInstant | None = None
    received_at_ms: Instant
    file: Annotated[str, Field(min_length=1, max_length=1000)]


class _Received(msgspec.Struct):
    received_at_ms: wire_events.Instant


_read_received = msgspec.json.Decoder(_Received).decode


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event, when the platform received it, and where its record stands."""

    event: Event
    received_ms: int
    where: int


class EvidenceImporter:
    """Enters what one file says of a sitting; each call tells whether anything was new."""

    def __init__(self, photos: PhotoStore, source: Source, book: Book) -> None:
        self._photos = photos
        self._source = source
        self._book = book

    def controls(self, connection: Connection, row: SittingRow, records: list[Staged]) -> bool:
        if not records:
            return False
        names = store.names(connection, row.id)
        terms = sitting_terms.of_pack(names.pack_id, names.pack_version)
        known = {line.challenge_id: line for line in lines_of(connection, row.id)}
        changed = False
        for record in records:
            said = self._book.parsed(record, ImportedControl)
            if said is None:
                continue
            if not 0 <= said.issued_at_ms - row.opened_ms + MAX_LENGTH_MS <= 2 * MAX_LENGTH_MS:
                self._book.reject(
                    record.where, "outside_sitting", "issued_at_ms: lies weeks outside the sitting"
                )
                continue
            wrong = platform_controls.wrong_answer(said, row.opened_ms + MAX_LENGTH_MS)
            if wrong is not None:
                self._book.reject(record.where, "bad_answer", wrong["detail"])
                continue
            result = platform_controls.enter(connection, row.id, known, said, terms)
            if result["status"] == "rejected":
                self._book.reject(record.where, result["code"], result["detail"])
                continue
            stored = result["status"] == "stored"
            if stored:
                _add_told(connection, row.id, said, known[said.challenge_id].flags)
            self._book.count("control", stored)
            changed |= stored
        return changed

    def arrivals(self, records: list[Staged]) -> list[Arrival]:
        """The events that can be read, in the client's order."""
        arrivals = []
        for record in records[:MAX_EVENTS]:
            event = wire_events.read_one(record.raw, 0)
            if isinstance(event, ItemError):
                self._book.reject(record.where, event.code, event.detail)
                continue
            try:
                received_ms = _read_received(record.raw).received_at_ms
            except msgspec.ValidationError as error:
                wrong = problem(0, str(error))
                self._book.reject(record.where, wrong.code, wrong.detail)
                continue
            arrivals.append(Arrival(event, received_ms, record.where))
        for record in records[MAX_EVENTS:]:
            self._book.reject(
                record.where, "too_many_events", f"a session has at most {MAX_EVENTS} events"
            )
        return sorted(arrivals, key=lambda it: (it.event.seq, it.received_ms, it.where))

    def events(self, connection: Connection, row: SittingRow, arrivals: list[Arrival]) -> bool:
        unknown = self._unknown(connection, row, arrivals)
        fresh = self._within_the_film(
            connection, row, arrivals, [it for it in unknown if self._in_time(row, it)]
        )
        if not fresh:
            return False
        events = [it.event for it in fresh]
        received_ms = [it.received_ms for it in fresh]
        receipt = intake.append_attested(connection, row.id, row.opened_ms, events, received_ms)
        self._book.count("event", True, receipt.accepted)
        self._book.count("event", False, receipt.duplicates)
        conflicts = set(receipt.conflicts)
        for it in reversed(fresh):  # of several with one seq, the first was kept
            if it.event.seq in conflicts:
                conflicts.remove(it.event.seq)
                self._conflict(it)
        notes = [
            note
            for it in fresh
            if (note := intake.popup_note(it.event, it.received_ms)) is not None
        ]
        if notes:
            platform_controls.match_stored(connection, row.id, notes)
        return receipt.accepted > 0 or bool(receipt.conflicts)

    def _unknown(
        self, connection: Connection, row: SittingRow, arrivals: list[Arrival]
    ) -> list[Arrival]:
        """Events that an earlier import did not bring, and contradictions not yet on record."""
        if row.event_count == 0:
            return arrivals
        log = event_log.read(connection, row.id)
        records = {int(record["seq"]): record.tobytes() for record in reversed(log.events)}
        words = {note["seq"]: note for note in reversed(log.notes)}
        on_record = {seq for note in log.notes for seq in note.get("seqs", ())}
        fresh = []
        for it in arrivals:
            seq = it.event.seq
            if seq not in records:
                fresh.append(it)
            elif _same(it.event, records[seq], words.get(seq)):
                self._book.count("event", changed=False)
            elif seq in on_record:
                self._conflict(it)
            else:
                fresh.append(it)
        return fresh

    def _in_time(self, row: SittingRow, it: Arrival) -> bool:
        if 0 <= it.received_ms - row.opened_ms <= MAX_LENGTH_MS:
            return True
        self._book.reject(
            it.where, "outside_sitting", "received_at_ms: lies before the sitting, or weeks after"
        )
        return False

    def _within_the_film(
        self, connection: Connection, row: SittingRow, arrivals: list[Arrival], fresh: list[Arrival]
    ) -> list[Arrival]:
        """Without positions that are no play of this film, by all that the file tells of it."""
        if not fresh:
            return fresh
        names = store.names(connection, row.id)
        beyond = wire_events.beyond_the_film((it.event for it in arrivals), names.media_ms)
        lines = {arrivals[n].where for n in beyond}
        detail = f"session {row.external_id!r} of {names.learner!r} in lesson {names.lesson!r}: "
        detail += intake.why_beyond(names.media_ms)
        for it in fresh:
            if it.where in lines:
                self._book.reject(it.where, intake.BEYOND_THE_FILM, detail)
        return [it for it in fresh if it.where not in lines]

    def _conflict(self, it: Arrival) -> None:
        self._book.reject(
            it.where, "seq_conflict", f"seq: {it.event.seq} came before with other content"
        )

    def photos(self, connection: Connection, row: SittingRow, records: list[Staged]) -> bool:
        changed = False
        for record in records:
            said = self._book.parsed(record, SnapshotRecord)
            if said is None:
                continue
            stored = False

            def store_it(said: SnapshotRecord = said) -> bool:
                nonlocal stored
                stored = self._photo(connection, row, said)
                return stored

            self._book.attempt(connection, record, store_it)
            changed |= stored
        return changed

    def _photo(self, connection: Connection, row: SittingRow, said: SnapshotRecord) -> bool:
        known = photo_store.by_external_id(connection, row.id, said.snapshot_id) is not None
        snapshots.store(
            connection,
            self._photos,
            row,
            snapshots.SentPhoto(
                said.snapshot_id, said.purpose, said.challenge_id, said.frame, said.taken_at_ms
            ),
            received_ms=said.received_at_ms,
            data=self._source.photo(said.file),
        )
        return not known


def _add_told(connection: Connection, session_id: int, said: ImportedControl, flags: int) -> None:
    """What an import may tell of a control beyond a live report."""
    values: dict[str, Any] = {}
    if said.due_at_ms is not None:
        values["due_ms"] = said.due_at_ms
    if said.answer_window_s is not None:
        values["window_ms"] = round(said.answer_window_s * 1000)
    if said.reissue_of is not None:
        values |= {"reissue_of": said.reissue_of, "flags": flags | ControlFlag.REISSUE}
    if values:
        control_store.update_line(connection, session_id, said.challenge_id, **values)


def _same(event: Event, record: bytes, words: Any) -> bool:
    """Whether an event is the stored one, its time of receipt aside."""
    stored = records_of(record).copy()
    stored["recv_ms"] = 0
    stored["flags"] &= ~np.uint8(Flag.REPEATING)
    return wire_events.pack([event], 0).records == stored.tobytes() and event.note() == words
