"""What is an outage of the ground we stand on, and no fault of ours or of whoever asked: 503.

The database that is away, frozen, full or locked; the disk that is full or read-only. Whoever hears
it sends again, and nothing that was acknowledged is lost.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.errors import NotReady

RETRY_S = 5
_SQLITE = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}  # fmt: skip
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.EMFILE}
_VICTIM = ("40P01", "40001")  # of a deadlock, of transactions that cannot be put in order
READ_ONLY = "25006"  # a standby, or a server that was told to take nothing
# What the driver holds for a mistake of ours and is of the ground: a transaction that was ended for
# its length, a right or a table that was taken away, a page on the disk that is not as written.
_STATES = {READ_ONLY, "25P03", "25P04", "42501", "42P01", "XX001", "XX002"}


class DatabaseAway(NotReady):
    """The database does not answer, or cannot write."""


class DeadlockVictim(DatabaseAway):
    """The database undid this transaction for another's sake: the same again will do."""


class DiskFull(NotReady):
    """A disk of this machine takes nothing."""


@contextmanager
def told_as_outages() -> Iterator[None]:
    """Raises DatabaseAway, or DeadlockVictim, for what the database's driver calls an outage."""
    try:
        yield
    except PoolTimeout as error:
        detail = "all connections to the database are in use"
        raise DatabaseAway("database", detail, retry_after_s=RETRY_S) from error
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in _VICTIM:
            detail = "the database put another transaction first"
            raise DeadlockVictim("database", detail, retry_after_s=1) from error
        if not _away(error, state):
            raise
        detail = "the database does not answer, or takes nothing now"
        raise DatabaseAway("database", detail, retry_after_s=RETRY_S) from error


def of_disk(error: BaseException) -> DiskFull | None:
    """The outage that the refusal of an operating system tells of, or of a file that SQLite sorts
    in; None where it is something else."""
    refused = isinstance(error, OSError) and error.errno in _DISK
    if refused or (isinstance(error, sqlite3.Error) and _of_sqlite(error)):
        return DiskFull("disk", "the disk takes nothing now", retry_after_s=30)
    return None


def outage_of(error: BaseException) -> NotReady | None:
    """The outage that an exception came of, wherever it was wrapped."""
    seen: BaseException | None = error
    while seen is not None:
        found = seen if isinstance(seen, NotReady) else of_disk(seen)
        if found is not None:
            return found
        seen = seen.__cause__ or seen.__context__
    return None


def _away(error: DBAPIError, state: str | None) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(error.orig)
    if error.connection_invalidated or state in _STATES:
        return True
    return isinstance(error, OperationalError)


def _of_sqlite(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _SQLITE
