"""Logs of months gone by, moved out of the database into files of the object store, and back.

A file is written, fetched again and found the same before a row of the database goes, and what
changed meanwhile stays. What is cut short is gone on with by the next call: each file is one
transaction, and a file that none names is written over by its like.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

import msgspec
import structlog
from sqlalchemy import Connection

from app.clock import day, midnight_ms
from app.errors import Conflict, NotReady
from app.services import Services
from app.store import partitions
from app.store.accounts import audit
from app.store.events import archivable, archive, event_log
from app.store.events.archivable import ArchivableSitting
from app.store.events.archive import ArchiveDamaged, ArchiveRow, SealedLog
from app.store.judging import runs as run_rows
from detectors.dates import months_later

LEAST_MONTHS = 1
_AT_ONCE = 500  # sittings of a file

log = structlog.get_logger("zhenxue.archive")


class Archived(msgspec.Struct, kw_only=True):
    """What one call moved. `kept`: sittings whose events do not fit their chain, or that changed
    meanwhile; `more`: the next call finds more."""

    files: int = 0
    sittings: int = 0
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
    over by then; at most about `most` sittings. Raises Conflict while another process does it,
    NotReady when database or store does not answer."""
    with services.database.alone("archive") as mine:
        if not mine:
            raise Conflict("archive_running", "another process archives just now")
        done = Archived()
        for month, some in _due(services, before(services, months)):
            full = most is not None and done.sittings >= most
            if full or (stopping is not None and stopping.is_set()):
                done.more = True
                break
            _move(services, actor, month, some, done)
        partitions.drop_emptied(services.database)
        return done


def _due(services: Services, first: date) -> Iterator[tuple[str, Sequence[ArchivableSitting]]]:
    """Month by month of each class, what makes a file."""
    before_ms = midnight_ms(first)
    with services.database.read() as connection:
        changed = set(run_rows.changed(connection, ()))
        classes = archivable.classes(connection, first.isoformat(), before_ms, changed)
    for class_id in classes:
        with services.database.read() as connection:
            found = archivable.sittings(connection, class_id, before_ms)
        for month, of_month in groupby(found, lambda it: day(it.opened_ms).isoformat()[:7]):
            rows = list(of_month)
            for at in range(0, len(rows), _AT_ONCE):
                yield month, rows[at : at + _AT_ONCE]


def _move(
    services: Services, actor: str, month: str, some: Sequence[ArchivableSitting], done: Archived
) -> None:
    with services.database.read() as connection:
        logs = archivable.whole(connection, [it.id for it in some])
    done.kept += len(some) - len(logs)
    if not logs:
        return
    class_id = some[0].class_id
    data = archive.packed(logs)
    digest = hashlib.sha256(data).digest()
    key = f"archives/{month}/class-{class_id}-{digest.hex()[:24]}.parquet"
    _put(services, key, data, logs)
    row = {
        "class_id": class_id,
        "month": month,
        "object_key": key,
        "sha256": digest,
        "size": len(data),
        "sittings": len(logs),
        "made_ms": services.clock(),
    }
    with services.database.write() as connection:
        ids = [it.session_id for it in logs]
        archivable.lock(connection, ids)
        same = set(logs) & set(archivable.whole(connection, ids))
        going = [it.session_id for it in logs if it in same]
        if going:
            archivable.remove(connection, going)
            archive.add(connection, row, going)
            told = {"month": month, "sittings": len(going), "object": key, "sha256": digest.hex()}
            _record(services, connection, actor, "events.archived", f"class:{class_id}", told)
            done.files += 1
    done.sittings += len(going)
    done.bytes += len(data)
    done.kept += len(logs) - len(going)


def _put(services: Services, key: str, data: bytes, logs: Sequence[SealedLog]) -> None:
    """Raises NotReady unless the store gives back what it was given, and it reads the same."""
    services.blobs.put(key, data)
    stored = services.blobs.find(key)
    if stored != data or list(archive.unpacked(stored).values()) != list(logs):
        raise NotReady("archive_store", f"the object store does not give {key} back as it was")


def files(services: Services) -> Sequence[ArchiveRow]:
    with services.database.read() as connection:
        return archive.files(connection)


def damaged(services: Services) -> list[str]:
    """What is wrong with the files that logs are read from: each fetched, its digest and the chain
    of every sitting in it made again."""
    problems = []
    for file in files(services):
        if not file.held:
            continue
        try:
            problems += _altered_in(services, file)
        except ArchiveDamaged as error:
            problems.append(error.detail)
    return problems


def _altered_in(services: Services, file: ArchiveRow) -> list[str]:
    with services.database.read() as connection:
        logs = archive.shelf_of(connection).read(file.object_key, file.sha256)
        ids = archive.sittings_in(connection, file.id)
        heads = archivable.heads(connection, ids)
    return [
        f"{file.object_key}: the events of sitting {heads[it].external_id} do not fit their chain"
        for it in ids
        if it not in logs
        or logs[it].chain != heads[it].chain
        or not event_log.verify(logs[it].manifest, logs[it].events, logs[it].notes, logs[it].chain)
    ]


def take_back(services: Services, actor: str, month: str | None = None) -> int:
    """Put the logs of one month, or all, back into the database; how many. The files stay. Raises
    ArchiveDamaged."""
    count = 0
    for file in files(services):
        if not file.held or month not in (None, file.month):
            continue
        with services.database.write() as connection:
            ids = archive.sittings_in(connection, file.id)
            archivable.lock(connection, ids)
            logs = list(archive.logs(connection, archive.sittings_in(connection, file.id)))
            if logs:
                event_log.put_back(connection, logs)
                told = {"month": file.month, "sittings": len(logs), "object": file.object_key}
                subject = f"class:{file.class_id}"
                _record(services, connection, actor, "events.returned", subject, told)
            count += len(logs)
    return count


def _record(
    services: Services,
    connection: Connection,
    actor: str,
    action: str,
    subject: str,
    detail: dict[str, object],
) -> None:
    audit.append(
        connection,
        at_ms=services.clock(),
        actor=actor,
        action=action,
        subject=subject,
        detail=detail,
    )
