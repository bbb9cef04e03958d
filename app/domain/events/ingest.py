"""Taking events in: a raw body becomes stored batches, and every event that is refused is named.

The usual body is decoded in one go. Only when the parser finds a fault is it read again event by
event, so that good events are kept and each bad one is reported by its index and field.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import zstandard

from app.domain.events.events import (
    MOST_EVENTS,
    AnyEvent,
    Event,
    problem,
    read_one,
    split_lines,
)
from app.domain.plain_json import UTF8, require_single_names, require_utf8
from app.domain.wire import ItemError
from app.errors import BadInput, BodyTooLarge, MalformedBody, WrongMediaType

_STEP = 512
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")


class _Batch(msgspec.Struct):
    events: list[AnyEvent]  # `sent_at_ms` beside them is a client's word, and not read


class _RawBatch(msgspec.Struct):
    events: list[msgspec.Raw]


class _Addressed(msgspec.Struct):
    session_id: str


_whole = msgspec.json.Decoder(_Batch)
_raw = msgspec.json.Decoder(_RawBatch)
_address = msgspec.json.Decoder(_Addressed)


@dataclass(frozen=True, slots=True)
class Arrived:
    """Events of a body with their index in it, and what was wrong with the others."""

    events: Sequence[Event]
    indices: Sequence[int]
    problems: list[ItemError]


def media_type_of(header: str) -> str:
    """The media type of a `content-type`, without its parameters. Raises WrongMediaType for a
    charset that is not UTF-8, which every reader here takes for granted."""
    media_type, *parameters = (it.strip().lower() for it in header.split(";"))
    for name, _, value in (it.partition("=") for it in parameters):
        if name.strip() == "charset" and value.strip().strip('"') not in UTF8:
            raise WrongMediaType("charset", f"charset {value[:40]!r}: send the body as UTF-8")
    return media_type


def decompressed(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its content encoding. Raises MalformedBody, BodyTooLarge, WrongMediaType."""
    if encoding in ("", "identity"):
        return body
    try:
        if encoding == "gzip":
            return _unpacked(lambda: zlib.decompressobj(wbits=31), body, encoding, limit)
        if encoding == "zstd":
            machine = zstandard.ZstdDecompressor()
            return _unpacked(machine.decompressobj, body, encoding, limit)
    except (zlib.error, zstandard.ZstdError) as error:
        raise MalformedBody("malformed_encoding", f"the body is not {encoding}: {error}") from None
    raise WrongMediaType("content_encoding", f"content-encoding {encoding!r} is not understood")


def _unpacked(machine: Callable[[], Any], body: bytes, encoding: str, limit: int) -> bytes:
    """Every member, or frame, one after the other: what follows the first was sent as well.

    In small steps, so that a bomb is noticed before it fills the memory.
    """
    parts: list[bytes] = []
    size, stream = 0, machine()
    for at in range(0, len(body), _STEP):
        rest = body[at : at + _STEP]
        while rest:
            if stream.eof:
                stream = machine()
            parts.append(stream.decompress(rest))
            size += len(parts[-1])
            if size > limit:
                raise BodyTooLarge("body_too_large", f"the body unpacks to more than {limit} bytes")
            rest = stream.unused_data if stream.eof else b""
    if not stream.eof:
        raise MalformedBody("malformed_encoding", f"the {encoding} body is cut short")
    return b"".join(parts)


def arrived(body: bytes, media_type: str) -> Arrived:
    """The events of a batch for one session. Raises MalformedBody or BadInput for a body that is
    no batch at all; faults of single events come back as problems."""
    require_utf8(body)
    if media_type in NDJSON:
        return _one_by_one(list(split_lines(body)))
    if media_type not in ("", "application/json", "text/plain"):
        raise WrongMediaType("media_type", f"content-type {media_type!r} is not understood")
    try:
        batch = _whole.decode(body)
    except msgspec.ValidationError:
        return _one_by_one(_raw_events(body))
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedBody("malformed_json", str(error)) from None
    require_single_names(body, "events")
    _check_count(len(batch.events))
    return Arrived(batch.events, range(len(batch.events)), [])


def addressed(body: bytes, media_type: str) -> tuple[dict[str, Arrived], list[ItemError]]:
    """Events of many sessions: (by session id, problems of events without one)."""
    require_utf8(body)
    raws: list[Any] = list(split_lines(body)) if media_type in NDJSON else list(_raw_events(body))
    _check_count(len(raws))
    sessions: dict[str, tuple[list[Event], list[int], list[ItemError]]] = {}
    lost: list[ItemError] = []
    for index, raw in enumerate(raws):
        try:
            session = _address.decode(raw).session_id
        except msgspec.ValidationError as error:
            lost.append(problem(index, str(error)))
            continue
        except (msgspec.DecodeError, RecursionError) as error:
            lost.append(ItemError(index, "malformed", f"not a JSON object: {error}"))
            continue
        events, indices, problems = sessions.setdefault(session, ([], [], []))
        event = read_one(raw, index)
        if isinstance(event, ItemError):
            problems.append(event)
        else:
            events.append(event)
            indices.append(index)
    return {name: Arrived(*found) for name, found in sessions.items()}, lost


def _raw_events(body: bytes) -> list[msgspec.Raw]:
    try:
        events = _raw.decode(body).events
        require_single_names(body, "events")
        return events
    except msgspec.ValidationError as error:
        fault = problem(0, str(error))
        raise BadInput("invalid_batch", fault.detail) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedBody("malformed_json", str(error)) from None


def _one_by_one(raws: Sequence[Any]) -> Arrived:
    _check_count(len(raws))
    events: list[Event] = []
    indices: list[int] = []
    problems: list[ItemError] = []
    for index, raw in enumerate(raws):
        event = read_one(raw, index)
        if isinstance(event, ItemError):
            problems.append(event)
        else:
            events.append(event)
            indices.append(index)
    return Arrived(events, indices, problems)


def _check_count(count: int) -> None:
    if count > MOST_EVENTS:
        raise BadInput(
            "too_many_events", f"events: {count} events, at most {MOST_EVENTS} in one batch"
        )
    if count == 0:
        raise BadInput("no_events", "events: at least one event is needed")
