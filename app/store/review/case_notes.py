"""Comments on cases, and the files that came with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, insert, select

from app.store.row import fetch, fetch_one_or_none
from models import AuditEntry, CaseNote


class NoteRow(Protocol):
    id: int
    case_id: int
    written_by: str
    body: str
    file_name: str | None
    media_type: str | None
    size: int | None
    blob_key: str | None
    created_ms: int


def add(connection: Connection, **values: Any) -> int:
    return connection.execute(insert(CaseNote).values(**values).returning(CaseNote.id)).scalar_one()


def of_case(connection: Connection, case_id: int) -> Sequence[NoteRow]:
    """Oldest first."""
    query = select(CaseNote).where(CaseNote.case_id == case_id).order_by(CaseNote.id)
    return fetch(connection, query, NoteRow)


def one(connection: Connection, case_id: int, note_id: int) -> NoteRow | None:
    query = select(CaseNote).where(CaseNote.id == note_id, CaseNote.case_id == case_id)
    return fetch_one_or_none(connection, query, NoteRow)


class ArrangedRow(Protocol):
    """An entry of the audit log on a case."""

    at_ms: int
    actor: str
    action: str
    detail: dict[str, Any]


def arranged(connection: Connection, case_id: int) -> Sequence[ArrangedRow]:
    """What was arranged about a case, oldest first."""
    query = (
        select(AuditEntry).where(AuditEntry.subject == f"case:{case_id}").order_by(AuditEntry.id)
    )
    return fetch(connection, query, ArrangedRow)
