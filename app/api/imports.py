"""Historical imports over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from app.api.answers import AnswerRoute
from app.api.auth import require, services_of
from app.domain.accounts.platforms import KeyScope
from app.domain.exchange.import_book import ImportReport
from app.errors import BadInput, WrongMediaType
from app.http.callers import callers_of
from app.http.keyring import Caller

router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=AnswerRoute)

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "required": True,
    "content": {"application/octet-stream": _BINARY},
}
_FORMS = ("multipart/", "application/x-www-form-urlencoded")


@router.post("", openapi_extra={"requestBody": _BODY})
async def import_records(
    request: Request, caller: Annotated[Caller, require(KeyScope.IMPORT)]
) -> ImportReport:
    """Take in historical records: a zip of NDJSON and photos, or NDJSON, also as gzip.

    What the body is shows from its first bytes; its content type may be any but a form's.

    Answers `stored` by kind, `unchanged`, and `rejected` with line, code and detail. The same
    file twice changes nothing; a request that was cut off is finished by sending it again.
    """
    if request.headers.get("content-type", "").startswith(_FORMS):
        raise WrongMediaType("wrong_media_type", "send the file itself as the body, not a form")
    platform_id, services = caller.platform, services_of(request)
    take = services.imports.take_file
    with services.rooms.room() as room, (room / "upload").open("wb") as upload:
        async for piece in request.stream():
            await run_in_threadpool(upload.write, piece)
        upload.flush()
        size = upload.tell()
        if not size:
            raise BadInput("empty_import", "the import holds nothing")
        report = await run_in_threadpool(take, platform_id, Path(upload.name), actor=caller.actor)
    # A photo that many records name lies in the store as often, and came once.
    callers_of(request).shares.count(request.scope, max(0, report.photo_bytes - size))
    return report.shown()
