"""What a running service holds: made once, handed to every edge, closed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from prometheus_client import CollectorRegistry

from app import __version__, tracing
from app.clock import Clock, system_clock
from app.db import Database
from app.domain.accounts import master_key
from app.domain.controls.scheduler import ControlScheduler
from app.domain.exchange.imports import Imports
from app.domain.faces.enrolling import EnrolmentDesk
from app.domain.faces.kept_photos import KeptPhotos
from app.domain.faces.photo_store import PhotoStore
from app.domain.sittings import sitting_life
from app.errors import NotReady
from app.security import MasterKey
from app.settings import Settings
from app.store import schema
from app.store.accounts import vault_keys
from app.store.events import archive
from app.store.events.events import EventStore
from app.store.exchange.workrooms import Workrooms
from app.store.faces import snapshots
from app.store.faces.blobs import Blobs
from app.vault import Ring, Vault
from app.vision.readers import FaceReaders

UNFINISHED = "restoring"  # in the data folder, while a backup is put in place


@dataclass
class Services:
    """`app.state.services` in the web process; commands and jobs build their own.

    Parts that need a start or a stop register it with `on_start` and `on_stop`; stops run in
    reverse order. `on_closed` are told the row id of every sitting that ended, or whose last photo
    was compared after its end, once that is committed. `checks` are what `/readyz` asks: a check
    raises when its part is not ready.
    Nothing here opens a connection or a thread before `start()`.
    """

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    controls: ControlScheduler
    photos: PhotoStore
    kept_photos: KeptPhotos
    readers: FaceReaders
    events: EventStore
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    checks: dict[str, Callable[[], Any]] = field(default_factory=dict)
    on_start: list[Callable[[], Any]] = field(default_factory=list)
    on_stop: list[Callable[[], Any]] = field(default_factory=list)
    on_closed: list[Callable[[int], Any]] = field(default_factory=list)

    @classmethod
    def build(cls, settings: Settings, clock: Clock = system_clock) -> Services:
        vault = vault_for(settings)
        database = database_of(settings, vault)
        blobs = Blobs(settings.resolved_blob_url, lambda: not _has_photos(database))
        photos = PhotoStore(vault, blobs, settings.max_image_bytes)
        archive.attach(database.engine, blobs.find)
        return cls(
            settings=settings,
            clock=clock,
            database=database,
            vault=vault,
            controls=ControlScheduler(database, vault),
            events=EventStore(database, sitting_life.of_batch),
            photos=photos,
            kept_photos=KeptPhotos(database, photos, clock),
            readers=FaceReaders(settings.face_workers, settings.model_files),
        )

    @property
    def blobs(self) -> Blobs:
        return self.photos.blobs

    @property
    def enrolments(self) -> EnrolmentDesk:
        return EnrolmentDesk(self.database, self.photos, self.readers, self.clock)

    @property
    def rooms(self) -> Workrooms:
        return Workrooms(self.settings.data_dir.resolve() / "incoming")

    @cached_property
    def imports(self) -> Imports:
        return Imports(
            database=self.database,
            clock=self.clock,
            vault=self.vault,
            photos=self.photos,
            max_bytes=self.settings.max_import_bytes,
            default_pack=self.settings.default_pack,
            closed=self.closed,
            rooms=self.rooms,
        )

    def require_whole(self) -> None:
        """Raises NotReady where a restore was cut off: what is here is half of a backup."""
        if (self.settings.data_dir / UNFINISHED).exists():
            raise NotReady(
                "restore_unfinished",
                "a restore was cut off here: run `zhenxue restore` with the same backup again",
            )

    def start(self) -> None:
        """Raises NotReady where the master key is not this database's, or half a backup is here."""
        self.require_whole()
        if schema.at_head(self.database):  # else `/readyz` tells
            self.require_master_key()
        with suppress(OSError):  # of a folder that is another user's
            self.settings.data_dir.chmod(0o700)
        self.rooms.sweep()
        tracing.begin(self.settings.otlp_endpoint, __version__)
        for begin in self.on_start:
            begin()

    def require_master_key(self) -> None:
        """Raises NotReady where the key is not this database's; its first one is taken over, and
        where 国密 is asked for, every key begins with it."""
        with self.database.read() as connection:
            known = master_key.require(connection, self.vault.master)
        if not known:
            with self.database.write() as connection:
                master_key.take_over(connection, self.vault, self.clock())

    def closed(self, session_ids: Iterable[int]) -> None:
        """Tell everyone who waits for it that these sittings can be judged."""
        for session_id in session_ids:
            for judge in self.on_closed:
                judge(session_id)

    def stop(self) -> None:
        """All parts, the last one first, whatever one of them raises."""
        with ExitStack() as ends:
            for end in (tracing.end, self.database.close, self.readers.stop, *self.on_stop):
                ends.callback(end)


def vault_for(settings: Settings) -> Vault:
    return Vault(settings.master_key.get_secret_value(), suite=settings.crypto_suite)


def database_of(settings: Settings, vault: Vault | None = None) -> Database:
    """The database, whose audit log is sealed with this installation's keys, and the vault that
    finds its keys there."""
    vault = vault or vault_for(settings)
    database = Database(settings.resolved_database_url)

    def look(master: MasterKey) -> Ring:
        with database.read() as connection:
            return vault_keys.ring(connection, master)

    vault.look_by(look)
    vault_keys.attach(database.engine, vault)
    return database


def _has_photos(database: Database) -> bool:
    with database.read() as connection:
        return snapshots.any_stored(connection) or archive.any_kept(connection)


@contextmanager
def open_services(
    settings: Settings | None = None, clock: Clock = system_clock
) -> Iterator[Services]:
    """Services for a command or a job, on a database that has this version's schema.

    In development an older database is migrated; in production that is NotReady, and
    `zhenxue migrate` does it. The parts are not started: call `start()` where they are needed.
    """
    services = Services.build(settings or Settings(), clock)
    try:
        services.require_whole()
        if services.settings.production:
            schema.require_head(services.database)
        else:
            schema.upgrade(services.database)
        services.require_master_key()
        tracing.begin(services.settings.otlp_endpoint, __version__)
        yield services
    finally:
        services.stop()
