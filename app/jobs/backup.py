"""A backup is a folder that holds one moment: the database, then every object of the photo store.

A photo is stored before its row, so every row of the copy finds its photo in the later listing.
A manifest, signed with the installation's key, names what there is by size and SHA-256: a backup
that was altered, or is another installation's, is refused before anything is put in place. Photos
that the backup before it holds are linked, not copied.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app import __version__
from app.canonical import canonical
from app.clock import SHANGHAI
from app.errors import BadInput, NotReady
from app.jobs import audit_watch, database_copy, erasures
from app.reports import signing
from app.security import Unsealable
from app.services import Services
from app.store import schema
from app.store.accounts import audit, vault_keys
from app.store.faces.blobs import MARKER, BlobMissing
from app.vault import SIGNATURES, Vault

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "signature.json"
OBJECTS, LISTING = "photos", "photos.ndjson"
HEAD = "audit-head.json"
MADE = "backup.made"
_UNFINISHED = ".part"
_LOCK = ".lock"
_PATIENCE_S = 60  # whoever encrypts objects anew pauses between steps


class KeptFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the backup, or an object of the photo store by its key."""

    name: str
    size: int
    sha256: str
    e_tag: str = ""  # how the store described it when it was copied


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """The key that the backup is signed with, as the master key wrapped it, in hex."""

    generation: int
    suite: str
    wrapped: str


class BackupManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. `files` are all but the photos, whose listing is one of them."""

    format: int
    version: str
    revision: str
    engine: str  # sqlite | postgresql
    made_ms: int
    photos: int
    photo_bytes: int
    files: list[KeptFile]
    signing_key: SigningKey | None = None  # None: it follows from the master key itself

    @property
    def database(self) -> KeptFile:
        (it,) = (it for it in self.files if it.name.startswith("database."))
        return it


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    folder: str
    photos: int
    photo_bytes: int
    linked: int  # photos that the backup before it holds too
    audit_broken: str  # what is wrong with the audit log; empty: nothing
    removed: list[str]  # earlier backups that were more than were to be kept


class BadBackup(BadInput):
    """The folder is no backup, was altered, or is another installation's."""


def make(
    services: Services, into: Path, *, dump: Path | None = None, keep: int | None = None
) -> Backup:
    """A new backup in a folder under `into`, named by the moment.

    dump: a dump that `pg_dump --format=custom` made just before, where its program is elsewhere.
    keep: how many to keep; older ones are removed once this one is whole.
    Raises NotReady when the database, the store or a disk does not do its part, or another backup
    is being made there; then nothing of it is left.
    """
    try:
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(into):
            for left in into.glob(f"*{_UNFINISHED}"):
                shutil.rmtree(left)
            return _make(services, into, dump, keep)
    except (OSError, sqlite3.Error) as error:
        raise NotReady("backup_failed", f"the backup was not made: {error}") from error


@contextmanager
def _alone(into: Path) -> Iterator[None]:
    """No other backup is made in this folder: it would take this one for what a killed one left."""
    with (into / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            detail = f"another backup is being made in {into}: let it end"
            raise NotReady("backup_running", detail) from error
        yield


@contextmanager
def _as_sealed(services: Services) -> Iterator[None]:
    """Nothing in the store is encrypted anew, by a key that the copied database does not know."""
    with services.database.alone_within(_PATIENCE_S, "backup") as mine:
        if not mine:
            detail = (
                "another backup is being made, or a great many files are encrypted anew: try again"
            )
            raise NotReady("backup_running", detail)
        yield


def _make(services: Services, into: Path, dump: Path | None, keep: int | None) -> Backup:
    now_ms = services.clock()
    name = datetime.fromtimestamp(now_ms / 1000, SHANGHAI).strftime("%Y-%m-%dT%H-%M-%S")
    part, before = into / (name + _UNFINISHED), finished(into, name)
    part.mkdir(mode=0o700)
    try:
        with _as_sealed(services):
            manifest, linked, broken = _write(
                services, part, before[-1] if before else None, dump, now_ms
            )
        part.rename(into / name)
    except BaseException:  # what is left would fill the disk until the next one
        shutil.rmtree(part, ignore_errors=True)
        raise
    with services.database.write() as connection:
        audit.append(
            connection,
            at_ms=now_ms,
            actor="system:cli",
            action=MADE,
            subject="database",
            detail={"photos": manifest.photos, "photo_bytes": manifest.photo_bytes},
        )
    surplus = [] if keep is None else [*before, into / name][:-keep]
    for old in surplus:
        shutil.rmtree(old)
    return Backup(
        folder=str(into / name),
        photos=manifest.photos,
        photo_bytes=manifest.photo_bytes,
        linked=linked,
        audit_broken=broken,
        removed=[it.name for it in surplus],
    )


def _write(
    services: Services, folder: Path, before: Path | None, dump: Path | None, now_ms: int
) -> tuple[BackupManifest, int, str]:
    """All of a backup into its folder; how many photos are those of the one before, and what is
    wrong with the audit log."""
    signing_key, key = _signing_key(services)  # before the copy, which an exchange may follow
    # First: what the head names is in the copy.
    broken = _copy_beside(services, folder, with_head=dump is None)
    database = folder / database_copy.file_name(services.database)
    if dump is None:
        database_copy.copy(services.database, database)
    else:
        shutil.copyfile(dump, database)
    listing, linked = _copy_photos(services, folder, before)
    manifest = BackupManifest(
        format=FORMAT,
        version=__version__,
        revision=schema.head(),
        engine="sqlite" if services.database.sqlite else "postgresql",
        made_ms=now_ms,
        photos=len(listing),
        photo_bytes=sum(it.size for it in listing),
        files=[_kept(it) for it in sorted(folder.iterdir()) if it.is_file()],
        signing_key=signing_key,
    )
    told = canonical(msgspec.to_builtins(manifest))
    (folder / MANIFEST).write_bytes(told)
    (folder / SIGNATURE).write_bytes(signing.signed(told, key))
    os.sync()
    return manifest, linked, broken


def finished(into: Path, now: str) -> list[Path]:
    """The whole backups in a folder, the newest last. Those that are named after a moment to come
    were made by a clock that was wrong, before this moment, and count as the oldest."""
    found = (it.parent for it in into.glob(f"*/{SIGNATURE}") if it.parent.suffix != _UNFINISHED)
    return sorted(found, key=lambda it: (it.name <= now, it.name))


def read(folder: Path, vault: Vault) -> BackupManifest:
    """The manifest of a backup whose files, except photos, are what they were. Raises BadBackup."""
    try:
        told = (folder / MANIFEST).read_bytes()
        signer = signing.check(told, (folder / SIGNATURE).read_bytes())
        manifest = msgspec.json.decode(told, type=BackupManifest)
    except (OSError, msgspec.DecodeError) as error:
        raise BadBackup("no_backup", f"{folder} is no backup: {error}") from error
    except signing.BadSignature as error:
        raise BadBackup("backup_altered", f"{folder / MANIFEST} {error}") from error
    if signer not in _own_keys(manifest, vault):
        raise BadBackup(
            "wrong_master_key",
            "this backup was made under another master key: set ZHENXUE_MASTER_KEY or"
            " ZHENXUE_MASTER_KEY_FILE to that one",
        )
    if manifest.format != FORMAT:
        raise BadBackup("backup_format", f"{folder} has a format that this version does not read")
    for file in manifest.files:
        require_same(folder / file.name, file)
    return manifest


def _signing_key(services: Services) -> tuple[SigningKey | None, Ed25519PrivateKey]:
    """The key that the backup tells of, and the same to sign it with."""
    master = services.vault.master
    with services.database.read() as connection:
        found = vault_keys.wrapped(connection, SIGNATURES, master)
    if found is None:
        return None, signing.private_key(services.vault)
    told = SigningKey(generation=found.generation, suite=found.suite, wrapped=found.wrapped.hex())
    key = vault_keys.unwrapped(SIGNATURES, found.generation, found.suite, found.wrapped, master)
    return told, signing.private_of(key)


def _own_keys(manifest: BackupManifest, vault: Vault) -> list[str]:
    """The public keys that this installation could have signed the backup with. The present one
    of the installation lies in the backup itself, and opens by the master key."""
    kept = manifest.signing_key
    if kept is None:
        return signing.own_keys(vault)
    try:
        wrapped = bytes.fromhex(kept.wrapped)
        key = vault_keys.unwrapped(SIGNATURES, kept.generation, kept.suite, wrapped, vault.master)
    except (Unsealable, ValueError):
        return []
    return [signing.public_of(key)]


def photos_of(folder: Path) -> Iterator[KeptFile]:
    """The objects that a backup holds; their bytes are not looked at."""
    with (folder / LISTING).open("rb") as lines:
        for line in lines:
            yield msgspec.json.decode(line, type=KeptFile)


def require_same(path: Path, file: KeptFile) -> None:
    """Raises BadBackup unless the file is what the manifest says."""
    try:
        found = _kept(path)
    except OSError as error:
        raise BadBackup("backup_altered", f"{path} is missing from the backup") from error
    if found.sha256 != file.sha256:
        raise BadBackup("backup_altered", f"{path} is not what was kept")


def _copy_photos(
    services: Services, folder: Path, before: Path | None
) -> tuple[list[KeptFile], int]:
    earlier = {it.name: it for it in photos_of(before)} if before else {}
    listing: list[KeptFile] = []
    linked = 0
    (folder / OBJECTS).mkdir()
    for key, e_tag in sorted(services.blobs.e_tags("").items()):
        if key == MARKER:
            continue
        target = folder / OBJECTS / key
        target.parent.mkdir(parents=True, exist_ok=True)
        known = earlier.get(key)
        same = known if known and known.e_tag == e_tag != "" else None
        if before and same and _linked(before / OBJECTS / key, target):
            listing.append(same)
            linked += 1
            continue
        try:
            data = services.blobs.get(key)
        except BlobMissing:
            continue  # purged since it was listed
        target.write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        listing.append(KeptFile(name=key, size=len(data), sha256=sha256, e_tag=e_tag))
    with (folder / LISTING).open("wb") as out:
        for it in listing:
            out.write(canonical(msgspec.to_builtins(it)) + b"\n")
    return listing, linked


def _linked(old: Path, new: Path) -> bool:
    """Whether the same file could stand in both backups; not every disk can."""
    try:
        os.link(old, new)
    except OSError:
        return False
    return True


def _copy_beside(services: Services, folder: Path, *, with_head: bool) -> str:
    """The list of erasures and the head of the audit log, which lie in the data folder; what is
    wrong with the log, if anything. Of a broken one the last head goes along, so that whoever
    restores it is told, and all else is kept."""
    listed = erasures.file_of(services)
    if listed.exists():
        shutil.copyfile(listed, folder / erasures.FILE)
    if not with_head:
        return ""
    wrong = ""
    try:
        head = audit_watch.write_head(services)
    except audit_watch.AuditBroken as error:
        wrong, head = error.detail, audit_watch.heads_in(audit_watch.folder_of(services))[-1]
    if head is not None:
        shutil.copyfile(head, folder / HEAD)
    return wrong


def _kept(path: Path) -> KeptFile:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return KeptFile(name=path.name, size=path.stat().st_size, sha256=sha256)
