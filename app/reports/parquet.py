"""The events of a package as Parquet, for whoever reads them with other tools than ours.

The same rows as `evidence/events.bin`, whose bytes the hash chains go over, with the sitting's and
the event type's names written out. One table in, one file out: the same events give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from arro3.core import Array, DataType, Table
from arro3.io import read_parquet, write_parquet

from app.store.exchange.package_rows import StoredLog
from detectors.trace import EVENT, Kind

COMPRESSION = "zstd(3)"
NAMED = ("session_id", "type")  # columns that the records do not have
_MAGIC = b"PAR1"
_TYPES = {int(it): it.name.lower() for it in Kind}


class UnreadableParquet(Exception):
    """Not Parquet, or not of these columns."""


def write(logs: Sequence[StoredLog], names: Sequence[str]) -> bytes:
    """All sittings' events, `names[i]` being what the platform calls the sitting of `logs[i]`."""
    buffer = io.BytesIO()
    write_parquet(_table(logs, names), buffer, compression=COMPRESSION)
    return buffer.getvalue()


def differs(data: bytes, logs: Sequence[StoredLog], names: Sequence[str]) -> str | None:
    """The first column that does not say what the records say. Raises Unreadable."""
    if len(data) < 12 or data[:4] != _MAGIC or data[-4:] != _MAGIC:
        raise UnreadableParquet("is not Parquet")
    expected = _table(logs, names)
    try:
        table = _read(data, expected.num_rows)
        if (
            table is None
            or table.column_names != expected.column_names
            or table.num_rows != expected.num_rows
        ):
            return "columns or rows"
        return next(
            (
                name
                for name in expected.column_names
                if table.column(name).to_pylist() != expected.column(name).to_pylist()
            ),
            None,
        )
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the reader panics, outside Exception, on a broken file
        raise UnreadableParquet(str(error)) from error


def _read(data: bytes, most: int) -> Table | None:
    """The file's rows, or None as soon as there are more than `most`: few bytes can claim many."""
    reader = read_parquet(io.BytesIO(data))
    batches, count = [], 0
    for batch in reader:
        count += batch.num_rows
        if count > most:
            return None
        batches.append(batch)
    return Table.from_batches(batches, schema=reader.schema)


def _table(logs: Sequence[StoredLog], names: Sequence[str]) -> Table:
    events = np.frombuffer(b"".join(log.events for log in logs), EVENT)
    counts = [len(log.events) // EVENT.itemsize for log in logs]
    sittings = [name for name, count in zip(names, counts, strict=True) for _ in range(count)]
    types = [_TYPES.get(kind, "") for kind in events["kind"].tolist()]
    return Table.from_pydict(
        {
            "session_id": Array(sittings, DataType.utf8()),
            "type": Array(types, DataType.utf8()),
            **{name: Array(np.ascontiguousarray(events[name])) for name in EVENT.names or ()},
        }
    )
