"""Courses: their lessons typed, or read from a table into the same form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Request, Response, UploadFile
from pydantic import ValidationError
from sqlalchemy import Connection

from app.clock import day
from app.console import forms
from app.console.forms import Errors, FilledIn, Typed
from app.console.login import FormOfThisLogin, require_role
from app.console.page import ConsoleRoute, RowId, render, see_other
from app.domain.accounts.users import SETS_UP, Login
from app.domain.catalogue import class_setups, courses, table_files, table_rows, tables
from app.domain.catalogue.courses import CourseTerms
from app.domain.catalogue.table_kinds import COURSE
from app.domain.catalogue.table_rows import FoundTable
from app.domain.wire import whole
from app.errors import BadInput, Conflict, NotFound
from app.languages import Text
from app.reports import table_books, xlsx
from app.store.catalogue import catalogue
from app.store.catalogue import class_setups as setup_store
from app.store.catalogue.class_setups import OfferedPlatform

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Setter = Annotated[Login, Depends(require_role(*SETS_UP))]
SPARE = 5  # empty rows of the form
_LESSON = ("lesson_id", "title", "minutes", "class_hours")


@router.get("/courses")
def shelf(request: Request, login: Setter) -> Response:
    with request.app.state.services.database.read() as connection:
        rows = _seen(connection, login)
    return render(request, "courses.html", login=login, rows=rows)


@router.get("/courses/template.xlsx")
def template(login: Setter) -> Response:  # noqa: ARG001 (who may)
    """An empty table of lessons to fill in."""
    disposition = {"Content-Disposition": 'attachment; filename="course.xlsx"'}
    return Response(table_books.template(COURSE), media_type=xlsx.MEDIA_TYPE, headers=disposition)


@router.get("/courses/new")
def new(request: Request, login: Setter, platform: str = "", setup: str = "") -> Response:
    services = request.app.state.services
    with services.database.read() as connection:
        offered = setup_store.offered_platforms(connection, login.user.scope)
    typed = {
        "platform": platform or (offered[0].slug if len(offered) == 1 else ""),
        "setup": setup,
        "sequential_lock": forms.YES,
        "course_kind": "professional",
        "course_id": f"kc-{day(services.clock()):%Y%m%d}-{services.clock() % 10_000:04}",
    }
    return _page(request, login, typed, [])


@router.get("/courses/read")
def unread(login: Setter) -> Response:  # noqa: ARG001 (who may)
    """Where a table was read into the form, which is gone once its page is left."""
    return see_other("/console/courses/new")


@router.get("/courses/{course_row}")
def edit(request: Request, login: Setter, course_row: RowId, setup: str = "") -> Response:
    with request.app.state.services.database.read() as connection:
        row = next((it for it in _seen(connection, login) if it.id == course_row), None)
        if row is None or login.user.institution_id not in (None, row.institution_id):
            raise NotFound("unknown_course", "there is no such course")
        course = courses.course_view(connection, row.platform_id, row.external_id)
    typed = {
        "platform": row.platform,
        "setup": setup,
        "course_id": row.external_id,
        "title": course.title,
        "course_kind": course.course_kind or "",
        "sequential_lock": forms.YES if course.sequential_lock else "",
        "change": forms.YES,
    }
    lessons = [
        {
            "lesson_id": it.lesson_id,
            "title": it.title,
            "minutes": _shown(it.media_seconds),
            "class_hours": str(it.class_hours or ""),
        }
        for it in course.lessons
    ]
    return _page(request, login, typed, lessons)


@router.post("/courses/read", dependencies=[FormOfThisLogin])
def fill_from_table(
    request: Request,
    login: Setter,
    form: FilledIn,
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """The form with the lessons of a table; nothing is stored."""
    lessons = _lessons(form)
    if file is None or not file.filename:
        wrong: Errors = {"file": Text("请选择文件。", "choose a file")}
        return _page(request, login, form, lessons, wrong)
    try:
        sheets = table_files.sheets(file.file.read(table_files.MAX_BYTES + 1))
        table = table_rows.read(sheets, COURSE)
    except BadInput as error:
        return _page(request, login, form, lessons, {"file": tables.not_taken(error)})
    read = [
        {
            "lesson_id": str(it.item.get("lesson_id", "")),
            "title": str(it.item["title"]),
            "minutes": _shown(it.item["media_seconds"]),
            "class_hours": str(it.item.get("class_hours", "")),
        }
        for it in table.rows
        if it.reason is None
    ]
    return _page(request, login, form, read, table=table)


@router.post("/courses", dependencies=[FormOfThisLogin])
def save(request: Request, login: Setter, form: FilledIn) -> Response:
    services, lessons = request.app.state.services, _lessons(form)
    user, course_id = login.user, form.get("course_id", "").strip()
    try:
        terms = forms.read(CourseTerms, form, _terms(form, lessons))
        with services.database.write() as connection:
            platform = class_setups.offered(connection, user.scope, form.get("platform", ""))
            if not course_id or len(course_id) > 128:
                raise BadInput("bad_course_id", "course_id: 1 to 128", field="course_id")
            courses.put_course(
                connection,
                platform.id,
                course_id,
                terms,
                now_ms=services.clock(),
                actor=user.actor,
                institution_id=user.institution_id,
            )
            setup = _setup(connection, login, form)
            if setup is not None:
                class_setups.choose_course(connection, setup, platform.id, course_id)
    except (ValidationError, BadInput, Conflict) as error:
        return _page(request, login, form, lessons, _errors(error))
    return see_other(f"/console/setups/{setup.id}" if setup else "/console/courses")


def _page(
    request: Request,
    login: Login,
    typed: Typed,
    lessons: Sequence[dict[str, str]],
    errors: Errors | None = None,
    table: FoundTable | None = None,
) -> Response:
    with request.app.state.services.database.read() as connection:
        offered = setup_store.offered_platforms(connection, login.user.scope)
        setup = _setup(connection, login, typed)
    return render(
        request,
        "course.html",
        login=login,
        platforms=_choices(offered),
        setup=setup,
        lessons=[*lessons, *({} for _ in range(SPARE))],
        typed=typed,
        errors=errors or {},
        table=table,
        columns=COURSE.columns,
        status=422 if errors else 200,
    )


def _setup(connection: Connection, login: Login, typed: Typed) -> Any:
    number = whole(typed.get("setup", ""))
    return None if number is None else class_setups.setup_seen(connection, login.user.scope, number)


def _choices(offered: Sequence[OfferedPlatform]) -> list[tuple[str, str]]:
    return [(it.slug, it.name) for it in offered]


def _seen(connection: Connection, login: Login) -> Sequence[catalogue.ListedCourse]:
    """Courses of the platforms on which the person sets up classes."""
    scope = login.user.scope
    offered = setup_store.offered_platforms(connection, scope)
    return class_setups.courses_offered(connection, scope, [it.id for it in offered])


def _lessons(form: Typed) -> list[dict[str, str]]:
    """The rows of the form that say something, in their order."""
    rows = []
    number = 0
    while f"title.{number}" in form:
        row = {name: form.get(f"{name}.{number}", "").strip() for name in _LESSON}
        if any(row.values()):
            rows.append(row)
        number += 1
    return rows


def _terms(form: Typed, lessons: Sequence[dict[str, str]]) -> dict[str, Any]:
    taken = {it["lesson_id"] for it in lessons}
    free = (name for n in range(1, 2_000_000) if (name := f"L{n:02}") not in taken)
    return {
        "sequential_lock": form.get("sequential_lock") == forms.YES,
        "lessons": [
            {
                "lesson_id": it["lesson_id"] or next(free),
                "order": place,
                "title": it["title"],
                "media_seconds": _seconds(it["minutes"]),
                **({"class_hours": _whole(it["class_hours"])} if it["class_hours"] else {}),
            }
            for place, it in enumerate(lessons)
        ],
    }


def _seconds(said: str) -> Any:
    try:
        return next(it.read for it in COURSE.columns if it.field == "media_seconds")(said)
    except ValueError:
        return said


def _whole(said: str) -> Any:
    number = whole(said)
    return said if number is None else number


def _shown(seconds: float) -> str:
    """Minutes where they are whole, else `minutes:seconds`."""
    whole, rest = divmod(round(seconds), 60)
    return f"{whole}:{rest:02}" if rest else str(whole)


def _errors(error: ValidationError | BadInput | Conflict) -> Errors:
    """By field; those of a lesson by its row, as `lessons.3`."""
    found = forms.errors(error)
    if isinstance(error, ValidationError):
        for it in error.errors(include_url=False, include_context=False, include_input=False):
            if len(it["loc"]) > 2 and it["loc"][0] == "lessons":
                found.setdefault(f"lessons.{it['loc'][1]}", forms.message(it["type"], it["msg"]))
    for item in (error.errors or []) if isinstance(error, BadInput) else []:
        found[f"lessons.{item['index']}"] = Text("编号或次序与另一小节相同。", "stands twice")
    return found
