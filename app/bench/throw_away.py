"""A throw-away installation of the configured kind: measured on, then removed.

Nothing of the configured one is read or written: it gives a place on the same disk or on the same
database server, and the models.
"""

from __future__ import annotations

import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr
from sqlalchemy import URL, make_url

from app.db import Database
from app.errors import NotReady
from app.settings import Environment, Settings
from app.store import schema

LEFT_AFTER_MS = 3_600_000  # a run takes minutes: what is older was left by one that was killed
_FREE_BYTES = 2**30
_NAME = re.compile(r"zhenxue_bench_(\d+)_[0-9a-f]{8}")


@contextmanager
def installation(configured: Settings, now_ms: int) -> Iterator[Settings]:
    """Settings of an empty installation at this version's schema; it is gone in the end.

    With SQLite it is a folder beside the configured database, on the same disk. With PostgreSQL it
    is a database of its own on the same server, and a folder in the data folder. What a killed run
    left an hour ago is removed as well. Raises NotReady when there is no place for it.
    """
    name = f"zhenxue_bench_{now_ms // 1000}_{secrets.token_hex(4)}"
    configured_url = make_url(configured.resolved_database_url)
    if configured_url.get_backend_name() == "sqlite":
        with _folder(Path(configured_url.database or "."), name, now_ms) as folder:
            yield _migrated(apart(folder, f"sqlite:///{folder / 'bench.sqlite'}"))
        return
    with (
        _folder(configured.data_dir / "data", name, now_ms) as folder,
        _database(configured_url, name, now_ms) as url,
    ):
        yield _migrated(apart(folder, url.render_as_string(hide_password=False)))


def apart(folder: Path, database_url: str, **changes: Any) -> Settings:
    """Settings that share nothing with the configured ones but the models: another database,
    folder, key and port on loopback, and no face worker."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Settings(
        **{
            "env": Environment.DEVELOPMENT,
            "master_key": SecretStr(secrets.token_hex(32)),
            "database_url": database_url,
            "data_dir": folder,
            "blob_url": (folder / "blobs").as_uri(),
            "host": "127.0.0.1",
            "port": port,
            "executor": "processes:1",
            "face_workers": 0,
            "purge_cron": "",
            "api_requests_per_minute": 0,
            "platform_bytes_a_day": 0,
            **changes,
        }
    )


def _migrated(settings: Settings) -> Settings:
    database = Database(settings.resolved_database_url)
    try:
        schema.upgrade(database)
    finally:
        database.close()
    return settings


@contextmanager
def _folder(beside: Path, name: str, now_ms: int) -> Iterator[Path]:
    """A folder on the disk where `beside` is or would be."""
    place = next(it for it in beside.resolve().parents if it.is_dir())
    try:
        for old in place.glob("zhenxue_bench_*"):
            if _left(old.name, now_ms):
                shutil.rmtree(old)
        folder = place / name
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise NotReady("bench_folder", f"nothing can be written in {place}: {error}") from error
    try:
        free = shutil.disk_usage(folder).free
        if free < _FREE_BYTES:
            raise NotReady(
                "bench_disk", f"the disk of {place} has {free / 2**20:.0f} MiB free, not 1 GiB"
            )
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _database(configured: URL, name: str, now_ms: int) -> Iterator[URL]:
    address = configured.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(address, autocommit=True, connect_timeout=10) as server:
            listed = server.execute("SELECT datname FROM pg_database").fetchall()
            for old in (it for (it,) in listed if _left(it, now_ms)):
                server.execute(f"DROP DATABASE IF EXISTS {old} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotReady(
            "bench_database",
            f"the database's user may not make a database for the measurement ({_line(error)}): "
            "give it the right for as long (ALTER ROLE … CREATEDB), or let ZHENXUE_DATABASE_URL "
            "name a user that has it",
        ) from error
    except psycopg.Error as error:
        raise NotReady("bench_database", f"the database does not serve: {_line(error)}") from error
    try:
        yield configured.set(database=name)
    finally:
        with psycopg.connect(address, autocommit=True) as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _left(name: str, now_ms: int) -> bool:
    found = _NAME.fullmatch(name)
    return found is not None and now_ms - int(found[1]) * 1000 > LEFT_AFTER_MS


def _line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0]
