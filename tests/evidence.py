"""Records of an import file: Lin's honest sitting, and the catalogue it happens in."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import Any

from tests.people import LIN, WU, course, instant, training_class

Record = dict[str, Any]
START_MS = instant("2026-03-03 19:00")


def catalogue() -> list[Record]:
    return [
        {"kind": "course", **course()},
        {"kind": "class", **training_class()},
        {"kind": "roster", "class_id": "c1", "learners": [LIN, WU]},
    ]


def sitting(
    session_id: str = "s1",
    *,
    learner_id: str = "lin",
    lesson_id: str = "l1",
    start_ms: int = START_MS,
    beats: int = 6,
    **changes: Any,
) -> list[Record]:
    """A sitting of `beats` heartbeats, ten seconds apart, and one pop-up answered."""
    end_ms = start_ms + 10_000 * (beats + 1)
    session: Record = {
        "kind": "session",
        "session_id": session_id,
        "learner_id": learner_id,
        "class_id": "c1",
        "lesson_id": lesson_id,
        "device_id": f"device-{learner_id}",
        "window_id": "w1",
        "client": {"user_agent": "Firefox"},
        "started_at_ms": start_ms,
        "ended_at_ms": end_ms,
        **changes,
    }
    popup = {"challenge_id": f"{session_id}-p1", "nonce": "n1"}
    issued_ms = start_ms + 25_000
    control = {"kind": "control", "session_id": session_id, "control": "popup", **popup}
    events = [event(session_id, 0, "play", start_ms, position=0.0)]
    events += [
        event(session_id, n, "progress", start_ms + 10_000 * n, position=10.0 * n, rate=1.0)
        for n in range(1, beats + 1)
    ]
    events.append(event(session_id, beats + 1, "popup_shown", issued_ms + 500, **popup))
    events.append(
        event(session_id, beats + 2, "popup_answered", issued_ms + 4_500, input="pointer", **popup)
    )
    return [session, {**control, "issued_at_ms": issued_ms}, *events]


def event(session_id: str, seq: int, kind: str, at_ms: int, **fields: Any) -> Record:
    return {
        "kind": "event",
        "session_id": session_id,
        "seq": seq,
        "type": kind,
        "at_ms": at_ms,
        "received_at_ms": at_ms + 40,
        **fields,
    }


def snapshot(session_id: str, file: str, at_ms: int, **fields: Any) -> Record:
    return {
        "kind": "snapshot",
        "session_id": session_id,
        "snapshot_id": f"{session_id}-{file}",
        "purpose": "random",
        "frame": 0,
        "taken_at_ms": at_ms,
        "received_at_ms": at_ms + 300,
        "file": file,
        **fields,
    }


def ndjson(records: Iterable[Record | bytes]) -> bytes:
    lines = (
        it if isinstance(it, bytes) else json.dumps(it, ensure_ascii=False).encode()
        for it in records
    )
    return b"\n".join(lines) + b"\n"


def zipped(records: Iterable[Record | bytes], files: dict[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("records.ndjson", ndjson(records))
        for name, data in (files or {}).items():
            archive.writestr(name, data)
    return buffer.getvalue()


def picture(shade: int = 128, size: int = 160) -> bytes:
    """A grey square as PNG: a readable picture with nobody in it."""
    rows = (b"\0" + bytes([shade]) * size) * size
    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
