"""What a row costs on disk, its indexes included: events, controls, photos, verdicts, findings.

    python -m benchmarks.storage [--postgres URL] [--sessions 6400]

Classes of 80 × 40 of the day of `app.bench.day`, judged by a real night, then vacuumed. Photos
themselves lie in the object store and are not part of it; here a photo is its row.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from sqlalchemy import Connection, create_engine, text

from app.bench.day import EVENTS
from app.bench.machine import machine
from benchmarks import nightly
from benchmarks.assess import fresh

LEARNERS = 80
TABLES = ("event_logs", "controls", "snapshots", "sessions", "verdicts", "findings")
_SQLITE = """
    select sum(pgsize) from dbstat where name in
    (select name from sqlite_master where tbl_name = :table)
"""


def measure(name: str, url: str, sessions: int) -> None:
    fresh(url, sessions, LEARNERS).close()
    nightly.run(url, 1)
    engine = create_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        lite = connection.dialect.name == "sqlite"
        connection.execute(text("vacuum" if lite else "vacuum full"))
        print(f"{name}: {sessions:,} sittings of {EVENTS} events")
        whole = 0
        for table in TABLES:
            rows = connection.execute(text(f"select count(*) from {table}")).scalar_one()
            size = _size(connection, table, lite)
            whole += size
            print(f"  {table:<12}{rows:>10,} rows {size / max(rows, 1):>10,.0f} bytes a row")
            if table == "event_logs":
                print(f"  {'':<12}{rows * EVENTS:>10,} events {size / rows / EVENTS:>8,.1f} each")
        print(f"  a sitting with all that is known of it {whole / sessions:>10,.0f} bytes")
    engine.dispose()


def _size(connection: Connection, table: str, lite: bool) -> int:
    query = _SQLITE if lite else "select pg_total_relation_size(cast(:table as regclass))"
    return int(connection.execute(text(query), {"table": table}).scalar_one())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=6400)
    parser.add_argument("--postgres", help="URL of a PostgreSQL database; WHAT IS IN IT IS DELETED")
    arguments = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"sqlite:///{Path(folder) / 'rows.sqlite'}", arguments.sessions)
    if arguments.postgres:
        url = arguments.postgres.replace("postgresql://", "postgresql+psycopg://")
        measure("PostgreSQL", url, arguments.sessions)


if __name__ == "__main__":
    main()
