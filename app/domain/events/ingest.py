"""Taking events in: a raw body becomes stored batches, and every event that is refused is named.

The usual body is decoded in one go. Only when the parser finds a fault is it read again event by
event, so that good events are kept and each bad one is reported by its index and field.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
import zstandard
from msgspec import Meta

from app.domain.events.events import (
    MOST_EVENTS,
    UNNUMBERED,
    AnyEvent,
    Event,
    client_ms,
    problem,
    read_one,
    split_lines,
    without_number,
)
from app.domain.plain_json import UTF8, require_single_names, require_utf8
from app.domain.wire import ItemError
from app.errors import BadInput, BodyTooLarge, MalformedBody, WrongMediaType

_STEP = 512
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")


BatchId = Annotated[str, Meta(min_length=1, max_length=128)]


class _Batch(msgspec.Struct):
    events: list[AnyEvent]  # `sent_at_ms` beside them is a client's word, and not read
    batch_id: BatchId | None = None


class _RawBatch(msgspec.Struct):
    events: list[msgspec.Raw]
    batch_id: BatchId | None = None


class _Addressed(msgspec.Struct):
    session_id: str


_whole = msgspec.json.Decoder(_Batch)
_raw = msgspec.json.Decoder(_RawBatch)
_address = msgspec.json.Decoder(_Addressed)


class Arrived(msgspec.Struct, frozen=True):
    """Events of a body with their index in it, and what was wrong with the others. Where the
    service is to number them, they are in order of their time, numbered from 0."""

    events: Sequence[Event]
    indices: Sequence[int]
    problems: list[ItemError]
    numbered: bool = True
    batch_id: str | None = None


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


def arrived(
    body: bytes, media_type: str, batch_id: str | None = None, *, must_number: bool = True
) -> Arrived:
    """The events of a batch for one session. Raises MalformedBody or BadInput for a body that is
    no batch at all; faults of single events come back as problems.

    `must_number`: events without `seq` are refused; `batch_id`: the one beside the body.
    """
    require_utf8(body)
    if media_type in NDJSON:
        return _numbering(_one_by_one(list(split_lines(body))), batch_id, must_number)
    if media_type not in ("", "application/json", "text/plain"):
        raise WrongMediaType("media_type", f"content-type {media_type!r} is not understood")
    try:
        batch = _whole.decode(body)
    except msgspec.ValidationError:
        raw = _raw_events(body)
        return _numbering(_one_by_one(raw.events), raw.batch_id or batch_id, must_number)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedBody("malformed_json", str(error)) from None
    require_single_names(body, "events")
    _check_count(len(batch.events))
    found = Arrived(batch.events, range(len(batch.events)), [])
    return _numbering(found, batch.batch_id or batch_id, must_number)


def _numbering(found: Arrived, batch_id: str | None, must_number: bool) -> Arrived:
    """The events, all with numbers of their client or all to be numbered by the service; of a
    mixture, those without are refused."""
    without = [event.seq == UNNUMBERED for event in found.events]
    if not any(without):
        return found
    if must_number or not all(without):
        kept = [n for n, lacks in enumerate(without) if not lacks]
        faults = [without_number(found.indices[n]) for n, lacks in enumerate(without) if lacks]
        return Arrived(
            [found.events[n] for n in kept],
            [found.indices[n] for n in kept],
            sorted([*found.problems, *faults], key=lambda fault: fault.index),
        )
    order = sorted(range(len(without)), key=_told_ms(found.events).__getitem__)
    for seq, n in enumerate(order):
        found.events[n].seq = seq
    return Arrived(
        [found.events[n] for n in order],
        [found.indices[n] for n in order],
        found.problems,
        numbered=False,
        batch_id=batch_id,
    )


def _told_ms(events: Sequence[Event]) -> list[int]:
    """The time of each by its client; one that tells none happened with the one before."""
    times: list[int] = []
    for event in events:
        known = event.at_ms is not None
        times.append(client_ms(event.at_ms) if known or not times else times[-1])
    return times


def addressed(
    body: bytes, media_type: str, batch_id: str | None = None
) -> tuple[dict[str, Arrived], list[ItemError]]:
    """Events of many sessions: (by session id, problems of events without one)."""
    require_utf8(body)
    raws: list[Any]
    if media_type in NDJSON:
        raws = list(split_lines(body))
    else:
        batch = _raw_events(body)
        raws, batch_id = list(batch.events), batch.batch_id or batch_id
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
        event = read_one(raw, index, numbered=False)
        if isinstance(event, ItemError):
            problems.append(event)
        else:
            events.append(event)
            indices.append(index)
    return {
        name: _numbering(Arrived(*found), batch_id, must_number=False)
        for name, found in sessions.items()
    }, lost


def _raw_events(body: bytes) -> _RawBatch:
    try:
        batch = _raw.decode(body)
        require_single_names(body, "events")
        return batch
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
        event = read_one(raw, index, numbered=False)
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
