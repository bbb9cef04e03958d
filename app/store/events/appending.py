"""Batches that wait for the disk, and how long their clients wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

import msgspec

from app import tracing
from app.outages import RETRY_S, DatabaseAway
from app.store.events.packed import Packed

MOST_PATIENCE_S = 15.0
MOST_GATHERED = 64  # at once: whoever takes it adds no more than that to a commit


class Append(msgspec.Struct):
    """A batch on its way into the store."""

    session_id: int
    packed: Packed
    received_ms: int
    lease_ms: int
    imported: bool = False  # out of a platform's log, with the platform's receive times
    batch_id: str | None = None  # whose events come without numbers, and are numbered here


class Stand(NamedTuple):
    """Where a session stood: its learning clock, its content position, and when its last batch was
    received."""

    learning_ms: int
    position_ms: int
    received_ms: int


class Receipt(msgspec.Struct, frozen=True):
    """What became of a batch. `fate` is a word of app/domain/sittings/sitting_life.py;
    `refused` is set, to the reason, when the session takes no more events. `batches` is how many
    the session has stored by now, `evidence_version` its own (models.Session), `before` where it
    stood until then."""

    accepted: int
    duplicates: int
    conflicts: tuple[int, ...]
    next_seq: int
    chain: bytes
    state: str
    learning_ms: int
    position_ms: int
    lease_expires_ms: int
    fate: str
    refused: str | None = None
    batches: int = 0
    evidence_version: int = 0
    first_seq: int | None = None  # of a batch that was numbered here
    before: Stand | None = None


@dataclass(slots=True, eq=False)
class Waiting:
    """Who asked for a batch to be stored, until it is answered."""

    append: Append
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Receipt]
    until_s: float  # by the loop's clock
    outcome: Receipt | Exception | None = None
    traced: str | None = None

    @classmethod
    def here(cls, append: Append) -> Waiting:
        """In the running loop."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + MOST_PATIENCE_S
        return cls(append, loop, loop.create_future(), until_s, traced=tracing.here())

    def give_up(self) -> None:
        if not self.future.done():
            detail = "the database does not answer; send the events again"
            self.future.set_exception(DatabaseAway("database", detail, retry_after_s=RETRY_S))

    def deliver(self) -> None:
        if self.future.done():
            return
        if isinstance(self.outcome, Receipt):
            self.future.set_result(self.outcome)
        elif self.outcome is not None:
            self.future.set_exception(self.outcome)


class Gathering:
    """Hands over together what comes while its loop is busy: the writer that took the first of them
    at once would commit it alone, which costs as much as ten, and keep the loop from the others."""

    def __init__(self, hand_over: Callable[[list[Waiting]], None]) -> None:
        self._hand_over = hand_over
        self._gathered: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}

    def add(self, waiting: Waiting) -> None:
        """In the loop of what waits."""
        group = self._gathered.get(waiting.loop)
        if group is None:
            group = self._gathered[waiting.loop] = []
            waiting.loop.call_soon(self._look, waiting.loop, 0)
        group.append(waiting)

    def _look(self, loop: asyncio.AbstractEventLoop, before: int) -> None:
        """Once a turn of the loop, until a whole one brought nothing more."""
        come = len(self._gathered.get(loop, ()))
        if before < come < MOST_GATHERED:
            loop.call_soon(self._look, loop, come)
        elif come:
            self._hand_on(loop)

    def _hand_on(self, loop: asyncio.AbstractEventLoop) -> None:
        group = self._gathered.pop(loop)
        for at in range(0, len(group), MOST_GATHERED):  # one turn may bring hundreds
            self._hand_over(group[at : at + MOST_GATHERED])

    def end(self) -> None:
        """Hand over all that was gathered."""
        for loop in list(self._gathered):
            self._hand_on(loop)


class Patience:
    """Gives up what has waited too long. One timer in each loop for all that wait there: one for
    each batch would cost as much as reading it."""

    def __init__(self) -> None:
        self._lines: dict[asyncio.AbstractEventLoop, dict[Waiting, None]] = {}

    def begin(self, waiting: Waiting) -> None:
        """In the loop of what waits, as everything here is."""
        line = self._lines.get(waiting.loop)
        if line is None:
            line = self._lines[waiting.loop] = {}
            self._look_when_due(waiting)
        line[waiting] = None

    def end(self, waiting: Waiting) -> None:
        self._lines.get(waiting.loop, {}).pop(waiting, None)

    def _look_when_due(self, waiting: Waiting) -> None:
        waiting.loop.call_at(waiting.until_s, self._look, waiting.loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        line, now_s = self._lines[loop], loop.time()
        due = takewhile(lambda it: it.until_s <= now_s, line)  # they began in this order
        for waiting in list(due):
            waiting.give_up()
            del line[waiting]
        oldest = next(iter(line), None)
        if oldest is None:
            del self._lines[loop]
        else:
            self._look_when_due(oldest)
