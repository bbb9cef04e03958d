"""Rows of `pack_drafts`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, insert, select, update

from app.store.row import fetch, fetch_one_or_none
from models import PackDraft

MOST = 200


class PackDraftRow(Protocol):
    id: int
    county: str
    pack_id: str
    version: str
    text: str
    clauses: str
    writers: list[str]
    state: str
    changed_ms: int
    published_by: str | None
    published_ms: int | None
    digest: str | None


def of_counties(connection: Connection, counties: Sequence[str] | None) -> Sequence[PackDraftRow]:
    """The latest drafts of these counties, None: of all."""
    query = select(PackDraft).order_by(PackDraft.id.desc()).limit(MOST)
    if counties is not None:
        query = query.where(PackDraft.county.in_(counties))
    return fetch(connection, query, PackDraftRow)


def draft(connection: Connection, draft_id: int, *, lock: bool = False) -> PackDraftRow | None:
    query = select(PackDraft).where(PackDraft.id == draft_id)
    return fetch_one_or_none(connection, query.with_for_update() if lock else query, PackDraftRow)


def add(connection: Connection, **values: Any) -> int:
    made = insert(PackDraft).values(**values).returning(PackDraft.id)
    return int(connection.execute(made).scalar_one())


def change(connection: Connection, draft_id: int, **values: Any) -> None:
    connection.execute(update(PackDraft).where(PackDraft.id == draft_id).values(**values))
