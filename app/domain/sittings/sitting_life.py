"""The life of a sitting: what becomes of whatever arrives for it, through whichever door.

Every door asks `fate`: the events API, forwarded batches, statements, reported controls, photos, a
renewal. `docs/sitting-life.md` draws it; its table is held by
`tests/domain/sittings/test_sitting_life.py`.

An end that somebody *said* (closed, or superseded by the person's other window) leaves a quarter of
an hour for what was under way. An end that was only *inferred* from silence (the lease ran out) is
no end while the learner may come back: within a quarter of an hour the sitting resumes where it
was, unless the person studies elsewhere by then, and for a day it still takes what an outage kept
back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from app.store.events.appending import Append
from app.store.events.packed import note_bytes

RESUME_MS = 15 * 60_000  # a sitting that fell silent may go on within this time of its end
LATE_MS = 15 * 60_000  # what was under way when a sitting was ended by somebody's word
LATE_AFTER_SILENCE_MS = 24 * 3_600_000  # what an outage kept back: as long as the SDK keeps it

# Product defaults: a day at a heartbeat a second, and words for thousands of pop-ups.
MOST_EVENTS = 100_000
MOST_WORDS_BYTES = 2 * 1024 * 1024

REMEDY = "open a new sitting (POST /v1/sessions) and send what happens from now on there"
REMEDY_ZH = "请重新进入课程（POST /v1/sessions），之后的学习记录发往新的学习会话"


class State(StrEnum):
    """As stored. `expired` is ended by silence alone."""

    OPEN = "open"
    EXPIRED = "expired"
    CLOSED = "closed"
    SUPERSEDED = "superseded"


class Door(StrEnum):
    """Through what something arrives."""

    EVENTS = "events"  # one sitting's batch, a forwarded one, statements: play is told
    REPORT = "report"  # a platform's own controls, photos: evidence beside the play
    RENEWAL = "renewal"  # the same window asks for its sitting again
    IMPORT = "import"  # a platform's log


class Fate(StrEnum):
    """TAKEN as part of a sitting that runs; RESUMES it; LATE: kept as evidence, the end stands;
    CLOSED, IMPORTED, LIVE: refused, because it is over too long, came out of a platform's log, or
    was live here while a log tells of it. FULL: refused, because no sitting has so much to tell."""

    TAKEN = "taken"
    RESUMES = "resumes"
    LATE = "late"
    CLOSED = "session_closed"
    IMPORTED = "session_imported"
    LIVE = "session_is_live"
    FULL = "session_full"

    @property
    def refused(self) -> bool:
        return self in (Fate.CLOSED, Fate.IMPORTED, Fate.LIVE, Fate.FULL)


class Life(Protocol):
    """What of a sitting its fate depends on."""

    @property
    def state(self) -> str: ...
    @property
    def provenance(self) -> str: ...
    @property
    def closed_ms(self) -> int | None: ...


class Fullness(Life, Protocol):
    """What of a sitting tells how full it is."""

    @property
    def event_count(self) -> int: ...
    @property
    def words_bytes(self) -> int: ...


def _nobody() -> bool:
    return False


def fate(sitting: Life, door: Door, now_ms: int, rival: Callable[[], bool] = _nobody) -> Fate:
    """What becomes of something that arrives at `now_ms` by the server's clock.

    rival: whether the person has another sitting open; asked only where it matters.
    """
    if sitting.provenance == "attested":
        return Fate.LATE if door is Door.IMPORT else Fate.IMPORTED
    if door is Door.IMPORT:
        return Fate.LIVE
    if sitting.state == State.OPEN:
        return Fate.TAKEN
    silent_ms = now_ms - (sitting.closed_ms or 0)
    if sitting.state == State.EXPIRED:
        back = door in (Door.EVENTS, Door.RENEWAL) and silent_ms <= RESUME_MS
        if back and not rival():
            return Fate.RESUMES
        late = silent_ms <= LATE_AFTER_SILENCE_MS
    else:
        late = silent_ms <= LATE_MS
    return Fate.LATE if late and door is not Door.RENEWAL else Fate.CLOSED


def full(sitting: Fullness, batch: Append) -> bool:
    """Whether a live batch would fill the sitting beyond what anybody's lesson brings. Where only
    the words are too many, batches without words are still taken."""
    packed = batch.packed
    if sitting.event_count + packed.count > MOST_EVENTS:
        return True
    if not packed.notes:
        return False
    return sitting.words_bytes + len(note_bytes(packed.notes)) > MOST_WORDS_BYTES


def takes(sitting: Life, now_ms: int) -> bool:
    """Whether evidence of any kind still finds its place in a live sitting."""
    return not fate(sitting, Door.REPORT, now_ms).refused


def over(sitting: Life, now_ms: int) -> bool:
    """Ended, and nobody can resume it: what was drawn for it may be shown."""
    return fate(sitting, Door.EVENTS, now_ms) not in (Fate.TAKEN, Fate.RESUMES)


def ends_ms(sitting: Life, now_ms: int) -> int:
    """Until when something can have happened within the sitting: now, unless somebody ended it.
    What comes after an end by silence is kept, and so is what was asked of the learner meanwhile.
    """
    said = sitting.state in (State.CLOSED, State.SUPERSEDED)
    return (sitting.closed_ms or now_ms) if said else now_ms


def why(told: Fate, session: str) -> str:
    """A refusal in words, with what to do instead."""
    if told is Fate.IMPORTED:
        return f"session {session!r} was imported from a log: what it lacks comes as an import"
    if told is Fate.FULL:
        return f"session {session!r} is full: it has more events or words than any lesson brings"
    if told is Fate.LIVE:
        return f"session {session!r} was a live sitting here: a log adds nothing to it"
    return (
        f"学习会话已结束，不再接收记录：{REMEDY_ZH}。"
        f"session {session!r} is over and takes no more: {REMEDY}"
    )


RESUMED: Mapping[str, Any] = {
    "state": State.OPEN.value,
    "closed_ms": None,
    "close_reason": None,
    "seed_revealed": None,
}
"""What a sitting that resumes is again: open, with no end and nothing revealed."""


@dataclass(frozen=True, slots=True)
class BatchDecision:
    """The fate of a batch as the store asks for it."""

    fate: Fate
    refused: bool
    changes: Mapping[str, Any]


_DECIDED = {told: BatchDecision(told, told.refused, {}) for told in Fate}
_DECIDED[Fate.RESUMES] = BatchDecision(Fate.RESUMES, False, RESUMED)


def of_batch(sitting: Fullness, batch: Append, rival: Callable[[], bool]) -> BatchDecision:
    """What becomes of a batch of events, and what changes of the sitting with it."""
    door = Door.IMPORT if batch.imported else Door.EVENTS
    if door is Door.EVENTS and full(sitting, batch):
        return _DECIDED[Fate.FULL]
    return _DECIDED[fate(sitting, door, batch.received_ms, rival)]
