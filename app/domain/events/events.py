"""Events of a sitting: from the wire's JSON to packed records, with every fault named.

One `Struct` per event type says what the type needs; msgspec checks it while it parses. Records
have the layout of `detectors.trace.EVENT`; words that no detector computes with (challenge ids,
nonces, answers, error texts) are kept beside them as notes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, repeat
from statistics import median
from typing import Annotated, Any, ClassVar

import msgspec
import numpy as np
from msgspec import Meta, Struct
from msgspec.structs import replace

from app.domain.plain_json import require_single_names
from app.domain.wire import ItemError
from app.errors import MalformedBody
from app.store.events.packed import Packed, records_of
from detectors.event_types import wire
from detectors.trace import NONE, Flag, Integrity, Kind

MOST_EVENTS = 1000
EARLIEST_MS = 946_684_800_000  # 2000-01-01: no clock that works says less
LATEST_MS = 4_102_444_800_000  # 2100-01-01
UNNUMBERED = -1  # of an event that leaves its number to the service
NO_PLAYER = 20.0  # films play at most so many times as fast as they last
BEYOND, BEYOND_MS = 1.25, 60_000  # a player's film may be so much longer than the catalogue's
FRACTION_MS = 1_000  # a player may say a hair less than nothing at the very beginning

Seq = Annotated[int, Meta(ge=0, le=2**31 - 2)]
Instant = Annotated[int, Meta(ge=EARLIEST_MS, lt=LATEST_MS)]
# What a client says of time is no evidence: whatever it is, the event is taken, and it is clamped.
ClientTime = int | float | None
Elapsed = int | float | None
FARTHEST_S = 1_000_000
Position = Annotated[float, Meta(le=FARTHEST_S)]
Place = Annotated[float, Meta(gt=-1, le=FARTHEST_S)]  # a seek to no place tells nothing
Rate = Annotated[float, Meta(ge=-100, le=100)]
Word = Annotated[str, Meta(max_length=128)]
MOST_CHARS = 2000
Sentence = Annotated[str, Meta(max_length=MOST_CHARS)]

_pack = struct.Struct("<qiiiiiBB").pack
_SEEN = Flag.VISIBLE | Flag.FOCUSED

Row = tuple[int, int, int, int, int]  # pos_ms, x, mono_ms, kind, flags


class Event(Struct, tag_field="type", kw_only=True, gc=False):
    """What all events share. `row()` gives the type's own columns, `note()` its words."""

    kind: ClassVar[Kind]

    seq: Seq = UNNUMBERED
    at_ms: ClientTime

    def row(self) -> Row:
        raise NotImplementedError

    def note(self) -> dict[str, Any] | None:
        return None


def _ms(seconds: float | None) -> int:
    """A position as it is stored. Players say null (a number that is none) or -1 where they do not
    know, and may say a hair less than 0 at the beginning."""
    if seconds is None or seconds <= -FRACTION_MS / 1000:
        return NONE
    return max(int(seconds * 1000 + 0.5), 0)


def client_ms(told: ClientTime) -> int:
    """A client's time as it is stored: kept where it can be, else the nearest that can.

    >>> client_ms(0), client_ms(-5), client_ms(1e300), client_ms(None)
    (0, 0, 4102444799999, 0)
    """
    if told is None:
        return 0
    return int(min(max(told, 0), LATEST_MS - 1))


def _elapsed(told: Elapsed) -> int:
    """A browser's monotonic clock, NONE where it makes no sense."""
    return NONE if told is None or told < 0 else int(min(told, 2**31 - 1))


def _latency(told: float) -> float | None:
    """None for an answer before its question: the clock was set in between."""
    return None if told < 0 else min(told, 2_000_000_000)


class _Positioned(Event):
    position: Position | None
    duration: Position | None = None  # of the film, as the player has it

    def row(self) -> Row:
        return _ms(self.position), _ms(self.duration), NONE, self.kind, 0


class PlayEvent(_Positioned, tag=wire(Kind.PLAY)):
    kind = Kind.PLAY


class PauseEvent(_Positioned, tag=wire(Kind.PAUSE)):
    kind = Kind.PAUSE


class WaitingEvent(_Positioned, tag=wire(Kind.WAITING)):
    kind = Kind.WAITING


class PlayingEvent(_Positioned, tag=wire(Kind.PLAYING)):
    kind = Kind.PLAYING


class EndedEvent(Event, tag=wire(Kind.ENDED)):
    kind = Kind.ENDED
    position: Position | None = None
    duration: Position | None = None  # of the film, as the player has it
    completed: bool | None = None  # the platform says that the whole lesson was completed

    def row(self) -> Row:
        flags = Flag.COMPLETED if self.completed else 0
        return _ms(self.position), _ms(self.duration), NONE, self.kind, flags


class ProgressEvent(Event, tag=wire(Kind.PROGRESS)):
    kind = Kind.PROGRESS
    position: Position | None
    rate: Rate | None = 1.0
    visible: bool | None = None
    focused: bool | None = None
    monotonic_ms: Elapsed = None

    def row(self) -> Row:
        flags = 0
        if self.visible is not None:
            flags = 1 if self.visible else 2
        if self.focused is not None:
            flags |= 4 if self.focused else 8
        position, rate, mono = self.position, self.rate, self.monotonic_ms
        return (
            int(position * 1000 + 0.5) if position is not None and position >= 0 else _ms(position),
            1000 if rate is None else int(rate * 1000),
            int(mono) if mono is not None and 0 <= mono <= 2_000_000_000 else _elapsed(mono),
            6,
            flags,
        )


class SeekEvent(Event, tag=wire(Kind.SEEK), rename={"origin": "from", "target": "to"}):
    kind = Kind.SEEK
    origin: Position | None  # a player may not know where it came from
    target: Place
    blocked: bool | None = False

    def row(self) -> Row:
        flags = Flag.BLOCKED if self.blocked else 0
        origin, target = _ms(self.origin), _ms(self.target)
        return target if origin == NONE else origin, target, NONE, self.kind, flags


class RateEvent(Event, tag=wire(Kind.RATE)):
    kind = Kind.RATE
    rate: Rate
    position: Position | None = None

    def row(self) -> Row:
        return _ms(self.position), int(self.rate * 1000), NONE, self.kind, 0


class VisibilityEvent(Event, tag=wire(Kind.VISIBILITY)):
    kind = Kind.VISIBILITY
    visible: bool
    position: Position | None = None

    def row(self) -> Row:
        flag = Flag.VISIBLE if self.visible else Flag.HIDDEN
        return _ms(self.position), NONE, NONE, self.kind, flag


class FocusEvent(Event, tag=wire(Kind.FOCUS)):
    kind = Kind.FOCUS
    focused: bool
    position: Position | None = None

    def row(self) -> Row:
        flag = Flag.FOCUSED if self.focused else Flag.BLURRED
        return _ms(self.position), NONE, NONE, self.kind, flag


def _told(answer: list[Any] | dict[str, Any]) -> str:
    return msgspec.json.encode(answer).decode()


class _Popup(Event):
    challenge_id: Word
    nonce: Word | None = None
    input: Word | None = None
    trusted: bool | None = None
    latency_ms: Elapsed = None
    answer: Sentence | int | float | bool | list[Any] | dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.answer, list | dict) and len(_told(self.answer)) > MOST_CHARS:
            raise ValueError(f"`answer` of more than {MOST_CHARS} characters")

    def row(self) -> Row:
        return NONE, NONE, NONE, self.kind, 0

    def note(self) -> dict[str, Any]:
        note: dict[str, Any] = {"seq": self.seq, "type": self.__struct_config__.tag}
        for name in (
            "challenge_id",
            "nonce",
            "input",
            "trusted",
            "latency_ms",
            "answer",
        ):
            value = getattr(self, name)
            if name == "latency_ms" and value is not None:
                value = _latency(value)
            elif isinstance(value, list | dict):  # what was ticked, or filled in
                value = _told(value)
            if value is not None:
                note[name] = value
        return note


class PopupShownEvent(_Popup, tag=wire(Kind.POPUP_SHOWN)):
    kind = Kind.POPUP_SHOWN


class PopupAnsweredEvent(_Popup, tag=wire(Kind.POPUP_ANSWERED)):
    kind = Kind.POPUP_ANSWERED


class PopupExpiredEvent(_Popup, tag=wire(Kind.POPUP_EXPIRED)):
    kind = Kind.POPUP_EXPIRED


class IntegrityEvent(Event, tag=wire(Kind.INTEGRITY)):
    kind = Kind.INTEGRITY
    code: Word
    value: Sentence | int | float | bool | None = None

    def row(self) -> Row:
        return NONE, _family(self.code, self.value), NONE, self.kind, 0

    def note(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "type": wire(Kind.INTEGRITY),
            "code": self.code,
            "value": self.value,
        }


class ErrorEvent(Event, tag=wire(Kind.ERROR)):
    kind = Kind.ERROR
    code: Word
    detail: Sentence | None = None

    def row(self) -> Row:
        return NONE, NONE, NONE, self.kind, 0

    def note(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "type": wire(Kind.ERROR),
            "code": self.code,
            "detail": self.detail,
        }


_INPUT = {"input": Integrity.INPUT, "input_watched": Integrity.INPUT_WATCHED}


def _family(code: str, value: object) -> int:
    """What kind of fact an SDK's integrity code states; SDKs name them differently."""
    code = code.lower()
    if code in _INPUT:
        return _INPUT[code]
    if "frame" in code and value in (0, False, "0"):
        return Integrity.NO_FRAMES
    if ("hidden" in code or "visib" in code) and value not in (
        0,
        False,
        None,
        "0",
        "false",
    ):
        return Integrity.HIDDEN_BUT_VISIBLE
    if "clock" in code or "timer" in code:
        return Integrity.CLOCK_SKEW
    if "untrusted" in code or "script" in code:
        return Integrity.SCRIPTED_INPUT
    return Integrity.OTHER


AnyEvent = (
    PlayEvent
    | PauseEvent
    | WaitingEvent
    | PlayingEvent
    | EndedEvent
    | ProgressEvent
    | SeekEvent
    | RateEvent
    | VisibilityEvent
    | FocusEvent
    | PopupShownEvent
    | PopupAnsweredEvent
    | PopupExpiredEvent
    | IntegrityEvent
    | ErrorEvent
)

_one = msgspec.json.Decoder(AnyEvent)


def read_one(raw: bytes | msgspec.Raw, index: int, *, numbered: bool = True) -> Event | ItemError:
    """One event, or what is wrong with it, naming the field; `numbered` where its `seq` is due."""
    try:
        event: Event = _one.decode(raw)
        if numbered and event.seq == UNNUMBERED:
            return without_number(index)
        if isinstance(raw, bytes):  # a line of its own; a list was looked at as a whole
            require_single_names(raw)
        return event
    except MalformedBody as error:
        return ItemError(index, error.code, error.detail)
    except msgspec.ValidationError as error:
        return problem(index, str(error))
    except (msgspec.DecodeError, RecursionError) as error:
        return ItemError(index, "malformed", f"not a JSON object: {error}")


def without_number(index: int) -> ItemError:
    """What is wrong with an event that has no number where it needs one."""
    return ItemError(index, "missing_field", "seq: required for this event type")


def problem(index: int, message: str) -> ItemError:
    """A parser's message as a problem: `Expected … - at `$.position`` names the field."""
    text, _, path = message.partition(" - at `")
    field = path.rstrip("`").removeprefix("$.").removeprefix("$")
    if "Invalid value" in text and field == "type":
        return ItemError(index, "unknown_type", f"type: {text}")
    if "missing required field" in text:
        name = text.split("`")[1]
        return ItemError(index, "missing_field", f"{name}: required for this event type")
    return ItemError(index, "invalid_field", f"{field or 'event'}: {text}")


def beyond_the_film(events: Iterable[Event], media_ms: int) -> list[int]:
    """The places of those that tell a position far beyond the film's end, where no play can be:
    they count in another unit, or over a whole course. Where most of those that tell one do, and
    run as no player does, all of them: the others happen to be small. A film that is longer than
    its course says runs like any other. What lies a little beyond is the end."""
    limit_s = (media_ms * BEYOND + BEYOND_MS) / 1000
    told = [(n, it, at) for n, it in enumerate(events) if (at := _farthest(it)) >= 0]
    beyond = [n for n, _, at in told if at > limit_s]
    if 2 * len(beyond) <= len(told) or _pace([(it, at) for _, it, at in told]) <= NO_PLAYER:
        return beyond
    return [n for n, *_ in told]


def _pace(told: Sequence[tuple[Event, float]]) -> float:
    """Positions a second by the events' own times, in the middle of all moves; 0 without one."""
    moves = [
        (to - start) / (client_ms(after.at_ms) - client_ms(before.at_ms)) * 1000
        for (before, start), (after, to) in pairwise(told)
        if to > start and client_ms(after.at_ms) > client_ms(before.at_ms)
    ]
    return median(moves) if moves else 0.0


def _farthest(event: Event) -> float:
    """The latest position that an event tells, in seconds; below 0 where it tells none."""
    if isinstance(event, SeekEvent):
        return event.target if event.origin is None else max(event.target, event.origin)
    position: float | None = getattr(event, "position", None)
    return -1.0 if position is None else position


def pack(events: Sequence[Event], recv_ms: int | Sequence[int]) -> Packed:
    """Pack events that reached the server `recv_ms` after the session's start; one time for a
    live batch, one for each event in an import."""
    rows: list[bytes] = []
    notes: list[dict[str, Any]] = []
    rising, previous = True, -1
    first_ms = last_ms = NONE
    moved = strange = watched = 0
    times = repeat(recv_ms) if isinstance(recv_ms, int) else recv_ms
    for event, recv in zip(events, times, strict=False):
        pos, x, mono, kind, flags = event.row()
        seq = event.seq
        at = event.at_ms
        if at.__class__ is not int or not EARLIEST_MS <= at < LATEST_MS:
            strange += at is None or not EARLIEST_MS <= at < LATEST_MS
            at = client_ms(at)
        rows.append(_pack(at, recv, seq, pos, x, mono, kind, flags))
        if kind == Kind.PROGRESS:
            watched = flags
        if seq <= previous:
            rising = False
        previous = seq
        if pos >= 0:
            if last_ms >= 0:
                moved += max(0, pos - last_ms)
            else:
                first_ms = pos
            last_ms = x if kind == Kind.SEEK and not flags else pos
        elif kind > Kind.FOCUS:
            note = event.note()
            if note is not None:
                notes.append(note)
    return Packed(
        b"".join(rows),
        len(rows),
        min(event.seq for event in events),
        max(event.seq for event in events),
        rising,
        notes,
        first_ms,
        last_ms,
        moved,
        strange,
        watched,
    )


def marked(packed: Packed, deliveries: Iterable[tuple[int, int]]) -> Packed:
    """The same with `Flag.REPEATING` where the delivery brought again what had come before.

    deliveries: (seq, receipt in ms from the session's start) of all that arrived, any order.
    """
    first: dict[int, int] = {}
    repeating: set[int] = set()
    for seq, recv in sorted(deliveries, key=lambda it: it[1]):
        if first.setdefault(seq, recv) < recv:
            repeating.add(recv)
    if not repeating:
        return packed
    records = records_of(packed.records).copy()
    records["flags"][np.isin(records["recv_ms"], list(repeating))] |= np.uint8(Flag.REPEATING)
    return replace(packed, records=records.tobytes())


def unheard(packed: Packed) -> Packed:
    """The same as told by whoever hears of no control by the answer."""
    records = records_of(packed.records).copy()
    records["flags"] |= np.uint8(Flag.REPEATING)
    return replace(packed, records=records.tobytes())


def split_lines(body: bytes) -> Iterator[bytes]:
    """The non-empty lines of an NDJSON body."""
    return (line for line in body.split(b"\n") if line.strip())
