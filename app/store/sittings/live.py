"""Who studies at this moment: classes with heads on line, and face checks that stand open.

Every query starts from the open sittings, which are few beside all that ever were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Subquery,
    and_,
    case,
    distinct,
    exists,
    func,
    or_,
    select,
)

from app.store import stays
from app.store.controls.controls import OF_PHOTO
from app.store.row import fetch
from app.store.scope import AccessScope
from detectors.control_kinds import ControlKind
from detectors.trace import Check
from models import Control, Enrolment, Learner, Lesson, Platform, Session, Snapshot, TrainingClass

_WRONG = (Check.MISMATCH, Check.SPOOF)


class LiveClass(Protocol):
    """`online` counts heads heard of lately, `silent` those whose open sitting went quiet."""

    id: int
    external_id: str
    official_class_no: str | None
    occupation: str
    institution: str
    platform: str
    roster: int
    online: int
    silent: int


def _heads(heard_since_ms: int) -> Subquery:
    """By class: learners with an open sitting, and those of them heard of since."""
    heard = Session.last_recv_ms >= heard_since_ms
    return (
        select(
            Session.class_id,
            func.count(distinct(case((heard, Session.learner_id)))).label("online"),
            func.count(distinct(Session.learner_id)).label("all"),
        )
        .where(Session.state == "open")
        .group_by(Session.class_id)
        .subquery()
    )


def _on_roster(connection: Connection, on: str) -> ScalarSelect[int]:
    """Learners of a class on a day."""
    return (
        select(func.count())
        .where(Enrolment.class_id == TrainingClass.id, stays.on_roster(connection, on))
        .scalar_subquery()
    )


def classes(
    connection: Connection, scope: AccessScope, on: str, heard_since_ms: int
) -> Sequence[LiveClass]:
    """Classes within their dates on a day (`yyyy-mm-dd`), and any other with an open sitting."""
    heads, roster = _heads(heard_since_ms), _on_roster(connection, on)
    online = func.coalesce(heads.c.online, 0)
    return fetch(
        connection,
        select(
            TrainingClass.id,
            TrainingClass.external_id,
            TrainingClass.official_class_no,
            TrainingClass.occupation,
            TrainingClass.institution,
            Platform.name.label("platform"),
            roster.label("roster"),
            online.label("online"),
            (func.coalesce(heads.c.all, 0) - online).label("silent"),
        )
        .join(Platform, Platform.id == TrainingClass.platform_id)
        .outerjoin(heads, heads.c.class_id == TrainingClass.id)
        .where(
            scope.covers_class(),
            or_(
                heads.c.all > 0,
                and_(TrainingClass.starts_on <= on, TrainingClass.ends_on >= on),
            ),
        )
        .order_by(online.desc(), TrainingClass.id),
        LiveClass,
    )


class OpenFaceCheck(Protocol):
    """The last face check of a sitting that is going on, when it is overdue or did not match."""

    session_id: int
    class_id: int
    learner_id: int
    learner_name: str
    lesson_title: str
    issued_ms: int
    due_ms: int
    shown_ms: int | None
    window_ms: int
    unmatched: bool


def face_checks(
    connection: Connection, scope: AccessScope, heard_since_ms: int, now_ms: int
) -> Sequence[OpenFaceCheck]:
    """Last face checks of sittings heard of lately that are overdue or did not match, the oldest
    first."""
    last = (
        select(Control.session_id, func.max(Control.id).label("id"))
        .join(Session, Session.id == Control.session_id)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .where(
            Session.state == "open",
            Session.last_recv_ms >= heard_since_ms,
            Control.kind == ControlKind.FACE_CHECK.value,
            scope.covers_class(),
        )
        .group_by(Control.session_id)
        .subquery()
    )
    ends = case((Control.shown_ms > Control.due_ms, Control.shown_ms), else_=Control.due_ms)
    overdue = and_(Control.answered_ms.is_(None), ends + Control.window_ms < now_ms)
    unmatched = and_(
        Control.answered_ms.is_not(None),
        _photo(Snapshot.check.in_(_WRONG)),
        ~_photo(Snapshot.check == Check.MATCH),
    )
    return fetch(
        connection,
        select(
            Control.session_id,
            Session.class_id,
            Session.learner_id,
            Learner.name.label("learner_name"),
            Lesson.title.label("lesson_title"),
            Control.issued_ms,
            Control.due_ms,
            Control.shown_ms,
            Control.window_ms,
            case((unmatched, True), else_=False).label("unmatched"),
        )
        .join(last, and_(last.c.session_id == Control.session_id, last.c.id == Control.id))
        .join(Session, Session.id == Control.session_id)
        .join(Learner, Learner.id == Session.learner_id)
        .join(Lesson, Lesson.id == Session.lesson_id)
        .where(or_(overdue, unmatched))
        .order_by(Control.issued_ms, Control.id),
        OpenFaceCheck,
    )


def _photo(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        OF_PHOTO,
        Snapshot.late.is_(False),
        condition,
    )
