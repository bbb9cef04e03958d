"""The schema: brought to head by Alembic, and compared with it."""

from __future__ import annotations

import re
from functools import cache

from sqlalchemy import Connection, inspect, text

from app.db import MIGRATIONS, Database
from app.errors import NotReady

_REVISION = re.compile(r'^(revision|down_revision)(?:: [^=]+)? = "?([^"\n]+)"?', re.MULTILINE)
_MIGRATION_LOCK = 0x7A68656E  # an arbitrary number, the same in all our processes


@cache
def _parents() -> dict[str, str]:
    """Each revision's parent, read from the files: Alembic itself takes long to import."""
    texts = (it.read_text(encoding="utf-8") for it in (MIGRATIONS / "versions").glob("*.py"))
    found = (dict(_REVISION.findall(text)) for text in texts)
    return {it["revision"]: it["down_revision"] for it in found}


@cache
def head() -> str:
    """The newest revision."""
    (newest,) = _parents().keys() - _parents().values()
    return newest


def known(revision: str) -> bool:
    """Whether this version can bring a database at that revision to head."""
    return revision in _parents()


def current(connection: Connection) -> str | None:
    """The revision that the database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def at_head(database: Database) -> bool:
    with database.read() as connection:
        return current(connection) == head()


def require_head(database: Database) -> None:
    """Raises NotReady when the database is older or newer than this program."""
    if not at_head(database):
        raise NotReady(
            "not_migrated",
            "the database does not have this version's schema: run `zhenxue migrate`",
        )


def upgrade(database: Database) -> bool:
    """Bring the database to head; true when something was done. Safe to run twice at a time."""
    if at_head(database):
        return False

    from alembic import command
    from alembic.config import Config

    with database.write() as connection:
        database.unbounded(connection)
        if not database.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _MIGRATION_LOCK})
        if current(connection) == head():
            return False
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True
