"""One person's file over all classes, years and platforms: read, printed, taken away."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request, Response

from app.console.login import SignedIn
from app.console.page import ConsoleRoute, RowId, render
from app.domain.accounts.users import Login
from app.domain.judging import person_file
from app.domain.judging.person_file import PersonFile
from app.errors import NotFound
from app.reports import person_sheet
from app.reports.exports import FORMATS

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

JSON = "json"


@router.get("/people/{person_id}")
def person(request: Request, login: SignedIn, person_id: RowId) -> Response:
    file = _looked_at(request, login, person_id, "page")
    return render(request, "person.html", login=login, file=file, formats=[*FORMATS, JSON])


@router.get("/people/{person_id}/file.{ext}")
def export(request: Request, login: SignedIn, person_id: RowId, ext: str) -> Response:
    """The file as PDF to print and seal, as a table, or as JSON."""
    if ext not in (*FORMATS, JSON):
        raise NotFound("unknown_format", f"there is no format {ext!r}")
    file = _looked_at(request, login, person_id, ext)
    if ext == JSON:
        data, kind = msgspec.json.format(msgspec.json.encode(file)), "application/json"
    else:
        data, kind = FORMATS[ext].write(person_sheet.of(file)), FORMATS[ext].media_type
    disposition = f'attachment; filename="person-{person_id}.{ext}"'
    return Response(data, media_type=kind, headers={"content-disposition": disposition})


def _looked_at(request: Request, login: Login, person_id: int, how: str) -> PersonFile:
    services = request.app.state.services
    with services.database.write() as connection:
        return person_file.look(connection, login.user, person_id, how, services.clock())
