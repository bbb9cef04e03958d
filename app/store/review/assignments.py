"""Saved views and assignments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from sqlalchemy import Connection, delete, select

from app.store.row import fetch, stream
from app.store.upsert import upsert
from models import Assignment, Finding, SavedView, TrainingClass, User


class ViewRow(Protocol):
    name: str
    query: str


def views(connection: Connection, user_id: int) -> Sequence[ViewRow]:
    """A person's saved views, by name."""
    return fetch(
        connection,
        select(SavedView).where(SavedView.user_id == user_id).order_by(SavedView.name),
        ViewRow,
    )


def put_view(connection: Connection, user_id: int, name: str, query: str, now_ms: int) -> None:
    row = {"user_id": user_id, "name": name, "query": query, "created_ms": now_ms}
    upsert(connection, SavedView, [row], ("user_id", "name"))


def drop_view(connection: Connection, user_id: int, view_id: int) -> bool:
    """Whether this person had such a view."""
    result = connection.execute(
        delete(SavedView).where(SavedView.id == view_id, SavedView.user_id == user_id)
    )
    return result.rowcount == 1


def assign(
    connection: Connection, case_ids: Collection[int], user_id: int, by: int, now_ms: int
) -> None:
    rows = [
        {"case_id": it, "user_id": user_id, "assigned_by": by, "assigned_ms": now_ms}
        for it in case_ids
    ]
    upsert(connection, Assignment, rows, ("case_id",))


def release(connection: Connection, case_ids: Collection[int]) -> None:
    connection.execute(delete(Assignment).where(Assignment.case_id.in_(list(case_ids))))


class AssigneeRow(Protocol):
    finding_id: int
    user_id: int
    display_name: str


def assigned(connection: Connection, finding_ids: Collection[int]) -> dict[int, AssigneeRow]:
    """Who looks after the cases of these findings, by finding."""
    query = (
        select(Finding.id.label("finding_id"), Assignment.user_id, User.display_name)
        .join(Assignment, Assignment.case_id == Finding.case_id)
        .join(User, User.id == Assignment.user_id)
        .where(Finding.id.in_(list(finding_ids)))
    )
    return {row.finding_id: row for row in stream(connection, query, AssigneeRow)}


def release_outside(connection: Connection, user_id: int, counties: Collection[str]) -> None:
    """Take back the cases that somebody was given, but those that lie in these counties."""
    outside = (
        select(Finding.case_id)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(Finding.case_id.is_not(None), TrainingClass.county.not_in(list(counties)))
    )
    connection.execute(
        delete(Assignment).where(Assignment.user_id == user_id, Assignment.case_id.in_(outside))
    )


class Colleague(Protocol):
    id: int
    username: str
    display_name: str
    role: str
    counties: list[str]


def colleagues(connection: Connection, roles: Collection[str]) -> Sequence[Colleague]:
    """People of these roles who may sign in, by name; counties are weighed by the domain."""
    return fetch(
        connection,
        select(User)
        .where(User.role.in_(list(roles)), User.disabled_ms.is_(None))
        .order_by(User.display_name),
        Colleague,
    )
