"""Which logs may leave the database: of months gone by, of classes that are over and at rest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select

from app.store.events import event_log
from app.store.events.archive import SealedLog
from app.store.row import fetch
from models import EventBatch, EventLog, Session, TrainingClass


class ArchivableSitting(Protocol):
    id: int
    class_id: int
    opened_ms: int


def _over(day: str) -> ColumnElement[bool]:
    """The class ended, and was assessed if it is to be, before that day."""
    assessed = or_(TrainingClass.assessment_on.is_(None), TrainingClass.assessment_on < day)
    return and_(TrainingClass.ends_on < day, assessed)


def _at_rest() -> ColumnElement[bool]:
    """Nothing of the class waits to be settled."""
    waiting = exists().where(Session.class_id == TrainingClass.id, ~Session.settled)
    return ~waiting.correlate(TrainingClass)


def classes(
    connection: Connection, day: str, before_ms: int, changed: Collection[int]
) -> Sequence[int]:
    """Classes over by that day with logs of sittings from before, none of those that `changed`
    since they were last judged."""
    logs = (
        exists()
        .where(
            Session.class_id == TrainingClass.id,
            Session.opened_ms < before_ms,
            EventLog.session_id == Session.id,
        )
        .correlate(TrainingClass)
    )
    query = select(TrainingClass.id).where(_over(day), _at_rest(), logs)
    found = connection.execute(query.order_by(TrainingClass.id)).scalars()
    return [it for it in found if it not in changed]


def sittings(connection: Connection, class_id: int, before_ms: int) -> Sequence[ArchivableSitting]:
    """Of one class, in the order in which they were opened."""
    batches = exists().where(EventBatch.session_id == Session.id).correlate(Session)
    query = (
        select(Session.id, Session.class_id, Session.opened_ms)
        .join(EventLog, EventLog.session_id == Session.id)
        .where(
            Session.class_id == class_id,
            Session.opened_ms < before_ms,
            Session.settled,
            Session.state != "open",
            ~batches,
        )
        .order_by(Session.opened_ms, Session.id)
    )
    return fetch(connection, query, ArchivableSitting)


def whole(connection: Connection, session_ids: Collection[int]) -> list[SealedLog]:
    """The logs that fit their chain and their session's, as they stand in the database: what does
    not is left there, where people look at it."""
    heads = select(Session.id, Session.chain).where(Session.id.in_(session_ids), Session.settled)
    chains = {row.id: row.chain for row in connection.execute(heads)}
    query = event_log.SEALED.where(EventLog.session_id.in_(session_ids))
    rows = connection.execute(query.order_by(EventLog.session_id)).all()
    return [
        log
        for log in (SealedLog(*row) for row in rows)
        if chains.get(log.session_id) == log.chain
        and event_log.verify(log.manifest, log.events, log.notes, log.chain)
    ]


def lock(connection: Connection, session_ids: Collection[int]) -> None:
    """Keep everybody from adding to these sessions until the transaction ends."""
    query = select(Session.id).where(Session.id.in_(session_ids)).order_by(Session.id)
    connection.execute(query.with_for_update(key_share=True)).all()


def remove(connection: Connection, session_ids: Collection[int]) -> None:
    connection.execute(delete(EventLog).where(EventLog.session_id.in_(session_ids)))


class SessionHead(Protocol):
    id: int
    external_id: str
    chain: bytes


def heads(connection: Connection, session_ids: Collection[int]) -> dict[int, SessionHead]:
    """What sessions say of themselves, by id."""
    query = select(Session.id, Session.external_id, Session.chain)
    rows = fetch(connection, query.where(Session.id.in_(session_ids)), SessionHead)
    return {row.id: row for row in rows}
