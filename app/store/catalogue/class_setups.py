"""How far a class that is being set up has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, false, func, insert, or_, select, update

from app.store.row import fetch, fetch_one_or_none
from app.store.scope import AccessScope
from models import (
    ApiKey,
    ClassSetup,
    Course,
    CourseVersion,
    Institution,
    Platform,
    Session,
    TrainingClass,
)


class SetupRow(Protocol):
    """A setup with the names of what was chosen so far."""

    id: int
    institution_id: int
    county: str
    institution: str
    platform_id: int | None
    platform: str | None
    platform_name: str | None
    platform_owner: int | None
    course_id: int | None
    course: str | None
    class_id: int | None
    klass: str | None
    begun_by: str
    begun_ms: int


class OfferedPlatform(Protocol):
    id: int
    slug: str
    name: str
    county: str
    institution_id: int | None


def _setups(scope: AccessScope) -> Any:
    title = (
        select(CourseVersion.title)
        .where(CourseVersion.course_id == ClassSetup.course_id)
        .order_by(CourseVersion.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            ClassSetup,
            Institution.county,
            Institution.name.label("institution"),
            Platform.slug.label("platform"),
            Platform.name.label("platform_name"),
            Platform.institution_id.label("platform_owner"),
            title.label("course"),
            TrainingClass.external_id.label("klass"),
        )
        .join(Institution, Institution.id == ClassSetup.institution_id)
        .join(Platform, Platform.id == ClassSetup.platform_id, isouter=True)
        .join(TrainingClass, TrainingClass.id == ClassSetup.class_id, isouter=True)
        .where(scope.covers_institution())
    )


def setups(connection: Connection, scope: AccessScope) -> Sequence[SetupRow]:
    """The latest first."""
    return fetch(connection, _setups(scope).order_by(ClassSetup.id.desc()), SetupRow)


def setup(connection: Connection, scope: AccessScope, setup_id: int) -> SetupRow | None:
    return fetch_one_or_none(connection, _setups(scope).where(ClassSetup.id == setup_id), SetupRow)


def of_class(connection: Connection, scope: AccessScope, class_id: int) -> int | None:
    """The setup that the class came from, if it did."""
    query = _setups(scope).where(ClassSetup.class_id == class_id).order_by(ClassSetup.id.desc())
    found = fetch(connection, query.limit(1), SetupRow)
    return found[0].id if found else None


def insert_setup(connection: Connection, **values: Any) -> int:
    statement = insert(ClassSetup).values(**values).returning(ClassSetup.id)
    return connection.execute(statement).scalar_one()


def update_setup(connection: Connection, setup_id: int, **values: Any) -> None:
    connection.execute(update(ClassSetup).where(ClassSetup.id == setup_id).values(**values))


def offered_platforms(
    connection: Connection, scope: AccessScope, institution_id: int | None = None
) -> Sequence[OfferedPlatform]:
    """Platforms on which classes are set up: an institution's own and its county's that are
    nobody's own; of people without one, all of their counties."""
    query = select(Platform).order_by(Platform.institution_id.is_(None), Platform.name)
    institution_id = scope.institution_id or institution_id
    if scope.platform_id is not None:
        query = query.where(false())
    if institution_id is not None:
        county = select(Institution.county).where(Institution.id == institution_id)
        mine = or_(Platform.institution_id.is_(None), Platform.institution_id == institution_id)
        query = query.where(Platform.county == county.scalar_subquery(), mine)
    if scope.counties is not None:
        query = query.where(Platform.county.in_(scope.counties))
    return fetch(connection, query, OfferedPlatform)


def keys_in_use(connection: Connection, platform_id: int, now_ms: int) -> int:
    """How many keys may send what is studied."""
    rows = connection.execute(
        select(ApiKey.scopes).where(
            ApiKey.platform_id == platform_id,
            ApiKey.revoked_ms.is_(None),
            or_(ApiKey.expires_ms.is_(None), ApiKey.expires_ms > now_ms),
        )
    )
    return sum("ingest" in row.scopes for row in rows)


def sittings(connection: Connection, class_id: int) -> int:
    query = select(func.count()).select_from(Session).where(Session.class_id == class_id)
    return connection.execute(query).scalar_one()


def row_of_course(connection: Connection, platform_id: int, external_id: str) -> int:
    query = select(Course.id).where(
        Course.platform_id == platform_id, Course.external_id == external_id
    )
    return connection.execute(query).scalar_one()
