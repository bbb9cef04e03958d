"""Lists and archives of a class, to download."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import StringConstraints

from app.api.answers import AnswerRoute
from app.api.auth import require, services_of
from app.api.classes import ClassId, PlatformSlug
from app.domain.accounts.platforms import KeyScope
from app.domain.catalogue import classes
from app.domain.wire import Day
from app.errors import Conflict, NotAllowed, NotFound
from app.http.keyring import Caller
from app.reports import exports, package
from app.reports.exports import ExportList, ExportOptions, File
from app.store.catalogue.catalogue import ClassRow

router = APIRouter(
    prefix="/v1/classes/{class_id}/exports", tags=["exports"], route_class=AnswerRoute
)

Reader = Annotated[Caller, require(KeyScope.READ)]
FileName = Annotated[
    str,
    Path(
        description="name and format, e.g. `admitted.xlsx`, `hours-summary.pdf`, `audit.zip`",
        max_length=128,
    ),
]
On = Annotated[Day | None, Query(description="the day that 旬报 and 月报 look back from; today")]
Columns = Annotated[
    list[Annotated[str, StringConstraints(max_length=1000)]] | None,
    Query(description="columns of 旬报 and 月报, with commas or each by itself", max_length=50),
]
_FILES = {
    "content": {
        it: {"schema": {"type": "string", "format": "binary"}}
        for it in (*(how.media_type for how in exports.FORMATS.values()), package.MEDIA_TYPE)
    }
}


@router.get("")
def list_exports(
    request: Request, caller: Reader, class_id: ClassId, platform: PlatformSlug = None
) -> ExportList:
    """What there is to export of the class."""
    with services_of(request).database.read() as connection:
        klass = classes.class_seen(connection, caller.scope, class_id, platform)
    return exports.offered(klass)


@router.get("/{file_name}", response_class=Response, responses={200: _FILES})
def download_export(
    request: Request,
    caller: Reader,
    class_id: ClassId,
    file_name: FileName,
    platform: PlatformSlug = None,
    on: On = None,
    columns: Columns = None,
) -> Response:
    """One list, or `audit.zip`, the archive that `zhenxue verify` takes.

    Whoever takes personal data is entered in the audit log. PDF answers 422 `too_long_for_pdf` for
    a list of more than 10,000 rows. The archive is for authorities: a platform's key and a
    platform's viewer are refused, because it names reviewers.
    """
    services = services_of(request)
    with services.database.read() as connection:
        klass = classes.class_seen(connection, caller.scope, class_id, platform)
    if klass.sandbox:  # a list that could be taken for a real one is none to hand out
        detail = "沙箱班级没有可导出的名单 / there are no lists of a sandbox class"
        raise Conflict("sandbox", detail)
    name, _, ext = file_name.rpartition(".")
    chosen = tuple(it.strip() for it in ",".join(columns or ()).split(",") if it.strip())
    options = ExportOptions(caller.actor, named=caller.told_reviewers, on=on, columns=chosen)
    if name in ("audit", "审计数据包"):
        return _sent(_archive(request, caller, klass, ext, options))
    return _sent(exports.export(services, klass, name, ext, options))


def _archive(
    request: Request, caller: Caller, klass: ClassRow, ext: str, options: ExportOptions
) -> File:
    if ext != "zip":
        raise NotFound("unknown_format", f"the audit package comes as zip; not as {ext!r}")
    if not caller.told_reviewers:
        raise NotAllowed("people_only", "the audit package is for auditors: it names reviewers")
    return package.export(services_of(request), klass, options, caller.scope).file


def _sent(file: File) -> Response:
    """The file under its Chinese name (RFC 5987), with a plain one for old clients."""
    plain = f"export.{file.name.rpartition('.')[2]}"
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"
    headers = {"Content-Disposition": disposition, "Cache-Control": "private, no-store"}
    return Response(file.data, media_type=file.media_type, headers=headers)
