"""Logs and ledgers of months gone by, moved out of the database into the object store, and back.

A file is written, fetched again and found the same before a row of the database goes, and what
changed meanwhile stays. What is cut short is gone on with by the next call: each file of logs is
one transaction, so are the two of ledgers, and a file that none names is written over by its like.
Where PostgreSQL's tables are cut into ranges no row is deleted: it goes with its range.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection, Table

from app.clock import day, midnight_ms
from app.errors import Conflict, NotReady
from app.services import Services
from app.store import partitions
from app.store.accounts import audit
from app.store.events import archivable, archive, event_log, ledgers
from app.store.events.archivable import ArchivableSitting
from app.store.events.archive import ArchiveDamaged, ArchiveRow
from app.store.events.ledgers import LedgerRow
from app.store.judging import runs as run_rows
from app.store.judging import unsettled
from detectors.dates import months_later

LEAST_MONTHS = 1
_AT_ONCE = 500  # sittings of a file
_LEDGERS_AT_ONCE = 100

log = structlog.get_logger("zhenxue.archive")


class Archived(msgspec.Struct, kw_only=True):
    """What one call moved: the logs of `sittings`, and of as many sittings `ledgers`. `kept`:
    sittings whose events do not fit their chain, or that changed meanwhile; `more`: the next call
    finds more."""

    files: int = 0
    sittings: int = 0
    ledgers: int = 0
    bytes: int = 0
    kept: int = 0
    more: bool = False


def before(services: Services, months: int) -> date:
    """The first day that is not old enough: of the month that many months ago."""
    today = day(services.clock())
    return months_later(today.replace(day=1), -months)


def perform(
    services: Services,
    actor: str,
    *,
    months: int,
    most: int | None = None,
    stopping: threading.Event | None = None,
) -> Archived:
    """Move the logs of sittings of before the last `months` whole months, of classes that were
    over by then, and the ledgers of those whose photos are gone; at most about `most` sittings.
    Raises Conflict while another process does it, NotReady when database or store does not answer.
    """
    with services.database.alone("archive") as mine:
        if not mine:
            raise Conflict("archive_running", "another process archives just now")
        done = Archived()
        for move, some in _due(services, before(services, months)):
            full = most is not None and done.sittings + done.ledgers >= most
            if full or (stopping is not None and stopping.is_set()):
                done.more = True
                break
            move(services, actor, some, done)
        partitions.drop_archived(services.database)
        return done


_Move = Callable[[Services, str, Sequence[ArchivableSitting], Archived], None]


def _due(services: Services, first: date) -> Iterator[tuple[_Move, Sequence[ArchivableSitting]]]:
    """What makes a file, or one of each table of the ledger."""
    yield from _of(services, first, archivable.classes, archivable.sittings, _AT_ONCE, _move)
    find, each = archivable.ledger_classes, archivable.ledger_sittings
    yield from _of(services, first, find, each, _LEDGERS_AT_ONCE, _move_ledgers)


def _of(
    services: Services,
    first: date,
    classes: Callable[[Connection, str, int], Sequence[int]],
    sittings: Callable[[Connection, int, int], Sequence[ArchivableSitting]],
    at_once: int,
    move: _Move,
) -> Iterator[tuple[_Move, Sequence[ArchivableSitting]]]:
    """Month by month of each class that nobody waits for."""
    before_ms = midnight_ms(first)
    with services.database.read() as connection:
        found = classes(connection, first.isoformat(), before_ms)
        changed = set(run_rows.changed(connection, (), services.clock()))
        if move is _move_ledgers:
            changed |= unsettled.classes_waiting(connection)
    found = [it for it in found if it not in changed]
    for class_id in found:
        with services.database.read() as connection:
            rows = sittings(connection, class_id, before_ms)
        for _, of_month in groupby(rows, _month):
            some = list(of_month)
            for at in range(0, len(some), at_once):
                yield move, some[at : at + at_once]


def _month(sitting: ArchivableSitting) -> str:
    return day(sitting.opened_ms).isoformat()[:7]


def _move(
    services: Services, actor: str, some: Sequence[ArchivableSitting], done: Archived
) -> None:
    with services.database.read() as connection:
        logs = archivable.whole(connection, [it.id for it in some])
    done.kept += len(some) - len(logs)
    if not logs:
        return
    data = archive.packed(logs)
    file = _file(services, some[0], archive.LOGS, data, len(logs))
    _put(services, file, data, lambda it: list(archive.unpacked(it).values()) == logs)
    with services.database.write() as connection:
        ids = [it.session_id for it in logs]
        archivable.lock(connection, ids)
        same = set(logs) & set(archivable.whole(connection, ids))
        going = [it.session_id for it in logs if it in same]
        if going:
            archive.add(connection, file, going)
            if not partitions.is_cut(connection, archive.LOGS):
                archivable.remove(connection, going)
            _record(services, connection, actor, "events.archived", file, len(going))
            done.files += 1
    done.sittings += len(going)
    done.bytes += len(data)
    done.kept += len(logs) - len(going)


def _move_ledgers(
    services: Services, actor: str, some: Sequence[ArchivableSitting], done: Archived
) -> None:
    ids = [it.id for it in some]
    with services.database.read() as connection:
        rows = {it.name: ledgers.stored(connection, it, ids) for it in ledgers.TABLES}
    files = {}
    for table in ledgers.TABLES:
        own = rows[table.name]
        if own:
            data = ledgers.packed(table, own)
            file = _file(services, some[0], table.name, data, len(some))
            _put(services, file, data, partial(_holds, table, own))
            files[table.name] = file
    with services.database.write() as connection:
        archivable.lock(connection, ids)
        same = all(
            ledgers.stored(connection, it, ids) == rows[it.name] for it in ledgers.TABLES
        ) and archivable.ledgers_at_rest(connection, ids) == set(ids)
        if same:
            ledgers.add(connection, ids, files, rows)
            if not partitions.is_cut(connection, ledgers.PHOTOS):
                ledgers.remove(connection, ids)
            for file in files.values():
                _record(services, connection, actor, "ledgers.archived", file, len(ids))
    if same:
        done.files += len(files)
        done.ledgers += len(ids)
        done.bytes += sum(it["size"] for it in files.values())
    else:
        done.kept += len(ids)


def _holds(table: Table, rows: Sequence[LedgerRow], data: bytes) -> bool:
    return [row for own in ledgers.unpacked(table, data).values() for row in own] == rows


def _file(
    services: Services, one: ArchivableSitting, kind: str, data: bytes, sittings: int
) -> dict[str, Any]:
    digest, month = hashlib.sha256(data).digest(), _month(one)
    what = "" if kind == archive.LOGS else f"{kind}-"
    return {
        "class_id": one.class_id,
        "month": month,
        "kind": kind,
        "object_key": f"archives/{month}/{what}class-{one.class_id}-{digest.hex()[:24]}.parquet",
        "sha256": digest,
        "size": len(data),
        "sittings": sittings,
        "made_ms": services.clock(),
    }


def _put(
    services: Services, file: Mapping[str, Any], data: bytes, reads_the_same: Callable[..., bool]
) -> None:
    """Raises NotReady unless the store gives back what it was given, and it reads the same."""
    key = file["object_key"]
    services.blobs.put(key, data)
    stored = services.blobs.find(key)
    if stored != data or not reads_the_same(stored):
        raise NotReady("archive_store", f"the object store does not give {key} back as it was")


def files(services: Services) -> Sequence[ArchiveRow]:
    with services.database.read() as connection:
        return archive.files(connection)


def damaged(services: Services) -> list[str]:
    """What is wrong with the files that rows are read from: each fetched, its digest and the chain
    of every sitting in it made again."""
    problems = []
    for file in files(services):
        if not file.held:
            continue
        try:
            problems += _altered_in(services, file) if _of_logs(file) else _lacking(services, file)
        except ArchiveDamaged as error:
            problems.append(error.detail)
    return problems


def _of_logs(file: ArchiveRow) -> bool:
    return file.kind == archive.LOGS


def _altered_in(services: Services, file: ArchiveRow) -> list[str]:
    with services.database.read() as connection:
        shelf = archive.shelf_of(connection)
        logs = shelf.read(file.object_key, file.sha256, archive.unpacked)
        ids = archive.sittings_in(connection, file.id)
        heads = archivable.heads(connection, ids)
    return [
        f"{file.object_key}: the events of sitting {heads[it].external_id} do not fit their chain"
        for it in ids
        if it not in logs
        or logs[it].chain != heads[it].chain
        or not event_log.verify(logs[it].manifest, logs[it].events, logs[it].notes, logs[it].chain)
    ]


def _lacking(services: Services, file: ArchiveRow) -> list[str]:
    (table,) = (it for it in ledgers.TABLES if it.name == file.kind)
    with services.database.read() as connection:
        shelf = archive.shelf_of(connection)
        held = shelf.read(file.object_key, file.sha256, partial(ledgers.unpacked, table))
        ids = ledgers.sittings_in(connection, file.kind, file.id)
        heads = archivable.heads(connection, ids)
    return [
        f"{file.object_key}: the {file.kind} of sitting {heads[it].external_id} are not in it"
        for it in ids
        if it not in held
    ]


def take_back(services: Services, actor: str, month: str | None = None) -> int:
    """Put logs and ledgers of one month, or all, back into the database; of how many sittings. The
    files stay. Raises ArchiveDamaged."""
    back: set[int] = set()
    for file in files(services):
        if not file.held or month not in (None, file.month):
            continue
        with services.database.write() as connection:
            ids, action = _back_of(connection, file)
            if ids:
                _record(services, connection, actor, action, _named(file), len(ids))
            back.update(ids)
    return len(back)


def _back_of(connection: Connection, file: ArchiveRow) -> tuple[Sequence[int], str]:
    """Which sittings' rows are in the database again, and what is told of it."""
    if not _of_logs(file):
        ids = ledgers.sittings_in(connection, file.kind, file.id)
        archivable.lock(connection, ids)
        return ledgers.put_back(connection, ids), "ledgers.returned"
    archivable.lock(connection, archive.sittings_in(connection, file.id))
    logs = list(archive.logs(connection, archive.sittings_in(connection, file.id)))
    if logs:
        event_log.put_back(connection, logs)
    return [it.session_id for it in logs], "events.returned"


def _named(file: ArchiveRow) -> dict[str, Any]:
    return {it: getattr(file, it) for it in ("class_id", "month", "object_key", "sha256")}


def _record(
    services: Services,
    connection: Connection,
    actor: str,
    action: str,
    file: Mapping[str, Any],
    sittings: int,
) -> None:
    told = {"month": file["month"], "sittings": sittings, "object": file["object_key"]}
    audit.append(
        connection,
        at_ms=services.clock(),
        actor=actor,
        action=action,
        subject=f"class:{file['class_id']}",
        detail=told | {"sha256": file["sha256"].hex()},
    )
