"""Rows of `controls`, and the same as columns for the detectors."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, and_, func, insert, select, update

from app.store.events import event_log, ledgers
from app.store.row import fetch, fetch_one_or_none, stream
from detectors.control_kinds import ControlKind, kind_of
from detectors.trace import CONTROL, NONE, ControlFlag
from models import Control, Learner, Session, Snapshot, TrainingClass

_LIMIT = 2**31 - 1
# By its sitting as well, so that PostgreSQL looks in one range where the tables are cut into some.
OF_PHOTO = and_(Control.session_id == Snapshot.session_id, Control.id == Snapshot.control_id)


class ScheduledSitting(Protocol):
    id: int
    external_id: str
    lesson_id: int
    class_id: int
    learner_id: int
    state: str
    opened_ms: int
    learning_ms: int
    play_pos_ms: int
    resume_ms: int
    popup_from_ms: int
    popup_due_ms: int | None
    popup_draws: int
    schedule: dict[str, Any]
    evidence_version: int
    seed_encrypted: bytes | None
    client: dict[str, Any]
    controls: str
    pack_id: str
    pack_version: str
    face_consent: bool


def sittings(connection: Connection, session_ids: Collection[int]) -> dict[int, ScheduledSitting]:
    """What the control scheduler works on, by session, locked until the transaction ends: in the
    one order in which everybody locks several of them."""
    query = (
        select(
            Session.id,
            Session.external_id,
            Session.lesson_id,
            Session.class_id,
            Session.learner_id,
            Session.state,
            Session.opened_ms,
            Session.learning_ms,
            Session.play_pos_ms,
            Session.resume_ms,
            Session.popup_from_ms,
            Session.popup_due_ms,
            Session.popup_draws,
            Session.schedule,
            Session.evidence_version,
            Session.seed_encrypted,
            Session.client,
            TrainingClass.controls,
            TrainingClass.pack_id,
            TrainingClass.pack_version,
            Learner.face_consent,
        )
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .join(Learner, Learner.id == Session.learner_id)
        .where(Session.id.in_(session_ids))
        .order_by(Session.id)
        .with_for_update(of=Session, key_share=True)
    )
    return {row.id: row for row in fetch(connection, query, ScheduledSitting)}


def evidence_versions(connection: Connection, session_ids: Collection[int]) -> dict[int, int]:
    query = select(Session.id, Session.evidence_version).where(Session.id.in_(session_ids))
    return {session_id: version for session_id, version in connection.execute(query)}


def id_number(connection: Connection, learner_id: int) -> bytes | None:
    """The encrypted ID number of a learner; None where there is none."""
    query = select(Learner.id_number_encrypted).where(Learner.id == learner_id)
    return connection.execute(query).scalar_one_or_none()


class ControlRow(Protocol):
    """A line of the ledger as it is stored."""

    id: int
    session_id: int
    kind: str
    challenge_id: str
    nonce: str | None
    source: str
    random_time: bool
    reissue_of: str | None
    demand: dict[str, Any]
    issued_ms: int
    due_ms: int
    window_ms: int
    shown_ms: int | None
    shown_seq: int | None
    answered_ms: int | None
    answered_seq: int | None
    expired_ms: int | None
    latency_ms: int | None
    flags: int


def rows(connection: Connection, session_id: int) -> Sequence[ControlRow]:
    """The ledger of one sitting, in order of issue."""
    control = ledgers.opened(connection, Session.id == session_id).controls
    query = select(control).where(control.session_id == session_id)
    return fetch(connection, query.order_by(control.issued_ms, control.id), ControlRow)


def rows_of(connection: Connection, session_ids: Collection[int]) -> dict[int, list[ControlRow]]:
    """The ledgers of many sittings by session, each in order of issue."""
    found: dict[int, list[ControlRow]] = {session_id: [] for session_id in session_ids}
    for row in stream(
        connection,
        select(Control)
        .where(Control.session_id.in_(session_ids))
        .order_by(Control.issued_ms, Control.id),
        ControlRow,
    ):
        found[row.session_id].append(row)
    return found


class AnsweringPhoto(Protocol):
    control_id: int
    status: str
    check: int
    reading: dict[str, Any] | None
    received_ms: int


def photo_checks(
    connection: Connection, session_ids: Collection[int]
) -> dict[int, list[AnsweringPhoto]]:
    """Photos that answer controls of these sittings in time, by control, as the scheduler looks at
    them."""
    query = select(
        Snapshot.control_id,
        Snapshot.status,
        Snapshot.check,
        Snapshot.reading,
        Snapshot.received_ms,
    ).where(
        Snapshot.session_id.in_(session_ids),
        Snapshot.control_id.is_not(None),
        Snapshot.late.is_(False),
    )
    found: dict[int, list[AnsweringPhoto]] = {}
    for row in stream(connection, query.order_by(Snapshot.id), AnsweringPhoto):
        found.setdefault(row.control_id, []).append(row)
    return found


class NamedPhoto(Protocol):
    challenge_id: str
    check: int
    received_ms: int


def photos_of(connection: Connection, session_id: int) -> Sequence[NamedPhoto]:
    """Photos that answer the sitting's controls in time, with the names of those."""
    return fetch(
        connection,
        select(Control.challenge_id, Snapshot.check, Snapshot.received_ms)
        .join(Snapshot, OF_PHOTO)
        .where(Snapshot.session_id == session_id, Snapshot.late.is_(False)),
        NamedPhoto,
    )


def photos_taken(
    connection: Connection, learner_id: int, class_id: int, hours: Collection[int]
) -> list[tuple[int, int, int]]:
    """(class-hour, lesson, position) of the learner's drawn photo points that left a photo."""
    demands = connection.execute(
        select(Control.demand)
        .join(Session, Session.id == Control.session_id)
        .where(
            Session.learner_id == learner_id,
            Session.class_id == class_id,
            Control.kind == ControlKind.SNAPSHOT.value,
            Control.source == "service",
            Control.answered_ms.is_not(None),
        )
    ).scalars()
    return [
        (demand["hour"], demand["lesson"], demand["position_ms"])
        for demand in demands
        if demand.get("hour") in hours
    ]


def insert_lines(
    connection: Connection, lines: Iterable[tuple[int, Mapping[str, Any]]], *, new: bool = False
) -> None:
    """Add lines to the ledgers of sittings: (session, columns). `new` ones are of this transaction,
    and nobody else has settled them."""
    values = [{"session_id": session_id, **line} for session_id, line in lines]
    if values and not new:
        event_log.unsettle(connection, {it["session_id"] for it in values})
    if values:
        connection.execute(insert(Control), values)


def update_line(
    connection: Connection, session_id: int, challenge_id: str, /, **values: Any
) -> None:
    event_log.unsettle(connection, [session_id])
    connection.execute(
        update(Control)
        .where(and_(Control.session_id == session_id, Control.challenge_id == challenge_id))
        .values(**values)
    )


def line(connection: Connection, session_id: int, challenge_id: str) -> ControlRow | None:
    return fetch_one_or_none(
        connection,
        select(Control).where(
            Control.session_id == session_id, Control.challenge_id == challenge_id
        ),
        ControlRow,
    )


def count(connection: Connection, session_id: int) -> int:
    return int(
        connection.execute(
            select(func.count()).select_from(Control).where(Control.session_id == session_id)
        ).scalar_one()
    )


def controls_array(ledger: Sequence[Any], start_ms: int) -> NDArray[np.void]:
    """CONTROL[C] of one session's rows, in the order given; times count from `start_ms`."""
    packed = np.zeros(len(ledger), CONTROL)
    for place, row in enumerate(ledger):
        packed[place] = (
            _since(row.issued_ms, start_ms),
            _since(row.due_ms, start_ms),
            _since(row.shown_ms, start_ms),
            _since(row.answered_ms, start_ms),
            _since(row.expired_ms, start_ms),
            NONE if row.shown_seq is None else row.shown_seq,
            NONE if row.answered_seq is None else row.answered_seq,
            min(row.window_ms, _LIMIT),
            NONE if row.latency_ms is None else row.latency_ms,
            kind_of(row.kind).code,
            row.flags | (ControlFlag.SERVICE if row.source == "service" else 0),
        )
    return packed


def _since(instant_ms: int | None, start_ms: int) -> int:
    return NONE if instant_ms is None else max(0, min(instant_ms - start_ms, _LIMIT))
