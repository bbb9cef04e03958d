"""The database: one engine, short transactions, the same code on SQLite (WAL) and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.pq import Format
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


class Database:
    """Connections for reading and for writing.

    On SQLite a write transaction takes the write lock at its start, so that two writers wait for
    each other instead of failing half-way. `read()` and `write()` give a Core connection; a
    `write()` commits when its block ends and rolls back on any exception.

    A query of much that is bytes says so by the execution option `zhenxue_binary`: as text,
    PostgreSQL spells them out in hexadecimal digits.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = self._engine(pool_size)

    def _engine(self, pool_size: int) -> Engine:
        if not self.sqlite:
            engine = create_engine(
                self.url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True
            )

            @event.listens_for(engine, "connect")
            def _plainly(connection, _record) -> None:  # type: ignore[no-untyped-def]
                connection.execute("SET jit = off")  # compiling costs our short queries more
                connection.commit()

            @event.listens_for(engine, "before_cursor_execute")
            def _format(_connection, cursor, _sql, _values, context, _many) -> None:  # type: ignore[no-untyped-def]
                if context.execution_options.get("zhenxue_binary", False):
                    cursor.format = Format.BINARY

            return engine
        if self.url.database and self.url.database != ":memory:":
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=2 * pool_size,
            connect_args={"timeout": 30, "check_same_thread": False},
        )

        @event.listens_for(engine, "connect")
        def _set_up(connection, _record) -> None:  # type: ignore[no-untyped-def]
            connection.isolation_level = None  # transactions are begun below, explicitly
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "foreign_keys=ON",
                "busy_timeout=30000",
                "secure_delete=ON",  # a destroyed key must not be read in the file's free space
                "cache_size=-65536",
            ):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            immediate = connection.get_execution_options().get("zhenxue_write", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

        return engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self.engine.connect().execution_options(zhenxue_write=True) as connection:
            with connection.begin():
                yield connection

    def ping(self) -> None:
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()
