"""The three parts of `zhenxue bench`, each on an installation of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import text

from app.bench import day, faces, load, night, service, throw_away
from app.clock import system_clock
from app.db import Database
from app.settings import Settings

BATCHES = (1, 50, 500)  # events a request

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to look."""

    seconds: float  # of each batch size
    sittings: int
    photos: int
    processes: int = 1  # of the night


MINUTE = Effort(seconds=4, sittings=10_000, photos=60)
QUICK = Effort(seconds=1, sittings=2_000, photos=15)


def ingest(configured: Settings, effort: Effort) -> Answer:
    """Events that one service process takes over loopback, acknowledged once durable."""
    with throw_away.installation(configured, system_clock()) as settings:
        database, notices = _described(settings)
        with service.running(settings) as running:
            sessions = service.open_sittings(running.api, load.CONNECTIONS)
            seq, rows = 0, []
            for batch in BATCHES:
                seq = load.warm(running, sessions, batch, seq)
                pid, stored = running.process.pid or 0, _stored(settings)
                cpu_s = service.cpu_s(pid)
                taken = load.measure(running, sessions, batch, effort.seconds, seq)
                seq, events = taken.next_seq, taken.requests * batch
                spent_s = None if cpu_s is None else (service.cpu_s(pid) or cpu_s) - cpu_s
                rows.append(
                    {
                        "batch": batch,
                        "events_per_s": round(taken.events_per_s),
                        "requests_per_s": round(taken.requests_per_s),
                        "p50_ms": round(1000 * taken.p50_s, 1),
                        "p99_ms": round(1000 * taken.p99_s, 1),
                        "cpu_us_per_event": spent_s and round(1e6 * spent_s / events, 1),
                        "bytes_per_event": round((_stored(settings) - stored) / events, 1),
                    }
                )
    return {
        "database": database,
        "connections": load.CONNECTIONS,
        "batches": rows,
        "notices": notices,
    }


def judging(configured: Settings, effort: Effort) -> Answer:
    """Sittings that the night judges, every verdict written."""
    with throw_away.installation(configured, system_clock()) as settings:
        database, _ = _described(settings)
        day.fill(settings, effort.sittings)
        executor = f"processes:{effort.processes}"
        done = night.judge(settings.model_copy(update={"executor": executor}))
    return {
        "database": database,
        "processes": effort.processes,
        "sittings": done["sessions"],
        "events": done["sessions"] * day.EVENTS,
        "took_s": round(done["took_s"], 2),
        "sittings_per_s": round(done["sessions"] / done["took_s"]),
        "verdicts": done["verdicts_stored"],
        "peak_mib": done["peak_mib"],
    }


def photos(configured: Settings, effort: Effort) -> Answer:
    """Photos that one core compares with the configured models."""
    from app.vision import backends

    began = time.perf_counter()
    models = backends.load(configured.model_files)
    load_s = time.perf_counter() - began
    found, times = faces.check(faces.portraits(effort.photos), models)
    mean = sum(times) / len(times)
    return {
        "model": models.embedder.card.model,
        "size": list(faces.SIZE),
        "photos": len(times),
        "with_a_face": found,
        "models_loaded_s": round(load_s, 1),
        "cpu_ms": round(1000 * mean, 1),
        "photos_per_s": round(1 / mean, 1),
        "face_workers": configured.face_workers,
        "cores": os.cpu_count() or 1,
        "notices": list(models.notices),
    }


PARTS: dict[str, Callable[[Settings, Effort], Answer]] = {
    "ingest": ingest,
    "judging": judging,
    "faces": photos,
}


def _described(settings: Settings) -> tuple[str, list[str]]:
    """The database's name and version, and what makes its word worth less than it should be."""
    database = Database(settings.resolved_database_url)
    try:
        with database.read() as connection:
            asked = partial(_asked, connection)
            if database.sqlite:
                return f"SQLite {asked('SELECT sqlite_version()')}", []
            off = [it for it in ("fsync", "synchronous_commit") if asked(f"SHOW {it}") == "off"]
            return f"PostgreSQL {asked('SHOW server_version')}", [
                f"the server has {it} off: what it acknowledges may be lost" for it in off
            ]
    finally:
        database.close()


def _stored(settings: Settings) -> int:
    """Bytes of the stored batches with their row overhead, as the database counts them."""
    database = Database(settings.resolved_database_url)
    try:
        with database.read() as connection:
            size = (
                "sum(length(records) + length(notes) + length(chain) + 16)"
                if database.sqlite
                else "sum(pg_column_size(event_batches.*))"
            )
            query = f"SELECT coalesce({size}, 0) FROM event_batches"  # noqa: S608
            return int(_asked(connection, query))
    finally:
        database.close()


def _asked(connection: Any, query: str) -> str:
    return str(connection.execute(text(query)).scalar_one())
