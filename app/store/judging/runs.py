"""Rows of `runs`: what was asked to be judged, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, and_, func, insert, null, or_, select, update

from app.store.row import fetch, fetch_one, fetch_one_or_none
from app.store.scope import AccessScope
from app.store.upsert import insert_new
from models import EventLog, Run, Session, Snapshot, TrainingClass

ACTIVE = ("queued", "running")
_OF_NO_CLASS = (Run, null().label("klass"), null().label("occupation"))
_NAMED = (TrainingClass.external_id.label("klass"), TrainingClass.occupation)
_OF_NIGHT = (
    TrainingClass.institution,
    TrainingClass.starts_on,
    TrainingClass.ends_on,
    TrainingClass.pack_id,
    TrainingClass.pack_version,
)
AHEAD_MS = 3_600_000  # what is said to have been so much later was, by a clock that was wrong
NIGHT_LOCK = 0  # id of the row that whoever runs the night holds; real runs begin with 1


class RunRow(Protocol):
    id: int
    kind: str
    class_id: int | None
    requested_by: str
    state: str
    total: int
    done: int
    started_ms: int
    finished_ms: int | None
    heartbeat_ms: int
    summary: dict[str, Any]
    error: str | None


class NamedRun(RunRow, Protocol):
    """A run with the id that the platform gave its class, and what it teaches; None: it is of no
    single class."""

    klass: str | None
    occupation: str | None


class NightlyRun(NamedRun, Protocol):
    institution: str
    starts_on: str  # of the class, as its pack is
    ends_on: str
    pack_id: str
    pack_version: str


def add(connection: Connection, **values: Any) -> int:
    """Enter a run; its id."""
    fresh: dict[str, Any] = {
        "total": 0,
        "done": 0,
        "finished_ms": None,
        "summary": {},
        "error": None,
    }
    return connection.execute(insert(Run).values(**(fresh | values)).returning(Run.id)).scalar_one()


def seen(connection: Connection, scope: AccessScope, run_id: int) -> NamedRun | None:
    """The run of a class that the scope covers, with the class's own id."""
    return fetch_one_or_none(
        connection,
        select(Run, *_NAMED)
        .join(TrainingClass, TrainingClass.id == Run.class_id)
        .where(Run.id == run_id, scope.covers_class()),
        NamedRun,
    )


def recent(
    connection: Connection, scope: AccessScope, before: int | None, size: int
) -> Sequence[NamedRun]:
    """Runs of classes in scope, newest first, with the class's own id."""
    query = (
        select(Run, *_NAMED)
        .join(TrainingClass, TrainingClass.id == Run.class_id)
        .where(scope.covers_class())
        .order_by(Run.id.desc())
        .limit(size)
    )
    return fetch(connection, query if before is None else query.where(Run.id < before), NamedRun)


def what_ifs(connection: Connection, requested_by: str | None, size: int) -> Sequence[NamedRun]:
    """The latest trials of another pack, of one person or of all."""
    query = select(*_OF_NO_CLASS).where(Run.kind == "what_if")
    if requested_by is not None:
        query = query.where(Run.requested_by == requested_by)
    return fetch(connection, query.order_by(Run.id.desc()).limit(size), NamedRun)


def what_if(connection: Connection, run_id: int) -> NamedRun | None:
    query = select(*_OF_NO_CLASS).where(Run.kind == "what_if", Run.id == run_id)
    return fetch_one_or_none(connection, query, NamedRun)


def waiting_what_if(connection: Connection, silent_since_ms: int) -> int | None:
    query = select(Run.id).where(Run.kind == "what_if", _unattended(silent_since_ms))
    return connection.execute(query.order_by(Run.id).limit(1)).scalar_one_or_none()


def studied_between(
    connection: Connection, scope: AccessScope, since_ms: int, until_ms: int
) -> Sequence[int]:
    """Classes in scope with sittings that began in the time."""
    query = (
        select(Session.class_id)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .where(Session.opened_ms >= since_ms, Session.opened_ms < until_ms, scope.covers_class())
        .distinct()
        .order_by(Session.class_id)
    )
    return connection.execute(query).scalars().all()


def nights(connection: Connection, size: int) -> Sequence[NamedRun]:
    """The latest nights, newest first."""
    return fetch(
        connection,
        select(*_OF_NO_CLASS)
        .where(Run.kind == "nightly", Run.class_id.is_(None), Run.id != NIGHT_LOCK)
        .order_by(Run.id.desc())
        .limit(size),
        NamedRun,
    )


def night(connection: Connection, run_id: int) -> NamedRun | None:
    query = select(*_OF_NO_CLASS).where(
        Run.kind == "nightly", Run.class_id.is_(None), Run.id == run_id, Run.id != NIGHT_LOCK
    )
    return fetch_one_or_none(connection, query, NamedRun)


def by_id(connection: Connection, run_id: int) -> RunRow:
    return fetch_one(connection, select(Run).where(Run.id == run_id), RunRow)


def latest(connection: Connection, class_id: int) -> NamedRun | None:
    """The newest run of the class, or None."""
    return fetch_one_or_none(
        connection,
        select(Run, *_NAMED)
        .join(TrainingClass, TrainingClass.id == Run.class_id)
        .where(Run.class_id == class_id)
        .order_by(Run.id.desc())
        .limit(1),
        NamedRun,
    )


def active(connection: Connection, class_id: int) -> RunRow | None:
    """The run of the class that is queued or under way."""
    return fetch_one_or_none(
        connection,
        select(Run)
        .where(Run.class_id == class_id, Run.kind == "class", Run.state.in_(ACTIVE))
        .order_by(Run.id.desc())
        .limit(1),
        RunRow,
    )


def waiting(connection: Connection, silent_since_ms: int) -> Sequence[int]:
    """Runs of classes that nobody works on: queued, or silent since then."""
    query = (
        select(Run.id)
        .where(Run.kind == "class", _unattended(silent_since_ms))
        .order_by(Run.id)
        .limit(20)
    )
    return connection.execute(query).scalars().all()


def claim(connection: Connection, run_id: int, silent_since_ms: int, now_ms: int) -> bool:
    """Take the run on, unless somebody else did meanwhile."""
    result = connection.execute(
        update(Run)
        .where(Run.id == run_id, _unattended(silent_since_ms))
        .values(state="running", done=0, heartbeat_ms=now_ms, error=None)
    )
    return result.rowcount == 1


def change(connection: Connection, run_id: int, **values: Any) -> None:
    connection.execute(update(Run).where(Run.id == run_id).values(**values))


def _unattended(silent_since_ms: int) -> Any:
    return or_(Run.state == "queued", and_(Run.state == "running", _silent(silent_since_ms)))


def _silent(since_ms: int) -> ColumnElement[bool]:
    return ~Run.heartbeat_ms.between(since_ms, since_ms + AHEAD_MS)


# ---------------------------------------------------------------------- what a run has before it


def sessions(connection: Connection, class_id: int) -> Sequence[int]:
    """All sittings of the class."""
    query = select(Session.id).where(Session.class_id == class_id).order_by(Session.id)
    return connection.execute(query).scalars().all()


def photos_waiting(connection: Connection, class_id: int) -> Sequence[int]:
    """The sitting of every photo of the class that is not decided yet, once a photo."""
    query = (
        select(Snapshot.session_id)
        .join(Session, Session.id == Snapshot.session_id)
        .where(Session.class_id == class_id, Snapshot.status.in_(("pending", "read")))
        .order_by(Snapshot.session_id)
    )
    return connection.execute(query).scalars().all()


# ------------------------------------------------------------------------------------- the night
# A night is a run of kind "nightly" without a class. Each of its classes is another one with the
# class, asked for by the night: the plan, the queue and the record of what is behind in one.


def lock_night(connection: Connection, holder: str, silent_since_ms: int, now_ms: int) -> bool:
    """Take the lock, unless somebody holds it and gave a sign of life since then."""
    fresh = {
        "id": NIGHT_LOCK,
        "kind": "nightly_lock",
        "class_id": None,
        "requested_by": "",
        "state": "done",
        "total": 0,
        "done": 0,
        "started_ms": now_ms,
        "finished_ms": None,
        "heartbeat_ms": 0,
        "summary": {},
        "error": None,
    }
    insert_new(connection, Run, [fresh], ("id",))
    free = or_(Run.state != "running", _silent(silent_since_ms))
    result = connection.execute(
        update(Run)
        .where(Run.id == NIGHT_LOCK, free)
        .values(state="running", requested_by=holder, heartbeat_ms=now_ms)
    )
    return result.rowcount == 1


def hold_night(connection: Connection, holder: str, **values: Any) -> bool:
    """Change the lock's row; False when somebody else holds it by now."""
    result = connection.execute(
        update(Run)
        .where(Run.id == NIGHT_LOCK, Run.requested_by == holder, Run.state == "running")
        .values(**values)
    )
    return result.rowcount == 1


def unfinished_night(connection: Connection) -> int | None:
    """The night that was begun and not ended."""
    query = select(func.max(Run.id)).where(
        Run.kind == "nightly", Run.class_id.is_(None), Run.state == "running"
    )
    return connection.execute(query).scalar_one()


def begun_night_ms(connection: Connection, now_ms: int) -> int | None:
    """When the latest night began; one that a wrong clock began in the future does not count."""
    query = select(func.max(Run.started_ms)).where(
        Run.kind == "nightly",
        Run.class_id.is_(None),
        Run.id != NIGHT_LOCK,
        Run.started_ms <= now_ms + AHEAD_MS,
    )
    begun: int | None = connection.execute(query).scalar_one()
    return begun


def last_night_ms(connection: Connection, now_ms: int) -> int | None:
    """When the latest night began, or else the oldest class was entered."""
    begun = begun_night_ms(connection, now_ms)
    if begun is not None:
        return begun
    query = select(func.min(TrainingClass.opened_ms)).where(TrainingClass.sandbox.is_(False))
    oldest: int | None = connection.execute(query).scalar_one()
    return oldest


def near(connection: Connection, since: str, until: str) -> Sequence[int]:
    """Classes that end or are assessed between two days, both included."""
    query = select(TrainingClass.id).where(
        TrainingClass.sandbox.is_(False),
        or_(
            TrainingClass.ends_on.between(since, until),
            TrainingClass.assessment_on.between(since, until),
        ),
    )
    return connection.execute(query.order_by(TrainingClass.id)).scalars().all()


def changed(connection: Connection, besides: Collection[int], now_ms: int) -> Sequence[int]:
    """Classes with a sitting that was settled since their last run began, besides those."""
    last = (
        select(func.max(Run.started_ms))
        .where(Run.class_id == TrainingClass.id, Run.state == "done")
        .where(Run.started_ms <= now_ms + AHEAD_MS)
        .correlate(TrainingClass)
        .scalar_subquery()
    )
    settled = (
        select(Session.id)
        .join(EventLog, EventLog.session_id == Session.id)
        .where(Session.class_id == TrainingClass.id, EventLog.sealed_ms > func.coalesce(last, -1))
        .correlate(TrainingClass)
        .exists()
    )
    query = select(TrainingClass.id).where(
        TrainingClass.id.not_in(besides), TrainingClass.sandbox.is_(False), settled
    )
    return connection.execute(query.order_by(TrainingClass.id)).scalars().all()


def of_night(connection: Connection, asked_by: str) -> Sequence[NamedRun]:
    """The runs of a night's classes in order, each with the class's own id."""
    return fetch(
        connection,
        select(Run, *_NAMED)
        .join(TrainingClass, TrainingClass.id == Run.class_id)
        .where(Run.kind == "nightly", Run.requested_by == asked_by)
        .order_by(Run.id),
        NamedRun,
    )


def _seen_of_night(scope: AccessScope, asked_by: str) -> ColumnElement[bool]:
    return and_(Run.kind == "nightly", Run.requested_by == asked_by, scope.covers_class())


def states_of_night(connection: Connection, scope: AccessScope, asked_by: str) -> dict[str, int]:
    """How many of a night's classes in scope are in which state."""
    rows = connection.execute(
        select(Run.state, func.count())
        .join(TrainingClass, TrainingClass.id == Run.class_id)
        .where(_seen_of_night(scope, asked_by))
        .group_by(Run.state)
    )
    return {state: count for state, count in rows}


def page_of_night(
    connection: Connection,
    scope: AccessScope,
    asked_by: str,
    state: str | None,
    after: int,
    size: int | None,
) -> Sequence[NightlyRun]:
    """Runs of a night's classes in scope, in order, each with what the class is called."""
    query = (
        select(Run, *_NAMED, *_OF_NIGHT)
        .join(TrainingClass, TrainingClass.id == Run.class_id)
        .where(_seen_of_night(scope, asked_by), Run.id > after)
        .order_by(Run.id)
        .limit(size)
    )
    return fetch(
        connection, query if state is None else query.where(Run.state == state), NightlyRun
    )


def waiting_in_night(
    connection: Connection, asked_by: str, silent_since_ms: int, besides: Collection[int]
) -> int | None:
    """The first run of a night's classes that nobody works on."""
    query = select(func.min(Run.id)).where(
        Run.kind == "nightly",
        Run.requested_by == asked_by,
        Run.class_id.is_not(None),
        Run.id.not_in(besides),
        _unattended(silent_since_ms),
    )
    return connection.execute(query).scalar_one()


def count_of_night(connection: Connection, asked_by: str, states: Collection[str]) -> int:
    query = (
        select(func.count())
        .select_from(Run)
        .where(Run.kind == "nightly", Run.requested_by == asked_by, Run.state.in_(states))
    )
    return connection.execute(query).scalar_one()


class RecheckedPhoto(Protocol):
    id: int
    session_id: int
    sha256: bytes
    blob_key: str
    e_tag: str | None
    purged_ms: int | None
    check: int
    reading: dict[str, Any] | None
    learner_id: int


def photos_to_recheck(connection: Connection, class_id: int) -> Sequence[RecheckedPhoto]:
    """Photos of a class that have an object, learner by learner."""
    return fetch(
        connection,
        select(
            Snapshot.id,
            Snapshot.session_id,
            Snapshot.sha256,
            Snapshot.blob_key,
            Snapshot.e_tag,
            Snapshot.purged_ms,
            Snapshot.check,
            Snapshot.reading,
            Session.learner_id,
        )
        .join(Session, Session.id == Snapshot.session_id)
        .where(
            Session.class_id == class_id,
            Snapshot.blob_key.is_not(None),
            Snapshot.removal_ms.is_(None),
        )
        .order_by(Session.learner_id, Snapshot.id),
        RecheckedPhoto,
    )


def mark_photos(
    connection: Connection, snapshot_ids: Collection[int], purged_ms: int | None
) -> None:
    """Record since when photos cannot be retrieved unaltered; None: they can. What was removed
    by order meanwhile is left alone."""
    connection.execute(
        update(Snapshot)
        .where(Snapshot.id.in_(snapshot_ids), Snapshot.removal_ms.is_(None))
        .values(purged_ms=purged_ms)
    )
