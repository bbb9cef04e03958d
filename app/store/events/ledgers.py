"""Controls and photos' rows of sittings long over: out of the database, in Parquet files.

A file holds rows of one table, of one class's sittings of one month; `archived_ledgers` says in
which files a sitting's lie. From then on the files are what counts: rows that a range of the table
still holds until it is dropped are read by nobody. Whoever asks for a ledger of the past asks
`opened` for the tables to ask.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from arro3.core import Array, DataType
from arro3.core import Table as Columns
from arro3.io import read_parquet, write_parquet
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Table,
    and_,
    delete,
    exists,
    insert,
    select,
)
from sqlalchemy.orm import aliased
from sqlalchemy.schema import CreateTable, DropTable

from app.db import document_json
from app.store.events.archive import COMPRESSION, enter, shelf_of
from models import (
    ArchivedLedger,
    ArchivedPhoto,
    Control,
    EventArchive,
    PhotoCodeDue,
    Session,
    Snapshot,
)

TABLES: tuple[Table, ...] = (Control.__table__, Snapshot.__table__)  # type: ignore[assignment]
PHOTOS = Snapshot.__tablename__
_PLACE = {"controls": ArchivedLedger.controls_id, "snapshots": ArchivedLedger.snapshots_id}
_KINDS: Mapping[type, Callable[[], DataType]] = {
    bool: DataType.bool,
    int: DataType.int64,
    float: DataType.float64,
    str: DataType.string,
    bytes: DataType.binary,
}

LedgerRow = tuple[Any, ...]  # in the order of the table's columns


class OpenedLedger(NamedTuple):
    """What to ask for controls and photos' rows."""

    controls: type[Control]
    photos: type[Snapshot]

    @property
    def of_photo(self) -> ColumnElement[bool]:
        """A control and the photos that answer it; by the sitting as well, so that PostgreSQL looks
        in one range where the tables are cut into some."""
        control, photo = self
        return and_(control.session_id == photo.session_id, control.id == photo.control_id)


def opened(connection: Connection, *mine: ColumnElement[bool]) -> OpenedLedger:
    """The tables to ask for the ledgers of some sittings (conditions on `Session`): those of the
    database, or, where any is archived, copies with all of them, until the next call on this
    connection. Raises ArchiveDamaged."""
    archived = (
        select(ArchivedLedger.session_id)
        .join(Session, Session.id == ArchivedLedger.session_id)
        .where(*mine)
    )
    ids = connection.execute(archived).scalars().all()
    if not ids:
        return OpenedLedger(Control, Snapshot)
    copies = [_copy(connection, table, ids, mine) for table in TABLES]
    controls, photos = copies
    return OpenedLedger(
        aliased(Control, controls, adapt_on_names=True),
        aliased(Snapshot, photos, adapt_on_names=True),
    )


def _copy(
    connection: Connection, table: Table, archived: Collection[int], mine: Sequence[Any]
) -> Table:
    temporary = {"prefixes": ["TEMPORARY"], "postgresql_on_commit": "DROP"}
    copy = _like(table, f"opened_{table.name}", **temporary)
    connection.execute(DropTable(copy, if_exists=True))
    connection.execute(CreateTable(copy))
    kept = select(table).join(Session, Session.id == table.c.session_id)
    gone = exists().where(ArchivedLedger.session_id == Session.id).correlate(Session)
    kept = kept.where(*mine, ~gone)
    connection.execute(insert(copy).from_select([it.name for it in table.c], kept))
    _put(connection, copy, [row for rows in of(connection, table, archived) for row in rows])
    return copy


def _like(table: Table, name: str, **options: Any) -> Table:
    """Its columns without any constraint; a document that is None is null."""
    columns = (
        Column(
            it.name, JSON(none_as_null=True) if isinstance(it.type, JSON) else it.type,
            autoincrement=False,
        )
        for it in table.c
    )  # fmt: skip
    return Table(name, MetaData(), *columns, **options)


def _put(connection: Connection, table: Table, rows: Sequence[LedgerRow]) -> None:
    if rows:
        names = [it.name for it in table.c]
        values = [dict(zip(names, row, strict=True)) for row in rows]
        connection.execute(insert(table), values)


def packed(table: Table, rows: Sequence[LedgerRow]) -> bytes:
    """A file of these rows."""
    columns: dict[str, Any] = {}
    for place, column in enumerate(table.c):
        values = [row[place] for row in rows]
        kind: type = str if isinstance(column.type, JSON) else column.type.python_type
        if isinstance(column.type, JSON):
            values = [None if it is None else document_json(it) for it in values]
        columns[column.name] = Array(values, _KINDS[kind]())
    buffer = io.BytesIO()
    write_parquet(Columns.from_pydict(columns), buffer, compression=COMPRESSION)
    return buffer.getvalue()


def unpacked(table: Table, data: bytes) -> dict[int, list[LedgerRow]]:
    """The rows of a file whose digest was found right, by sitting."""
    read = read_parquet(io.BytesIO(data)).read_all()
    columns: list[Any] = []
    for column in table.c:
        values = read.column(column.name).to_pylist()
        documents = isinstance(column.type, JSON)
        columns.append([json.loads(it) if documents and it else it for it in values])
    sitting = list(table.c.keys()).index("session_id")
    found: dict[int, list[LedgerRow]] = {}
    for row in zip(*columns, strict=True):
        found.setdefault(row[sitting], []).append(row)
    return found


def stored(connection: Connection, table: Table, session_ids: Collection[int]) -> list[LedgerRow]:
    """The rows of these sittings that the database has, in the order in which a file has them."""
    query = select(table).where(table.c.session_id.in_(session_ids))
    rows = connection.execute(query.order_by(table.c.session_id, table.c.id))
    return [tuple(row) for row in rows]


def of(connection: Connection, table: Table, session_ids: Collection[int]) -> list[list[LedgerRow]]:
    """The rows of those of these sittings that are archived. Raises ArchiveDamaged."""
    query = (
        select(ArchivedLedger.session_id, EventArchive.object_key, EventArchive.sha256)
        .join(EventArchive, EventArchive.id == _PLACE[table.name])
        .where(ArchivedLedger.session_id.in_(session_ids))
        .order_by(EventArchive.id)
    )
    unpack = partial(unpacked, table)
    places = connection.execute(query).all()
    shelf = shelf_of(connection)
    return [shelf.of(it.object_key, it.sha256, unpack, it.session_id) for it in places]


def add(
    connection: Connection,
    session_ids: Collection[int],
    files: Mapping[str, Mapping[str, Any]],
    rows: Mapping[str, Sequence[LedgerRow]],
) -> None:
    """Enter files, by table, with the sittings whose ledgers lie in them from now on. `rows`: what
    they hold of these sittings."""
    held = {
        table.name: (enter(connection, files[table.name]), _sittings(table, rows[table.name]))
        for table in TABLES
        if rows[table.name]
    }
    places = [
        {f"{name}_id": key if it in own else None for name, (key, own) in held.items()}
        | {"session_id": it}
        for it in sorted(session_ids)
    ]
    connection.execute(insert(ArchivedLedger), places)
    names = list(Snapshot.__table__.c.keys())
    photos = [dict(zip(names, row, strict=True)) for row in rows["snapshots"]]
    kept = list(ArchivedPhoto.__table__.c.keys())
    if photos:
        connection.execute(insert(ArchivedPhoto), [{it: row[it] for it in kept} for row in photos])


def _sittings(table: Table, rows: Sequence[LedgerRow]) -> set[int]:
    place = list(table.c.keys()).index("session_id")
    return {row[place] for row in rows}


def remove(connection: Connection, session_ids: Collection[int]) -> None:
    """Take their rows out of the tables; photos without bytes wait for no further reading."""
    photos = select(Snapshot.id).where(Snapshot.session_id.in_(session_ids))
    connection.execute(delete(PhotoCodeDue).where(PhotoCodeDue.snapshot_id.in_(photos)))
    for table in reversed(TABLES):  # a photo names its control
        connection.execute(delete(table).where(table.c.session_id.in_(session_ids)))


def put_back(connection: Connection, session_ids: Collection[int]) -> list[int]:
    """Those of these sittings whose ledgers were archived; they are in the tables again. Raises
    ArchiveDamaged."""
    mine = ArchivedLedger.session_id.in_(session_ids)
    query = select(ArchivedLedger.session_id).where(mine)
    ids = list(connection.execute(query.order_by(ArchivedLedger.session_id)).scalars())
    if ids:
        rows = {it: [row for own in of(connection, it, ids) for row in own] for it in TABLES}
        remove(connection, ids)
        for table in TABLES:
            _put(connection, _like(table, table.name), rows[table])
        for model in (ArchivedPhoto, ArchivedLedger):
            connection.execute(delete(model).where(model.session_id.in_(ids)))
    return ids


def sittings_in(connection: Connection, table: str, archive_id: int) -> Sequence[int]:
    """The sittings whose rows of a table are read from a file."""
    query = select(ArchivedLedger.session_id).where(_PLACE[table] == archive_id)
    return connection.execute(query.order_by(ArchivedLedger.session_id)).scalars().all()
