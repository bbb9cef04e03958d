"""A PostgreSQL server for tests, and quick copies of a migrated database on it."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url

from app.db import Database
from app.store import schema
from tests.machine import POSTGRESQL, lacks

_LOCAL = ("postgresql://postgres@127.0.0.1:5432/postgres", "postgresql://127.0.0.1:5432/postgres")


class Postgres:
    """Databases are named at random, so that several test runs share a server in peace."""

    def __init__(self, url: str) -> None:
        self.url: URL = make_url(url).set(drivername="postgresql")
        self.template = f"zhenxue_test_{secrets.token_hex(6)}"

    def make_template(self) -> None:
        self._execute(f"CREATE DATABASE {self.template}")
        database = Database(self._url_of(self.template))
        schema.upgrade(database)
        database.close()

    def drop_template(self) -> None:
        self._execute(f"DROP DATABASE IF EXISTS {self.template}")

    @contextmanager
    def copy_of_template(self) -> Iterator[str]:
        name = f"{self.template}_{secrets.token_hex(4)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {self.template}")
        try:
            yield self._url_of(name)
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _url_of(self, name: str) -> str:
        url = self.url.set(drivername="postgresql+psycopg", database=name)
        return url.render_as_string(hide_password=False)

    def _execute(self, statement: str) -> None:
        address = self.url.render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def find_postgres(folders: pytest.TempPathFactory) -> Iterator[Postgres | None]:
    given = os.environ.get("ZHENXUE_TEST_POSTGRES_URL")
    if given == "none":
        yield None
        return
    for url in (given,) if given else _LOCAL:
        if given or _answers(url):
            server = Postgres(url)
            try:
                yield server
            finally:
                server.drop_template()
            return
    binaries = _binaries()
    if binaries is None:
        yield None
        return
    with _throw_away(binaries, folders.mktemp("postgres")) as url:
        yield Postgres(url)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _binaries() -> Path | None:
    initdb = shutil.which("initdb")
    if initdb:
        return Path(initdb).parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return installed[-1].parent if installed else None


@contextmanager
def _throw_away(binaries: Path, folder: Path) -> Iterator[str]:
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # the server refuses to run as root
        lacks(POSTGRESQL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    start: list[str | Path] = ["start", "-w", "-l", folder / "log", "-o", options + " -c fsync=off"]
    subprocess.run([binaries / "pg_ctl", "-D", data, *start], check=True, stdout=subprocess.DEVNULL)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(
            [binaries / "pg_ctl", "-D", data, "stop", "-m", "immediate"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
