"""Logs of months gone by: out of the database, in Parquet files of the object store.

A file holds logs of one class's sittings of one month as they stood in `event_logs`, a row each,
and `archived_logs` says in which file a sitting's log lies. A file is only believed whole: its
digest stands in the database. Whoever reads logs finds them through the connection (`attach`).
Controls and photos' rows go into files of their own (`ledgers`).
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import reduce
from operator import add as add_up
from typing import Any, NamedTuple, Protocol, TypeVar

from arro3.core import Array, DataType, Table
from arro3.io import read_parquet, write_parquet
from sqlalchemy import Connection, Engine, delete, func, insert, select

from app.errors import NotReady
from app.store.row import fetch
from models import ArchivedLedger, ArchivedLog, EventArchive, EventLog, TrainingClass

COMPRESSION = "zstd(3)"
_OPENED = 4  # files that a process keeps unpacked
_SHELF = "zhenxue_archive"
LOGS = EventLog.__tablename__
Held = TypeVar("Held")
Unpack = Callable[[bytes], Mapping[int, Held]]
_BYTES = ("manifest", "events", "notes", "controls", "photos", "chain")


class SealedLog(NamedTuple):
    """A row of `event_logs`, wherever it lies."""

    session_id: int
    manifest: bytes
    events: bytes
    notes: bytes
    controls: bytes
    photos: bytes
    chain: bytes
    sealed_ms: int


class ArchiveDamaged(NotReady):
    """A file of the archive is gone, or is not what was put there: nothing is judged by it."""


class ArchiveRow(Protocol):
    id: int
    class_id: int
    klass: str
    month: str
    kind: str
    object_key: str
    sha256: bytes
    size: int
    sittings: int
    held: int
    made_ms: int


def packed(logs: Sequence[SealedLog]) -> bytes:
    """A file of these logs."""
    columns: dict[str, Any] = {
        name: Array([getattr(log, name) for log in logs], DataType.binary()) for name in _BYTES
    }
    for name in ("session_id", "sealed_ms"):
        columns[name] = Array([getattr(log, name) for log in logs], DataType.int64())
    buffer = io.BytesIO()
    write_parquet(Table.from_pydict(columns), buffer, compression=COMPRESSION)
    return buffer.getvalue()


def unpacked(data: bytes) -> dict[int, SealedLog]:
    """The logs of a file whose digest was found right, by sitting."""
    table = read_parquet(io.BytesIO(data)).read_all()
    columns = [table.column(name).to_pylist() for name in SealedLog._fields]
    return {row[0]: SealedLog(*row) for row in zip(*columns, strict=True)}


class ArchiveShelf:
    """Fetches files and keeps the last few unpacked. One a process; safe in several threads."""

    def __init__(self, get: Callable[[str], bytes | None]) -> None:
        self._get = get
        self._opened: OrderedDict[str, Mapping[int, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def opened(self, key: str, sha256: bytes, unpack: Unpack[Held]) -> Mapping[int, Held]:
        """What a file holds, by sitting. Raises ArchiveDamaged, and what the store raises when it
        does not answer."""
        with self._lock:
            known = self._opened.get(key)
            if known is not None:
                self._opened.move_to_end(key)
                return known
        found = self.read(key, sha256, unpack)
        with self._lock:
            self._opened[key] = found
            while len(self._opened) > _OPENED:
                self._opened.popitem(last=False)
        return found

    def read(self, key: str, sha256: bytes, unpack: Unpack[Held]) -> Mapping[int, Held]:
        """As `opened`, from the store itself."""
        data = self._get(key)
        if data is None or hashlib.sha256(data).digest() != sha256:
            what = "is gone" if data is None else "is not what was put there"
            raise ArchiveDamaged("archive_damaged", f"{key} of the object store {what}")
        return unpack(data)

    def of(self, key: str, sha256: bytes, unpack: Unpack[Held], session_id: int) -> Held:
        """A sitting's own. Raises ArchiveDamaged where the file lacks it; else as `opened`."""
        found = self.opened(key, sha256, unpack).get(session_id)
        if found is None:
            detail = f"{key} of the object store lacks a sitting"
            raise ArchiveDamaged("archive_damaged", detail)
        return found


def attach(engine: Engine, get: Callable[[str], bytes | None]) -> None:
    """Have everything that reads logs through the engine find those that are archived. `get`: an
    object by its key, None where there is none."""
    engine.update_execution_options(**{_SHELF: ArchiveShelf(get)})


def shelf_of(connection: Connection) -> ArchiveShelf:
    shelf: ArchiveShelf | None = connection.get_execution_options().get(_SHELF)
    if shelf is None:
        raise NotReady("no_archive", "this connection does not know the object store")
    return shelf


def logs(connection: Connection, session_ids: Collection[int]) -> Iterator[SealedLog]:
    """Of those sittings whose log is archived. Raises ArchiveDamaged."""
    if not session_ids:
        return
    query = (
        select(ArchivedLog.session_id, EventArchive.object_key, EventArchive.sha256)
        .join(EventArchive, EventArchive.id == ArchivedLog.archive_id)
        .where(ArchivedLog.session_id.in_(session_ids))
        .order_by(EventArchive.id)
    )
    for row in connection.execute(query).all():
        yield shelf_of(connection).of(row.object_key, row.sha256, unpacked, row.session_id)


def enter(connection: Connection, row: Mapping[str, Any]) -> int:
    """The id of a file: a new one, or that of a run whose rows were taken back since."""
    known = select(EventArchive.id).where(EventArchive.object_key == row["object_key"])
    archive_id = connection.execute(known).scalar()
    if archive_id is None:
        made = insert(EventArchive).values(**row).returning(EventArchive.id)
        archive_id = connection.execute(made).scalar_one()
    return archive_id


def add(connection: Connection, row: Mapping[str, Any], session_ids: Collection[int]) -> None:
    """Enter a file with the sittings whose logs lie in it from now on."""
    archive_id = enter(connection, row)
    rows = [{"session_id": it, "archive_id": archive_id} for it in sorted(session_ids)]
    connection.execute(insert(ArchivedLog), rows)


def taken_back(connection: Connection, session_ids: Collection[int]) -> None:
    """These logs stand in the database again."""
    connection.execute(delete(ArchivedLog).where(ArchivedLog.session_id.in_(session_ids)))


def files(connection: Connection) -> Sequence[ArchiveRow]:
    """All that were made, the oldest month first; `held` are the sittings still read from it."""
    places = (ArchivedLog.archive_id, ArchivedLedger.controls_id, ArchivedLedger.snapshots_id)
    own = (
        select(func.count()).where(it == EventArchive.id).correlate(EventArchive) for it in places
    )
    held = reduce(add_up, (it.scalar_subquery() for it in own))
    query = (
        select(
            *EventArchive.__table__.columns,
            TrainingClass.external_id.label("klass"),
            held.label("held"),
        )
        .join(TrainingClass, TrainingClass.id == EventArchive.class_id)
        .order_by(EventArchive.month, EventArchive.class_id, EventArchive.id)
    )
    return fetch(connection, query, ArchiveRow)


def sittings_in(connection: Connection, archive_id: int) -> Sequence[int]:
    """The sittings that are read from a file."""
    query = select(ArchivedLog.session_id).where(ArchivedLog.archive_id == archive_id)
    return connection.execute(query.order_by(ArchivedLog.session_id)).scalars().all()


def any_kept(connection: Connection) -> bool:
    """Whether rows of sittings lie in the object store."""
    places = (ArchivedLog.session_id, ArchivedLedger.session_id)
    return any(connection.execute(select(it).limit(1)).first() is not None for it in places)
