"""Courses."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from app.api.answers import AnswerRoute
from app.api.auth import require, services_of
from app.domain.accounts.platforms import KeyScope
from app.domain.catalogue import courses
from app.domain.catalogue.courses import Course, CourseTerms
from app.domain.wire import Id
from app.http.keyring import Caller

router = APIRouter(prefix="/v1/courses", tags=["catalogue"], route_class=AnswerRoute)


@router.put("/{course_id}")
def put_course(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.INGEST)],
    course_id: Annotated[Id, Path()],
    terms: CourseTerms,
) -> Course:
    """Store the course; changed content makes a new version, which the answer names."""
    services = services_of(request)
    with services.database.write() as connection:
        return courses.put_course(
            connection,
            caller.platform,
            course_id,
            terms,
            now_ms=services.clock(),
            actor=caller.actor,
        ).view


@router.get("/{course_id}")
def get_course(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.READ)],
    course_id: Annotated[Id, Path()],
) -> Course:
    """The newest version of a course of the key's platform."""
    with services_of(request).database.read() as connection:
        return courses.course_view(connection, caller.platform, course_id)
