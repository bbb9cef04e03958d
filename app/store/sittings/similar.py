"""Sittings of other people that resemble one: by what was found, by the device."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from sqlalchemy import Connection, Select, select

from app.store.review.finding_queue import GONE
from app.store.row import fetch, stream
from app.store.scope import AccessScope
from app.store.sittings.case_file import SittingCase
from models import Finding, Learner, Lesson, Session, TrainingClass

# A platform's latest findings, or a device's latest sittings: so that a rare rule costs no more
# than a common one, and an id that all devices share no more than one of its own.
RECENT = 2_000


class OthersSitting(Protocol):
    """A sitting of somebody else."""

    id: int
    opened_ms: int
    state: str
    learner_name: str
    lesson_title: str


class SittingWithFinding(OthersSitting, Protocol):
    rule: str
    pack: str
    found: str
    status: str
    same_lesson: bool


class DeviceSitting(OthersSitting, Protocol):
    class_id: int
    class_name: str


def by_finding(
    connection: Connection,
    sitting: SittingCase,
    rules: Collection[str],
    scope: AccessScope,
    limit: int,
) -> Sequence[SittingWithFinding]:
    """Other people's sittings on the platform with a recent finding by one of these rules, those of
    the same lesson first, each with the rule and outcome of its newest such finding."""
    recent = (
        select(
            Finding.id,
            Finding.session_id,
            Finding.rule,
            Finding.pack,
            Finding.outcome,
            Finding.status,
        )
        .where(
            Finding.platform_id == sitting.platform_id,
            Finding.shadow.is_(False),
            Finding.status.not_in((GONE, "overturned")),
        )
        .order_by(Finding.id.desc())
        .limit(RECENT)
        .subquery()
    )
    same_lesson = (Session.lesson_id == sitting.lesson_id).label("same_lesson")
    query = (
        _sittings(scope)
        .add_columns(
            recent.c.rule,
            recent.c.pack,
            recent.c.outcome.label("found"),
            recent.c.status,
            same_lesson,
        )
        .join(recent, recent.c.session_id == Session.id)
        .where(recent.c.rule.in_(rules), Session.person_id != sitting.person_id)
        .order_by(same_lesson.desc(), recent.c.id.desc())
        .limit(limit * 4)  # one sitting may have several
    )
    first: dict[int, SittingWithFinding] = {}
    for row in stream(connection, query, SittingWithFinding):
        first.setdefault(row.id, row)
    return list(first.values())[:limit]


def by_device(
    connection: Connection, sitting: SittingCase, scope: AccessScope, limit: int
) -> Sequence[DeviceSitting]:
    """Sittings of other people on the same device of the platform, newest first, with the
    class of each."""
    recent = (
        select(Session.id)
        .where(
            Session.platform_id == sitting.platform_id,
            Session.device_id == sitting.device_id,
        )
        .order_by(Session.opened_ms.desc())
        .limit(RECENT)
        .subquery()
    )
    return fetch(
        connection,
        _sittings(scope)
        .add_columns(Session.class_id, TrainingClass.external_id.label("class_name"))
        .join(recent, recent.c.id == Session.id)
        .where(Session.person_id != sitting.person_id)
        .order_by(Session.opened_ms.desc())
        .limit(limit),
        DeviceSitting,
    )


def _sittings(scope: AccessScope) -> Select[int, int, str, str, str]:
    return (
        select(
            Session.id,
            Session.opened_ms,
            Session.state,
            Learner.name.label("learner_name"),
            Lesson.title.label("lesson_title"),
        )
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .join(Learner, Learner.id == Session.learner_id)
        .join(Lesson, Lesson.id == Session.lesson_id)
        .where(scope.covers_class())
    )
