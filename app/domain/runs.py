"""Runs: a class is asked to be judged, somebody takes that on, and everyone sees how far it is.

The table is the queue. A run whose worker fell silent is taken on by another from its start:
whatever was settled or judged already is found so and changes nothing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.errors import NotFound
from app.store import catalogue, verdicts
from app.store import runs as store
from app.store.row import AnyRow
from app.store.scope import Scope

SILENT_MS = 120_000  # a worker that gave no sign of life for this long is gone
_MOST_ERROR = 2_000


def request(connection: Connection, class_id: int, requested_by: str, now_ms: int) -> int:
    """Queue a run of the class; one that is queued or under way already is the answer."""
    catalogue.lock_class(connection, class_id)
    there = store.active(connection, class_id)
    if there is not None:
        return int(there.id)
    return _add(connection, class_id, requested_by, "queued", now_ms)


def begin(connection: Connection, class_id: int, requested_by: str, now_ms: int) -> int:
    """Enter a run that the caller performs at once, whatever else is under way."""
    return _add(connection, class_id, requested_by, "running", now_ms)


def take_next(connection: Connection, now_ms: int) -> int | None:
    """Take on the oldest run that nobody works on; its id."""
    silent_since_ms = now_ms - SILENT_MS
    for run_id in store.waiting(connection, silent_since_ms):
        if store.claim(connection, run_id, silent_since_ms, now_ms):
            return run_id
    return None


def class_of(connection: Connection, run_id: int) -> int:
    return int(store.by_id(connection, run_id).class_id)


def advance(connection: Connection, run_id: int, done: int, total: int, now_ms: int) -> None:
    """A sign of life, and how many of how many steps are behind."""
    store.change(connection, run_id, done=done, total=total, heartbeat_ms=now_ms)


def finish(connection: Connection, run_id: int, summary: dict[str, Any], now_ms: int) -> None:
    store.change(
        connection,
        run_id,
        state="done",
        done=summary["steps"],
        total=summary["steps"],
        summary=summary,
        heartbeat_ms=now_ms,
        finished_ms=now_ms,
    )


def fail(connection: Connection, run_id: int, error: str, now_ms: int) -> None:
    """Record why; the same run is not taken on again, a new one may be asked for."""
    store.change(
        connection,
        run_id,
        state="failed",
        error=error[:_MOST_ERROR],
        heartbeat_ms=now_ms,
        finished_ms=now_ms,
    )


def outcomes(connection: Connection, class_id: int) -> dict[str, dict[str, int]]:
    """How many current verdicts of each kind have which outcome."""
    return {
        kind: verdicts.outcome_counts(connection, class_id, kind)
        for kind in ("session", "class_hour", "enrolment", "class")
    }


def view(connection: Connection, scope: Scope, run_id: int, now_ms: int) -> dict[str, Any]:
    """Progress and result counts. Raises NotFound, also for a run of a class out of scope."""
    row = store.seen(connection, scope, run_id)
    if row is None:
        raise NotFound("unknown_run", f"there is no run {run_id}")
    return _shown(row, now_ms)


def _shown(row: AnyRow, now_ms: int) -> dict[str, Any]:
    elapsed_s = max(0, (row.finished_ms or now_ms) - row.started_ms) / 1000
    rate = row.done / elapsed_s if elapsed_s and row.done else None
    left = row.total - row.done
    return {
        "run_id": row.id,
        "kind": row.kind,
        "class_id": row.klass,
        "state": row.state,
        "done": row.done,
        "total": row.total,
        "percent": round(100 * row.done / row.total, 1) if row.total else 0.0,
        "rate": round(rate, 2) if rate else None,
        "eta_s": round(left / rate, 1) if rate and row.state == "running" else None,
        "elapsed_s": round(elapsed_s, 3),
        "started_ms": row.started_ms,
        "heartbeat_ms": row.heartbeat_ms,
        "finished_ms": row.finished_ms,
        "results": row.summary or None,
        "error": "the run failed; ask for another, or ask the operator" if row.error else None,
    }


def _add(connection: Connection, class_id: int, by: str, state: str, now_ms: int) -> int:
    return store.add(
        connection,
        kind="class",
        class_id=class_id,
        requested_by=by,
        state=state,
        started_ms=now_ms,
        heartbeat_ms=now_ms,
    )
