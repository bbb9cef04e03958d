"""Counties and the training institutions they list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, func, insert, or_, select, update

from app.store.row import fetch, fetch_one_or_none
from app.store.scope import AccessScope
from app.store.upsert import insert_new
from detectors.batch_facts import TrainingKind
from models import County, Institution, TrainingClass


class CountyRow(Protocol):
    name: str
    code: str | None


class InstitutionRow(Protocol):
    id: int
    county: str
    code: str
    name: str
    listed_from: str | None
    listed_until: str | None
    document: str | None
    contact: str | None
    bank: str | None
    bank_account: str | None
    reviews: list[dict[str, Any]]
    teachers: list[dict[str, Any]] | None
    vocational_school: bool | None
    withdrawn_on: str | None
    withdrawn_reason: str | None


class ListedInstitution(InstitutionRow, Protocol):
    classes: int


def ensure_county(connection: Connection, name: str, now_ms: int) -> None:
    """The county's row, created without a code when missing."""
    insert_new(connection, County, [{"name": name, "created_ms": now_ms}], ("name",))


def county(connection: Connection, name: str) -> CountyRow | None:
    return fetch_one_or_none(connection, select(County).where(County.name == name), CountyRow)


def county_of_code(connection: Connection, code: str) -> CountyRow | None:
    return fetch_one_or_none(connection, select(County).where(County.code == code), CountyRow)


def counties(connection: Connection) -> Sequence[CountyRow]:
    return fetch(connection, select(County).order_by(County.name), CountyRow)


def update_county(connection: Connection, name: str, **values: Any) -> None:
    connection.execute(update(County).where(County.name == name).values(**values))


def listed(connection: Connection, scope: AccessScope) -> Sequence[ListedInstitution]:
    """Institutions of the scope with how many classes each opened, by county and name."""
    classes = (
        select(func.count())
        .select_from(TrainingClass)
        .where(TrainingClass.institution_id == Institution.id)
        .scalar_subquery()
    )
    query = select(Institution, classes.label("classes")).where(scope.covers_institution())
    return fetch(
        connection, query.order_by(Institution.county, Institution.name), ListedInstitution
    )


def institution(
    connection: Connection, scope: AccessScope, institution_id: int
) -> ListedInstitution | None:
    rows = [it for it in listed(connection, scope) if it.id == institution_id]
    return rows[0] if rows else None


def of_class(
    connection: Connection, institution_id: int | None, county: str, name: str
) -> InstitutionRow | None:
    """A class's institution, where the county lists it."""
    if institution_id is None:
        return called(connection, county, name)
    query = select(Institution).where(Institution.id == institution_id)
    return fetch_one_or_none(connection, query, InstitutionRow)


def called(connection: Connection, county: str, said: str) -> InstitutionRow | None:
    """The county's institution of that name, or of that code."""
    query = select(Institution).where(
        Institution.county == county, or_(Institution.name == said, Institution.code == said)
    )
    return fetch_one_or_none(
        connection, query.order_by(Institution.name == said).limit(1), InstitutionRow
    )


def apprenticeships(connection: Connection, institution_id: int) -> Sequence[int]:
    """Its classes of apprentices."""
    kind = TrainingClass.terms["training_kind"].as_string()
    query = select(TrainingClass.id).where(
        TrainingClass.institution_id == institution_id, kind == TrainingKind.APPRENTICESHIP
    )
    return connection.scalars(query).all()


def insert_institution(connection: Connection, **values: Any) -> int:
    statement = insert(Institution).values(**values).returning(Institution.id)
    return connection.execute(statement).scalar_one()


def update_institution(connection: Connection, institution_id: int, **values: Any) -> None:
    statement = update(Institution).where(Institution.id == institution_id)
    connection.execute(statement.values(**values))


def adopt_classes(connection: Connection, institution_id: int, county: str, name: str) -> int:
    """Make the county's classes that name it the institution's; how many."""
    mine = TrainingClass.institution_id.is_(None) & (TrainingClass.county == county)
    statement = update(TrainingClass).where(mine, TrainingClass.institution == name)
    return connection.execute(statement.values(institution_id=institution_id)).rowcount
