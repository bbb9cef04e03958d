"""Rows of `key_uses` and `platform_uses`: what each service counted, of whom, in which period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import BigInteger, Connection, cast, delete, func, select

from app.clock import DAY_MS
from app.store.row import fetch
from app.store.upsert import upsert
from models import Base, KeyUse, PlatformUse


@dataclass(frozen=True, slots=True)
class Uses:
    """A table of uses: its columns of the period, of whoever used, and of how much."""

    model: type[Base]
    period: str
    user_id: str
    amount: str
    period_ms: int

    def column(self, name: str) -> Any:
        return self.model.__table__.c[name]


REQUESTS_OF_KEYS = Uses(KeyUse, "minute", "key_id", "count", 60_000)
BYTES_OF_PLATFORMS = Uses(PlatformUse, "day", "platform_id", "bytes", DAY_MS)


class UseRow(Protocol):
    period: int
    user_id: int
    amount: int


def tell(
    connection: Connection, uses: Uses, service: str, counts: Mapping[tuple[int, int], int]
) -> None:
    """Write down what this service counted, by period and user, in place of what it told before."""
    rows = [
        {uses.period: period, uses.user_id: user_id, "service": service, uses.amount: amount}
        for (period, user_id), amount in sorted(counts.items())
    ]
    upsert(connection, uses.model, rows, [uses.period, uses.user_id, "service"])


def of_others(connection: Connection, uses: Uses, service: str, since: int) -> Sequence[UseRow]:
    """What all other services counted from that period on, together."""
    period, user_id = uses.column(uses.period), uses.column(uses.user_id)
    query = (
        select(
            period.label("period"),
            user_id.label("user_id"),
            cast(func.sum(uses.column(uses.amount)), BigInteger).label("amount"),
        )
        .where(period >= since, uses.column("service") != service)
        .group_by(period, user_id)
    )
    return fetch(connection, query, UseRow)


def forget(connection: Connection, uses: Uses, before: int) -> None:
    connection.execute(delete(uses.model).where(uses.column(uses.period) < before))
