"""A night end to end: sealed sessions → verdicts and findings in the database.

    python -m benchmarks.nightly [--sessions 100000] [--postgres URL]

The day is the one of `app.bench.day`, 2,000 sessions a class. Every figure comes from a fresh
copy of it and a process of its own: `zhenxue nightly` reads, detects, and writes all verdicts, with
one process and with two. Beside it, the same rows are merely read and decoded. Peak memory is the
largest process's. Photos are not part of it: the generated ones have no object.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from app.bench.day import EVENTS
from app.bench.machine import machine
from app.bench.night import judge
from app.settings import Settings
from benchmarks.assess import bare_read, fresh

PROCESSES = (1, 2)
COMMAND = (sys.executable, "-m", "benchmarks.nightly")


def run(url: str, processes: int) -> dict[str, Any]:
    """One night in this process; what it came to."""
    summary = judge(
        Settings(
            database_url=url,
            data_dir=Path(tempfile.gettempdir()),
            face_workers=0,
            executor=f"processes:{processes}",
        )
    )
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(it).ru_maxrss for it in who) / 1024
    return {**summary, "peak_mib": peak}


def measure(name: str, url: str, sessions: int) -> None:
    for processes in PROCESSES:
        database = fresh(url, sessions)
        if processes == PROCESSES[0]:
            reading = min(bare_read(database, sessions) for _ in range(2))
            print(f"{name}: {sessions:,} sessions, {sessions * EVENTS:,} events")
            print(f"  read and decode only  {reading:7.2f} s")
        database.close()
        told = subprocess.run(
            [*COMMAND, "--run", url, "--processes", str(processes)],
            check=True,
            capture_output=True,
            env=os.environ | {"ZHENXUE_FACE_WORKERS": "0"},
        )
        it = json.loads(told.stdout.splitlines()[-1])
        print(
            f"  {processes} process{'es' if processes > 1 else '  '}           "
            f"{it['took_s']:7.2f} s   {sessions / it['took_s']:,.0f} sessions/s,"
            f" {it['took_s'] / reading:.1f} × reading, peak {it['peak_mib']:.0f} MiB;"
            f" {it['classes_done']} classes, {it['verdicts_stored']:,} verdicts,"
            f" {it['new_findings']:,} findings"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--postgres", help="URL of a PostgreSQL database; WHAT IS IN IT IS DELETED")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--processes", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        print(json.dumps(run(arguments.run, arguments.processes)))
        return
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"sqlite:///{Path(folder) / 'night.sqlite'}", arguments.sessions)
        if arguments.postgres:
            url = arguments.postgres.replace("postgresql://", "postgresql+psycopg://")
            measure("PostgreSQL", url, arguments.sessions)


if __name__ == "__main__":
    main()
