"""Courses: what is taught, in versions that never change."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field
from sqlalchemy import Connection

from app.canonical import canonical
from app.domain.answer import Answer, Sha256
from app.domain.wire import MAX_MEDIA_S, Id, Title, Wire
from app.errors import BadInput, Conflict, NotFound
from app.store.accounts import audit
from app.store.catalogue import catalogue as store

MAX_LESSONS = 1000


class LessonTerms(Wire):
    lesson_id: Id
    order: Annotated[int, Field(ge=0, le=1_000_000, description="rank in the course; any gaps")]
    title: Title
    media_seconds: Annotated[float, Field(gt=0, le=MAX_MEDIA_S)]
    class_hours: Annotated[
        int | None,
        Field(
            ge=0, le=24, description="class-hours declared; a short lesson is grouped with others"
        ),
    ] = None


class CourseTerms(Wire):
    title: Title
    course_kind: Annotated[
        Literal["professional", "public"] | None,
        Field(description="null: unknown, which is treated as professional"),
    ] = None
    sequential_lock: bool
    lessons: Annotated[list[LessonTerms], Field(min_length=1, max_length=MAX_LESSONS)]


class CourseKind(StrEnum):
    PROFESSIONAL = "professional"
    PUBLIC = "public"


class Lesson(Answer, frozen=True, kw_only=True):
    """A lesson of a course version; `position` is its rank, from 0."""

    lesson_id: str
    position: int
    title: str
    media_seconds: float
    class_hours: int


class Course(Answer, frozen=True, kw_only=True):
    """One version of a course; `digest` is that of its content."""

    course_id: str
    version: int
    digest: Sha256
    title: str
    course_kind: CourseKind | None
    sequential_lock: bool
    lessons: list[Lesson]


View = TypeVar("View", bound=Answer)


@dataclass(frozen=True, slots=True)
class PutResult(Generic[View]):
    """What is there now, as the answer shows it, and whether this call changed it."""

    view: View
    changed: bool


def put_course(
    connection: Connection,
    platform_id: int,
    course_id: str,
    terms: CourseTerms,
    *,
    now_ms: int,
    replay: bool = False,
    actor: str = "",
    institution_id: int | None = None,
) -> PutResult[Course]:
    """Store the course as a new version when its content changed; the view names the version.
    With an `actor` the audit log says who. `institution_id`: for which institution its clerk does
    it, who changes no course that another one, or the platform, made: Conflict `course_taken`.

    In a `replay` (an imported file, perhaps for the second time) content that any version has is
    nothing new. Raises BadInput on lessons that share an id or a rank.
    """
    _check_lessons(terms)
    digest = content_digest(terms)
    course = store.ensure_course(connection, platform_id, course_id)
    known = store.versions(connection, course)
    if institution_id is not None:
        _claim(connection, course, institution_id, new=not known)
    for version in known if replay else known[:1]:
        if version.digest == digest:
            return PutResult(_view(connection, version), changed=False)
    number = known[0].version + 1 if known else 1
    _insert(connection, course, number, terms, digest, now_ms)
    if actor:
        audit.append(
            connection,
            at_ms=now_ms,
            actor=actor,
            action="course.stored",
            subject=f"course:{course_id}"[:128],
            detail={"version": number, "title": terms.title, "lessons": len(terms.lessons)},
        )
    return PutResult(course_view(connection, platform_id, course_id), changed=True)


def _insert(
    connection: Connection,
    course: int,
    number: int,
    terms: CourseTerms,
    digest: bytes,
    now_ms: int,
) -> None:
    """The version of that number, with its lessons."""
    lessons = [
        {
            "external_id": lesson.lesson_id,
            "position": position,
            "title": lesson.title,
            "media_ms": round(lesson.media_seconds * 1000),
            "class_hours": lesson.class_hours or 0,
        }
        for position, lesson in enumerate(_ordered(terms))
    ]
    values = {
        "course_id": course,
        "version": number,
        "digest": digest,
        "title": terms.title,
        "course_kind": terms.course_kind,
        "sequential_lock": terms.sequential_lock,
        "created_ms": now_ms,
    }
    store.insert_version(connection, values, lessons)


def _claim(connection: Connection, course: int, institution_id: int, *, new: bool) -> None:
    if new:
        store.update_course(connection, course, institution_id=institution_id)
    elif store.course_by_id(connection, course).institution_id != institution_id:
        raise Conflict(
            "course_taken", "course_id: another one's course has this id", field="course_id"
        )


def course_view(connection: Connection, platform_id: int, course_id: str) -> Course:
    """The newest version. Raises NotFound."""
    version = store.newest_version(connection, platform_id, course_id)
    if version is None:
        raise NotFound("unknown_course", f"there is no course {course_id!r}")
    return _view(connection, version)


def content_digest(terms: CourseTerms) -> bytes:
    """SHA-256 over the content, whatever the order in which lessons were listed."""
    content = terms.model_dump(mode="json")
    content["lessons"] = [lesson.model_dump(mode="json") for lesson in _ordered(terms)]
    return hashlib.sha256(canonical(content)).digest()


def _ordered(terms: CourseTerms) -> list[LessonTerms]:
    return sorted(terms.lessons, key=lambda lesson: lesson.order)


def _check_lessons(terms: CourseTerms) -> None:
    for field in ("lesson_id", "order"):
        counts = Counter(getattr(lesson, field) for lesson in terms.lessons)
        twice = [
            {
                "index": index,
                "field": f"lessons[{index}].{field}",
                "code": f"duplicate_{field}",
                "detail": f"lessons[{index}].{field}: {getattr(lesson, field)!r} stands twice",
            }
            for index, lesson in enumerate(terms.lessons)
            if counts[getattr(lesson, field)] > 1
        ]
        if twice:
            raise BadInput(f"duplicate_{field}", str(twice[0]["detail"]), errors=twice)


def _view(connection: Connection, version: store.VersionRow) -> Course:
    return Course(
        course_id=version.course,
        version=version.version,
        digest=version.digest.hex(),
        title=version.title,
        course_kind=None if version.course_kind is None else CourseKind(version.course_kind),
        sequential_lock=version.sequential_lock,
        lessons=[
            Lesson(
                lesson_id=lesson.external_id,
                position=lesson.position,
                title=lesson.title,
                media_seconds=lesson.media_ms / 1000,
                class_hours=lesson.class_hours,
            )
            for lesson in store.lessons(connection, [version.id])
        ],
    )
