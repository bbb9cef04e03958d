"""xAPI statements, versions 1.0.3 and 2.0: for platforms whose players speak it already."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from email.utils import formatdate
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import Counter
from starlette.concurrency import run_in_threadpool

from app.api import problems, xapi_schema
from app.api.answers import AnswerRoute
from app.api.auth import demand, services_of
from app.api.xapi_query import LIST_PARAMETERS, ONE_PARAMETERS, StatementQuery, flag, shape_of
from app.api.xapi_request import NEWEST, Asked, authenticate, read_request
from app.domain.accounts.platforms import KeyScope
from app.domain.answer import Answer
from app.domain.exchange import xapi
from app.domain.exchange.xapi_batch import Sent, read_post, read_put, require_uuid
from app.domain.exchange.xapi_values import as_timestamp
from app.errors import MalformedBody, ZhenxueError
from app.http.callers import callers_of
from app.http.keyring import Caller, KeyRing
from app.services import Services


class XapiRoute(AnswerRoute):
    """Every answer, refusals too, names the version that it was given in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except ZhenxueError as error:
                response = problems.response(error)
            response.headers.setdefault("x-experience-api-version", NEWEST)
            return response

        return answer


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


@router.head("/statements", include_in_schema=False)
@router.get("/statements", openapi_extra=xapi_schema.GET, responses=xapi_schema.GOT)
async def get_statements(request: Request) -> Response:
    """One statement by `statementId`, or those that match, newest first, page by page."""
    return await _answered(request)


async def _answered(request: Request) -> Response:
    services = services_of(request)
    asked = await read_request(request, services.settings.max_body_bytes)
    state = request.app.state
    if not hasattr(state, "statements"):
        state.statements = Statements(services, callers_of(request).keys)
    response: Response = await run_in_threadpool(state.statements.answer, asked)
    response.headers["x-experience-api-version"] = asked.version
    return response


class Statements:
    """Answers what is asked, on behalf of the platform whose key came along. One a process."""

    def __init__(self, services: Services, keys: KeyRing) -> None:
        self._services = services
        self._keys = keys
        self._counted = Counter(
            "zhenxue_statements_total",
            "xAPI statements by fate",
            ("fate",),
            registry=services.registry,
        )

    def answer(self, asked: Asked) -> Response:
        caller = authenticate(asked.authorization, self._keys, self._services.database)
        if asked.method == "GET":
            return self._get(asked, demand(caller, KeyScope.READ))
        demand(caller, KeyScope.INGEST)
        return self._post(asked, caller) if asked.method == "POST" else self._put(asked, caller)

    def _post(self, asked: Asked, caller: Caller) -> Response:
        asked.only()
        taken = self._take(caller, read_post(asked.body, asked.two), asked.two)
        return JSONResponse(taken.ids, headers=_fate_headers(taken))

    def _put(self, asked: Asked, caller: Caller) -> Response:
        name = asked.only("statementId").get("statementId")
        if name is None:
            raise MalformedBody("invalid_parameter", "statementId: is required of PUT")
        sent = read_put(asked.body, require_uuid(name, "statementId"), asked.two)
        taken = self._take(caller, [sent], asked.two)
        return Response(status_code=204, headers=_fate_headers(taken))

    def _take(self, caller: Caller, batch: list[Sent], two: bool) -> xapi.Taken:
        services = self._services
        authority = {
            "objectType": "Agent",
            "account": {
                "homePage": services.settings.public_url or "urn:zhenxue",
                "name": caller.actor,
            },
        }
        taken = xapi.receive(
            services.database,
            services.controls,
            services.clock,
            caller.platform,
            batch,
            authority,
            two,
        )
        for fate, count in taken.fates.items():
            self._counted.labels(fate).inc(count)
        return taken

    def _get(self, asked: Asked, caller: Caller) -> Response:
        if "statementId" in asked.parameters or "voidedStatementId" in asked.parameters:
            return self._one(asked, caller)
        query = StatementQuery.of(asked.only(*LIST_PARAMETERS))
        with self._services.database.read() as connection:
            page = xapi.page(connection, caller.platform, query.wanted, query.after, query.limit)
        more = ""
        if page.after is not None:
            more = "/xAPI/statements?" + urlencode({**asked.parameters, "after": page.after})
        shown = b",".join(query.shape(body) for body in page.bodies)
        body = b'{"statements":[%s],"more":%s}' % (shown, json.dumps(more).encode())
        return self._statements_response(body, page.newest_ms)

    def _one(self, asked: Asked, caller: Caller) -> Response:
        asked_for = asked.only(*ONE_PARAMETERS)
        if "statementId" in asked_for and "voidedStatementId" in asked_for:
            raise MalformedBody("invalid_parameter", "statementId: not with voidedStatementId")
        name = "statementId" if "statementId" in asked_for else "voidedStatementId"
        statement_id = require_uuid(asked_for[name], name)
        shape = shape_of(asked_for)
        flag(asked_for, "attachments", allowed=False)
        with self._services.database.read() as connection:
            body, stored_ms = xapi.statement(
                connection, caller.platform, statement_id, voided=name == "voidedStatementId"
            )
        response = self._statements_response(shape(body), stored_ms)
        response.headers["last-modified"] = formatdate(stored_ms // 1000, usegmt=True)
        return response

    def _statements_response(self, body: bytes, newest_ms: int) -> Response:
        settled_ms = max(self._services.clock() - xapi.SETTLING_MS, newest_ms)
        headers = {"x-experience-api-consistent-through": as_timestamp(settled_ms)}
        return Response(body, headers=headers, media_type="application/json")


def _fate_headers(taken: xapi.Taken) -> dict[str, str]:
    """The standard wants 200 or 204 for what is stored: what became of it stands in headers."""
    fates = ", ".join(f"{fate}={count}" for fate, count in sorted(taken.fates.items()) if count)
    extensions = {"zhenxue-statements": fates}
    lost = taken.lost()
    if lost:
        remedies = "; ".join(f"{fate}: {remedy}" for fate, remedy in lost.items())
        extensions["zhenxue-remedy"] = f"stored, but in no sitting. {remedies}"
    return extensions
