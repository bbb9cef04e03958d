"""What a county's list of institutions says, and what follows for classes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Connection, select

from app.db import Database
from app.domain.catalogue import classes, courses, institutions
from app.domain.catalogue.classes import ClassTerms
from app.domain.catalogue.courses import CourseTerms
from app.domain.catalogue.institutions import (
    AnnualReview,
    CountyTerms,
    InstitutionTerms,
    ListingDoubt,
    Reasoned,
    Withdrawal,
)
from app.errors import Conflict
from app.store.catalogue import catalogue
from app.store.catalogue import institutions as store
from app.store.scope import EVERYTHING, AccessScope
from models import AuditEntry, TrainingClass
from tests.people import GUANGSHAN, HUANGCHUAN, County, TestClock, course, training_class

BY: dict[str, Any] = {"actor": "user:zhao", "now_ms": 1_772_413_200_000}


@pytest.fixture
def connection(database: Database, clock: TestClock) -> Iterator[Connection]:
    with database.write() as connection:
        yield connection


@pytest.fixture
def platform(database: Database, clock: TestClock) -> int:
    return County.found(database, clock).huang.platform.id


def opened(connection: Connection, platform: int, name: str, **terms: Any) -> catalogue.ClassRow:
    courses.put_course(
        connection,
        platform,
        "welding",
        CourseTerms.model_validate(course()),
        now_ms=BY["now_ms"],
    )
    said = training_class() | {"course_ids": ["welding"]} | terms
    classes.open_class(
        connection,
        platform,
        name,
        ClassTerms.model_validate(said),
        default_pack="huangchuan-2021-graded",
        **BY,
    )
    return classes.class_of(connection, platform, name)


def listed(connection: Connection, **terms: str) -> int:
    said = {"code": "52411526", "name": "阳光职业培训学校"} | terms
    return institutions.list_institution(
        connection, HUANGCHUAN, InstitutionTerms.model_validate(said), **BY
    )


def test_a_class_belongs_to_the_institution_that_it_names_by_name_or_code(
    platform: int, connection: Connection
) -> None:
    before = opened(connection, platform, "before", institution="阳光职业培训学校")
    school = listed(connection)
    assert catalogue.class_by_id(connection, before.id).institution_id == school
    by_code = opened(connection, platform, "after", institution="52411526")
    assert by_code.institution_id == school
    assert by_code.terms["institution"] == "阳光职业培训学校"
    assert opened(connection, platform, "else", institution="别的学校").institution_id is None


def test_who_is_off_the_list_opens_no_class_from_that_day_on(
    platform: int, connection: Connection
) -> None:
    row = institutions.institution_seen(connection, EVERYTHING, listed(connection))
    begun = opened(connection, platform, "begun", institution=row.name)
    starts_on = begun.terms["starts_on"]
    off = Withdrawal.model_validate({"withdrawn_on": starts_on, "reason": "培训管理不规范"})
    institutions.withdraw(connection, row, off, **BY)
    with pytest.raises(Conflict, match="off the list") as refusal:
        opened(connection, platform, "next", institution=row.name)
    assert refusal.value.extra["field"] == "institution"
    assert opened(connection, platform, "begun", institution=row.name).id == begun.id
    row = institutions.institution_seen(connection, EVERYTHING, row.id)
    institutions.relist(connection, row, Reasoned(reason="整改合格"), **BY)
    assert opened(connection, platform, "next", institution=row.name)


def test_code_and_name_are_one_institutions_within_the_county(connection: Connection) -> None:
    for name in (HUANGCHUAN, GUANGSHAN):
        institutions.add_county(connection, CountyTerms(name=name), **BY)
    listed(connection)
    for terms in (
        {"code": "52411526", "name": "另一所"},
        {"code": "1", "name": "阳光职业培训学校"},
    ):
        with pytest.raises(Conflict, match="has it"):
            listed(connection, **terms)
    assert institutions.list_institution(
        connection, GUANGSHAN, InstitutionTerms(code="52411526", name="阳光职业培训学校"), **BY
    )


def test_a_name_that_classes_bear_does_not_change(platform: int, connection: Connection) -> None:
    school = listed(connection)
    opened(connection, platform, "one", institution="阳光职业培训学校")
    row = institutions.institution_seen(connection, EVERYTHING, school)
    renamed = InstitutionTerms(code=row.code, name="月光职业培训学校")
    with pytest.raises(Conflict, match="bear the name"):
        institutions.change_institution(connection, row, renamed, "更名", **BY)
    moved = InstitutionTerms.model_validate(
        {"code": "52411527", "name": row.name, "listed_until": "2026-12-31"}
    )
    institutions.change_institution(connection, row, moved, "换发许可证", **BY)
    last = connection.execute(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert last is not None and last.action == "institution.changed"
    assert last.detail["changes"]["code"] == ["52411526", "52411527"]
    assert last.detail["reason"] == "换发许可证"


def test_a_second_review_of_a_year_replaces_the_first(connection: Connection) -> None:
    institutions.add_county(connection, CountyTerms(name=HUANGCHUAN, code="411526"), **BY)
    school = listed(connection)
    for year, passed in ((2025, True), (2026, False), (2026, True)):
        row = institutions.institution_seen(connection, EVERYTHING, school)
        review = AnnualReview(year=year, passed=passed)
        institutions.record_review(connection, row, review, **BY)
    row = institutions.institution_seen(connection, EVERYTHING, school)
    assert [(it["year"], it["passed"]) for it in row.reviews] == [(2026, True), (2025, True)]


def test_a_listing_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValidationError, match="listed_until"):
        InstitutionTerms.model_validate(
            {"code": "1", "name": "x", "listed_from": "2026-03-02", "listed_until": "2026-03-01"}
        )


def test_a_clerk_sees_the_classes_of_the_institution_alone(
    platform: int, connection: Connection
) -> None:
    school = listed(connection)
    mine = opened(connection, platform, "mine", institution="52411526")
    opened(connection, platform, "other", institution="别的学校")
    scope = AccessScope(institution_id=school)
    seen = connection.scalars(select(TrainingClass.id).where(scope.covers_class())).all()
    assert seen == [mine.id]


def test_who_reviews_a_class_is_told_where_its_institution_may_not_be_one_for_subsidies(
    connection: Connection,
) -> None:
    institutions.add_county(connection, CountyTerms(name=HUANGCHUAN), **BY)
    made = listed(connection, listed_from="2026-01-01", listed_until="2026-12-31")
    row = store.institution(connection, EVERYTHING, made)
    assert row is not None
    institutions.record_review(connection, row, AnnualReview(year=2025, passed=False), **BY)
    row = store.institution(connection, EVERYTHING, made)
    assert institutions.doubts(row, date(2026, 3, 2)) == [ListingDoubt.REVIEW_FAILED]
    assert institutions.doubts(row, date(2027, 3, 2)) == [ListingDoubt.NOT_LISTED_THEN]
    assert institutions.doubts(None, date(2026, 3, 2)) == [ListingDoubt.NOT_ON_LIST]
