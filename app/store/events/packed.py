"""Events as they are stored: EVENT records end to end, and the words that go with them."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from detectors.trace import EVENT


class Packed(msgspec.Struct, frozen=True):  # made in a tenth of a dataclass's time
    """Events ready to be stored: EVENT records end to end, and the words that go with them.

    `moved_ms` is the forward movement of the position within the batch, from `first_ms` to
    `last_ms`; NONE where no event told a position. `strange_times` are events whose client names
    a time that no working clock shows, `watched` the flags of the last heartbeat.
    """

    records: bytes
    count: int
    first_seq: int
    last_seq: int
    rising: bool
    notes: list[dict[str, Any]]
    first_ms: int
    last_ms: int
    moved_ms: int
    strange_times: int = 0
    watched: int = 0


def records_of(data: bytes) -> NDArray[np.void]:
    """Packed records as columns, EVENT[n], without copying."""
    return np.frombuffer(data, EVENT)


def numbered_from(packed: Packed, first: int) -> Packed:
    """The same, its events numbered from `first` on instead of from 0."""
    records = records_of(packed.records).copy()
    records["seq"] += first
    notes = [{**note, "seq": note["seq"] + first} for note in packed.notes]
    return replace(
        packed,
        records=records.tobytes(),
        notes=notes,
        first_seq=packed.first_seq + first,
        last_seq=packed.last_seq + first,
    )


def note_bytes(notes: list[dict[str, Any]]) -> bytes:
    return msgspec.json.encode(notes) if notes else b""


def notes_of(data: bytes) -> list[dict[str, Any]]:
    return msgspec.json.decode(data) if data else []
