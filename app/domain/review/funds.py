"""What subsidies came to: what is at stake in a county, and what the public is told of it.

The public is told sums by institution and occupation, never of a person (003: 公开资金使用情况).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from app.domain.review import recoveries, subsidies
from app.domain.review.subsidies import OPEN, REFUSED, Standing
from app.store.catalogue import catalogue
from app.store.catalogue.catalogue import ClassRow
from app.store.money import payments as store
from app.store.money.payments import PaidClassRow
from app.store.scope import EVERYTHING, AccessScope

FEWEST = 3  # product default: sums of fewer people stand for somebody, and are put together


@dataclass(slots=True)
class CountyFunds:
    """A county's money in 分, of the classes whose steps are recorded: `open_fen` for those who are
    not decided or not paid yet, `refused_fen` not paid, `recover_fen` still to come back, of the
    classes in `recover_in`."""

    county: str
    classes: int = 0
    without_standard: int = 0
    open_fen: int = 0
    paid_fen: int = 0
    refused_fen: int = 0
    recover_fen: int = 0
    recover_in: list[ClassRow] = field(default_factory=list)


def stakes(
    connection: Connection, scope: AccessScope, days: tuple[str, str] | None = None
) -> list[CountyFunds]:
    """What is at stake, by county; with two ISO dates, of the classes held between them."""
    found: dict[str, CountyFunds] = {}
    for class_id in store.class_ids(connection, scope, days):
        klass = catalogue.class_by_id(connection, class_id)
        subsidy = subsidies.of_class(connection, klass)
        stake = found.setdefault(klass.county, CountyFunds(klass.county))
        stake.classes += 1
        stake.without_standard += subsidy.standard is None
        stake.open_fen += subsidy.each_fen * len(subsidy.of(*OPEN, Standing.PAYABLE))
        stake.refused_fen += subsidy.each_fen * len(subsidy.of(*REFUSED))
        stake.paid_fen += subsidy.paid_fen
        left = sum(it.left_fen for it in recoveries.of_subsidy(connection, class_id, subsidy))
        stake.recover_fen += left
        stake.recover_in += [klass] if left else []
    return sorted(found.values(), key=lambda it: it.county)


@dataclass(frozen=True, slots=True)
class PublicSum:
    """What a county paid an institution for an occupation in a year; both empty: put together of
    sums for fewer than FEWEST people. Amounts in 分."""

    county: str
    year: str
    institution: str
    occupation: str
    classes: int
    people: int
    paid_fen: int
    returned_fen: int


def public(connection: Connection) -> list[PublicSum]:
    """Everything that was paid, the latest year first."""
    groups: dict[tuple[str, str, str, str], list[PaidClassRow]] = defaultdict(list)
    for row in store.paid_classes(connection, EVERYTHING):
        groups[row.county, row.year, row.institution, row.occupation].append(row)
    few: dict[tuple[str, str, str, str], list[PaidClassRow]] = defaultdict(list)
    sums = []
    for key, rows in groups.items():
        if sum(it.people for it in rows) >= FEWEST:
            sums.append(_sum(key, rows))
        else:
            few[key[0], key[1], "", ""] += rows
    sums += [_sum(key, rows) for key, rows in few.items()]
    return sorted(sums, key=lambda it: (it.county, -int(it.year), not it.institution, -it.paid_fen))


def _sum(key: tuple[str, str, str, str], rows: Iterable[PaidClassRow]) -> PublicSum:
    listed = list(rows)
    return PublicSum(
        *key,
        classes=len({it.id for it in listed}),
        people=sum(it.people for it in listed),
        paid_fen=sum(it.paid_fen for it in listed),
        returned_fen=sum(it.returned_fen for it in listed),
    )
