"""What a row costs on disk, its indexes included: events, controls, photos, verdicts, findings.

    [ZHENXUE_DATABASE_URL=postgresql+psycopg://…] python -m benchmarks.storage [--sessions 6400]

On a throw-away installation of the configured kind: classes of 80 × 40 of the day of
`app.bench.day`, judged by a real night, then vacuumed. Photos themselves lie in the object store
and are not part of it; here a photo is its row.
"""

from __future__ import annotations

import argparse

from sqlalchemy import Connection, create_engine, text

from app.bench import day, night, throw_away
from app.bench.day import EVENTS
from app.bench.machine import machine
from app.clock import system_clock
from app.settings import Settings

LEARNERS = 80
TABLES = ("event_logs", "controls", "snapshots", "sessions", "verdicts", "findings")
_SQLITE = """
    select sum(pgsize) from dbstat where name in
    (select name from sqlite_master where tbl_name = :table)
"""


def measure(settings: Settings, sessions: int) -> None:
    day.fill(settings, sessions, LEARNERS)
    night.judge(settings)
    engine = create_engine(settings.resolved_database_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        lite = connection.dialect.name == "sqlite"
        connection.execute(text("vacuum" if lite else "vacuum full"))
        print(f"{connection.dialect.name}: {sessions:,} sittings of {EVENTS} events")
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
    arguments = parser.parse_args()
    print(machine())
    with throw_away.installation(Settings(), system_clock()) as settings:
        measure(settings, arguments.sessions)


if __name__ == "__main__":
    main()
