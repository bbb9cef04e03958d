"""xAPI statements, versions 1.0.3 and 2.0: for platforms whose players speak it already."""

from __future__ import annotations

import json
from collections.abc import Sequence
from email.utils import formatdate
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import Counter
from sqlalchemy import Connection

from app.api import xapi_schema
from app.api.auth import services_of
from app.api.xapi_multipart import composed, statements_and_files
from app.api.xapi_query import LIST_PARAMETERS, ONE_PARAMETERS, StatementQuery, flag, format_of
from app.api.xapi_request import NEWEST, Asked
from app.api.xapi_route import SETTLED, XapiRoute, answered
from app.domain.answer import Answer
from app.domain.exchange import xapi
from app.domain.exchange.xapi_attachments import AttachedFile
from app.domain.exchange.xapi_batch import Sent, read_post, read_put, require_uuid
from app.domain.exchange.xapi_formats import canonical, ids_only, languages_of
from app.domain.exchange.xapi_model import VOIDED
from app.domain.exchange.xapi_sittings import Openings
from app.domain.exchange.xapi_values import as_timestamp
from app.domain.exchange.xapi_video import session_of
from app.domain.sittings.leases import is_lease
from app.errors import MalformedBody, NotAllowed
from app.http.keyring import Caller
from app.http.lease_ring import LeaseRing
from app.services import Services

router = APIRouter(prefix="/xAPI", tags=["xAPI"], route_class=XapiRoute)


class About(Answer, frozen=True, kw_only=True):
    version: list[str]


@router.get("/about")
def get_about() -> About:
    """Which versions are spoken here; anybody may ask."""
    return About(version=[NEWEST, "1.0.3", "1.0.2", "1.0.1", "1.0.0"])


@router.post("/statements", openapi_extra=xapi_schema.POST, responses=xapi_schema.POSTED)
async def post_statements(request: Request) -> Response:
    """Store one statement or a list of them, all or none; answers their ids.

    With `?method=PUT|GET|POST` the body is a form that holds another request, headers and all.
    """
    return await _answered(request)


@router.put(
    "/statements",
    status_code=204,
    response_class=Response,
    openapi_extra=xapi_schema.PUT,
    responses=xapi_schema.REFUSALS,
)
async def put_statement(request: Request) -> Response:
    """Store one statement under the id that `statementId` names."""
    return await _answered(request)


@router.get("/statements", openapi_extra=xapi_schema.GET, responses=xapi_schema.GOT)
async def get_statements(request: Request) -> Response:
    """One statement by `statementId`, or those that match, newest first, page by page."""
    return await _answered(request)


async def _answered(request: Request) -> Response:
    state = request.app.state
    if not hasattr(state, "statements"):
        state.statements = Statements(services_of(request))
    statements: Statements = state.statements
    return await answered(request, statements.answer, _browser)


def _browser(asked: Asked, leases: LeaseRing) -> Caller | None:
    """The learner's browser that writes with the lease of the sitting that its statements name.

    Raises NotAllowed where they name none or another, take others back, or bring files.
    """
    _, _, token = (asked.authorization or "").partition(" ")
    if not is_lease(token.strip()):
        return None
    if asked.method == "GET":
        raise NotAllowed("scope_missing", "a lease writes statements and reads none")
    body, files = statements_and_files(asked)
    statements = [sent.statement for sent in read_post(body, asked.two)]
    sessions = {session_of(it) for it in statements}
    (session,) = sessions if len(sessions) == 1 else (None,)
    if session is None:
        raise NotAllowed("other_session", "with a lease, all statements name its one sitting")
    if files or any(it["verb"]["id"] == VOIDED for it in statements):
        raise NotAllowed("scope_missing", "a lease brings no files and takes no statement back")
    return leases.caller(asked.authorization, session)


class Statements:
    """Answers what is asked, on behalf of the platform whose key came along. One a process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._counted = Counter(
            "zhenxue_statements_total",
            "xAPI statements by fate",
            ("fate",),
            registry=services.registry,
        )

    def answer(self, _services: Services, asked: Asked, caller: Caller) -> Response:
        if asked.method == "GET":
            return self._get(asked, caller)
        if asked.method == "DELETE":
            raise MalformedBody("invalid_parameter", "statements are never removed, only voided")
        return self._post(asked, caller) if asked.method == "POST" else self._put(asked, caller)

    def _post(self, asked: Asked, caller: Caller) -> Response:
        asked.only()
        body, files = statements_and_files(asked)
        taken = self._take(caller, read_post(body, asked.two), files, asked.two)
        return JSONResponse(taken.ids, headers=_fate_headers(taken))

    def _put(self, asked: Asked, caller: Caller) -> Response:
        name = asked.only("statementId").get("statementId")
        if name is None:
            raise MalformedBody("invalid_parameter", "statementId: is required of PUT")
        body, files = statements_and_files(asked)
        sent = read_put(body, require_uuid(name, "statementId"), asked.two)
        taken = self._take(caller, [sent], files, asked.two)
        return Response(status_code=204, headers=_fate_headers(taken))

    def _take(
        self, caller: Caller, batch: list[Sent], files: list[AttachedFile], two: bool
    ) -> xapi.Taken:
        services = self._services
        sender = sender_of(services, caller, two)
        openings = Openings(services.vault, services.controls)
        kept = xapi.Files(files, services.settings.max_documents_bytes)
        taken = xapi.receive(services.database, openings, services.clock, sender, batch, kept)
        services.closed(openings.ended)
        for fate, count in taken.fates.items():
            self._counted.labels(fate).inc(count)
        return taken

    def _get(self, asked: Asked, caller: Caller) -> Response:
        if "statementId" in asked.parameters or "voidedStatementId" in asked.parameters:
            return self._one(asked, caller)
        told = asked.only(*LIST_PARAMETERS)
        query = StatementQuery.of(told)
        format_of(told), flag(told, "attachments")
        with self._services.database.read() as connection:
            page = xapi.page(connection, caller.platform, query.wanted, query.after, query.limit)
            more = ""
            if page.after is not None:
                more = "/xAPI/statements?" + urlencode({**told, "after": page.after})
            shown = b",".join(self._shown(connection, asked, caller, page.bodies))
            body = b'{"statements":[%s],"more":%s}' % (shown, json.dumps(more).encode())
            response = self._with_files(connection, asked, caller, body, page.bodies)
        return self._settled(response, page.newest_ms)

    def _one(self, asked: Asked, caller: Caller) -> Response:
        told = asked.only(*ONE_PARAMETERS)
        if "statementId" in told and "voidedStatementId" in told:
            raise MalformedBody("invalid_parameter", "statementId: not with voidedStatementId")
        name = "statementId" if "statementId" in told else "voidedStatementId"
        statement_id = require_uuid(told[name], name)
        format_of(told), flag(told, "attachments")
        with self._services.database.read() as connection:
            body, stored_ms = xapi.statement(
                connection, caller.platform, statement_id, voided=name == "voidedStatementId"
            )
            (shown,) = self._shown(connection, asked, caller, [body])
            response = self._with_files(connection, asked, caller, shown, [body])
        response.headers["last-modified"] = formatdate(stored_ms // 1000, usegmt=True)
        return self._settled(response, stored_ms)

    def _shown(
        self, connection: Connection, asked: Asked, caller: Caller, bodies: Sequence[bytes]
    ) -> Sequence[bytes]:
        wanted = format_of(asked.parameters)
        if wanted == "canonical":
            known = xapi.canonical(connection, caller.platform, bodies)
            languages = languages_of(asked.headers.get("accept-language"))
            return [canonical(body, known, languages) for body in bodies]
        return [ids_only(body) for body in bodies] if wanted == "ids" else bodies

    def _with_files(
        self,
        connection: Connection,
        asked: Asked,
        caller: Caller,
        body: bytes,
        statements: Sequence[bytes],
    ) -> Response:
        media_type = "application/json"
        if flag(asked.parameters, "attachments"):
            files = xapi.files_of(connection, caller.platform, statements)
            body, media_type = composed(body, files)
        return Response(body, headers={"content-type": media_type})

    def _settled(self, response: Response, newest_ms: int) -> Response:
        settled_ms = max(self._services.clock() - xapi.SETTLING_MS, newest_ms)
        response.headers[SETTLED] = as_timestamp(settled_ms)
        return response


def sender_of(services: Services, caller: Caller, two: bool) -> xapi.Sender:
    """The platform that a key speaks for, as its statements name it."""
    home_page = services.settings.public_url or "urn:zhenxue"
    account = {"homePage": home_page, "name": caller.actor}
    return xapi.Sender(caller.platform, {"objectType": "Agent", "account": account}, two)


def _fate_headers(taken: xapi.Taken) -> dict[str, str]:
    """The standard wants 200 or 204 for what is stored: what became of it stands in headers."""
    fates = ", ".join(f"{fate}={count}" for fate, count in sorted(taken.fates.items()) if count)
    extensions = {"zhenxue-statements": fates}
    lost = taken.lost()
    if lost:
        remedies = "; ".join(f"{fate}: {loss.remedy_en}" for fate, loss in lost.items())
        extensions["zhenxue-remedy"] = f"stored, but in no sitting. {remedies}"
    return extensions
