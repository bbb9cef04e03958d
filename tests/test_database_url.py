"""A database's address as operators write it, for SQLAlchemy and for PostgreSQL's own programs."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url

from app.database_url import environment
from app.settings import Settings


@pytest.mark.parametrize(
    ("written", "hosts", "ports"),
    [
        ("postgresql://zx:p%40w@db1:6432,db2:6433/zx", "db1,db2", "6432,6433"),
        ("postgres://zx:p%40w@db1,db2:6433/zx", "db1,db2", "5432,6433"),
        ("postgresql://zx:p%40w@[fd00::1]:6432,[fd00::2]/zx", "fd00::1,fd00::2", "6432,5432"),
        ("postgresql+psycopg://zx:p%40w@/zx?host=db1,db2&port=1,2", "db1,db2", "1,2"),
        ("postgresql://zx:p%40w@db1:6432/zx", "db1", "6432"),
    ],
)
def test_all_of_its_servers_are_told(written: str, hosts: str, ports: str) -> None:
    more = "target_session_attrs=read-write&sslmode=verify-full&sslrootcert=/ca.pem"
    settings = Settings(database_url=f"{written}{'&' if '?' in written else '?'}{more}")
    assert environment(make_url(settings.resolved_database_url)) == {
        "PGHOST": hosts,
        "PGPORT": ports,
        "PGUSER": "zx",
        "PGPASSWORD": "p@w",
        "PGDATABASE": "zx",
        "PGTARGETSESSIONATTRS": "read-write",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/ca.pem",
    }


def test_a_password_may_hold_what_stands_between_the_parts() -> None:
    settings = Settings(database_url="postgresql://zx:a#b/c,d@db1,db2/zx")
    told = environment(make_url(settings.resolved_database_url))
    assert (told["PGPASSWORD"], told["PGHOST"]) == ("a#b/c,d", "db1,db2")
