"""Courses, their versions and lessons, classes and their class-hours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from app.store import stays
from app.store.row import fetch, fetch_one, fetch_one_or_none
from app.store.scope import AccessScope
from app.store.upsert import insert_new
from models import (
    ClassHour,
    Course,
    CourseVersion,
    Enrolment,
    Institution,
    Lesson,
    Platform,
    Session,
    TrainingClass,
)


class VersionRow(Protocol):
    id: int
    course_id: int
    course: str  # the platform's id
    version: int
    digest: bytes
    title: str
    course_kind: str | None
    sequential_lock: bool


class LessonRow(Protocol):
    id: int
    course_version_id: int
    external_id: str
    position: int
    title: str
    media_ms: int
    class_hours: int


class ClassRow(Protocol):
    id: int
    platform_id: int
    external_id: str
    county: str
    institution_id: int | None
    controls: str
    pack_id: str
    pack_version: str
    pack_digest: str
    terms: dict[str, Any]
    course_version_ids: list[int]
    plan_digest: bytes
    starts_on: str
    ends_on: str
    assessment_on: str | None
    opened_ms: int
    sandbox: bool
    ahead_ms: int  # by which a sandbox's clock is ahead of the server's; else 0
    scale_chosen: str | None
    scale_chosen_by: int | None
    scale_chosen_ms: int | None


class HourRow(Protocol):
    course_version_id: int
    number: int
    media_ms: int
    pieces: list[dict[str, int]]


def ensure_course(connection: Connection, platform_id: int, external_id: str) -> int:
    """The course's row, created when missing, and locked until the transaction ends."""
    row = {"platform_id": platform_id, "external_id": external_id}
    insert_new(connection, Course, [row], ("platform_id", "external_id"))
    return connection.execute(
        select(Course.id)
        .where(Course.platform_id == platform_id, Course.external_id == external_id)
        .with_for_update(key_share=True)
    ).scalar_one()


class CourseRow(Protocol):
    id: int
    platform_id: int
    external_id: str
    institution_id: int | None


class ListedCourse(CourseRow, Protocol):
    """A course in its newest version."""

    platform: str
    platform_name: str
    institution: str | None
    version: int
    title: str
    lessons: int
    media_ms: int


def course_by_id(connection: Connection, course_id: int) -> CourseRow:
    return fetch_one(connection, select(Course).where(Course.id == course_id), CourseRow)


def update_course(connection: Connection, course_id: int, **values: Any) -> None:
    connection.execute(update(Course).where(Course.id == course_id).values(**values))


def listed_courses(connection: Connection, platform_ids: Sequence[int]) -> Sequence[ListedCourse]:
    """The courses of these platforms, each in its newest version, the latest first."""
    newest = (
        select(CourseVersion.course_id, func.max(CourseVersion.version).label("version"))
        .group_by(CourseVersion.course_id)
        .subquery()
    )
    query = (
        select(
            Course,
            Platform.slug.label("platform"),
            Platform.name.label("platform_name"),
            Institution.name.label("institution"),
            CourseVersion.version,
            CourseVersion.title,
            func.count(Lesson.id).label("lessons"),
            func.sum(Lesson.media_ms).label("media_ms"),
        )
        .join(Platform, Platform.id == Course.platform_id)
        .join(newest, newest.c.course_id == Course.id)
        .join(
            CourseVersion,
            (CourseVersion.course_id == Course.id) & (CourseVersion.version == newest.c.version),
        )
        .join(Lesson, Lesson.course_version_id == CourseVersion.id)
        .join(Institution, Institution.id == Course.institution_id, isouter=True)
        .where(Course.platform_id.in_(platform_ids))
        .group_by(Course.id, Platform.id, Institution.id, CourseVersion.id)
        .order_by(Course.id.desc())
    )
    return fetch(connection, query, ListedCourse)


def versions(connection: Connection, course_id: int) -> Sequence[VersionRow]:
    """All versions of a course, newest first."""
    query = _versions().where(CourseVersion.course_id == course_id)
    return fetch(connection, query.order_by(CourseVersion.version.desc()), VersionRow)


def newest_version(connection: Connection, platform_id: int, course: str) -> VersionRow | None:
    query = (
        _versions()
        .where(Course.platform_id == platform_id, Course.external_id == course)
        .order_by(CourseVersion.version.desc())
        .limit(1)
    )
    return fetch_one_or_none(connection, query, VersionRow)


def versions_by_id(connection: Connection, ids: Iterable[int]) -> dict[int, VersionRow]:
    return {
        row.id: row
        for row in fetch(connection, _versions().where(CourseVersion.id.in_(list(ids))), VersionRow)
    }


def insert_version(
    connection: Connection, values: dict[str, Any], lessons: list[dict[str, Any]]
) -> int:
    version_id = connection.execute(
        insert(CourseVersion).values(**values).returning(CourseVersion.id)
    ).scalar_one()
    connection.execute(
        insert(Lesson), [{**lesson, "course_version_id": version_id} for lesson in lessons]
    )
    return version_id


def lessons(connection: Connection, version_ids: Iterable[int]) -> Sequence[LessonRow]:
    """Lessons of those versions, each version's in its order."""
    return fetch(
        connection,
        select(Lesson)
        .where(Lesson.course_version_id.in_(list(version_ids)))
        .order_by(Lesson.course_version_id, Lesson.position),
        LessonRow,
    )


def class_of_platform(
    connection: Connection, platform_id: int, external_id: str, *, lock: bool = False
) -> ClassRow | None:
    query = select(TrainingClass).where(
        TrainingClass.platform_id == platform_id, TrainingClass.external_id == external_id
    )
    return fetch_one_or_none(
        connection, query.with_for_update(key_share=True) if lock else query, ClassRow
    )


def sandboxes(connection: Connection, platform_id: int) -> Sequence[ClassRow]:
    """The classes that the platform tries in, the latest first."""
    mine = (TrainingClass.platform_id == platform_id, TrainingClass.sandbox.is_(True))
    query = select(TrainingClass).where(*mine).order_by(TrainingClass.id.desc())
    return fetch(connection, query, ClassRow)


def beside(connection: Connection, klass: ClassRow) -> Sequence[ClassRow]:
    """Other classes of the same institution on the same platform, the latest first."""
    mine = select(TrainingClass.institution).where(TrainingClass.id == klass.id)
    query = (
        select(TrainingClass)
        .where(
            TrainingClass.platform_id == klass.platform_id,
            TrainingClass.institution == mine.scalar_subquery(),
            TrainingClass.sandbox == klass.sandbox,
            TrainingClass.id != klass.id,
        )
        .order_by(TrainingClass.starts_on.desc(), TrainingClass.id.desc())
        .limit(500)
    )
    return fetch(connection, query, ClassRow)


def class_by_id(connection: Connection, class_id: int) -> ClassRow:
    query = select(TrainingClass).where(TrainingClass.id == class_id)
    return fetch_one(connection, query, ClassRow)


def lock_class(connection: Connection, class_id: int) -> None:
    """Until the transaction ends nobody else does the same."""
    connection.execute(
        select(TrainingClass.id).where(TrainingClass.id == class_id).with_for_update(key_share=True)
    )


def enrolments(connection: Connection, class_id: int) -> dict[int, int]:
    """Enrolment ids of a class by learner id, also of who was in it."""
    query = select(Enrolment.learner_id, Enrolment.id).where(Enrolment.class_id == class_id)
    return {learner_id: enrolment_id for learner_id, enrolment_id in connection.execute(query)}


def classes_named(
    connection: Connection, scope: AccessScope, external_id: str, platform: str | None
) -> Sequence[ClassRow]:
    """Classes of that id that the scope covers: several platforms may use the same id."""
    query = select(TrainingClass).where(
        TrainingClass.external_id == external_id, scope.covers_class()
    )
    if platform is not None:
        query = query.join(Platform, Platform.id == TrainingClass.platform_id).where(
            Platform.slug == platform
        )
    return fetch(connection, query.limit(2), ClassRow)


def insert_class(connection: Connection, values: dict[str, Any]) -> int:
    return connection.execute(
        insert(TrainingClass).values(**values).returning(TrainingClass.id)
    ).scalar_one()


def update_class(connection: Connection, class_id: int, **values: Any) -> None:
    connection.execute(update(TrainingClass).where(TrainingClass.id == class_id).values(**values))


def replace_class_hours(connection: Connection, class_id: int, hours: list[dict[str, Any]]) -> None:
    connection.execute(delete(ClassHour).where(ClassHour.class_id == class_id))
    if hours:
        connection.execute(insert(ClassHour), [{**hour, "class_id": class_id} for hour in hours])


def class_hours(connection: Connection, class_id: int) -> Sequence[HourRow]:
    return fetch(
        connection,
        select(ClassHour).where(ClassHour.class_id == class_id).order_by(ClassHour.number),
        HourRow,
    )


def has_sessions(connection: Connection, class_id: int) -> bool:
    return bool(connection.scalar(select(exists().where(Session.class_id == class_id))))


def enrolled(connection: Connection, class_id: int) -> int:
    """How many learners are in the class now."""
    return connection.execute(
        select(func.count())
        .select_from(Enrolment)
        .where(Enrolment.class_id == class_id, stays.in_class())
    ).scalar_one()


def lock_platform(connection: Connection, platform_id: int) -> str:
    """The platform's county; until the transaction ends nobody else opens a class of it."""
    return connection.execute(
        select(Platform.county).where(Platform.id == platform_id).with_for_update(key_share=True)
    ).scalar_one()


def _versions() -> Any:
    return select(CourseVersion, Course.external_id.label("course")).join(
        Course, Course.id == CourseVersion.course_id
    )
