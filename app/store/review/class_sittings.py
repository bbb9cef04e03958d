"""The sittings of a class with the controls of each: what a finding on the class rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, func, select

from app.store.events import ledgers
from app.store.row import fetch
from detectors.control_kinds import ControlKind
from detectors.trace import Check
from models import Control, Learner, Lesson, Session, Snapshot


class SittingOfClass(Protocol):
    """`answered` of the `popups` shown; `matched` of the `photos` show the learner."""

    id: int
    opened_ms: int
    closed_ms: int | None
    learner_id: int
    name: str
    id_last4: str | None
    lesson_position: int
    lesson_title: str
    popups: int
    answered: int
    photos: int
    matched: int


def of_class(connection: Connection, class_id: int, most: int) -> Sequence[SittingOfClass]:
    """The class's sittings in the order of their beginnings, `most` of them."""
    control, photo = ledgers.opened(connection, Session.class_id == class_id)
    query = (
        select(
            Session.id,
            Session.opened_ms,
            Session.closed_ms,
            Session.learner_id,
            Learner.name,
            Learner.id_last4,
            Lesson.position.label("lesson_position"),
            Lesson.title.label("lesson_title"),
            _popups(control, control.shown_ms.is_not(None)).label("popups"),
            _popups(control, control.answered_ms.is_not(None)).label("answered"),
            _photos(photo, photo.late.is_(False)).label("photos"),
            _photos(photo, photo.check == Check.MATCH).label("matched"),
        )
        .join(Learner, Learner.id == Session.learner_id)
        .join(Lesson, Lesson.id == Session.lesson_id)
        .where(Session.class_id == class_id)
        .order_by(Session.opened_ms, Session.id)
        .limit(most)
    )
    return fetch(connection, query, SittingOfClass)


def count(connection: Connection, class_id: int) -> int:
    query = select(func.count()).select_from(Session).where(Session.class_id == class_id)
    return connection.scalar(query) or 0


def _popups(control: type[Control], which: ColumnElement[bool]) -> ColumnElement[int]:
    query = select(func.count()).where(
        control.session_id == Session.id, control.kind == ControlKind.POPUP.value, which
    )
    return query.correlate(Session).scalar_subquery()


def _photos(photo: type[Snapshot], which: ColumnElement[bool]) -> ColumnElement[int]:
    query = select(func.count()).where(photo.session_id == Session.id, which)
    return query.correlate(Session).scalar_subquery()
