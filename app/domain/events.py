"""Events of a sitting: from the wire's JSON to packed records, with every fault named.

One `Struct` per event type says what the type needs; msgspec checks it while it parses. Records
have the layout of `detectors.trace.EVENT`; words that no detector computes with (challenge ids,
nonces, answers, error texts) are kept beside them as notes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta, Struct

from app.store.packed import Packed
from detectors.trace import NONE, Flag, Integrity, Kind

MOST_EVENTS = 1000
EARLIEST_MS = 946_684_800_000  # 2000-01-01: no client clock that works says less
LATEST_MS = 4_102_444_800_000  # 2100-01-01

Seq = Annotated[int, Meta(ge=0, le=2**31 - 2)]
Instant = Annotated[int, Meta(ge=EARLIEST_MS, lt=LATEST_MS)]
Position = Annotated[float, Meta(ge=0, le=1_000_000)]
Rate = Annotated[float, Meta(ge=-100, le=100)]
Elapsed = Annotated[float, Meta(ge=0, le=2_000_000_000)]
Word = Annotated[str, Meta(max_length=128)]
Sentence = Annotated[str, Meta(max_length=2000)]

_pack = struct.Struct("<qiiiiiBB").pack
_SEEN = Flag.VISIBLE | Flag.FOCUSED

Row = tuple[int, int, int, int, int]  # pos_ms, x, mono_ms, kind, flags


class Event(Struct, tag_field="type", kw_only=True, gc=False):
    """What all events share. `row()` gives the type's own columns, `note()` its words."""

    kind: ClassVar[Kind]

    seq: Seq
    at_ms: Instant

    def row(self) -> Row:
        raise NotImplementedError

    def note(self) -> dict[str, Any] | None:
        return None


def _ms(seconds: float) -> int:
    return int(seconds * 1000 + 0.5)


class _Positioned(Event):
    position: Position

    def row(self) -> Row:
        return int(self.position * 1000 + 0.5), NONE, NONE, self.kind, 0


class Play(_Positioned, tag="play"):
    kind = Kind.PLAY


class Pause(_Positioned, tag="pause"):
    kind = Kind.PAUSE


class Waiting(_Positioned, tag="waiting"):
    kind = Kind.WAITING


class Playing(_Positioned, tag="playing"):
    kind = Kind.PLAYING


class Ended(Event, tag="ended"):
    kind = Kind.ENDED
    position: Position | None = None

    def row(self) -> Row:
        pos = NONE if self.position is None else _ms(self.position)
        return pos, NONE, NONE, self.kind, 0


class Progress(Event, tag="progress"):
    kind = Kind.PROGRESS
    position: Position
    rate: Rate = 1.0
    visible: bool | None = None
    focused: bool | None = None
    monotonic_ms: Elapsed | None = None

    def row(self) -> Row:
        flags = 0
        if self.visible is not None:
            flags = 1 if self.visible else 2
        if self.focused is not None:
            flags |= 4 if self.focused else 8
        mono = self.monotonic_ms
        return (
            int(self.position * 1000 + 0.5),
            int(self.rate * 1000),
            -1 if mono is None else int(mono),
            6,
            flags,
        )


class Seek(Event, tag="seek", rename={"origin": "from", "target": "to"}):
    kind = Kind.SEEK
    origin: Position
    target: Position
    blocked: bool = False

    def row(self) -> Row:
        flags = Flag.BLOCKED if self.blocked else 0
        return _ms(self.origin), _ms(self.target), NONE, self.kind, flags


class RateChange(Event, tag="rate"):
    kind = Kind.RATE
    rate: Rate
    position: Position | None = None

    def row(self) -> Row:
        pos = NONE if self.position is None else _ms(self.position)
        return pos, int(self.rate * 1000), NONE, self.kind, 0


class Visibility(Event, tag="visibility"):
    kind = Kind.VISIBILITY
    visible: bool
    position: Position | None = None

    def row(self) -> Row:
        pos = NONE if self.position is None else _ms(self.position)
        return pos, NONE, NONE, self.kind, Flag.VISIBLE if self.visible else Flag.HIDDEN


class Focus(Event, tag="focus"):
    kind = Kind.FOCUS
    focused: bool
    position: Position | None = None

    def row(self) -> Row:
        pos = NONE if self.position is None else _ms(self.position)
        return (
            pos,
            NONE,
            NONE,
            self.kind,
            Flag.FOCUSED if self.focused else Flag.BLURRED,
        )


class _Popup(Event):
    challenge_id: Word
    nonce: Word | None = None
    input: Word | None = None
    trusted: bool | None = None
    latency_ms: Elapsed | None = None
    answer: Sentence | int | float | bool | None = None

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
            if value is not None:
                note[name] = value
        return note


class PopupShown(_Popup, tag="popup_shown"):
    kind = Kind.POPUP_SHOWN


class PopupAnswered(_Popup, tag="popup_answered"):
    kind = Kind.POPUP_ANSWERED


class PopupExpired(_Popup, tag="popup_expired"):
    kind = Kind.POPUP_EXPIRED


class IntegrityFact(Event, tag="integrity"):
    kind = Kind.INTEGRITY
    code: Word
    value: Sentence | int | float | bool | None = None

    def row(self) -> Row:
        return NONE, _family(self.code, self.value), NONE, self.kind, 0

    def note(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "type": "integrity",
            "code": self.code,
            "value": self.value,
        }


class ClientError(Event, tag="error"):
    kind = Kind.ERROR
    code: Word
    detail: Sentence | None = None

    def row(self) -> Row:
        return NONE, NONE, NONE, self.kind, 0

    def note(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "type": "error",
            "code": self.code,
            "detail": self.detail,
        }


def _family(code: str, value: object) -> int:
    """What kind of fact an SDK's integrity code states; SDKs name them differently."""
    code = code.lower()
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
    Play
    | Pause
    | Waiting
    | Playing
    | Ended
    | Progress
    | Seek
    | RateChange
    | Visibility
    | Focus
    | PopupShown
    | PopupAnswered
    | PopupExpired
    | IntegrityFact
    | ClientError
)

_one = msgspec.json.Decoder(AnyEvent)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one event of a batch was not stored."""

    index: int
    code: str
    detail: str

    def body(self) -> dict[str, Any]:
        return {"index": self.index, "code": self.code, "detail": self.detail}


def read_one(raw: bytes | msgspec.Raw, index: int) -> Event | Problem:
    """One event, or what is wrong with it, naming the field."""
    try:
        event: Event = _one.decode(raw)
        return event
    except msgspec.ValidationError as error:
        return problem(index, str(error))
    except (msgspec.DecodeError, RecursionError) as error:
        return Problem(index, "malformed", f"not a JSON object: {error}")


def problem(index: int, message: str) -> Problem:
    """A parser's message as a problem: `Expected … - at `$.position`` names the field."""
    text, _, path = message.partition(" - at `")
    field = path.rstrip("`").removeprefix("$.").removeprefix("$")
    if "Invalid value" in text and field == "type":
        return Problem(index, "unknown_type", f"type: {text}")
    if "missing required field" in text:
        name = text.split("`")[1]
        return Problem(index, "missing_field", f"{name}: required for this event type")
    return Problem(index, "invalid_field", f"{field or 'event'}: {text}")


def pack(events: Sequence[Event], recv_ms: int | Sequence[int]) -> Packed:
    """Pack events that reached the server `recv_ms` after the session's start; one time for a
    live batch, one for each event in an import."""
    rows: list[bytes] = []
    notes: list[dict[str, Any]] = []
    rising, previous = True, -1
    first_ms = last_ms = NONE
    moved = 0
    times = repeat(recv_ms) if isinstance(recv_ms, int) else recv_ms
    for event, recv in zip(events, times, strict=False):
        pos, x, mono, kind, flags = event.row()
        seq = event.seq
        rows.append(_pack(event.at_ms, recv, seq, pos, x, mono, kind, flags))
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
    )


def split_lines(body: bytes) -> Iterator[bytes]:
    """The non-empty lines of an NDJSON body."""
    return (line for line in body.split(b"\n") if line.strip())
