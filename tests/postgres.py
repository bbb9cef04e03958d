"""A PostgreSQL server for tests, with one migrated database that every test finds empty."""

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
        self.name = f"zhenxue_test_{secrets.token_hex(6)}"

    def make(self) -> None:
        self._execute(f"CREATE DATABASE {self.name}")
        database = Database(self._url_of(self.name))
        schema.upgrade(database)
        database.close()

    def drop(self) -> None:
        self._execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    @contextmanager
    def another(self, name: str, *, migrated: bool = False) -> Iterator[str]:
        """A database of its own, empty or migrated, for what no other test should find."""
        name = f"{self.name}_{name}"
        template = f" TEMPLATE {self.name}" if migrated else ""
        self._execute(f"CREATE DATABASE {name}{template}")
        try:
            yield self._url_of(name)
        finally:
            self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    @contextmanager
    def emptied(self) -> Iterator[str]:
        """The migrated database. Whoever is still in it is thrown out afterwards, and what was
        written goes: a copy of a template for each test costs twenty times as much."""
        try:
            yield self._url_of(self.name)
        finally:
            self._execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                f" WHERE datname = '{self.name}'"
            )
            self._empty()

    def _empty(self) -> None:
        address = self.url.set(database=self.name).render_as_string(hide_password=False)
        with psycopg.connect(address) as connection:
            tables = connection.execute(
                "SELECT relname FROM pg_stat_user_tables WHERE relname <> 'alembic_version'"
            ).fetchall()
            questions = " UNION ALL ".join(
                f"(SELECT '{name}' FROM {name} LIMIT 1)" for (name,) in tables
            )
            connection.execute("SET session_replication_role = replica")  # keys may wait
            for (name,) in connection.execute(questions).fetchall():
                connection.execute(f"DELETE FROM {name}")
            connection.execute(
                "SELECT setval(format('%I', sequencename), start_value, false)"
                " FROM pg_sequences WHERE last_value IS NOT NULL"
            )

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
                server.drop()
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
