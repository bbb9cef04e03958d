"""Requests for material (补充材料): what the authority asks of a platform or an institution, and
the answer with files."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Base64Bytes, Field

from app.api.answers import AnswerRoute
from app.api.auth import people_too, require, services_of
from app.domain.accounts.platforms import KeyScope
from app.domain.answer import Answer, Date, EpochMs
from app.domain.review import case_files, material
from app.domain.wire import Line, Wire
from app.errors import Conflict
from app.http.keyring import Caller
from app.store.review.material import MaterialRow

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=AnswerRoute)

MOST_FILES = 5
Reader = Annotated[Caller, require(KeyScope.READ)]
Answerer = Annotated[Caller, people_too(KeyScope.INGEST)]
RequestId = Annotated[int, Path(ge=1, lt=2**62)]
Words = Annotated[str, Field(max_length=material.MAX_WORDS, pattern=r"^[^\x00]*$")]


class RequestState(StrEnum):
    ASKED = "asked"
    ANSWERED = "answered"


class AnswerFile(Wire):
    """A file of the kinds pdf, jpg, png, xlsx or docx, by its content and not by its name, without
    scripts, macros or files inside; in Base64."""

    name: Line
    content: Annotated[Base64Bytes, Field(strict=False)]


class MaterialAnswer(Wire):
    """Words, files, or both; the whole body is as large as any (`max_body_bytes`)."""

    answer: Words = ""
    files: Annotated[list[AnswerFile], Field(max_length=MOST_FILES, default_factory=list)]


class RequestView(Answer, frozen=True, kw_only=True):
    """What is asked for in a case, and until which day; `answer` and `file_name` are what was
    handed in, the first of several files."""

    request_id: int
    case_id: int
    state: RequestState
    wanted: str
    due_on: Date
    asked_at_ms: EpochMs
    reminded_at_ms: EpochMs | None
    answered_at_ms: EpochMs | None
    answer: str | None
    file_name: str | None


class RequestList(Answer, frozen=True, kw_only=True):
    requests: list[RequestView]


@router.get("")
def list_requests(
    request: Request,
    caller: Reader,
    state: Annotated[RequestState | None, Query(description="only these")] = None,
) -> RequestList:
    """What the caller's platform or institution is asked to hand in, or was; the oldest first. What
    was withdrawn is gone. People of the authority are asked nothing."""
    with services_of(request).database.read() as connection:
        rows = [_shown(it) for it in material.inbox(connection, caller.scope)]
    return RequestList(requests=[it for it in rows if state in (None, it.state)])


@router.get("/{request_id}")
def get_request(request: Request, caller: Reader, request_id: RequestId) -> RequestView:
    """One of those."""
    with services_of(request).database.read() as connection:
        return _shown(material.asked_of(connection, caller.scope, request_id))


@router.post("/{request_id}/answer", status_code=201)
def answer_request(
    request: Request, caller: Answerer, request_id: RequestId, said: MaterialAnswer
) -> RequestView:
    """Answer it, once; the case is back before the authority. Files are kept encrypted."""
    services = services_of(request)
    with services.database.read() as connection:
        row = material.asked_of(connection, caller.scope, request_id)
    if row.answered_ms is not None:
        raise Conflict("already_answered", "the request was answered")
    checked = [case_files.checked(it.name, it.content, services.readers) for it in said.files]
    kept = [(it, case_files.put(services.vault, services.blobs, row.case_id, it)) for it in checked]
    refusable = case_files.dropped_if_refused(services.blobs, [key for _, key in kept])
    with refusable, services.database.write() as connection:
        material.answer(connection, row, caller.actor, said.answer, services.clock(), kept)
        return _shown(material.asked_of(connection, caller.scope, request_id))


def _shown(row: MaterialRow) -> RequestView:
    answered = row.answered_ms is not None
    return RequestView(
        request_id=row.id,
        case_id=row.case_id,
        state=RequestState.ANSWERED if answered else RequestState.ASKED,
        wanted=row.wanted,
        due_on=row.due_on,
        asked_at_ms=row.asked_ms,
        reminded_at_ms=row.reminded_ms,
        answered_at_ms=row.answered_ms,
        answer=row.answer,
        file_name=row.file_name,
    )
