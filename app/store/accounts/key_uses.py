"""Rows of `key_uses`: what each service counted of each key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection, delete, func, select

from app.store.row import fetch
from app.store.upsert import upsert
from models import KeyUse


class UseRow(Protocol):
    minute: int
    key_id: int
    count: int


def tell(connection: Connection, service: str, counts: Mapping[tuple[int, int], int]) -> None:
    """Write down what this service counted, by minute and key, in place of what it told before."""
    rows = [
        {"minute": minute, "key_id": key_id, "service": service, "count": count}
        for (minute, key_id), count in sorted(counts.items())
    ]
    upsert(connection, KeyUse, rows, ["minute", "key_id", "service"])


def of_others(connection: Connection, service: str, since: int) -> Sequence[UseRow]:
    """What all other services counted from that minute on, together."""
    query = (
        select(KeyUse.minute, KeyUse.key_id, func.sum(KeyUse.count).label("count"))
        .where(KeyUse.minute >= since, KeyUse.service != service)
        .group_by(KeyUse.minute, KeyUse.key_id)
    )
    return fetch(connection, query, UseRow)


def forget(connection: Connection, before: int) -> None:
    connection.execute(delete(KeyUse).where(KeyUse.minute < before))
