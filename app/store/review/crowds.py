"""Findings on a class as a whole, and who is in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, select

from app.store.bodies import FindingBody
from app.store.review.finding_queue import GONE
from app.store.review.finding_rows import FindingRow
from app.store.row import fetch, typed
from models import Finding, Learner, Lesson, Session

_IDS_A_QUERY = 500


class CrowdSitting(Protocol):
    id: int
    external_id: str
    opened_ms: int
    learner_id: int
    name: str
    id_last4: str | None
    lesson_title: str
    lesson_position: int


@dataclass(frozen=True, slots=True)
class CrowdPerson:
    """One person whom a finding on a class names, with their sittings that it names, in order."""

    id: int
    name: str
    id_last4: str | None
    sittings: Sequence[CrowdSitting]

    @property
    def count(self) -> int:
        return len(self.sittings)


def members(connection: Connection, platform_id: int, body: FindingBody) -> list[CrowdPerson]:
    """The people of a finding on a class, in the order of their first sitting in it."""
    named = body.sessions_named()
    rows: list[CrowdSitting] = []
    for start in range(0, len(named), _IDS_A_QUERY):
        query = (
            select(
                Session.id,
                Session.external_id,
                Session.opened_ms,
                Session.learner_id,
                Learner.name,
                Learner.id_last4,
                Lesson.title.label("lesson_title"),
                Lesson.position.label("lesson_position"),
            )
            .join(Learner, Learner.id == Session.learner_id)
            .join(Lesson, Lesson.id == Session.lesson_id)
            .where(
                Session.platform_id == platform_id,
                Session.external_id.in_(named[start : start + _IDS_A_QUERY]),
            )
        )
        rows += fetch(connection, query, CrowdSitting)
    found: dict[int, list[CrowdSitting]] = {}
    for row in sorted(rows, key=lambda it: (it.opened_ms, it.id)):
        found.setdefault(row.learner_id, []).append(row)
    return [CrowdPerson(key, its[0].name, its[0].id_last4, its) for key, its in found.items()]


def holds(connection: Connection, row: FindingRow, class_id: int, learner_id: int) -> bool:
    """Whether a finding on a class is a case in which a learner's sittings wait."""
    if row.learner_id is not None or row.class_id != class_id or not row.body.holds:
        return False
    named = {member.learner_id for member in row.body.members or ()}
    account = select(Learner.external_id).where(Learner.id == learner_id)
    return connection.execute(account).scalar_one() in named


def naming(
    connection: Connection, class_id: int, external_ids: Collection[str]
) -> list[tuple[FindingRow, set[str]]]:
    """What stands or was decided on the class and names any of these sittings; with those."""
    query = select(Finding).where(
        Finding.class_id == class_id,
        Finding.session_id.is_(None),
        Finding.learner_id.is_(None),
        Finding.shadow.is_(False),
        Finding.status != GONE,
    )
    wanted = set(external_ids)
    found = []
    for row in typed(connection.execute(query.order_by(Finding.id)), FindingRow):
        named = wanted.intersection(row.body.sessions_named())
        if named:
            found.append((row, named))
    return found
