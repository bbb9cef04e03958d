"""xAPI documents: states, agent profiles and activity profiles."""

from __future__ import annotations

from email.utils import formatdate

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.api import xapi_document_schema as schema
from app.api.xapi_parameters import activity_of, agent_of, moment_of, registration_of
from app.api.xapi_request import Asked
from app.api.xapi_route import XapiRoute, answered
from app.domain.exchange import xapi_documents as documents
from app.domain.exchange.xapi_documents import Guard, NewDocument, Preconditions, Shelf
from app.errors import MalformedBody
from app.http.keyring import Caller
from app.services import Services

router = APIRouter(prefix="/xAPI", tags=["xAPI"], route_class=XapiRoute)

STATE, AGENT, ACTIVITY = "state", "agent_profile", "activity_profile"
_PARAMETERS = {
    STATE: ("activityId", "agent", "registration", "stateId"),
    AGENT: ("agent", "profileId"),
    ACTIVITY: ("activityId", "profileId"),
}


@router.get("/activities/state", **schema.read(STATE))
async def get_state(request: Request) -> Response:
    """One document by `stateId`, or the ids of all, of an agent in an activity."""
    return await _answer(request, STATE)


@router.put("/activities/state", **schema.written(STATE))
async def put_state(request: Request) -> Response:
    """Store a document in place of what is there."""
    return await _answer(request, STATE)


@router.post("/activities/state", **schema.written(STATE))
async def post_state(request: Request) -> Response:
    """Store a JSON document, its properties beside those that are there."""
    return await _answer(request, STATE)


@router.delete("/activities/state", **schema.removed(STATE))
async def delete_state(request: Request) -> Response:
    """Remove one document by `stateId`, or all of an agent in an activity."""
    return await _answer(request, STATE)


@router.get("/agents/profile", **schema.read(AGENT))
async def get_agent_profile(request: Request) -> Response:
    """One document by `profileId`, or the ids of all, about an agent."""
    return await _answer(request, AGENT)


@router.put("/agents/profile", **schema.written(AGENT))
async def put_agent_profile(request: Request) -> Response:
    """Store a document; one that is there is replaced under its `If-Match` only."""
    return await _answer(request, AGENT)


@router.post("/agents/profile", **schema.written(AGENT))
async def post_agent_profile(request: Request) -> Response:
    """Store a JSON document, its properties beside those that are there."""
    return await _answer(request, AGENT)


@router.delete("/agents/profile", **schema.removed(AGENT))
async def delete_agent_profile(request: Request) -> Response:
    """Remove one document."""
    return await _answer(request, AGENT)


@router.get("/activities/profile", **schema.read(ACTIVITY))
async def get_activity_profile(request: Request) -> Response:
    """One document by `profileId`, or the ids of all, about an activity."""
    return await _answer(request, ACTIVITY)


@router.put("/activities/profile", **schema.written(ACTIVITY))
async def put_activity_profile(request: Request) -> Response:
    """Store a document; one that is there is replaced under its `If-Match` only."""
    return await _answer(request, ACTIVITY)


@router.post("/activities/profile", **schema.written(ACTIVITY))
async def post_activity_profile(request: Request) -> Response:
    """Store a JSON document, its properties beside those that are there."""
    return await _answer(request, ACTIVITY)


@router.delete("/activities/profile", **schema.removed(ACTIVITY))
async def delete_activity_profile(request: Request) -> Response:
    """Remove one document."""
    return await _answer(request, ACTIVITY)


async def _answer(request: Request, kind: str) -> Response:
    def answer(services: Services, asked: Asked, caller: Caller) -> Response:
        since = ("since",) if asked.method == "GET" else ()
        told = asked.only(*_PARAMETERS[kind], *since)
        shelf = Shelf(
            kind,
            activity_of(told) if kind != AGENT else None,
            agent_of(told) if kind != ACTIVITY else None,
            registration_of(told),
        )
        document_id = told.get("stateId" if kind == STATE else "profileId")
        if document_id is not None and len(document_id) > documents.MOST_ID:
            raise _invalid(f"the id of a document has at most {documents.MOST_ID} characters")
        if asked.method == "GET":
            return _get(services, caller, shelf, document_id, moment_of(told, "since"))
        if asked.method == "DELETE":
            return _delete(services, asked, caller, shelf, document_id)
        return _write(services, asked, caller, shelf, document_id)

    return await answered(request, answer)


def _get(
    services: Services, caller: Caller, shelf: Shelf, document_id: str | None, since_ms: int | None
) -> Response:
    with services.database.read() as connection:
        if document_id is None:
            rows = documents.ids(connection, caller.platform, shelf, since_ms)
            response: Response = JSONResponse([row.document_id for row in rows])
            changed_ms = max((row.changed_ms for row in rows), default=services.clock())
        else:
            found = documents.get(connection, caller.platform, shelf, document_id)
            # What a platform put down may be a page: it must not run under this address.
            response = Response(
                found.body,
                headers={
                    "content-type": found.media_type,
                    "content-security-policy": "sandbox; default-src 'none'",
                    "content-disposition": "attachment",
                    "etag": f'"{found.etag}"',
                },
            )
            changed_ms = found.changed_ms
    response.headers["last-modified"] = formatdate(changed_ms // 1000, usegmt=True)
    return response


def _write(
    services: Services, asked: Asked, caller: Caller, shelf: Shelf, document_id: str | None
) -> Response:
    if document_id is None:
        raise _missing(shelf)
    media_type = asked.media_type or "application/octet-stream"
    new = NewDocument(document_id, media_type, asked.body, services.settings.max_documents_bytes)
    told = _preconditions(asked)
    with services.database.write() as connection:
        at = (connection, caller.platform, shelf, new, told)
        if asked.method == "POST":
            documents.merge(*at, services.clock())
        else:
            documents.put(*at, guard=_guard(asked, shelf), now_ms=services.clock())
    return Response(status_code=204)


def _guard(asked: Asked, shelf: Shelf) -> Guard:
    """Version 1.0.3 lets a state be overwritten unseen, and cmi5 courses do; of a profile it wants
    to know even that there is none."""
    if asked.two:
        return Guard.REPLACED
    return Guard.NONE if shelf.kind == STATE else Guard.ALWAYS


def _delete(
    services: Services, asked: Asked, caller: Caller, shelf: Shelf, document_id: str | None
) -> Response:
    if document_id is None and shelf.kind != STATE:
        raise _missing(shelf)
    with services.database.write() as connection:
        if document_id is None:
            documents.clear(connection, caller.platform, shelf)
        else:
            told = _preconditions(asked)
            documents.delete(connection, caller.platform, shelf, document_id, told)
    return Response(status_code=204)


def _preconditions(asked: Asked) -> Preconditions:
    return Preconditions(asked.headers.get("if-match"), asked.headers.get("if-none-match"))


def _missing(shelf: Shelf) -> MalformedBody:
    return _invalid(f"{_PARAMETERS[shelf.kind][-1]}: is required")


def _invalid(detail: str) -> MalformedBody:
    return MalformedBody("invalid_parameter", detail)
