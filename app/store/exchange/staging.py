"""Records of an import, put in order on disk: a file may name a session before its class."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FRAME = struct.Struct("<QBI")
_IN_MEMORY = 32 * 1024 * 1024
_LAST = 2**62


@dataclass(frozen=True, slots=True)
class Staged:
    """One record: where it stood, a number for its kind, and its bytes as they came."""

    where: int
    kind: int
    raw: bytes


class Staging:
    """Records by stage and group. Used once, by one thread, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._file = sqlite3.connect(folder / "staging.sqlite", isolation_level=None)
        for statement in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "CREATE TABLE piece (stage TEXT, name TEXT, data BLOB)",
            "CREATE TABLE rank (stage TEXT, name TEXT, rank INTEGER, PRIMARY KEY (stage, name))",
        ):
            self._file.execute(statement)
        self._buffers: dict[tuple[str, str], bytearray] = {}
        self._size = 0

    def close(self) -> None:
        self._file.close()

    def add(self, stage: str, group: str, record: Staged) -> None:
        buffer = self._buffers.setdefault((stage, group), bytearray())
        buffer += _FRAME.pack(record.where, record.kind, len(record.raw))
        buffer += record.raw
        self._size += _FRAME.size + len(record.raw)
        if self._size > _IN_MEMORY:
            self._spill()

    def rank(self, stage: str, group: str, rank: int) -> None:
        """The group's place within its stage; the first word counts, unranked groups come last."""
        self._file.execute("INSERT OR IGNORE INTO rank VALUES (?, ?, ?)", (stage, group, rank))

    def seal(self) -> None:
        """Everything has been added."""
        self._spill()
        self._file.execute("CREATE INDEX piece_group ON piece (stage, name)")

    def groups(self, stage: str) -> Iterator[tuple[str, list[Staged]]]:
        """Groups by rank and name, each with its records in the order of the file."""
        names = self._file.execute(
            "SELECT DISTINCT piece.name FROM piece LEFT JOIN rank USING (stage, name)"
            " WHERE piece.stage = ? ORDER BY coalesce(rank.rank, ?), piece.name",
            (stage, _LAST),
        )
        for (name,) in names:
            pieces = self._file.execute(
                "SELECT data FROM piece WHERE stage = ? AND name = ?", (stage, name)
            )
            records = [record for (data,) in pieces for record in _records(data)]
            yield name, sorted(records, key=lambda record: record.where)

    def _spill(self) -> None:
        self._file.execute("BEGIN")
        self._file.executemany(
            "INSERT INTO piece VALUES (?, ?, ?)",
            ((stage, name, bytes(data)) for (stage, name), data in self._buffers.items()),
        )
        self._file.execute("COMMIT")
        self._buffers.clear()
        self._size = 0


def _records(data: bytes) -> Iterator[Staged]:
    at = 0
    while at < len(data):
        where, kind, size = _FRAME.unpack_from(data, at)
        at += _FRAME.size
        yield Staged(where, kind, data[at : at + size])
        at += size
