"""A consistent copy of the database while the service runs, by the database's own means, and back.

SQLite: `VACUUM INTO`, which leaves no freed pages behind. PostgreSQL: `pg_dump` and `pg_restore`,
which must be of the server's version or newer.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, inspect

from app.database_url import environment
from app.db import Database
from app.errors import Conflict, NotReady

_DUMP = ("pg_dump", "--format=custom", "--no-owner", "--no-privileges")
_RESTORE = (
    "pg_restore", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error",
)  # fmt: skip


def file_name(database: Database) -> str:
    return "database.sqlite" if database.sqlite else "database.dump"


def copy(database: Database, target: Path) -> None:
    """One moment of the database, as a new file. Raises NotReady."""
    if database.sqlite:
        with closing(sqlite3.connect(_file_of(database))) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    else:
        _run(database.url, *_DUMP, "--file", str(target))


def put(database: Database, copied: Path) -> None:
    """The copy in the place of a database that holds nothing. Raises NotReady."""
    if database.sqlite:
        place = _file_of(database)
        database.close()
        fresh = place.with_name(f"{place.name}.restoring")
        fresh.touch()
        fresh.chmod(0o600)  # before it holds anything
        shutil.copyfile(copied, fresh)
        with closing(sqlite3.connect(fresh)) as connection:
            (answer,) = connection.execute("PRAGMA integrity_check").fetchone()
        if answer != "ok":
            fresh.unlink()
            raise NotReady("backup_damaged", f"the copy of the database is damaged: {answer}")
        fresh.replace(place)
    else:
        _run(database.url, *_RESTORE, "--dbname", database.url.database or "", str(copied))


def is_empty(database: Database) -> bool:
    with database.read() as connection:
        return not inspect(connection).get_table_names()


def require_empty(database: Database) -> None:
    """Raises Conflict where something would be overwritten."""
    if not is_empty(database):
        raise Conflict(
            "not_empty",
            "there is a database already: a backup is restored onto an empty one only",
        )


def _file_of(database: Database) -> Path:
    return Path(database.url.database or "").resolve()


def _run(url: URL, program: str, *arguments: str) -> None:
    """A program of PostgreSQL's, told where by the environment: other users see arguments."""
    if shutil.which(program) is None:
        raise NotReady(
            "no_postgresql_client",
            f"{program} is not on this machine: install PostgreSQL's client, or run it where it is"
            " (docs/operations.md, Backup)",
        )
    done = subprocess.run(  # noqa: S603 - a program by its name, and paths
        [program, "--no-password", *arguments],
        env={**os.environ, **environment(url)},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        raise NotReady("database_copy_failed", f"{program}: {lines[0]}")
