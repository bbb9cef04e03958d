"""A class in the official systems: files for them, and their numbers out of what comes back."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile

from app.clock import day
from app.console.login import FormOfThisLogin, require_role
from app.console.page import ConsoleRoute, RowId, render
from app.domain.accounts.users import DECIDES, Login
from app.domain.catalogue import official_system, system_intake, tables
from app.domain.catalogue.official_system import OfficialSystem
from app.domain.catalogue.system_intake import SystemReport
from app.domain.catalogue.table_files import MAX_BYTES
from app.errors import BadInput, NotFound
from app.languages import Text
from app.reports import csv, exports, system_file, system_requests, xlsx
from app.reports.dossier import Dossier
from app.store.accounts import audit
from app.store.catalogue import catalogue, class_file, system_codes

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Clerk = Annotated[Login, Depends(require_role(*DECIDES))]


@router.get("/classes/{class_id}/systems")
def shown(request: Request, login: Clerk, class_id: RowId) -> Response:
    return _page(request, login, class_id)


def _page(
    request: Request,
    login: Login,
    class_id: int,
    problem: Text | None = None,
    chosen: str = "",
    report: SystemReport | None = None,
) -> Response:
    with request.app.state.services.database.read() as connection:
        klass = class_file.klass(connection, class_id, login.user.scope)
        if klass is None:
            raise NotFound("unknown_class", "there is no such class")
        known = [
            (it, _standing(it, klass, system_codes.of_class(connection, it.id, class_id)))
            for it in official_system.systems().values()
        ]
        enrolled = catalogue.enrolled(connection, class_id)
    return render(
        request,
        "systems.html",
        login=login,
        klass=klass,
        enrolled=enrolled,
        systems=sorted(known, key=lambda it: not it[0].official),
        problem=problem,
        chosen=chosen,
        report=report,
        status=422 if problem else 200,
    )


def _standing(system: OfficialSystem, klass: Any, codes: dict[int, str]) -> dict[str, Any]:
    own = klass.official_class_no if system.official else None
    number = codes.pop(system_codes.OF_THE_CLASS, None) or own
    return {"number": number, "of_form": system.of_form(number), "learners": len(codes)}


@router.get("/classes/{class_id}/systems/{system}/{table}.{ext}")
def download(
    request: Request, login: Clerk, class_id: RowId, system: str, table: str, ext: str
) -> Response:
    """The class as the system takes it: a workbook, one of its tables as CSV, or the bodies of its
    requests."""
    services = request.app.state.services
    wanted = official_system.system(system)
    titles = {"classes": wanted.classes.title, "learners": wanted.learners.title}
    asked = (table, ext) == ("requests", "json") and bool(wanted.requests)
    if not asked and (table, ext) != ("class", "xlsx") and (table not in titles or ext != "csv"):
        raise NotFound("unknown_export", "there is no such file")
    with services.database.read() as connection:
        if class_file.klass(connection, class_id, login.user.scope) is None:
            raise NotFound("unknown_class", "there is no such class")
        klass = catalogue.class_by_id(connection, class_id)
    exports.conclude(services, klass)
    now_ms = services.clock()
    with services.database.write() as connection:
        dossier = Dossier(connection, klass, now_ms, named=True, on=day(now_ms))
        data, media_type = _file(dossier, wanted, titles.get(table, ""), ext)
        audit.append(
            connection,
            at_ms=now_ms,
            actor=login.user.actor,
            action="export.taken",
            subject=exports.subject(klass),
            detail={"system": wanted.id, "format": ext},
        )
    name = quote(exports.file_name(klass, wanted.title.zh, ext))
    disposition = f"attachment; filename=\"class.{ext}\"; filename*=UTF-8''{name}"
    headers = {"content-disposition": disposition, "cache-control": "private, no-store"}
    return Response(data, media_type=media_type, headers=headers)


def _file(dossier: Dossier, system: OfficialSystem, title: str, ext: str) -> tuple[bytes, str]:
    if ext == "json":
        said = system_requests.requests(dossier, system)
        return json.dumps(said, ensure_ascii=False, indent=1).encode(), "application/json"
    found = system_file.tables(dossier, system)
    if ext == "xlsx":
        return system_file.workbook(found), xlsx.MEDIA_TYPE
    return csv.plain(found[title]), csv.MEDIA_TYPE


@router.post("/classes/{class_id}/systems", dependencies=[FormOfThisLogin])
def take(
    request: Request,
    login: Clerk,
    class_id: RowId,
    system: Annotated[str, Form()] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Keep the numbers that the system gave; rows that fit nobody are told and left out."""
    services, wanted = request.app.state.services, official_system.system(system)
    if file is None or not file.filename:
        problem = Text("请选择文件。", "choose a file")
        return _page(request, login, class_id, problem, system)
    data = file.file.read(MAX_BYTES + 1)
    try:
        with services.database.write() as connection:
            if class_file.klass(connection, class_id, login.user.scope) is None:
                raise NotFound("unknown_class", "there is no such class")
            catalogue.lock_class(connection, class_id)
            report = system_intake.take(
                connection,
                services.vault,
                wanted,
                catalogue.class_by_id(connection, class_id),
                data,
                actor=login.user.actor,
                now_ms=services.clock(),
            )
    except BadInput as error:
        return _page(request, login, class_id, tables.not_taken(error), system)
    return _page(request, login, class_id, None, system, report)
