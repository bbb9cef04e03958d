"""How many events one service process takes, each acknowledged only once the disk has it.

    python -m benchmarks.ingest [--postgres URL] [--seconds 5] [--batches 1,50,500]

Starts the service as its users do (one uvicorn process), opens one sitting per connection through
the public interface, and posts batches from a client process over loopback. Prints events/s,
requests/s, p50 and p99 of the acknowledgement, service CPU per event, and stored bytes per event.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
from pathlib import Path

from sqlalchemy import create_engine, text

from app.bench import load, throw_away
from app.bench.machine import machine
from app.bench.service import Service, open_sittings, running


def measure(service: Service, sessions: list[str], size: int, seconds: float, seq: int) -> int:
    """One row of the table; the next free seq."""
    seq = load.warm(service, sessions, size, seq)
    stored, cpu = _stored(service), _cpu_s(service)
    taken = load.measure(service, sessions, size, seconds, seq)
    cpu = _cpu_s(service) - cpu
    grown = _stored(service) - stored
    events = taken.requests * size
    print(
        f"{size:>6} {taken.events_per_s:>12,.0f} {taken.requests_per_s:>11,.0f}"
        f" {1000 * taken.p50_s:>8.1f} {1000 * taken.p99_s:>8.1f}"
        f" {cpu / events * 1e6:>13.2f} {grown / events:>12.1f}",
        flush=True,
    )
    return taken.next_seq


def _cpu_s(service: Service) -> float:
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _stored(service: Service) -> int:
    """Bytes of the stored batches with their row overhead, as the database counts them."""
    engine = create_engine(service.settings.resolved_database_url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            query = "SELECT sum(length(records)+length(notes)+length(chain)+16) FROM event_batches"
        else:
            query = "SELECT sum(pg_column_size(b.*)) FROM event_batches b"
        return int(connection.execute(text(query)).scalar() or 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--postgres", help="URL of an empty PostgreSQL database to use as well")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--batches", default="1,50,500")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        urls = {"SQLite (WAL, FULL)": f"sqlite:///{folder}/bench.sqlite"}
        if arguments.postgres:
            urls["PostgreSQL"] = arguments.postgres
        for name, url in urls.items():
            print(f"\n{name}, {load.CONNECTIONS} connections, one service process")
            print(" batch     events/s  requests/s   p50 ms   p99 ms  CPU µs/event  bytes/event")
            with running(throw_away.apart(Path(folder), url)) as service:
                sessions = open_sittings(service.api, load.CONNECTIONS)
                seq = 0
                for size in map(int, arguments.batches.split(",")):
                    seq = measure(service, sessions, size, arguments.seconds, seq)


if __name__ == "__main__":
    main()
