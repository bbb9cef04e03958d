"""What may leave the database: of months gone by, of classes that are over and at rest.

Ledgers only once nothing that has a term, or that people wait for, hangs on them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select

from app.store.events import event_log
from app.store.events.archive import SealedLog
from app.store.row import fetch
from models import (
    ArchivedLedger,
    ArchivedLog,
    Control,
    Enrolment,
    EventBatch,
    EventLog,
    LegalHold,
    Session,
    Snapshot,
    TrainingClass,
)

_LEDGERS = (Control, Snapshot)


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


def classes(connection: Connection, day: str, before_ms: int) -> Sequence[int]:
    """Classes over by that day with logs of sittings from before."""
    logs = (
        exists()
        .where(
            Session.class_id == TrainingClass.id,
            Session.opened_ms < before_ms,
            EventLog.session_id == Session.id,
            ~_archived(ArchivedLog),
        )
        .correlate(TrainingClass)
    )
    query = select(TrainingClass.id).where(_over(day), _at_rest(), logs)
    return connection.execute(query.order_by(TrainingClass.id)).scalars().all()


def _archived(places: type[ArchivedLog] | type[ArchivedLedger]) -> ColumnElement[bool]:
    return exists().where(places.session_id == Session.id).correlate(Session)


def _has_ledger() -> ColumnElement[bool]:
    """The sitting's controls and photos' rows, if it has any, are the tables'."""
    some = (exists().where(it.session_id == Session.id).correlate(Session) for it in _LEDGERS)
    return and_(or_(*some), ~_archived(ArchivedLedger))


def _photos_gone() -> ColumnElement[bool]:
    """No photo of the class waits for its comparison, lies in the store, or has its template: terms
    are carried out, and faces erased, by the rows of photos."""
    there = or_(
        Snapshot.status.in_(("pending", "read")),
        Snapshot.embedding_encrypted.is_not(None),
        and_(Snapshot.blob_key.is_not(None), Snapshot.removed_ms.is_(None)),
    )
    mine = exists().where(
        Session.class_id == TrainingClass.id,
        ~_archived(ArchivedLedger),
        Snapshot.session_id == Session.id,
        there,
    )
    return ~mine.correlate(TrainingClass)


def _free() -> ColumnElement[bool]:
    """No hold covers the class or one of its learners."""
    learners = select(Enrolment.learner_id).where(Enrolment.class_id == TrainingClass.id)
    hold = exists().where(
        LegalHold.lifted_ms.is_(None),
        or_(LegalHold.class_id == TrainingClass.id, LegalHold.learner_id.in_(learners)),
    )
    return ~hold.correlate(TrainingClass)


def ledger_classes(connection: Connection, day: str, before_ms: int) -> Sequence[int]:
    """As `classes`, with controls or photos' rows of sittings from before; of these no photo is
    kept any more, and no hold is in force."""
    mine = and_(Session.class_id == TrainingClass.id, Session.opened_ms < before_ms)
    some = exists().where(mine, _has_ledger()).correlate(TrainingClass)
    query = select(TrainingClass.id).where(_over(day), _at_rest(), some)
    query = query.where(_photos_gone(), _free())
    return connection.execute(query.order_by(TrainingClass.id)).scalars().all()


def sittings(connection: Connection, class_id: int, before_ms: int) -> Sequence[ArchivableSitting]:
    """With logs, of one class, in the order in which they were opened."""
    batches = exists().where(EventBatch.session_id == Session.id).correlate(Session)
    logs = exists().where(EventLog.session_id == Session.id).correlate(Session)
    return _of_class(connection, class_id, before_ms, logs, ~_archived(ArchivedLog), ~batches)


def ledger_sittings(
    connection: Connection, class_id: int, before_ms: int
) -> Sequence[ArchivableSitting]:
    """As `sittings`, with controls or photos' rows."""
    return _of_class(connection, class_id, before_ms, _has_ledger())


def _of_class(
    connection: Connection, class_id: int, before_ms: int, *which: ColumnElement[bool]
) -> Sequence[ArchivableSitting]:
    query = select(Session.id, Session.class_id, Session.opened_ms).where(
        Session.class_id == class_id,
        Session.opened_ms < before_ms,
        Session.settled,
        Session.state != "open",
        *which,
    )
    query = query.order_by(Session.opened_ms, Session.id)
    return fetch(connection, query, ArchivableSitting)


def ledgers_at_rest(connection: Connection, session_ids: Collection[int]) -> set[int]:
    """Those of these sittings, locked, that are as settled and whose ledger is the tables'."""
    mine = select(Session.id).where(Session.id.in_(session_ids), Session.settled, _has_ledger())
    return set(connection.execute(mine).scalars())


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
