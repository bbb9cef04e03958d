"""The one way of events into the store, whichever door they come through.

A live batch (`EventIntake`), statements of xAPI (`append`) and an imported log (`append_attested`)
are packed, appended and held against the life of their sitting by the same code; what differs is
whose clock received them, and who waits. A live batch is answered once the disk has it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from app.clock import Clock
from app.db import Database
from app.domain.answer import UNSET, UnsetType
from app.domain.controls.controls_due import NOTHING_DUE, ControlsDue
from app.domain.controls.scheduler import NOTHING, Batch, ControlScheduler, Demands
from app.domain.events.batch_answer import (
    BatchAnswer,
    BatchesAnswer,
    BatchNote,
    LeaseStatus,
    SittingAnswer,
)
from app.domain.events.events import (
    Event,
    beyond_the_film,
    client_ms,
    marked,
    pack,
    unheard,
)
from app.domain.events.ingest import Arrived
from app.domain.policy import sitting_terms
from app.domain.policy.sitting_terms import SittingTerms
from app.domain.sittings import sitting_life, unseen_note
from app.domain.sittings.sitting_life import Fate, State
from app.domain.sittings.sittings import unknown_session
from app.domain.wire import ItemError
from app.errors import BadInput, Conflict, NotFound
from app.outages import DatabaseAway
from app.store.events import events as store
from app.store.events.appending import Append, Receipt
from app.store.events.events import EventStore
from app.store.events.packed import Packed
from app.store.sittings import sittings as sitting_store
from app.store.sittings.sittings import PackedSitting
from detectors.control_kinds import ControlKind
from detectors.credit import BEFORE_MS
from detectors.event_types import telling_of
from detectors.fast_forward import BEFORE_OPENING

LONGEST_MS = 2**31 - 1  # receipts are stored as 32 bits of ms since the opening: 24 days
LAST_SEQ = 2**31 - 2
BEYOND_THE_FILM = "beyond_the_film"
_NUMBERING = {
    "batch_conflict": "batch_id: a batch of this name with other events was stored before; "
    "what was corrected comes under a new name",
    "numbered_by_client": "seq: the events of this sitting carry numbers; go on with them",
    "numbered_by_server": "seq: the service numbers the events of this sitting; send none",
}
_WAS_OVER = (
    "at_ms: this began before the session was opened, and is more than was played since; open a "
    "session when its page opens (POST /v1/sessions), and bring what is over as an import "
    "(POST /v1/imports)"
)
STRANGE_CLOCK = "at_ms: 设备时钟不准，已记录，不影响学时 a wrong clock: noted, no matter"
_OF_POPUPS = telling_of(ControlKind.POPUP)
_HELD = 200_000  # sessions remembered by a process

_TOGETHER = 64  # batches whose controls are decided in one transaction
_DECIDING = 4  # such transactions at once: one that waits for a row keeps not everybody

InThread = Callable[..., Awaitable[Any]]
"""Runs a blocking function beside the event loop: (function, *arguments) → its result."""
_Asked = tuple[Sequence[Batch], Future[list[Demands]]]


@dataclass(frozen=True, slots=True)
class RunningSitting:
    """What never changes of a sitting while it runs."""

    id: int
    opened_ms: int
    terms: SittingTerms
    asks: bool = True  # this service issues the controls
    ahead_ms: int = 0  # of the clock of its class, which in a sandbox may be moved meanwhile
    sandbox: bool = False
    media_ms: int = LONGEST_MS  # the length of its film

    @classmethod
    def of(cls, row: PackedSitting) -> RunningSitting:
        """Of a row with the pack of its class."""
        terms = sitting_terms.of_pack(row.pack_id, row.pack_version)
        asks = row.controls == "service"
        return cls(row.id, row.opened_ms, terms, asks, row.ahead_ms, row.sandbox, row.media_ms)


@dataclass(frozen=True, slots=True)
class StoredEvents:
    """What became of a sitting's events, and what the control scheduler is told of them: nothing
    where they were refused."""

    fate: Fate
    batch: Batch | None


def append(
    connection: Connection, told: Sequence[tuple[RunningSitting, Sequence[Event]]], now_ms: int
) -> list[StoredEvents]:
    """Store events of statements in the caller's transaction; what became of each, in order. Their
    answer carries no controls: nobody hears by it what this service asks for."""
    batches = [_of_statements(sitting, events, now_ms) for sitting, events in told]
    fitting = [batch for batch in batches if batch is not None]
    receipts = iter(store.append_all(connection, fitting, sitting_life.of_batch))
    stored = []
    for batch, (_, events) in zip(batches, told, strict=True):
        if batch is None:
            stored.append(StoredEvents(Fate.CLOSED, None))
            continue
        receipt = next(receipts)
        fate = Fate(receipt.fate)
        after = replace(for_scheduler(batch, receipt, events), heard=False)
        stored.append(StoredEvents(fate, None if fate.refused else after))
    return stored


def _of_statements(sitting: RunningSitting, events: Sequence[Event], now_ms: int) -> Append | None:
    batch = live_append(sitting, events, now_ms)
    if batch is None or not sitting.asks:
        return batch
    return replace(batch, packed=unheard(batch.packed))


def live_append(
    sitting: RunningSitting, events: Sequence[Event], now_ms: int, batch_id: str | None = None
) -> Append | None:
    """Events on their way into the store, by the clock of their class; None where their numbers or
    times no longer fit into 31 bits: such a sitting is long over."""
    now_ms += sitting.ahead_ms
    if now_ms - sitting.opened_ms > LONGEST_MS or events[-1].seq > LAST_SEQ:
        return None
    packed = pack(events, now_ms - sitting.opened_ms)
    return Append(sitting.id, packed, now_ms, sitting.terms.lease_ms, batch_id=batch_id)


def append_attested(
    connection: Connection,
    session_id: int,
    opened_ms: int,
    events: Sequence[Event],
    received_ms: Sequence[int],
) -> Receipt:
    """Store events of a platform's log, each with the platform's receive time (epoch ms)."""
    times = [it - opened_ms for it in received_ms]
    packed = marked(pack(events, times), zip((it.seq for it in events), times, strict=True))
    (receipt,) = store.store_received(
        connection, session_id, [(max(received_ms), packed)], sitting_life.of_batch
    )
    return receipt


def for_scheduler(stored: Append, receipt: Receipt, events: Sequence[Event]) -> Batch:
    """What the control scheduler is told of a stored batch."""
    packed = stored.packed
    return Batch(
        session_id=stored.session_id,
        learning_ms=receipt.learning_ms,
        position_ms=receipt.position_ms if packed.first_ms >= 0 else None,
        now_ms=stored.received_ms,
        popup_notes=_popup_notes(packed, events, stored.received_ms),
        resumed=receipt.fate == Fate.RESUMES,
        heard=receipt.accepted > 0 and not receipt.duplicates,
        number=receipt.batches,
        evidence_version=receipt.evidence_version,
        before=receipt.before,
    )


def popup_note(event: Event, received_ms: int) -> Mapping[str, Any] | None:
    """A pop-up's event as the ledger is held against it; None for any other event."""
    note = event.note()
    if note is None or note["type"] not in _OF_POPUPS:
        return None
    return {**note, "recv_ms": received_ms, "at_ms": client_ms(event.at_ms)}


def _popup_notes(
    packed: Packed, events: Sequence[Event], received_ms: int
) -> list[Mapping[str, Any]]:
    if not packed.notes:
        return []
    notes = (popup_note(event, received_ms) for event in events)
    return [note for note in notes if note is not None]


def _unheard(_session_id: int, _events: int) -> None:
    return None


class EventIntake:
    """Stores live batches and tells their clients what to do next. One a process.

    `in_thread` runs what waits for the database; `over` is told of a sitting that takes no more,
    and how many events came for it.
    """

    def __init__(
        self,
        database: Database,
        events: EventStore,
        controls: ControlScheduler,
        clock: Clock,
        in_thread: InThread = asyncio.to_thread,
        over: Callable[[int, int], None] = _unheard,
    ) -> None:
        self._database = database
        self._over = over
        self._events = events
        self._controls = controls
        self._clock = clock
        self._in_thread = in_thread
        self._known: dict[tuple[int, str], RunningSitting] = {}
        self._settling = _Settling(controls, in_thread)

    async def one_session(self, platform_id: int, session: str, found: Arrived) -> BatchAnswer:
        """Store one session's batch. Raises NotFound, BadInput when no event was good, Conflict
        when the session takes no more events."""
        sitting = (await self._find(platform_id, [session])).get(session)
        if sitting is None:
            raise unknown_session(session)
        found = _within_the_film(sitting, found)
        if not found.events:
            raise _all_refused(found.problems)
        taken = await self._take(session, sitting, found)
        (answer,) = await self._answers([taken])
        return answer

    async def many_sessions(
        self, platform_id: int, found: dict[str, Arrived], lost: list[ItemError]
    ) -> BatchesAnswer:
        """Store a mixed batch, all of it at once: its sittings wait for the disk together. An event
        of an unknown session is refused alone."""
        known = await self._find(platform_id, list(found))
        found = {
            name: _within_the_film(known[name], it) if name in known else it
            for name, it in found.items()
        }
        taking = [name for name in known if found[name].events]
        takes = (self._take(name, known[name], found[name]) for name in taking)
        outcomes = await asyncio.gather(*takes, return_exceptions=True)
        taken: dict[str, _Taken] = {}
        refused: dict[str, Conflict | NotFound] = {
            name: unknown_session(name) for name in found if name not in known
        }
        for name, outcome in zip(taking, outcomes, strict=True):
            if isinstance(outcome, Conflict | NotFound):
                refused[name] = outcome
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                taken[name] = outcome
        answers = await self._answers(list(taken.values()))
        rejected = [*lost, *(fault for answer in answers for fault in answer.rejected)]
        for name, batch in found.items():
            if name not in taken:
                rejected += batch.problems
            if name in refused:
                rejected += _refused(batch, refused[name].code, refused[name].detail)
        rejected.sort(key=lambda fault: fault.index)
        accepted = sum(answer.accepted for answer in answers)
        duplicates = sum(answer.duplicates for answer in answers)
        if not accepted and not duplicates:
            raise _all_refused(rejected)
        sessions = {
            name: SittingAnswer.of(answer) for name, answer in zip(taken, answers, strict=True)
        }
        return BatchesAnswer(
            accepted=accepted, duplicates=duplicates, rejected=rejected, sessions=sessions
        )

    async def _find(self, platform_id: int, names: Sequence[str]) -> dict[str, RunningSitting]:
        """Session ids → rows, remembered: a lookup per batch would cost more than the batch."""
        known = {name: self._known.get((platform_id, name)) for name in names}
        missing = [name for name, sitting in known.items() if sitting is None]
        if missing:
            loaded = await self._in_thread(self._load, platform_id, missing)
            if len(self._known) + len(loaded) > _HELD:
                self._known.clear()
            known |= loaded
            for name, sitting in loaded.items():
                if not sitting.sandbox:
                    self._known[platform_id, name] = sitting
        return {name: sitting for name, sitting in known.items() if sitting is not None}

    def _load(self, platform_id: int, names: Sequence[str]) -> dict[str, RunningSitting]:
        with self._database.read() as connection:
            rows = sitting_store.with_pack(connection, platform_id, names)
        return {row.external_id: RunningSitting.of(row) for row in rows}

    async def _take(self, name: str, sitting: RunningSitting, found: Arrived) -> _Taken:
        """Store one sitting's events. Raises NotFound, Conflict when it takes no more."""
        batch_id = None if found.numbered else found.batch_id or ""
        batch = live_append(sitting, found.events, self._clock(), batch_id)
        if batch is None:
            self._over(sitting.id, len(found.events))
            raise Conflict("session_closed", sitting_life.why(Fate.CLOSED, name))
        if not found.numbered and _was_over(sitting, found.events, batch):
            raise Conflict(BEFORE_OPENING, _WAS_OVER)
        receipt = await self._events.append(batch)
        if receipt.refused == "unknown_session":
            raise unknown_session(name)
        if receipt.refused in _NUMBERING:
            raise Conflict(receipt.refused, _NUMBERING[receipt.refused])
        if receipt.refused == Fate.CLOSED:
            self._over(sitting.id, len(found.events))
        if receipt.refused:
            raise Conflict(receipt.refused, sitting_life.why(Fate(receipt.refused), name))
        if receipt.first_seq is not None:
            for event in found.events:
                event.seq += receipt.first_seq
        stored = for_scheduler(batch, receipt, found.events)
        return _Taken(sitting, found, batch.packed, receipt, stored)

    async def _answers(self, taken: Sequence[_Taken]) -> list[BatchAnswer]:
        """What their clients are to do next: where that may change, all decided on the rows in one
        transaction."""
        glances = [self._controls.glance(it.stored) for it in taken]
        batches = [it.stored for it, seen in zip(taken, glances, strict=True) if seen is None]
        settled: Iterator[Demands] = iter(())
        if batches:
            settled = iter(await self._settling.settle(batches))
        return [
            _told(it, next(settled) if seen is None else seen)
            for it, seen in zip(taken, glances, strict=True)
        ]


class _Settling:
    """Has the controls of all that wait decided together: after a restart everybody asks at once,
    and what is read of fifty sittings costs little more than of one. Event loops may share it."""

    def __init__(self, controls: ControlScheduler, in_thread: InThread) -> None:
        self._controls, self._in_thread = controls, in_thread
        self._lock = threading.Lock()  # of the two below: nobody waits while nobody decides
        self._waiting: deque[_Asked] = deque()
        self._deciding = 0
        self._started: set[asyncio.Future[None]] = set()

    async def settle(self, batches: Sequence[Batch]) -> list[Demands]:
        """As `ControlScheduler.settle`."""
        told: Future[list[Demands]] = Future()
        with self._lock:
            self._waiting.append((batches, told))
            starts = self._deciding < _DECIDING
        if starts:
            run = asyncio.ensure_future(self._in_thread(self._run))
            self._started.add(run)
            run.add_done_callback(self._started.discard)
        return await asyncio.wrap_future(told)

    def _run(self) -> None:
        with self._lock:  # counted here: what a loop that ends never starts must not count
            if self._deciding == _DECIDING:
                return
            self._deciding += 1
        while group := self._next():
            self._decide(group)

    def _next(self) -> list[_Asked]:
        """Who is decided now, without those who have gone; empty when nobody waits any more."""
        group: list[_Asked] = []
        with self._lock:
            while self._waiting and sum(len(it) for it, _ in group) < _TOGETHER:
                batches, told = self._waiting.popleft()
                if told.set_running_or_notify_cancel():
                    group.append((batches, told))
            self._deciding -= not group
        return group

    def _decide(self, group: Sequence[_Asked]) -> None:
        try:
            demands = iter(self._controls.settle([it for batches, _ in group for it in batches]))
        except Exception as error:  # noqa: BLE001 - who asked is told
            if len(group) > 1 and not isinstance(error, DatabaseAway):
                for one in group:  # of which one costs no other its answer
                    self._decide([one])
                return
            for _, told in group:
                told.set_exception(error)
            return
        for batches, told in group:
            told.set_result([next(demands) for _ in batches])


class _Taken(msgspec.Struct, frozen=True):
    """A sitting's events that the disk has, and what the control scheduler is told of them."""

    sitting: RunningSitting
    found: Arrived
    packed: Packed
    receipt: Receipt
    stored: Batch


def _told(taken: _Taken, demands: Demands) -> BatchAnswer:
    receipt, watched = taken.receipt, taken.packed.watched
    controls = NOTHING_DUE if demands is NOTHING else demands.due()
    note = unseen_note.of(watched, taken.sitting.terms) if watched else None
    if note is not None and receipt.state == State.OPEN:
        controls = replace(controls, note=note)
    return _answer(receipt, taken.found, controls, taken.packed.strange_times)


def _answer(
    receipt: Receipt, found: Arrived, controls: ControlsDue, strange_times: int
) -> BatchAnswer:
    rejected = list(found.problems)
    if receipt.conflicts:
        rejected += _conflicts(receipt, found)
        rejected.sort(key=lambda fault: fault.index)
    noted: list[BatchNote] | UnsetType = UNSET
    if strange_times:
        noted = [BatchNote(code="client_time", detail=STRANGE_CLOCK, count=strange_times)]
    return BatchAnswer(
        accepted=receipt.accepted,
        duplicates=receipt.duplicates,
        rejected=rejected,
        next_seq=receipt.next_seq,
        chain=receipt.chain.hex(),
        controls=controls,
        lease=LeaseStatus(expires_at_ms=receipt.lease_expires_ms, state=State(receipt.state)),
        fate=Fate(receipt.fate),
        noted=noted,
    )


def _conflicts(receipt: Receipt, found: Arrived) -> list[ItemError]:
    seqs = set(receipt.conflicts)
    return [
        ItemError(index, "seq_conflict", f"seq: {event.seq} was stored before with other content")
        for index, event in zip(found.indices, found.events, strict=True)
        if event.seq in seqs
    ]


def _was_over(sitting: RunningSitting, events: Sequence[Event], batch: Append) -> bool:
    """Whether a platform tells of what it opened the sitting too late for: by its own times it
    began before that, and it is more play than there was time for since."""
    since_ms = batch.received_ms - sitting.opened_ms
    if batch.packed.moved_ms <= since_ms + BEFORE_MS:
        return False
    now_ms = batch.received_ms - sitting.ahead_ms
    oldest_ms = min(client_ms(it.at_ms) for it in events)
    return now_ms - oldest_ms > since_ms + BEFORE_MS


def why_beyond(media_ms: int) -> str:
    """Why positions far beyond a film are refused, and what to do about it."""
    return (
        f"far beyond the film, which is {media_ms / 1000:g} s long by its course: positions are "
        "seconds from the beginning of this film"
    )


def _within_the_film(sitting: RunningSitting, found: Arrived) -> Arrived:
    """Without events that are no play of this film, which are among the problems then."""
    beyond = beyond_the_film(found.events, sitting.media_ms)
    if not beyond:
        return found
    detail = f"position: {why_beyond(sitting.media_ms)}"
    faults = [ItemError(found.indices[n], BEYOND_THE_FILM, detail) for n in beyond]
    kept = sorted(set(range(len(found.events))).difference(beyond))
    events = [found.events[n] for n in kept]
    if not found.numbered:
        for seq, event in enumerate(events):
            event.seq = seq
    return replace(
        found,
        events=events,
        indices=[found.indices[n] for n in kept],
        problems=sorted([*found.problems, *faults], key=lambda fault: fault.index),
    )


def _refused(batch: Arrived, code: str, detail: str) -> list[ItemError]:
    return [ItemError(index, code, detail) for index in batch.indices]


def _all_refused(rejected: Sequence[ItemError]) -> BadInput:
    first = rejected[0].detail if rejected else "no event"
    return BadInput(
        "no_event_accepted",
        f"no event of the batch was accepted: {first}",
        errors=msgspec.to_builtins(rejected),
    )
