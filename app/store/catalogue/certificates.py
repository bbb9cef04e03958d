"""Certificate numbers and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, delete, select

from app.store.row import fetch
from app.store.upsert import insert_new
from models import Certificate, Learner


class CertificateRow(Protocol):
    number: str
    class_id: int
    learner_id: int
    name: str


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Enter the numbers that nobody holds yet."""
    insert_new(connection, Certificate, rows, ("number",))


def holders(connection: Connection, numbers: Iterable[str]) -> dict[str, CertificateRow]:
    """Whose the numbers are; none is left out that was entered."""
    found: dict[str, CertificateRow] = {}
    wanted = sorted(set(numbers))
    for start in range(0, len(wanted), 500):
        query = (
            select(Certificate, Learner.name)
            .join(Learner, Learner.id == Certificate.learner_id)
            .where(Certificate.number.in_(wanted[start : start + 500]))
        )
        found |= {it.number: it for it in fetch(connection, query, CertificateRow)}
    return found


def of_learner(connection: Connection, class_id: int, learner_id: int) -> list[str]:
    """The numbers that a learner holds from a class."""
    mine = Certificate.class_id == class_id, Certificate.learner_id == learner_id
    query = select(Certificate.number).where(*mine).order_by(Certificate.id)
    return list(connection.scalars(query))


def let_go(connection: Connection, number: str, class_id: int, learner_id: int) -> None:
    """The number is no longer this learner's."""
    mine = Certificate.class_id == class_id, Certificate.learner_id == learner_id
    connection.execute(delete(Certificate).where(Certificate.number == number, *mine))
