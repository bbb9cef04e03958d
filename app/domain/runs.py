"""Runs: a class is asked to be judged, somebody takes that on, and everyone sees how far it is.

The table is the queue. A run whose worker fell silent is taken on by another from its start:
whatever was settled or judged already is found so and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection

from app.clock import day
from app.domain import notify
from app.domain.answer import UNSET, Answer, EpochMs, UnsetType
from app.errors import Conflict, NotFound
from app.store.catalogue import catalogue
from app.store.judging import runs as store
from app.store.judging import verdicts
from app.store.judging.runs import NamedRun, NightlyRun, RunRow
from app.store.scope import EVERYTHING, AccessScope

SILENT_MS = 120_000  # a worker that gave no sign of life for this long is gone
NEAR = timedelta(days=45)  # product default: how far off an end or assessment is the night's work
_MOST_ERROR = 2_000
_NIGHT = "nightly"
_RESUMPTIONS = "resumptions"  # in a run's summary: where it broke off, and who went on when
_SUMMED = (
    "sessions", "settled", "photos_compared", "learners", "verdicts_stored", "new_findings"
)  # fmt: skip
_COUNTED = ("outcomes", "standing")


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class RunResumption(Answer, frozen=True, kw_only=True):
    """Where a run had broken off (`done` of `total`), since when, and who went on with it when."""

    by: str | None
    at_ms: EpochMs
    silent_since_ms: EpochMs
    done: int
    total: int


class RunResults(Answer, frozen=True, kw_only=True):
    """What came of judging a class: counts, outcomes by kind of verdict as the machine proposes
    them, `standing` as people had decided when the run ended, and seconds by step."""

    steps: int
    sessions: int
    settled: int
    photos_compared: int
    photos_waiting: int | UnsetType = UNSET
    photos: dict[str, int] | UnsetType = UNSET
    evidence_altered: int | UnsetType = UNSET  # sittings whose stored events no longer fit
    learners: int
    verdicts_stored: int
    new_findings: int
    outcomes: dict[str, Any] | UnsetType = UNSET
    standing: dict[str, Any] | UnsetType = UNSET
    seconds: dict[str, float]


class Run(Answer, frozen=True, kw_only=True):
    """A run of the judging of a class. `rate` is steps a second, over the time since it was last
    taken up; `error` is set when it failed."""

    run_id: int
    kind: str
    class_id: str
    state: RunState
    done: int
    total: int
    percent: float
    rate: float | None
    eta_s: float | None
    elapsed_s: float
    started_ms: EpochMs
    heartbeat_ms: EpochMs
    finished_ms: EpochMs | None
    resumptions: list[RunResumption]
    results: RunResults | None
    error: str | None


def request(connection: Connection, class_id: int, requested_by: str, now_ms: int) -> int:
    """Queue a run of the class; one that is queued or under way already is the answer."""
    catalogue.lock_class(connection, class_id)
    there = store.active(connection, class_id)
    if there is not None:
        return int(there.id)
    return _add(connection, class_id, requested_by, "queued", now_ms)


def again(connection: Connection, class_ids: Iterable[int], requested_by: str, now_ms: int) -> None:
    """Queue a run of those classes on which a verdict stands: what their checks rest on changed."""
    for class_id in class_ids:
        if verdicts.on_class(connection, class_id) is not None:
            request(connection, class_id, requested_by, now_ms)


def begin(connection: Connection, class_id: int, requested_by: str, now_ms: int) -> int:
    """Enter a run that the caller performs at once, whatever else is under way."""
    return _add(connection, class_id, requested_by, "running", now_ms)


def take_next(connection: Connection, now_ms: int) -> int | None:
    """Take on the oldest run that nobody works on; its id."""
    silent_since_ms = now_ms - SILENT_MS
    for run_id in store.waiting(connection, silent_since_ms):
        before = store.by_id(connection, run_id)
        if store.claim(connection, run_id, silent_since_ms, now_ms):
            _note_resumption(connection, before, None, now_ms)
            return run_id
    return None


def class_of(connection: Connection, run_id: int) -> int:
    """The class that a run of one class judges."""
    class_id = store.by_id(connection, run_id).class_id
    assert class_id is not None
    return class_id


def advance(connection: Connection, run_id: int, done: int, total: int, now_ms: int) -> None:
    """A sign of life, and how many of how many steps are behind."""
    store.change(connection, run_id, done=done, total=total, heartbeat_ms=now_ms)


def finish(
    connection: Connection, run_id: int, summary: dict[str, Any], now_ms: int
) -> dict[str, Any]:
    """Close the run; its summary as it is kept, with the interruptions that it survived."""
    summary = summary | _resumptions(store.by_id(connection, run_id))
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
    notify.class_validated(connection, run_id, now_ms)
    return summary


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


def view(connection: Connection, scope: AccessScope, run_id: int, now_ms: int) -> Run:
    """Progress and result counts. Raises NotFound, also for a run of a class out of scope."""
    row = store.seen(connection, scope, run_id)
    if row is None:
        raise NotFound("unknown_run", f"there is no run {run_id}")
    return msgspec.convert(shown(row, now_ms), Run)


def shown(row: NamedRun, now_ms: int) -> dict[str, Any]:
    """A run as people and machines are told of it; `row.klass` is the class's own id."""
    until_ms = row.finished_ms or now_ms
    resumptions = (row.summary or {}).get(_RESUMPTIONS, [])
    since_ms, done = row.started_ms, row.done
    if resumptions:  # the time it lay idle says nothing of how fast it is
        since_ms = resumptions[-1]["at_ms"]
        done -= 0 if row.class_id else resumptions[-1]["done"]
    worked_s = max(0, until_ms - since_ms) / 1000
    rate = done / worked_s if worked_s and done > 0 else None
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
        "elapsed_s": round(max(0, until_ms - row.started_ms) / 1000, 3),
        "started_ms": row.started_ms,
        "heartbeat_ms": row.heartbeat_ms,
        "finished_ms": row.finished_ms,
        "resumptions": resumptions,
        "results": {k: v for k, v in (row.summary or {}).items() if k != _RESUMPTIONS} or None,
        "error": "the run failed; ask for another, or ask the operator" if row.error else None,
    }


def cause(error: str) -> str:
    """What kind of trouble a recorded error is: worker_died, database, storage or internal."""
    kind = error.partition(":")[0]
    if kind == "its worker died":
        return "worker_died"
    if kind in (
        "DatabaseAway",
        "DeadlockVictim",
        "OperationalError",
        "InterfaceError",
        "DatabaseError",
    ):
        return "database"
    if kind in ("StoreAway", "OSError", "PermissionError", "FileNotFoundError", "MemoryError"):
        return "storage"
    return "internal"


def _note_resumption(connection: Connection, before: RunRow, by: str | None, now_ms: int) -> None:
    """If somebody had worked on the run before, write down where it broke off and who goes on."""
    if before.state != "running" and not before.done:
        return
    here = {
        "by": by,
        "at_ms": now_ms,
        "silent_since_ms": before.heartbeat_ms,
        "done": before.done,
        "total": before.total,
    }
    earlier = _resumptions(before).get(_RESUMPTIONS, [])
    summary = (before.summary or {}) | {_RESUMPTIONS: [*earlier, here]}
    store.change(connection, before.id, summary=summary)


def _resumptions(row: RunRow) -> dict[str, Any]:
    return {k: v for k, v in (row.summary or {}).items() if k == _RESUMPTIONS}


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


# ------------------------------------------------------------------------------------- the night


def lock_night(connection: Connection, holder: str, now_ms: int) -> None:
    """Become the one who runs the night. Raises Conflict while somebody else is."""
    if not store.lock_night(connection, holder, now_ms - SILENT_MS, now_ms):
        silent_s = max(0, now_ms - store.by_id(connection, store.NIGHT_LOCK).heartbeat_ms) // 1000
        raise Conflict(
            "nightly_running",
            f"a nightly run is under way; its last sign of life came {silent_s} s ago, and after "
            f"{SILENT_MS // 1000} s of silence another may resume it",
        )


def hold_night(connection: Connection, holder: str, now_ms: int) -> None:
    """A sign of life. Raises Conflict when somebody else took over meanwhile."""
    if not store.hold_night(connection, holder, heartbeat_ms=now_ms):
        raise Conflict("nightly_taken_over", "the nightly run was taken over by another process")


def release_night(connection: Connection, holder: str) -> None:
    store.hold_night(connection, holder, state="done")


def interrupted_night(connection: Connection, now_ms: int) -> bool:
    """Whether a night was begun, not ended, and nobody works on it."""
    if store.unfinished_night(connection) is None:
        return False
    lock = store.by_id(connection, store.NIGHT_LOCK)
    return lock.state != "running" or _silent(lock, now_ms)


def begin_night(
    connection: Connection, requested_by: str, now_ms: int, due_ms: int | None = None
) -> tuple[int, bool]:
    """The night to work on, and whether it is an interrupted one. The caller holds the lock.
    Raises Conflict where the night that fell due at `due_ms` was begun by another process."""
    there = store.unfinished_night(connection)
    if there is not None:
        _note_resumption(connection, store.by_id(connection, there), requested_by, now_ms)
        return there, True
    begun_ms = None if due_ms is None else store.begun_night_ms(connection, now_ms)
    if due_ms is not None and begun_ms is not None and begun_ms >= due_ms:
        raise Conflict("nightly_done", "another process ran this night")
    fresh = {"kind": "nightly", "class_id": None, "requested_by": requested_by}
    times = {"started_ms": now_ms, "heartbeat_ms": now_ms}
    return store.add(connection, state="running", **fresh, **times), False


def plan_night(connection: Connection, night: int, now_ms: int) -> None:
    """Queue the night's classes: those whose end or assessment is near, and those with sittings
    settled since their last run. A night that has its plan keeps it."""
    if not store.of_night(connection, _asker(night)):
        today = day(now_ms)
        near = store.near(connection, (today - NEAR).isoformat(), (today + NEAR).isoformat())
        for class_id in sorted({*near, *store.changed(connection, near, now_ms)}):
            store.add(
                connection,
                kind="nightly",
                class_id=class_id,
                requested_by=_asker(night),
                state="queued",
                started_ms=now_ms,
                heartbeat_ms=now_ms,
            )
    advance_night(connection, night, now_ms)


def take_next_of_night(
    connection: Connection, night: int, holder: str, in_hand: Collection[int], now_ms: int
) -> int | None:
    """Take on the night's next class; the id of its run. Raises Conflict without the lock."""
    hold_night(connection, holder, now_ms)
    silent_since_ms = now_ms - SILENT_MS
    run_id = store.waiting_in_night(connection, _asker(night), silent_since_ms, in_hand)
    if run_id is None:
        return None
    before = store.by_id(connection, run_id)
    if not store.claim(connection, run_id, silent_since_ms, now_ms):
        return None
    _note_resumption(connection, before, None, now_ms)
    store.change(connection, run_id, started_ms=now_ms)
    return run_id


def put_back(connection: Connection, run_id: int) -> None:
    """Whoever performed the run died; unless it got to the end, it is queued again."""
    if store.by_id(connection, run_id).state == "running":
        store.change(connection, run_id, state="queued")


def left_of_night(connection: Connection, night: int) -> int:
    return store.count_of_night(connection, _asker(night), store.ACTIVE)


def advance_night(connection: Connection, night: int, now_ms: int) -> tuple[int, int]:
    """Write down how many of the night's classes are behind; (done, total)."""
    left = left_of_night(connection, night)
    done = store.count_of_night(connection, _asker(night), ("done", "failed"))
    advance(connection, night, done, done + left, now_ms)
    return done, done + left


def result_of_night(connection: Connection, night: int) -> dict[str, Any]:
    """What the night's classes came to, also those done before an interruption."""
    return _sum(store.of_night(connection, _asker(night)))


def _sum(rows: Sequence[NamedRun]) -> dict[str, Any]:
    done = [row.summary for row in rows if row.state == "done"]
    photos: Counter[str] = Counter()
    for summary in done:
        photos.update(summary.get("photos", {}))
    return {
        "steps": len(rows),
        "classes": len(rows),
        "classes_done": len(done),
        "classes_failed": [row.klass for row in rows if row.state == "failed"],
        **{name: sum(summary[name] for summary in done) for name in _SUMMED},
        "evidence_altered": sum(summary.get("evidence_altered", 0) for summary in done),
        **{name: _added(summary.get(name, {}) for summary in done) for name in _COUNTED},
        "photos": {name: photos[name] for name in ("checked", "lost", "found_again", "erased")},
    }


def _added(counts: Iterable[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    """Counts of classes by kind of verdict and outcome, added up."""
    found: dict[str, Counter[str]] = {}
    for told in counts:
        for kind, outcomes in told.items():
            found.setdefault(kind, Counter()).update(outcomes)
    return {kind: dict(sorted(total.items())) for kind, total in found.items()}


def night_of(row: RunRow) -> int | None:
    """The night that asked for the run of a class, if one did."""
    asker, _, number = row.requested_by.partition(":")
    return int(number) if row.kind == "nightly" and row.class_id and asker == _NIGHT else None


def broke_off(connection: Connection, row: RunRow, now_ms: int) -> bool:
    """Whether a run was begun, not ended, and nobody works on it."""
    if row.state != "running":
        return False
    if row.class_id is None:
        return interrupted_night(connection, now_ms)
    return _silent(row, now_ms)


def _silent(row: RunRow, now_ms: int) -> bool:
    """Whether whoever works on it is gone; a sign of life from the future is none."""
    since_ms = now_ms - SILENT_MS
    return not since_ms <= row.heartbeat_ms <= since_ms + store.AHEAD_MS


@dataclass(frozen=True, slots=True)
class NightView:
    """A night as one person may see it: only classes in their scope."""

    counts: dict[str, int]  # classes by state
    rows: Sequence[NightlyRun]  # of the state that was asked for
    failed: Sequence[NightlyRun]
    results: dict[str, Any] | None  # once the night is over


def night_view(
    connection: Connection,
    scope: AccessScope,
    night: NamedRun,
    state: str | None,
    after: int,
    size: int,
) -> NightView:
    """One page of a night's classes, after a run's id, with `size` + 1 rows if there are more."""
    asker, page = _asker(night.id), partial(store.page_of_night, connection, scope)
    results = None
    if night.state == "done":
        results = night.summary
        if scope != EVERYTHING:  # sums over other people's classes are not theirs to see
            results = _sum(page(asker, None, 0, None))
    return NightView(
        counts=store.states_of_night(connection, scope, asker),
        rows=page(asker, state, after, size + 1),
        failed=page(asker, "failed", 0, size),
        results=results,
    )


def _asker(night: int) -> str:
    return f"{_NIGHT}:{night}"
