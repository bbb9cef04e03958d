"""Rows of `course_faces`: sittings whose face stands out of a learner's course."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, delete, insert, select

from app.store.among import among
from app.store.events import event_log
from app.store.faces.snapshots import PhotoRow
from app.store.row import fetch
from detectors.trace import Check
from models import CourseFace, Finding, Review, Session, Snapshot

Sitting = tuple[int, str]  # session id, kind
_COMPARED = (int(Check.MATCH), int(Check.REVIEW), int(Check.MISMATCH))


def photos(connection: Connection, learner_id: int, class_id: int) -> Sequence[PhotoRow]:
    """The photos of the learner's sittings in the class that were compared, sitting by sitting in
    the order opened, in order of receipt."""
    return fetch(
        connection,
        select(Snapshot)
        .join(Session, Session.id == Snapshot.session_id)
        .where(
            Session.learner_id == learner_id,
            Session.class_id == class_id,
            Snapshot.status == "done",
            Snapshot.check.in_(_COMPARED),
        )
        .order_by(Session.opened_ms, Session.id, Snapshot.received_ms, Snapshot.id),
        PhotoRow,
    )


def doubted(connection: Connection, learner_id: int, class_id: int) -> Sequence[int]:
    """Ended sittings of the learner in the class with photos that are for a person to look at, in
    order of id; not those of which somebody has decided a finding."""
    looked_at = (
        select(Review.id)
        .join(Finding, Finding.id == Review.finding_id)
        .where(Finding.session_id == Session.id)
    )
    photos = select(Snapshot.id).where(
        Snapshot.session_id == Session.id,
        Snapshot.status == "done",
        Snapshot.check == int(Check.REVIEW),
    )
    query = select(Session.id).where(
        Session.learner_id == learner_id,
        Session.class_id == class_id,
        Session.state != "open",
        photos.exists(),
        ~looked_at.exists(),
    )
    return connection.execute(query.order_by(Session.id)).scalars().all()


def replace(
    connection: Connection,
    session_ids: Collection[int],
    found: Mapping[Sitting, Mapping[str, Any]],
    now_ms: int,
) -> None:
    """What stands out of these sittings now, instead of what did before; sittings for which that
    changes anything are judged again."""
    known = {(row.session_id, row.kind): row for row in of_sessions(connection, session_ids)}
    gone = known.keys() - found.keys()
    new = {
        key: values
        for key, values in found.items()
        if key not in known
        or any(getattr(known[key], name) != value for name, value in values.items())
    }
    changed = gone | new.keys()
    if not changed:
        return
    event_log.unsettle(connection, sorted({session_id for session_id, _ in changed}))
    for session_id, kind in sorted(changed):
        connection.execute(
            delete(CourseFace).where(CourseFace.session_id == session_id, CourseFace.kind == kind)
        )
    rows = [
        {"session_id": session_id, "kind": kind, "measured_ms": now_ms, **values}
        for (session_id, kind), values in sorted(new.items())
    ]
    if rows:
        connection.execute(insert(CourseFace), rows)


class CourseFaceRow(Protocol):
    session_id: int
    kind: str
    distance: float
    limit: float
    sittings: int
    others: int


def of_sessions(connection: Connection, session_ids: Collection[int]) -> Sequence[CourseFaceRow]:
    """By sitting and kind."""
    query = select(CourseFace).where(among(connection, CourseFace.session_id, session_ids))
    return fetch(connection, query.order_by(CourseFace.session_id, CourseFace.kind), CourseFaceRow)
