"""A backup put in place on an empty machine, and everything in it held against what it must be.

Nothing is written before the master key and every file of the backup are found right.
Learners who were erased after the backup are erased again, by the newest list of erasures that is
there: the one of the data folder, the one that is named, or the backup's own.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from app.clock import system_clock
from app.db import Database
from app.errors import Conflict
from app.jobs import audit_watch, backup, database_copy, erasures
from app.jobs.backup import BackupManifest
from app.services import UNFINISHED, Services, database_of, vault_for
from app.settings import Settings
from app.store import schema
from app.store.events import event_log
from app.store.faces import photo_access
from app.store.faces.blobs import MARKER, Blobs
from app.whole_file import write_whole


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What was put in place, and what does not hold. `photos_missing` counts rows whose photo the
    backup lacks: what a purge removed while it was made is among them."""

    made_ms: int
    photos: int
    sittings: int
    photos_missing: int
    erased_again: int
    evidence_altered: list[str]  # ids of sittings whose events no longer fit their chain
    audit_problems: list[str]

    @property
    def whole(self) -> bool:
        return not self.evidence_altered and not self.audit_problems


def restore(
    settings: Settings,
    folder: Path,
    *,
    lists: Sequence[Path] = (),
    database_is_there: bool = False,
) -> Restored:
    """Put a backup in place and verify it.

    lists: lists of erasures (`erasures.ndjson`) that were kept elsewhere.
    database_is_there: the database was restored already, by `pg_restore` where that program is.
    Raises BadBackup, Conflict where something would be overwritten, and NotReady.
    """
    vault = vault_for(settings)
    manifest = backup.read(folder, vault)
    photos = list(backup.photos_of(folder))
    for photo in photos:
        backup.require_same(folder / backup.OBJECTS / photo.name, photo)
    with closing(database_of(settings, vault)) as database:
        blobs = Blobs(settings.resolved_blob_url)
        _require_fitting(manifest, database)
        data = settings.data_dir.resolve()
        goes_on = _goes_on(data / UNFINISHED, manifest)
        if not goes_on and any(key != MARKER for key in blobs.e_tags("")):
            raise Conflict("not_empty", "the photo store is not empty: restore into one that is")
        put_already = database_is_there or (goes_on and not database_copy.is_empty(database))
        if not put_already:
            database_copy.require_empty(database)
        # Before the database: whoever it brings back is erased again, whatever cuts this off.
        _lay_beside(data, folder, lists)
        write_whole(data / UNFINISHED, _name(manifest).encode())
        for photo in photos:
            blobs.put(photo.name, (folder / backup.OBJECTS / photo.name).read_bytes())
        if not put_already:
            database_copy.put(database, folder / manifest.database.name)
        schema.upgrade(database)
    restored = _verified(settings, manifest, {it.name for it in photos})
    (data / UNFINISHED).unlink()
    return restored


def _name(manifest: BackupManifest) -> str:
    return f"{manifest.made_ms} {manifest.database.sha256}"


def _goes_on(mark: Path, manifest: BackupManifest) -> bool:
    """Whether this backup was being put in place when that was cut off. Raises Conflict for
    another."""
    if not mark.exists():
        return False
    if mark.read_text() != _name(manifest):
        detail = "another backup was being restored here and was cut off: go on with that one"
        raise Conflict("restore_unfinished", detail)
    return True


def _require_fitting(manifest: BackupManifest, database: Database) -> None:
    engine = "sqlite" if database.sqlite else "postgresql"
    if manifest.engine != engine:
        raise Conflict(
            "other_database",
            f"the backup is of {manifest.engine}, ZHENXUE_DATABASE_URL names {engine}",
        )
    if not schema.known(manifest.revision):
        raise Conflict(
            "newer_backup",
            f"the backup is of version {manifest.version}, whose schema {manifest.revision} this"
            " version does not know: install that version or a newer one",
        )


def _lay_beside(data: Path, folder: Path, lists: Sequence[Path]) -> None:
    """The lists of erasures, joined, and the head of the audit log, into the data folder."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = data / erasures.FILE
    erasures.join(own, [folder / erasures.FILE, *lists])
    heads = data / audit_watch.FOLDER
    if (folder / backup.HEAD).exists():
        heads.mkdir(mode=0o700, exist_ok=True)
        shutil.copyfile(folder / backup.HEAD, heads / "restored.json")


def _verified(settings: Settings, manifest: BackupManifest, held: set[str]) -> Restored:
    services = Services.build(settings, system_clock)
    try:
        services.require_master_key()
        problems = audit_watch.verify(services)
        again = erasures.hold_together(services)
        with services.database.read() as connection:
            sittings, altered = event_log.altered(connection)
            stored = photo_access.kept_keys(connection)
    finally:
        services.stop()
    return Restored(
        made_ms=manifest.made_ms,
        photos=manifest.photos,
        sittings=sittings,
        photos_missing=len(stored - held),
        erased_again=again,
        evidence_altered=altered,
        audit_problems=problems,
    )
