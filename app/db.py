"""The database: one engine, short transactions, the same code on SQLite (WAL) and PostgreSQL."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import waiting
from psycopg.pq import Format
from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, make_url, text

from app import tracing
from app.outages import READ_ONLY, RETRY_S, DatabaseAway, told_as_outages

STATEMENT_S = 20  # what takes longer is given up by the server, and a little later by us
LOCK_S = 5
POOL_S = 10
_TRY_AGAIN_S = 0.05
SQLITE_LOCK_S = 10
_PATIENCE_S = STATEMENT_S + 5
_TERMS = (
    "SET {0} jit = off;"  # compiling costs our short queries more
    f"SET {{0}} statement_timeout = '{STATEMENT_S}s'; SET {{0}} lock_timeout = '{LOCK_S}s';"
    "SET {0} idle_in_transaction_session_timeout = '300s'"
)
_PROBE = text("UPDATE alembic_version SET version_num = version_num")
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def _make_own(file: Path) -> None:
    """The database's file, and its folder where there is none yet, for nobody else to read.

    A file that is there is never opened: who closes a file of a process gives up all locks that the
    process has on it, and the next process that leaves takes the write-ahead log away.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(OSError):  # it is there, or on a disk that takes nothing: said when used
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with suppress(OSError):  # of somebody else
        for it in (file, *file.parent.glob(f"{file.name}-*")):
            it.chmod(0o600)


def document_json(document: Any) -> str:
    """A document as its column keeps it; a struct is written as it is, without being unfolded."""
    if isinstance(document, msgspec.Struct):
        return msgspec.json.encode(document).decode()
    return json.dumps(document)


class _BoundedConnection(psycopg.Connection[Any]):
    """A frozen server keeps its sockets and answers nothing: nobody waits for it for ever."""

    patience_s: float | None = _PATIENCE_S

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            patience_s = timeout if timeout is not None else self.patience_s
            return waiting.wait(gen, self.pgconn.socket, interval=interval, timeout=patience_s)
        except psycopg.errors._WaitTimeout as error:
            self.pgconn.finish()
            raise psycopg.OperationalError("the server did not answer in time") from error


class Database:
    """Connections for reading and for writing.

    On SQLite a write transaction takes the write lock at its start, so that two writers wait for
    each other instead of failing half-way. `read()` and `write()` give a Core connection; a
    `write()` commits when its block ends and rolls back on any exception.

    PgBouncer in front of PostgreSQL is recognised, also where it pools by transaction: then nothing
    is left to a session, neither settings nor prepared statements nor locks.

    Whatever runs in them raises `app.outages.DatabaseAway` when the database does not answer within
    seconds, or cannot write.

    A query of much that is bytes says so by the execution option `zhenxue_binary`: as text,
    PostgreSQL spells them out in hexadecimal digits.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self._opened: tuple[int, int] | None = None  # SQLite's file, by device and inode
        self.engine = self._sqlite(pool_size) if self.sqlite else self._postgresql(pool_size)

    def _postgresql(self, pool_size: int) -> Engine:
        engine = create_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            json_serializer=document_json,
            pool_timeout=POOL_S,
            hide_parameters=True,  # names and more: errors of the database are logged
            # A lock's connection is silent for hours, and firewalls forget such.
            connect_args={"connect_timeout": LOCK_S, "keepalives_idle": 60},
        )

        @event.listens_for(engine, "do_connect")
        def _bounded(_dialect, _record, arguments, options) -> Any:  # type: ignore[no-untyped-def]
            return _BoundedConnection.connect(*arguments, **options)

        @event.listens_for(engine, "connect")
        def _plainly(connection, record) -> None:  # type: ignore[no-untyped-def]
            (serving,) = connection.execute("SELECT pg_backend_pid()").fetchone()
            record.info["pooled"] = pooled = serving != connection.info.backend_pid
            if pooled:  # a statement that was prepared is known to one of the pool's connections
                connection.prepare_threshold = None
            else:
                connection.execute(_TERMS.format(""))
            connection.commit()

        @event.listens_for(engine, "begin")
        def _in_a_pool(connection: Connection) -> None:
            if connection.info["pooled"]:  # what a session sets stays with whoever comes next
                connection.exec_driver_sql(_TERMS.format("LOCAL"))

        @event.listens_for(engine, "handle_error")
        def _to_a_standby(context: ExceptionContext) -> None:
            # It answers for ever, while another server takes what is written by now.
            if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
                context.is_disconnect = True

        @event.listens_for(engine, "before_cursor_execute")
        def _format(_connection, cursor, _sql, _values, context, _many) -> None:  # type: ignore[no-untyped-def]
            if context.execution_options.get("zhenxue_binary", False):
                cursor.format = Format.BINARY

        return engine

    def _sqlite(self, pool_size: int) -> Engine:
        if self.url.database and self.url.database != ":memory:":
            _make_own(Path(self.url.database))
        engine = create_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=2 * pool_size,
            json_serializer=document_json,
            pool_timeout=POOL_S,
            hide_parameters=True,
            connect_args={"timeout": SQLITE_LOCK_S, "check_same_thread": False},
        )

        @event.listens_for(engine, "connect")
        def _set_up(connection, _record) -> None:  # type: ignore[no-untyped-def]
            connection.isolation_level = None  # transactions are begun below, explicitly
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "foreign_keys=ON",
                f"busy_timeout={SQLITE_LOCK_S * 1000}",
                "secure_delete=ON",  # a destroyed key must not be read in the file's free space
                "cache_size=-65536",
            ):
                connection.execute(f"PRAGMA {pragma}")
            self._opened = self._opened or self._file()

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            immediate = connection.get_execution_options().get("zhenxue_write", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

        return engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        self._require_file()
        with tracing.part("database.read"), told_as_outages(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self._require_file()
        with tracing.part("database.write"), told_as_outages():
            with self.engine.connect().execution_options(zhenxue_write=True) as connection:
                with connection.begin():
                    yield connection

    def _file(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self.url.database or "")
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _require_file(self) -> None:
        """Raises DatabaseAway where SQLite's file was deleted, moved or replaced since it was
        opened: it would still take everything, and all of it were gone with the next start."""
        if self._opened is not None and self._file() != self._opened:
            detail = "the database's file is not the one that was opened: put it back, or restart"
            raise DatabaseAway("database", detail, retry_after_s=RETRY_S)

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """Whether this is the only process that does what the name says, on whatever machine (for
        SQLite: on the database's own), until the block ends or the process dies."""
        if self.sqlite:
            with Path(f"{self.url.database}.{name}.lock").open("a") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    yield False
                else:
                    yield True
            return
        # Of a transaction, not of a session: behind PgBouncer the next statement may find another.
        with told_as_outages(), self.engine.connect() as connection, connection.begin():
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            yield bool(
                connection.execute(
                    text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))"),
                    {"name": f"zhenxue:{name}"},
                ).scalar_one()
            )

    @contextmanager
    def alone_within(self, seconds: float, name: str) -> Iterator[bool]:
        """As `alone`, after as long a wait at most for whoever does it now."""
        until = time.monotonic() + seconds
        while True:
            with self.alone(name) as mine:
                if mine or time.monotonic() >= until:
                    yield mine
                    return
            time.sleep(_TRY_AGAIN_S)

    def unbounded(self, connection: Connection) -> None:
        """Let this transaction take its time: a migration of a large table does."""
        if not self.sqlite:
            connection.execute(text("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"))
            connection.connection.dbapi_connection.patience_s = None  # type: ignore[union-attr]

    def ping(self) -> None:
        """Raises DatabaseAway unless a transaction can write: a full disk reads well."""
        with self.write() as connection:
            connection.execute(_PROBE)

    @property
    def folder(self) -> Path | None:
        """Where the database's file lies, if it is one."""
        return Path(self.url.database).parent if self.sqlite and self.url.database else None

    def close(self) -> None:
        self.engine.dispose()
        self._opened = None
