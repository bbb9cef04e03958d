"""Tables of a class: handed in as a file, looked at row by row, and only then taken.

Between the look and the agreement nothing is stored here. The file travels in the page, sealed for
this person, this class and half an hour.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile
from sqlalchemy import Connection

from app.console.labels import Label
from app.console.language import N_
from app.console.login import FormOfThisLogin, require_role
from app.console.page import ConsoleRoute, RowId, render
from app.domain.accounts.users import HANDS_IN, Login
from app.domain.catalogue import tables
from app.domain.catalogue.table_files import MAX_BYTES, MAX_ROWS
from app.domain.catalogue.table_kinds import KINDS, ROSTER, TableKind
from app.domain.catalogue.tables import TableReport
from app.errors import BadInput, NotFound
from app.languages import Text
from app.reports import table_books, xlsx
from app.security import Unsealable
from app.store.catalogue import catalogue, class_file, class_setups

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Clerk = Annotated[Login, Depends(require_role(*HANDS_IN))]
Sealed = Annotated[str, Form()]

LASTS_MS = 30 * 60_000
_PURPOSE = "table-upload"
_BEFORE = {
    "taken": Label(N_("将接收"), tone="clear"),
    "changed": Label(N_("整理后接收"), tone="review"),
    "refused": Label(N_("将退回"), tone="violation"),
}
_AFTER = {
    "taken": Label(N_("已接收"), tone="clear"),
    "changed": Label(N_("已整理接收"), tone="review"),
    "refused": Label(N_("已退回"), tone="violation"),
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody handed in for a class, and may still agree to."""

    kind: TableKind
    name: str
    data: bytes


@router.get("/classes/{class_id}/tables")
def choose(request: Request, login: Clerk, class_id: RowId, kind: str = ROSTER.name) -> Response:
    return _page(request, login, class_id, KINDS.get(kind, ROSTER))


@router.get("/classes/{class_id}/tables/{kind}.xlsx")
def template(request: Request, login: Clerk, class_id: RowId, kind: str) -> Response:
    """An empty table to fill in."""
    with request.app.state.services.database.read() as connection:
        _found(connection, login, class_id)
    if kind not in KINDS:
        raise NotFound("unknown_table", f"there is no table {kind!r}")
    return _file(table_books.template(KINDS[kind]), f"{kind}.xlsx")


@router.post("/classes/{class_id}/tables", dependencies=[FormOfThisLogin])
def preview(
    request: Request,
    login: Clerk,
    class_id: RowId,
    file: Annotated[UploadFile | None, File()] = None,
    kind: Annotated[str, Form()] = ROSTER.name,
) -> Response:
    """What would become of every row; nothing is stored."""
    services, wanted = request.app.state.services, KINDS.get(kind, ROSTER)
    if file is None or not file.filename:
        problem = Text("请选择文件。", "choose a file")
        return _page(request, login, class_id, wanted, problem=problem)
    upload = Upload(wanted, file.filename[-120:], file.file.read(MAX_BYTES + 1))
    try:
        report = _tried(request, login, class_id, upload)
    except BadInput as error:
        return _page(request, login, class_id, wanted, problem=tables.not_taken(error))
    sealed = _seal(services, login, class_id, upload)
    return _page(request, login, class_id, wanted, report=report, upload=upload, sealed=sealed)


@router.post("/classes/{class_id}/tables/take", dependencies=[FormOfThisLogin])
def take(request: Request, login: Clerk, class_id: RowId, sealed: Sealed = "") -> Response:
    """Take the good rows of what was looked at. Twice is the same as once."""
    services = request.app.state.services
    upload = _open(services, login, class_id, sealed)
    if upload is None:
        return _page(request, login, class_id, ROSTER, problem=_expired())
    try:
        table = tables.read(upload.kind, upload.data)
        with services.database.write() as connection:
            row = _found(connection, login, class_id)
            catalogue.lock_class(connection, class_id)
            report = tables.take(
                connection,
                services.vault,
                row,
                table,
                sha256=hashlib.sha256(upload.data).hexdigest(),
                actor=login.user.actor,
                now_ms=services.clock(),
            )
    except BadInput as error:
        return _page(request, login, class_id, upload.kind, problem=tables.not_taken(error))
    shown: dict[str, Any] = {"report": report, "upload": upload, "sealed": sealed}
    return _page(request, login, class_id, upload.kind, done=True, **shown)


@router.post("/classes/{class_id}/tables/to-mend.xlsx", dependencies=[FormOfThisLogin])
def to_mend(request: Request, login: Clerk, class_id: RowId, sealed: Sealed = "") -> Response:
    """The refused rows with their reasons, as a file to mend and hand in again."""
    upload = _open(request.app.state.services, login, class_id, sealed)
    if upload is None:
        return _page(request, login, class_id, ROSTER, problem=_expired())
    report = _tried(request, login, class_id, upload)
    return _file(table_books.to_mend(report), f"to-mend-{upload.kind.name}.xlsx")


def _tried(request: Request, login: Login, class_id: int, upload: Upload) -> TableReport:
    services = request.app.state.services
    with services.database.read() as connection:
        _found(connection, login, class_id)
    table = tables.read(upload.kind, upload.data)
    with services.database.write() as connection:
        row = _found(connection, login, class_id)
        return tables.trial(connection, services.vault, row, table, services.clock())


def _page(
    request: Request,
    login: Login,
    class_id: int,
    kind: TableKind,
    *,
    problem: Text | None = None,
    report: TableReport | None = None,
    upload: Upload | None = None,
    sealed: str = "",
    done: bool = False,
) -> Response:
    with request.app.state.services.database.read() as connection:
        klass = _found(connection, login, class_id)
        enrolled = catalogue.enrolled(connection, class_id)
        setup = class_setups.of_class(connection, login.user.scope, class_id)
    return render(
        request,
        "tables.html",
        login=login,
        status=422 if problem else 200,
        klass=klass,
        setup=setup,
        enrolled=enrolled,
        kind=kind,
        kinds=list(KINDS.values()),
        problem=problem,
        report=report,
        upload=upload,
        sealed=sealed,
        done=done,
        words=_AFTER if done else _BEFORE,
        megabytes=MAX_BYTES // 1024 // 1024,
        most=MAX_ROWS,
        minutes=LASTS_MS // 60_000,
    )


def _found(connection: Connection, login: Login, class_id: int) -> Any:
    row = class_file.klass(connection, class_id, login.user.scope)
    if row is None:
        raise NotFound("unknown_class", "there is no such class")
    return row


def _seal(services: Any, login: Login, class_id: int, upload: Upload) -> str:
    said = {
        "user": login.user.id,
        "class": class_id,
        "until": services.clock() + LASTS_MS,
        "kind": upload.kind.name,
        "name": upload.name,
        "data": b64encode(upload.data).decode(),
    }
    return urlsafe_b64encode(services.vault.seal(json.dumps(said).encode(), _PURPOSE)).decode()


def _open(services: Any, login: Login, class_id: int, sealed: str) -> Upload | None:
    try:
        said = json.loads(services.vault.open(urlsafe_b64decode(sealed), _PURPOSE))
    except (Unsealable, ValueError):
        return None
    if (said["user"], said["class"]) != (login.user.id, class_id):
        return None
    if said["until"] < services.clock():
        return None
    return Upload(KINDS[said["kind"]], said["name"], b64decode(said["data"]))


def _expired() -> Text:
    return Text("预览已过期，请重新上传文件。", "the preview has expired: hand the file in again")


def _file(data: bytes, name: str) -> Response:
    disposition = f'attachment; filename="{name}"'
    return Response(data, media_type=xlsx.MEDIA_TYPE, headers={"content-disposition": disposition})
