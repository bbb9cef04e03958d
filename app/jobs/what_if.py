"""Trials of another pack over stored evidence, class by class, beside everything else."""

from __future__ import annotations

import structlog

from app.domain.judging import what_if
from app.domain.runs import SILENT_MS
from app.jobs.repeating import Repeating
from app.services import Services
from app.store.judging import runs as store

POLL_S = 1.0

log = structlog.get_logger("zhenxue.what_if")


def run_next(services: Services) -> bool:
    """Perform the oldest trial that nobody works on; False when there is none."""
    with services.database.read() as connection:
        run_id = store.waiting_what_if(connection, services.clock() - SILENT_MS)
    if run_id is None:
        return False
    with services.database.write() as connection:
        now_ms = services.clock()
        if not store.claim(connection, run_id, now_ms - SILENT_MS, now_ms):
            return False
    try:
        _perform(services, run_id)
    except Exception as error:
        log.exception("a trial failed", run=run_id)
        with services.database.write() as connection:
            reason = f"{type(error).__name__}: {error}"[:2000]
            now_ms = services.clock()
            store.change(connection, run_id, state="failed", error=reason, finished_ms=now_ms)
    return True


def _perform(services: Services, run_id: int) -> None:
    with services.database.read() as connection:
        asked = store.by_id(connection, run_id).summary
        classes = what_if.classes(connection, asked)
    pack = what_if.pack_of(asked)
    result: dict[str, object] = {}
    for done, class_id in enumerate(classes, 1):
        with services.database.read() as connection:
            result = what_if.added(result, what_if.tried(connection, class_id, pack))
        with services.database.write() as connection:
            store.change(
                connection,
                run_id,
                done=done,
                total=len(classes),
                heartbeat_ms=services.clock(),
            )
    with services.database.write() as connection:
        store.change(
            connection,
            run_id,
            state="done",
            summary={**asked, "classes": len(classes), "result": result},
            finished_ms=services.clock(),
        )


def install(services: Services) -> None:
    def drain() -> None:
        while not job.stopping.is_set() and run_next(services):
            pass

    job = Repeating("what-if", POLL_S, drain)
    services.on_start.append(job.start)
    services.on_stop.append(job.stop)
