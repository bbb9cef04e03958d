"""Rows of `runs`: what was asked to be judged, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from app.store.row import AnyRow
from app.store.scope import Scope
from detectors.trace import CONTROL, PHOTO
from models import Control, EventBatch, EventLog, Run, Session, Snapshot, TrainingClass

ACTIVE = ("queued", "running")


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


def seen(connection: Connection, scope: Scope, run_id: int) -> AnyRow | None:
    """The run of a class that the scope covers, with the class's own id."""
    return connection.execute(
        select(Run, TrainingClass.external_id.label("klass"))
        .join(TrainingClass, TrainingClass.id == Run.class_id)
        .where(Run.id == run_id, scope.covers_class())
    ).one_or_none()


def by_id(connection: Connection, run_id: int) -> AnyRow:
    return connection.execute(select(Run).where(Run.id == run_id)).one()


def active(connection: Connection, class_id: int) -> AnyRow | None:
    """The run of the class that is queued or under way."""
    return connection.execute(
        select(Run)
        .where(Run.class_id == class_id, Run.kind == "class", Run.state.in_(ACTIVE))
        .order_by(Run.id.desc())
        .limit(1)
    ).one_or_none()


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
    silent = and_(Run.state == "running", Run.heartbeat_ms < silent_since_ms)
    return or_(Run.state == "queued", silent)


# ---------------------------------------------------------------------- what a run has before it


def sessions(connection: Connection, class_id: int) -> Sequence[int]:
    """All sittings of the class."""
    query = select(Session.id).where(Session.class_id == class_id).order_by(Session.id)
    return connection.execute(query).scalars().all()


def unsettled(connection: Connection, class_id: int) -> Sequence[int]:
    """Sittings of the class that ended and whose log does not hold everything: none yet, or
    batches, controls, photos or their decisions came since."""
    late = select(EventBatch.session_id).where(EventBatch.session_id == Session.id).exists()
    controls = select(func.count() * CONTROL.itemsize).where(
        Control.session_id == Session.id
    ).scalar_subquery() != func.length(EventLog.controls)
    photos = select(func.count() * PHOTO.itemsize).where(
        Snapshot.session_id == Session.id
    ).scalar_subquery() != func.length(EventLog.photos)
    decided = (
        select(Snapshot.id)
        .where(Snapshot.session_id == Session.id, Snapshot.checked_ms >= EventLog.sealed_ms)
        .exists()
    )
    query = (
        select(Session.id)
        .join(EventLog, EventLog.session_id == Session.id, isouter=True)
        .where(
            Session.class_id == class_id,
            Session.state != "open",
            or_(EventLog.session_id.is_(None), late, controls, photos, decided),
        )
        .order_by(Session.id)
    )
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
